"""Fits that fail, and scores that are none."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning

from tests.helpers.estimators import Score
from tests.helpers.searches import WITH_RUNGS, X, every_search, y

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")


@every_search
@pytest.mark.parametrize("error_score", [np.nan, 1e9])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_candidate_that_raises(search, error_score, n_jobs):
    space = {"a": [0.0, 0.3, 0.5, 0.7], "bad": [(0.3,)]}
    fitted = search(Score(), space, cv=2, error_score=error_score, n_jobs=n_jobs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted.fit(X, y)
    failed = [w for w in caught if w.category is FitFailedWarning]
    assert len(failed) == 1
    results = fitted.cv_results_
    n_fits = 2 * len(results["params"])
    bad = np.array([p["a"] == 0.3 for p in results["params"]])
    said = f"{2 * bad.sum()} fits failed out of a total of {n_fits}."
    assert bad.any() and said in str(failed[0].message)
    np.testing.assert_array_equal(results["mean_test_score"][bad], error_score)
    assert (results["rank_test_score"][bad] == 1 + (~bad).sum()).all()
    assert fitted.best_params_["a"] == 0.5


@every_search
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite(search, odd):
    space = {"a": [0.0, 0.3, 0.5, 0.7], "odd": [odd], "odd_at": [(0.3,)]}
    with pytest.warns(UserWarning, match="test scores are non-finite"):
        fitted = search(Score(), space, cv=2).fit(X, y)
    results = fitted.cv_results_
    row = [p["a"] for p in results["params"]].index(0.3)
    assert np.isnan(results["mean_test_score"][row])
    assert fitted.best_params_["a"] == 0.5
    fitted = search(Score(), space, cv=2, error_score=-5).fit(X, y)
    row = [p["a"] for p in fitted.cv_results_["params"]].index(0.3)
    assert fitted.cv_results_["mean_test_score"][row] == -5


@every_search
def test_all_fail(search):
    space = {"a": [0.0, 0.3], "bad": [(0.0, 0.3)]}
    with pytest.raises(ValueError, match=r"(?s)ll.* failed.*a=0.* is bad"):
        search(Score(), space, n_iter=2, cv=2).fit(X, y)


@every_search
@pytest.mark.parametrize(
    "n_jobs",
    [1, pytest.param(2, marks=[pytest.mark.slow, pytest.mark.one_end])],
)
def test_error_score_raise(search, n_jobs):
    space = {"a": [0.0, 0.3], "bad": [(0.3,)]}
    fitted = search(Score(), space, n_iter=2, cv=2, error_score="raise", n_jobs=n_jobs)
    with pytest.raises(ValueError, match=r"^a=0.3 is bad$"):
        fitted.fit(X, y)
    assert not hasattr(fitted, "cv_results_")
    # The pool can be used again.
    again = search(Score(), {"a": [0.0, 0.3]}, n_iter=2, cv=2, n_jobs=n_jobs)
    assert again.fit(X, y).best_params_ == {"a": 0.3}


@every_search
def test_one_metric_that_fails(search):
    def metrics(estimator, X, y):
        return {
            "fine": estimator.score(X),
            "odd": np.nan if estimator.a == 0.3 else 1.0,
        }

    space = {"a": [0.0, 0.3, 0.5, 0.7]}
    with pytest.warns(UserWarning, match="non-finite"):
        fitted = search(Score(), space, cv=2, scoring=metrics, refit="fine").fit(X, y)
    assert fitted.best_params_["a"] == 0.3  # the metric that decides is fine


@every_search
def test_a_scorer_of_several_metrics_that_raises(search):
    def metrics(estimator, X, y):
        if estimator.a == 0.3:
            raise RuntimeError("no score")
        return {"one": estimator.score(X), "two": 1.0}

    space = {"a": [0.0, 0.3, 0.5, 0.7]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(Scoring failed|non-finite)")
        fitted = search(Score(), space, cv=2, scoring=metrics, refit="one").fit(X, y)
    bad = [p["a"] == 0.3 for p in fitted.cv_results_["params"]]
    assert any(bad) and list(np.isnan(fitted.cv_results_["mean_test_two"])) == bad
    assert fitted.best_params_["a"] == 0.5


@every_search
@pytest.mark.parametrize("error_score", [np.nan, 5.0])
def test_nothing_to_choose(search, error_score):
    odd = [np.inf, np.nan]
    space = {"a": [0.0, 0.3], "bad": [(0.0,)], "odd_at": [(0.3,)], "odd": odd}
    hopeless = search(Score(), space, cv=2, error_score=error_score)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(fits failed|non-finite)")
        with pytest.raises(ValueError, match=r"(?s)[Nn]o candidate .*is bad"):
            hopeless.fit(X, y)
        if search in WITH_RUNGS:  # nobody can go on, whether or not one is refitted
            return
        results = hopeless.set_params(refit=False).fit(X, y).cv_results_
    np.testing.assert_array_equal(results["mean_test_score"], error_score)
