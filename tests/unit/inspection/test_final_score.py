"""Scores of rows that a search has not seen, with an interval."""

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score
from sklearn.tree import DecisionTreeClassifier

from sktune import GridSearchCV
from sktune.inspection import final_score

X, y = load_iris(return_X_y=True)
SEEN, HELD_OUT = slice(None, None, 2), slice(1, None, 2)


class Counted(DecisionTreeClassifier):
    calls = []

    def predict(self, X):
        self.calls.append(len(X))
        return super().predict(X)


def fitted(**kwargs):
    tree = Counted(min_samples_leaf=8, random_state=0)
    search = GridSearchCV(tree, {"max_depth": [1, 2]}, cv=3, **kwargs)
    return search.fit(X[SEEN], y[SEEN])


def test_it_is_the_bootstrap_of_the_score():
    search = fitted()
    Counted.calls.clear()
    found = final_score(search, X[HELD_OUT], y[HELD_OUT], random_state=0)
    assert Counted.calls == [75, 75], "predictions are made once"
    predicted, truth = search.predict(X[HELD_OUT]), y[HELD_OUT]
    expected = bootstrap(
        (np.arange(75),),
        lambda rows: accuracy_score(truth[rows], predicted[rows]),
        vectorized=False,
        n_resamples=1000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert found == (search.score(X[HELD_OUT], truth), expected.low, expected.high)
    assert found.low < found.score < found.high


@pytest.mark.parametrize(
    "scoring",
    ["accuracy", "neg_log_loss", lambda e, X, y: float((e.predict(X) == y).mean())],
)
def test_any_scorer(scoring):
    search = fitted(scoring=scoring)
    found = final_score(search, X[HELD_OUT], y[HELD_OUT], n_resamples=50)
    assert found.score == pytest.approx(search.score(X[HELD_OUT], y[HELD_OUT]))
    assert found.low <= found.score <= found.high


def test_a_scorer_that_looks_at_the_rows_is_called_for_each_draw():
    def of_rows(estimator, X, y):
        return float(np.asarray(X)[:, 0].mean())

    found = final_score(fitted(scoring=of_rows), X, y, n_resamples=30)
    assert found.score == pytest.approx(X[:, 0].mean())
    assert found.low < found.score < found.high


def test_several_metrics_and_estimators_without_a_search():
    search = fitted(scoring=["neg_log_loss", "accuracy"], refit="accuracy")
    one = final_score(search, X, y, random_state=0)
    other = final_score(search.best_estimator_, X, y, random_state=0)
    assert one == other
    X_r, y_r = load_diabetes(return_X_y=True)
    found = final_score(Ridge().fit(X_r, y_r), X_r, y_r, n_resamples=50)
    assert found.score == pytest.approx(Ridge().fit(X_r, y_r).score(X_r, y_r))


def test_a_narrower_interval_of_more_rows_or_less_confidence():
    search = fitted()
    wide = final_score(search, X, y, random_state=0)
    less = final_score(search, X, y, confidence_level=0.5, random_state=0)
    assert less.high - less.low < wide.high - wide.low


def test_what_it_refuses():
    search = fitted()
    with pytest.raises(ValueError, match="1 rows tell nothing"):
        final_score(search, X[:1], y[:1])
    with pytest.raises(ValueError, match="confidence_level=95"):
        final_score(search, X, y, confidence_level=95)
