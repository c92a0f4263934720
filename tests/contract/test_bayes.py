"""What the Bayesian search finds, with each of its surrogates."""

import warnings

import joblib
import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.exceptions import FitFailedWarning

from sktune.strategy import Bayes
from tests.helpers.estimators import Score
from tests.helpers.searches import X, bayes, hyperband, randomized, y

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

SURROGATES = ["gp", "forest", "tpe"]

every_surrogate = pytest.mark.parametrize("surrogate", SURROGATES)


def test_bayes_finds_what_random_search_does_not():
    space = {"a": uniform(0, 1), "b": uniform(0, 1)}
    for seed in range(3):
        scores = [
            search(Score(), space, n_iter=20, cv=2, random_state=seed).fit(X, y)
            for search in (bayes, randomized)
        ]
        assert scores[0].best_score_ > -1e-3
        assert scores[0].best_score_ > scores[1].best_score_


@every_surrogate
def test_every_surrogate_searches_with_any_number_of_workers(surrogate):
    """Failures and pending candidates among what it learns from."""
    space = [
        {
            "a": [0.1, 0.2, 0.4, 0.8],
            "bad": [(), (0.1, 0.2)],
            "odd_at": [(), (0.4, 0.8)],
        },
        {"a": uniform(0, 1), "b": uniform(0, 1)},
    ]
    tried = []
    for n_jobs in (1, 2):
        search = bayes(
            Score(odd=np.nan), space, n_iter=12, cv=2, surrogate=surrogate, n_pending=2
        )
        with (
            joblib.parallel_config("threading", n_jobs=n_jobs),
            pytest.warns(FitFailedWarning),
            pytest.warns(UserWarning, match="non-finite"),
        ):
            tried.append(search.fit(X, y).cv_results_)
    assert len(tried[0]["params"]) == 12
    assert tried[0]["params"] == tried[1]["params"]
    np.testing.assert_array_equal(*(r["mean_test_score"] for r in tried))


def test_a_forest_over_rungs():
    space = {"a": uniform(0, 1), "b": uniform(0, 1)}
    strategy = Bayes(surrogate="forest")
    options = {"factor": 4, "min_resources": 9, "max_resources": 144, "cv": 2}
    fitted = hyperband(Score(), space, strategy=strategy, **options).fit(X, y)
    params = [
        tuple(p.items())
        for p, i in zip(
            fitted.cv_results_["params"], fitted.cv_results_["iter"], strict=True
        )
        if i == 0
    ]
    assert len(set(params)) == len(params) > 12
    assert fitted.best_score_ > -0.05


def test_refit_names_the_metric_that_steers():
    def metrics(estimator, X, y):
        return {"near": estimator.score(X), "far": -estimator.score(X)}

    space = {"a": uniform(0, 1), "b": uniform(0, 1)}
    near, far = (
        bayes(Score(), space, n_iter=15, cv=2, scoring=metrics, refit=refit).fit(X, y)
        for refit in ("near", "far")
    )
    assert near.best_score_ > -0.01
    assert far.best_score_ > 0.8  # the corner (1, 0) has 0.85


def test_failures_do_not_stop_bayes_nor_mislead_it():
    class Half(Score):
        def fit(self, X, y):
            if self.a > 0.5:
                raise RuntimeError("a > 0.5")
            return super().fit(X, y)

    space = {"a": uniform(0, 1), "b": uniform(0, 1)}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(fits failed|non-finite)")
        fitted = bayes(Half(), space, n_iter=20, cv=2).fit(X, y)
    assert np.isnan(fitted.cv_results_["mean_test_score"]).any()
    assert len(fitted.cv_results_["params"]) == 20
    assert fitted.best_score_ > -0.01
