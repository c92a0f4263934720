"""Every search, made alike. A new one joins the contract by one line in `SEARCHES`."""

import pytest
from sklearn.datasets import load_iris

from sktune import (
    AnnealingSearchCV,
    BayesSearchCV,
    EvolutionSearchCV,
    FreezeThawSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    LocalSearchCV,
    PopulationBasedSearchCV,
    RandomizedSearchCV,
    ReinforceSearchCV,
    SuccessiveHalvingSearchCV,
)

X, y = load_iris(return_X_y=True)


def grid(estimator, space, *, n_iter=None, **kwargs):
    return GridSearchCV(estimator, space, **kwargs)


def randomized(estimator, space, *, n_iter=4, **kwargs):
    return RandomizedSearchCV(
        estimator, space, **{"n_iter": n_iter, "random_state": 0, **kwargs}
    )


def bayes(estimator, space, *, n_iter=4, **kwargs):
    return BayesSearchCV(
        estimator, space, **{"n_iter": n_iter, "random_state": 0, **kwargs}
    )


def annealing(estimator, space, *, n_iter=4, **kwargs):
    return AnnealingSearchCV(
        estimator, space, **{"n_iter": n_iter, "random_state": 0, **kwargs}
    )


def evolution(estimator, space, *, n_iter=4, **kwargs):
    return EvolutionSearchCV(
        estimator, space, **{"n_iter": n_iter, "random_state": 0, **kwargs}
    )


def local(estimator, space, *, n_iter=4, **kwargs):
    return LocalSearchCV(
        estimator, space, **{"n_iter": n_iter, "random_state": 0, **kwargs}
    )


def reinforce(estimator, space, *, n_iter=4, **kwargs):
    return ReinforceSearchCV(
        estimator, space, **{"n_iter": n_iter, "random_state": 0, **kwargs}
    )


def halving(estimator, space, *, n_iter=4, **kwargs):
    return SuccessiveHalvingSearchCV(
        estimator,
        space,
        **{
            "n_candidates": n_iter,
            "min_resources": "exhaust",
            "factor": 2,
            "return_train_score": False,
            "random_state": 0,
            **kwargs,
        },
    )


def hyperband(estimator, space, *, n_iter=4, **kwargs):
    return HyperbandSearchCV(
        estimator,
        space,
        **{
            "factor": 4,
            "return_train_score": False,
            "random_state": 0,
            **kwargs,
        },
    )


def freeze_thaw(estimator, space, *, n_iter=4, **kwargs):
    return FreezeThawSearchCV(
        estimator,
        space,
        **{"n_iter": n_iter, "return_train_score": False, "random_state": 0, **kwargs},
    )


def population(estimator, space, *, n_iter=4, **kwargs):
    return PopulationBasedSearchCV(
        estimator,
        space,
        **{
            "population_size": n_iter,
            "return_train_score": False,
            "random_state": 0,
            **kwargs,
        },
    )


# All but `bayes` are it but for their strategies, and are among those that sample only.
ONE_BY_ONE = [bayes, annealing, evolution, local, reinforce]
SEARCHES = [grid, randomized, bayes, halving, hyperband, freeze_thaw, population]
SAMPLING = [randomized, *ONE_BY_ONE]
WITH_RUNGS = [halving, hyperband, freeze_thaw, population]

every_search = pytest.mark.parametrize("search", SEARCHES)
every_sampling_search = pytest.mark.parametrize("search", SAMPLING)
