"""The best candidates of a search as one estimator."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_classification
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sktune import GridSearchCV, SuccessiveHalvingSearchCV
from sktune.ensemble import SearchEnsembleClassifier, SearchEnsembleRegressor
from tests.helpers.estimators import blobs, net

TREES = {"max_features": [0.3, 0.6, 1.0], "splitter": ["best", "random"]}
X, y = make_classification(400, 12, n_informative=8, n_classes=3, random_state=0)


def of_trees(**kwargs):
    return GridSearchCV(DecisionTreeClassifier(random_state=0), TREES, cv=3, **kwargs)


def of_regression(**kwargs):
    return GridSearchCV(DecisionTreeRegressor(random_state=0), TREES, cv=3, **kwargs)


def test_votes_are_weighted_means_of_the_members():
    ensemble = SearchEnsembleClassifier(of_trees(), n_candidates=4).fit(X, y)
    expected = sum(
        weight * np.mean([one.predict_proba(X) for one in member.estimators], axis=0)
        for weight, member in zip(ensemble.weights_, ensemble.members_, strict=True)
    )
    np.testing.assert_allclose(ensemble.predict_proba(X), expected)
    classes = ensemble.classes_[expected.argmax(axis=1)]
    np.testing.assert_array_equal(ensemble.predict(X), classes)
    assert ensemble.weights_.sum() == pytest.approx(1)
    assert 1 <= len(ensemble.members_) <= 4
    assert not hasattr(ensemble.search_, "best_estimator_")
    assert not hasattr(ensemble.search, "cv_results_"), "the user's own is not fitted"


def test_better_than_the_best_by_itself():
    digits = load_digits(return_X_y=True)
    alone = cross_val_score(of_trees(), *digits, cv=2).mean()
    for refit in (False, True):
        ensemble = SearchEnsembleClassifier(of_trees(), refit=refit)
        voted = cross_val_score(ensemble, *digits, cv=2).mean()
        # One candidate that votes alone, refitted, is the best of the search.
        assert voted >= alone if refit else voted > alone + 0.01
    X_r, y_r = load_diabetes(return_X_y=True)
    alone = cross_val_score(of_regression(), X_r, y_r, cv=2).mean()
    both = cross_val_score(SearchEnsembleRegressor(of_regression()), X_r, y_r, cv=2)
    assert both.mean() > alone


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc_ovr", "f1_macro"])
def test_members_are_chosen_by_the_metric_of_the_search(scoring):
    ensemble = SearchEnsembleClassifier(of_trees(scoring=scoring)).fit(X, y)
    scores = []
    for members, weights in [
        (ensemble.members_, ensemble.weights_),
        (ensemble.search_.kept_[:1], [1.0]),
    ]:
        out = sum(
            weight * member.out_of_fold(X, "predict_proba")
            for weight, member in zip(weights, members, strict=True)
        )
        scores.append(ensemble._score(out, y))
    assert scores[0] >= scores[1]


def test_several_metrics_by_the_one_that_refit_names():
    search = of_trees(scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss")
    single = of_trees(scoring="neg_log_loss")
    several, one = (SearchEnsembleClassifier(s).fit(X, y) for s in (search, single))
    np.testing.assert_array_equal(several.weights_, one.weights_)


def test_a_search_that_is_fitted_already():
    search = of_trees(keep=4).fit(X, y)
    ensemble = SearchEnsembleClassifier(search, n_candidates=4, prefit=True).fit(X, y)
    anew = SearchEnsembleClassifier(of_trees(), n_candidates=4).fit(X, y)
    np.testing.assert_array_equal(ensemble.predict_proba(X), anew.predict_proba(X))
    with pytest.raises(ValueError, match="fitted with keep, such as keep=10"):
        SearchEnsembleClassifier(of_trees().fit(X, y), prefit=True).fit(X, y)


def test_members_that_are_refitted():
    ensemble = SearchEnsembleClassifier(of_trees(), refit=True).fit(X, y)
    for (one,), member in zip(ensemble.estimators_, ensemble.members_, strict=True):
        tree = DecisionTreeClassifier(random_state=0, **member.params).fit(X, y)
        np.testing.assert_array_equal(one.predict(X), tree.predict(X))
    voting = SearchEnsembleClassifier(of_trees()).fit(X, y)
    np.testing.assert_array_equal(ensemble.weights_, voting.weights_)


class Diverging(DecisionTreeRegressor):
    """Predicts NaN where it has been fitted to all rows."""

    def fit(self, X, y):
        self.is_lost_ = len(X) > 300
        return super().fit(X, y)

    def predict(self, X):
        return np.full(len(X), np.nan) if self.is_lost_ else super().predict(X)


def test_a_member_that_diverges_when_it_is_refitted():
    trees = Diverging(random_state=0)
    search = GridSearchCV(trees, TREES, cv=3)
    ensemble = SearchEnsembleRegressor(search, refit=True)
    with pytest.warns(UserWarning, match="predicts NaN. It votes by the estimators"):
        ensemble.fit(X, y.astype(float))
    voting = SearchEnsembleRegressor(search).fit(X, y.astype(float))
    np.testing.assert_array_equal(ensemble.predict(X), voting.predict(X))


def test_nets_in_rungs():
    X, y = blobs()
    space = {"lr": [0.01, 0.1, 0.3, 1.0]}
    search = SuccessiveHalvingSearchCV(
        net(max_epochs=4), space, cv=3, factor=2, random_state=0, n_candidates=4
    )
    ensemble = SearchEnsembleClassifier(search).fit(X, y)
    assert ensemble.score(X, y) > 0.5
    assert ensemble.predict_proba(X).shape == (len(X), 3)
    again = SearchEnsembleClassifier(search, refit=True).fit(X, y)
    assert {len(one.history_) for (one,) in again.estimators_} == {4}


def test_a_class_that_one_split_has_not_seen():
    X, y = load_iris(return_X_y=True)
    y = y.copy()
    y[0] = 9
    rows = np.arange(150)
    cv = [(rows[1::2], rows[::2]), (rows[::2], rows[1::2])]
    search = of_trees().set_params(cv=cv)
    ensemble = SearchEnsembleClassifier(search).fit(X, y)
    votes = ensemble.predict_proba(X)
    assert votes.shape == (150, 4)
    np.testing.assert_allclose(votes.sum(axis=1), 1.0)


def test_names_of_classes():
    names = np.array(["b", "c", "a"])[y]
    ensemble = SearchEnsembleClassifier(of_trees()).fit(X, names)
    assert set(ensemble.predict(X)) == {"a", "b", "c"}


@pytest.mark.parametrize("argument", ["n_candidates", "n_rounds"])
@pytest.mark.parametrize("value", [0, "all", 1.5, None])
def test_what_cannot_be(argument, value):
    ensemble = SearchEnsembleClassifier(of_trees(), **{argument: value})
    with pytest.raises(ValueError, match=f"{argument}={value!r}"):
        ensemble.fit(X, y)


def test_they_are_estimators():
    classifier = SearchEnsembleClassifier(of_trees())
    regressor = SearchEnsembleRegressor(of_regression())
    assert is_classifier(classifier) and is_regressor(regressor)
    deep = clone(classifier.set_params(search__estimator__max_depth=2))
    assert deep.search.estimator.max_depth == 2
