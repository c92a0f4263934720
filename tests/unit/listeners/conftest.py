"""Searches of tiny nets, to be tracked."""

import joblib
import numpy as np
import pytest
from skorch.dataset import ValidSplit

from sktune import GridSearchCV, SuccessiveHalvingSearchCV
from tests.helpers.estimators import blobs, net

X, y = blobs(60)
SPACE = {"lr": [0.1, 0.01], "module__hidden": [2, 3]}


@pytest.fixture
def fitted():
    """``fitted(search, listener, **kwargs)`` fits one of these with two workers."""

    def fit(search, listener, **kwargs):
        with joblib.parallel_config("threading"):
            return search(listeners=[listener], **kwargs).fit(X, y.astype(np.int64))

    return fit


@pytest.fixture
def halving():
    def make(**kwargs):
        return SuccessiveHalvingSearchCV(
            net(train_split=ValidSplit(3), verbose=0),
            SPACE,
            n_candidates=4,
            max_resources=4,
            factor=2,
            random_state=0,
            **{"cv": 2, "n_jobs": 2, "return_train_score": False, **kwargs},
        )

    return make


@pytest.fixture
def grid():
    def make(estimator=None, space=SPACE, **kwargs):
        estimator = estimator or net(train_split=ValidSplit(3), verbose=0)
        given = {"cv": 2, "n_jobs": 2, "random_state": 0, **kwargs}
        return GridSearchCV(estimator, space, **given)

    return make
