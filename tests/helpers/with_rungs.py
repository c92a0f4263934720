"""Searches with rungs, and estimators that show what happens in them."""

import numpy as np
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator, ClassifierMixin

from sktune import HyperbandSearchCV, SuccessiveHalvingSearchCV
from tests.helpers.estimators import blobs

X, y = blobs()
NET_SPACE = {"lr": loguniform(1e-3, 1.0), "module__dropout": uniform(0, 0.5)}


def halving(estimator, space, **kwargs):
    defaults = {"cv": 3, "random_state": 0, "return_train_score": False}
    return SuccessiveHalvingSearchCV(estimator, space, **{**defaults, **kwargs})


def hyperband(estimator, space, **kwargs):
    defaults = {"cv": 3, "random_state": 0, "return_train_score": False}
    return HyperbandSearchCV(estimator, space, **{**defaults, **kwargs})


class CountsPasses(ClassifierMixin, BaseEstimator):
    """Counts its own passes in a file, over all processes."""

    def __init__(self, a=0.0, file=None):
        self.a = a
        self.file = file

    def partial_fit(self, X, y, classes=None):
        self.classes_ = classes
        self.n_passes_ = getattr(self, "n_passes_", 0) + 1
        with open(self.file, "a") as file:
            file.write("x")
        return self

    def fit(self, X, y):
        raise AssertionError("passes are calls of partial_fit")

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        assert len(self.classes_) == 3, "classes are those of all y"
        return self.a * self.n_passes_


class Crossing(ClassifierMixin, BaseEstimator):
    """Better when little trained the worse it gets; fails where it is told to."""

    def __init__(self, a=0.0, depth=1, fails_from=100, raises=False):
        self.a = a
        self.depth = depth
        self.fails_from = fails_from
        self.raises = raises

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if self.depth >= self.fails_from and self.raises:
            raise RuntimeError(f"no depth of {self.depth}")
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        if self.depth >= self.fails_from:
            return np.nan
        return self.a - self.depth


DEPTH = {"resource": "depth", "max_resources": 9}
