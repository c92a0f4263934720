"""The choice by posterior mean, where noise is known to have misled the mean."""

import numpy as np
import pytest
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_iris
from sklearn.model_selection import RandomizedSearchCV as SklearnRandomizedSearchCV
from sklearn.svm import SVC

from sktune import BayesSearchCV
from sktune._errors import SpaceError
from sktune._types import Observation, Problem
from sktune.inspection import PosteriorMean
from sktune.space import Space
from sktune.strategy import FittedSurrogate

X, y = load_iris(return_X_y=True)


def results_of(params, scores, **columns):
    """What `cv_results_` says of scores (n, n_splits)."""
    scores = np.asarray(scores, dtype=float)
    low = np.nan_to_num(scores.mean(axis=1), nan=-np.inf)
    return {
        **{f"split{j}_test_score": column for j, column in enumerate(scores.T)},
        "params": params,
        "rank_test_score": 1 + (low[None] > low[:, None]).sum(axis=1),
        **columns,
    }


def a_hill_with_a_lucky_slope():
    """Scores of x, the greatest of which is the luck of one far from the top at 0.5."""
    x = np.linspace(0.0, 1.0, 21)
    scores = -4.0 * (x - 0.5) ** 2 + 0.02 * np.random.default_rng(0).standard_normal(21)
    scores[2] = 0.06
    return [{"x": float(v)} for v in x], np.column_stack([scores, scores])


class TestTheChoice:
    def test_is_not_the_lucky_one(self):
        params, scores = a_hill_with_a_lucky_slope()
        assert scores.mean(axis=1).argmax() == 2
        chosen = PosteriorMean()(results_of(params, scores))
        assert 0.35 <= params[chosen]["x"] <= 0.65

    def test_is_what_the_surrogate_of_the_same_space_says(self):
        params, scores = a_hill_with_a_lucky_slope()
        given = {"x": uniform(-1.0, 3.0)}
        space = Space(given)
        told = [
            Observation(k, p, dict(enumerate(map(float, s))))
            for k, (p, s) in enumerate(zip(params, scores, strict=True))
        ]
        surrogate = FittedSurrogate.of(Problem(space), told)
        mean, _, _ = surrogate.predict(np.array([space.encode(p) for p in params]))
        assert PosteriorMean(given)(results_of(params, scores)) == mean.argmax()

    def test_of_few_candidates_the_best(self):
        params, scores = a_hill_with_a_lucky_slope()
        assert PosteriorMean()(results_of(params[:3], scores[:3])) == 2

    def test_of_equals_the_best(self):
        params = [{"x": k} for k in range(5)]
        results = results_of(params, np.full((5, 2), 0.7))
        assert PosteriorMean()(results) == 0

    def test_failures_and_rows_given_less_are_left_out(self):
        params, scores = a_hill_with_a_lucky_slope()
        scores[10] = np.nan
        resources = np.full(21, 9)
        resources[9] = 3
        results = results_of(params, scores, n_resources=resources)
        assert PosteriorMean()(results) not in (9, 10)

    def test_params_of_all_kinds(self):
        models = [SVC(), None]
        params = [
            {"model": models[k % 2], "on": bool(k % 3), "x": k / 7} for k in range(8)
        ] + [{"other": "a"}, {"other": "b"}]
        scores = np.random.default_rng(0).random((10, 3))
        assert PosteriorMean()(results_of(params, scores)) in range(10)

    def test_an_unknown_metric(self):
        params, scores = a_hill_with_a_lucky_slope()
        with pytest.raises(ValueError, match="Did you mean 'score'"):
            PosteriorMean(metric="scor")(results_of(params, scores))

    def test_no_space(self):
        with pytest.raises(SpaceError, match="'x'"):
            PosteriorMean({"x": []})

    def test_candidates_of_another_space(self):
        params, scores = a_hill_with_a_lucky_slope()
        with pytest.raises(SpaceError, match="'x'"):
            PosteriorMean({"x": uniform(5.0, 1.0)})(results_of(params, scores))


def test_as_refit_of_ours_and_of_scikit_learns():
    space = {"C": loguniform(1e-2, 1e3), "gamma": loguniform(1e-3, 1e1)}
    for search in (
        BayesSearchCV(
            SVC(), space, n_iter=8, refit=PosteriorMean(space), random_state=0
        ),
        SklearnRandomizedSearchCV(
            SVC(), space, n_iter=8, refit=PosteriorMean(), random_state=0
        ),
    ):
        search.fit(X, y)
        assert search.best_index_ == search.refit(search.cv_results_)
        assert search.best_params_["C"] == search.best_estimator_.C
