"""Ranges of other packages are refused in all searches that sample."""

import pytest
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from sktune import (
    BayesSearchCV,
    FreezeThawSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)

SEARCHES = [
    BayesSearchCV,
    FreezeThawSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
]


class Real:
    """As scikit-optimize's: it can be drawn from, into a list."""

    __module__ = "skopt.space.space"

    def rvs(self, n_samples=1, random_state=None):
        return [1.0]

    def __repr__(self):
        return "Real(low=0.001, high=1000.0)"


class FloatDistribution:
    __module__ = "optuna.distributions"


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize(
    "given, error, message",
    [
        (Real(), TypeError, "scikit-optimize: Real.*loguniform"),
        (FloatDistribution(), TypeError, "Optuna.*loguniform"),
        ((1e-3, 1e3, "log-uniform"), ValueError, r"loguniform\(0.001, 1000.0\)"),
        ([1, 3, "uniform"], ValueError, r"uniform\(1, 2\)"),
        ((1e-3, 1e3, "log-uniform", 10), ValueError, "is no range"),
        (3.0, TypeError, r"not iterable or a distribution.*\[value\]"),
    ],
)
def test_other_packages(search, given, error, message):
    with pytest.raises(error, match=message):
        search(SVC(), {"C": given}).fit(*load_iris(return_X_y=True))


def test_values_that_look_alike():
    space = {"kernel": ["linear", "rbf", "sigmoid"], "gamma": [0.1, "scale", "auto"]}
    search = RandomizedSearchCV(SVC(), space, n_iter=2, cv=2, random_state=0)
    search.fit(*load_iris(return_X_y=True))
    assert set(search.best_params_) == {"kernel", "gamma"}
