"""Each warning of a search shows the line of the program that began it, once."""

import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from tests.helpers.estimators import Net, Score, blobs, net
from tests.helpers.searches import X, every_search, halving, hyperband, randomized, y

HERE = Path(__file__).name


def raises(estimator, X, y):
    if estimator.a == 0.3:
        raise RuntimeError("no score")
    return 1.0


def said(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return caught


def lines(caught):
    return {Path(one.filename).name for one in caught}


@every_search
@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_fits_and_scorers_that_fail(search, n_jobs):
    space = {"a": [0.0, 0.3, 0.5, 0.7], "bad": [(0.5,)]}
    made = search(Score(), space, cv=3, scoring=raises, n_jobs=n_jobs)
    caught = said(lambda: made.fit(X, y))
    assert lines(caught) == {HERE}
    texts = [str(one.message) for one in caught]
    assert len(set(texts)) == len(texts)
    assert sum(text.startswith("Scoring failed") for text in texts) == 1
    assert sum(one.category is FitFailedWarning for one in caught) == 1
    assert sum("non-finite" in text for text in texts) == 1


def test_within_pipelines_and_cross_validation():
    made = hyperband(Score(), {"a": [0.1, 0.2]}, cv=2)
    calls = [
        lambda: made.fit(X, y),
        lambda: Pipeline([("scale", StandardScaler()), ("search", made)]).fit(X, y),
        lambda: cross_val_score(made, X, y, cv=2),
    ]
    for call in calls:
        caught = said(call)
        assert caught and lines(caught) == {HERE}
        assert "Hyperband plans" in str(caught[0].message)


def test_before_the_first_fit_and_after_the_last():
    from skorch import NeuralNetClassifier
    from skorch.callbacks import EarlyStopping

    data = blobs()
    by_default = NeuralNetClassifier(Net).train_split
    stops = net(callbacks=[("stop", EarlyStopping())], train_split=by_default)
    searches = [
        (
            halving(Score(), {"a": [0.1, 0.2]}, min_resources=75, max_resources=150),
            X,
            y,
        ),
        (randomized(stops, {"lr": [0.1]}, n_iter=1, cv=2), *data),
        (randomized(Score(), {"a": [0.1, 0.2]}, n_iter=9, devices="auto"), X, y),
        (randomized(Score(), {"a": uniform(0, 1)}, n_iter=9**4, max_time=1.5), X, y),
    ]
    for made, *given in searches:
        caught = said(lambda made=made, given=given: made.fit(*given))
        assert caught and lines(caught) == {HERE}
        texts = [str(one.message) for one in caught]
        assert len(set(texts)) == len(texts)


def test_with_threads_too():
    space = {"a": [0.0, 0.3, 0.5, 0.7], "bad": [(0.5,)]}
    made = randomized(Score(), space, cv=3, scoring=raises, n_jobs=2)
    with joblib.parallel_config("threading"):
        caught = said(lambda: made.fit(X, y))
    assert lines(caught) == {HERE} and len(caught) == 3
    assert np.isfinite(made.best_score_)
