"""The searches that are asked how long they still take."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from digits import data, net
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import sktune

Problem = tuple[Any, Any, Any, Any]  # estimator, X, y, param_distributions


def digits(epochs: int) -> Callable[[], Problem]:
    """A net of one hidden layer; small batches take up to four times as long."""

    def problem() -> Problem:
        steps = [("scale", StandardScaler()), ("net", net(max_epochs=epochs))]
        space = {
            "net__lr": loguniform(1e-3, 1e0),
            "net__module__dropout": uniform(0, 0.5),
            "net__batch_size": [64, 128, 256],
        }
        return Pipeline(steps), *data(), space

    return problem


def digits_grid() -> Problem:
    """The same on a grid, whose small batches come first or last."""
    pipeline, X, y, _ = digits(9)()
    grid = {
        "net__lr": [0.01, 0.1, 1.0],
        "net__module__dropout": [0.0, 0.25, 0.5],
        "net__batch_size": [64, 96, 128, 256],
    }
    return pipeline, X, y, grid


class Deep(torch.nn.Module):
    """Some hidden layers."""

    def __init__(self, width: int = 64, depth: int = 1) -> None:
        super().__init__()
        sizes = [30, *[width] * depth]
        layers: list[torch.nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
        self.layers = torch.nn.Sequential(*layers, torch.nn.Linear(width, 2))

    def forward(self, X: Any) -> Any:
        return self.layers(X)


def cancer() -> Problem:
    """A net whose size, epochs, batches and optimizer are searched."""
    X, y = load_breast_cancer(return_X_y=True)
    space = {
        "lr": loguniform(1e-3, 1),
        "module__width": [32, 64, 128, 256, 512],
        "module__depth": [1, 2, 3],
        "batch_size": [16, 32, 64, 128],
        "optimizer": [torch.optim.SGD, torch.optim.Adam],
        "max_epochs": [5, 10, 15],
    }
    return net(Deep), StandardScaler().fit_transform(X).astype(np.float32), y, space


def boosting() -> Problem:
    """No net: trees, on 500 digits."""
    X, y = data()
    space = {
        "max_iter": [10, 20, 30, 40],
        "max_leaf_nodes": [4, 8, 16, 31],
        "learning_rate": loguniform(0.01, 0.5),
        "l2_regularization": loguniform(1e-3, 10),
    }
    model = HistGradientBoostingClassifier(early_stopping=False)
    return model, X[:500], y[:500], space


def boosting_in_rungs() -> Problem:
    """The same, where trees are the resource."""
    model, X, y, space = boosting()
    return model, X, y, {name: space[name] for name in space if name != "max_iter"}


def linear() -> Problem:
    """No net: gradient descent, in a space of two parts."""
    alpha = loguniform(1e-6, 1e-1)
    space = [
        {
            "alpha": alpha,
            "penalty": ["l2", "l1"],
            "max_iter": [20, 50, 100],
            "tol": [None, 1e-3],
        },
        {
            "alpha": alpha,
            "penalty": ["elasticnet"],
            "l1_ratio": uniform(0, 1),
            "max_iter": [20, 50],
        },
    ]
    return SGDClassifier(random_state=0), *data(), space


EPOCHS = {"resource": "net__max_epochs", "min_resources": 1, "max_resources": 27}
TREES = {"resource": "max_iter", "min_resources": 4, "max_resources": 36}
STACKED: dict[str, Any] = {"stacked": True}
RACING: dict[str, Any] = {"racing": True}
STOPPED: dict[str, Any] = {"early_stopping": "growth"}
Random, Bayes = sktune.RandomizedSearchCV, sktune.BayesSearchCV
Halving, Hyperband = sktune.SuccessiveHalvingSearchCV, sktune.HyperbandSearchCV
few, many, rungs = digits(9), digits(27), digits(27)

# What the estimate was developed on.
DEVELOPED: dict[str, tuple[Callable[[], Problem], Any, dict[str, Any]]] = {
    "random": (few, Random, {"n_iter": 12}),
    "random 40": (few, Random, {"n_iter": 40}),
    "grid 36": (digits_grid, sktune.GridSearchCV, {}),
    "random, racing": (few, Random, {"n_iter": 16, **RACING}),
    "random 60, racing": (few, Random, {"n_iter": 60, **RACING}),
    "random, stopped": (few, Random, {"n_iter": 14, **STOPPED}),
    "random 40, stopped": (few, Random, {"n_iter": 40, **STOPPED}),
    "random, stacked": (many, Random, {"n_iter": 40, **STACKED}),
    "random 120, stacked": (few, Random, {"n_iter": 120, **STACKED}),
    "Bayes": (few, Bayes, {"n_iter": 12}),
    "Bayes 30": (few, Bayes, {"n_iter": 30}),
    "halving": (rungs, Halving, {"n_candidates": 81, **EPOCHS}),
    "halving, one split": (
        rungs,
        Halving,
        {"n_candidates": 81, "min_splits": 1, **EPOCHS},
    ),
    "Hyperband": (rungs, Hyperband, EPOCHS),
    "Hyperband, Bayes, stacked": (
        rungs,
        Hyperband,
        {"strategy": "bayes", **STACKED, **EPOCHS},
    ),
    "asynchronous": (rungs, Hyperband, {"asynchronous": True, **EPOCHS}),
    "freeze-thaw": (rungs, sktune.FreezeThawSearchCV, {"n_iter": 8, **EPOCHS}),
}
# What it was tried on when it was ready.
KEPT_APART: dict[str, tuple[Callable[[], Problem], Any, dict[str, Any]]] = {
    "cancer net, random 24": (cancer, Random, {"n_iter": 24}),
    "cancer net, Bayes 24": (cancer, Bayes, {"n_iter": 24}),
    "cancer net, racing 40": (cancer, Random, {"n_iter": 40, **RACING}),
    "HGB, random 16": (boosting, Random, {"n_iter": 16}),
    "HGB, halving": (boosting_in_rungs, Halving, {"n_candidates": 18, **TREES}),
    "SGD, random 60": (linear, Random, {"n_iter": 60}),
    "SGD, Bayes 40": (linear, Bayes, {"n_iter": 40}),
}
SEARCHES = {**DEVELOPED, **KEPT_APART}
