"""Every search with a net, to be run with devices and without."""

import numpy as np
import torch
from scipy.stats import loguniform
from skorch.callbacks import LRScheduler

from sktune import (
    BayesSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from tests.helpers.estimators import blobs, net

X, y = blobs(60)
GRID = {"lr": [0.01, 0.1, 0.3]}
LR = {"lr": loguniform(1e-2, 1)}


ADAM = dict(
    optimizer=torch.optim.Adam,
    callbacks=[LRScheduler("StepLR", step_size=2, gamma=0.5)],
)


def quiet(**kwargs):
    return net(verbose=0, **kwargs)


def searches():
    options = dict(cv=2, random_state=0)
    rungs = dict(max_resources=4, min_resources=1, return_train_score=False)
    return {
        "grid": GridSearchCV(quiet(), {"lr": [0.01, 0.1, 0.3]}, **options),
        "randomized": RandomizedSearchCV(quiet(), LR, n_iter=3, **options),
        "bayes": BayesSearchCV(quiet(), LR, n_iter=3, **options),
        "halving": SuccessiveHalvingSearchCV(
            quiet(**ADAM), LR, n_candidates=4, factor=2, **options, **rungs
        ),
        "hyperband": HyperbandSearchCV(quiet(), LR, factor=2, **options, **rungs),
    }


def equal(one, other) -> None:
    """The same candidates and scores."""
    assert one.cv_results_["params"] == other.cv_results_["params"]
    for key in other.cv_results_:
        if key.startswith(("split", "rank")) and "device" not in key:
            np.testing.assert_array_equal(one.cv_results_[key], other.cv_results_[key])
