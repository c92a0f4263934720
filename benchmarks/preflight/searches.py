"""Searches of every kind, on nets and others, that take seconds to a minute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from published_records import published_records
from scipy.stats import loguniform
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from sktune import (
    BayesSearchCV,
    FreezeThawSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)

N_ROWS = 1500


class MLP(nn.Sequential):
    def __init__(self, n_in: int = 64, n_out: int = 10, width: int = 64) -> None:
        super().__init__(
            nn.Linear(n_in, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, n_out),
        )


class Conv(nn.Sequential):
    """On signals of 40 numbers."""

    def __init__(self, width: int = 25) -> None:
        super().__init__(
            nn.Unflatten(1, (1, 40)),
            nn.Conv1d(1, width, 5, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv1d(width, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.LazyLinear(10),
        )


def _net(module: Any = MLP, **params: Any) -> Any:
    return NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        iterator_train__shuffle=True,
        iterator_train__drop_last=True,
        train_split=None,
        verbose=0,
        **{"batch_size": 64, "max_epochs": 10, **params},
    )


def _pipeline(net: Any) -> Any:
    return Pipeline([("scale", StandardScaler()), ("net", net)])


def _prefixed(space: dict[str, Any]) -> dict[str, Any]:
    return {f"net__{name}": values for name, values in space.items()}


RATES = {"lr": loguniform(1e-3, 1), "batch_size": [16, 32, 64, 128]}
WIDTHS = {**RATES, "module__width": [16, 64, 256]}
COMMON = {"cv": 3, "random_state": 0}


def _digits() -> tuple[Any, Any]:
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def _cancer() -> tuple[Any, Any]:
    X, y = load_breast_cancer(return_X_y=True)
    return X.astype(np.float32), y


def _diabetes() -> tuple[Any, Any]:
    X, y = load_diabetes(return_X_y=True)
    return X.astype(np.float32), y.astype(np.float32).reshape(-1, 1)


def _regressor() -> Any:
    net = NeuralNetRegressor(
        MLP,
        module__n_in=10,
        module__n_out=1,
        optimizer=torch.optim.Adam,
        iterator_train__drop_last=True,
        train_split=None,
        max_epochs=20,
        verbose=0,
    )
    return TransformedTargetRegressor(net, transformer=StandardScaler())


Made = tuple[Any, str]
"""A search, and the data that it is for."""

SEARCHES: dict[str, Callable[[], Made]] = {
    "grid, net": lambda: (
        GridSearchCV(
            _net(), {"lr": [0.01, 0.1], "batch_size": [16, 64, 128]}, **COMMON
        ),
        "digits",
    ),
    "random, net, stacked": lambda: (
        RandomizedSearchCV(_net(), WIDTHS, n_iter=24, stacked=True, **COMMON),
        "digits",
    ),
    "random, regression": lambda: (
        RandomizedSearchCV(
            _regressor(),
            {
                "regressor__lr": loguniform(1e-4, 1e-1),
                "regressor__batch_size": [16, 32, 64],
            },
            n_iter=8,
            **COMMON,
        ),
        "diabetes",
    ),
    "random, forest, 2 jobs": lambda: (
        RandomizedSearchCV(
            RandomForestClassifier(random_state=0),
            {"n_estimators": [50, 100, 200], "max_features": [0.2, 0.5, 1.0]},
            n_iter=9,
            n_jobs=2,
            **COMMON,
        ),
        "cancer",
    ),
    "Bayes, pipeline": lambda: (
        BayesSearchCV(
            _pipeline(_net(module__n_in=30, module__n_out=2)),
            _prefixed(RATES),
            n_iter=12,
            **COMMON,
        ),
        "cancer",
    ),
    "halving, pipeline, 2 jobs": lambda: (
        SuccessiveHalvingSearchCV(
            _pipeline(_net()), _prefixed(WIDTHS), max_resources=9, n_jobs=2, **COMMON
        ),
        "digits",
    ),
    "halving by rows, SVC": lambda: (
        SuccessiveHalvingSearchCV(
            SVC(),
            {"C": loguniform(0.1, 100), "gamma": loguniform(1e-3, 1)},
            resource="n_samples",
            **COMMON | {"cv": 5},
        ),
        "digits",
    ),
    "halving by trees, forest": lambda: (
        SuccessiveHalvingSearchCV(
            RandomForestClassifier(random_state=0),
            {"max_features": loguniform(0.05, 1), "max_depth": [4, 8, 16]},
            resource="n_estimators",
            max_resources=81,
            n_candidates=27,
            **COMMON,
        ),
        "digits",
    ),
    "Hyperband, net": lambda: (
        HyperbandSearchCV(_net(), WIDTHS, max_resources=9, **COMMON),
        "digits",
    ),
    "Hyperband, asynchronous, 2 jobs": lambda: (
        HyperbandSearchCV(
            _net(), WIDTHS, max_resources=9, asynchronous=True, n_jobs=2, **COMMON
        ),
        "digits",
    ),
    "freeze-thaw, net": lambda: (
        FreezeThawSearchCV(_net(), RATES, n_iter=5, max_resources=20, **COMMON),
        "digits",
    ),
    "Hyperband, convolutions, stacked": lambda: (
        HyperbandSearchCV(
            _net(Conv, optimizer=torch.optim.Adam),
            {"lr": loguniform(1e-4, 1e-1), "module__width": [16, 32]},
            max_resources=9,
            stacked=True,
            **COMMON,
        ),
        "mnist1d",
    ),
    "random, 26 letters": lambda: (
        RandomizedSearchCV(
            _net(module__n_in=16, module__n_out=26, max_epochs=15),
            RATES,
            n_iter=5,
            **COMMON,
        ),
        "letter",
    ),
}


def data_of(name: str, folder: Path | None) -> tuple[Any, Any] | None:
    """X and y; None where the folder that has them was not given."""
    of_sklearn = {"digits": _digits, "cancer": _cancer, "diabetes": _diabetes}
    if name in of_sklearn:
        return of_sklearn[name]()
    if folder is None:
        return None
    found = published_records(folder).dataset(name)
    X, y = found["X"][:N_ROWS], found["y"][:N_ROWS]
    return X.astype(np.float32), np.unique(y, return_inverse=True)[1]
