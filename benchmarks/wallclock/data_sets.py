"""The data sets, each with rows that no search sees, and the nets for them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import loguniform, uniform
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
import digits
from published_records import published_records

EPOCHS = 27
N_ROWS = 800  # that a search sees
N_HELD_OUT = 4000, 500  # at most, at least
RECORDED = ("satimage", "letter", "mnist1d", "reg_power_plant")
DATA_SETS = ("digits", *RECORDED)

WIDTHS = (32, 64, 128)
BATCH_SIZES = (32, 64, 128, 256)


class MLP(nn.Module):
    """Two hidden layers. Seeds its weights and all that is drawn thereafter.

    scikit-learn's searches seed no fit. So the nets of all searches begin alike, and
    equal params are equal nets.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        width: int = 64,
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        torch.manual_seed(seed)
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_in, width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, n_out),
        )

    def forward(self, X: Any) -> Any:
        return self.layers(X)


@dataclass(frozen=True)
class Work:
    """What is searched, and on which rows.

    Attributes
    ----------
    estimator : Pipeline
        A scaler and a net.
    space : dict
        What `RandomizedSearchCV` is given.
    X, y : array
        The rows of the search.
    X_held_out, y_held_out : array
    epochs : int
        Of a candidate that is trained to the end.
    """

    estimator: Any
    space: dict[str, Any]
    X: np.ndarray
    y: np.ndarray
    X_held_out: np.ndarray
    y_held_out: np.ndarray
    epochs: int


def work_on(
    name: str,
    seed: int,
    folder: Path | None,
    n_rows: int = N_ROWS,
    widths: Sequence[int] = WIDTHS,
    epochs: int = EPOCHS,
) -> Work:
    """Which rows the search sees, and how nets begin, depend on the seed."""
    X, y = rows_of(name, folder)
    regression = name.startswith("reg_")
    most, least = N_HELD_OUT
    n_held_out = min(most, len(X) - n_rows)
    if n_held_out < least:
        raise ValueError(f"{name} has {len(X)} rows, too few for n_rows={n_rows}")
    X, X_held_out, y, y_held_out = train_test_split(
        X,
        y,
        train_size=n_rows,
        test_size=n_held_out,
        random_state=seed,
        stratify=None if regression else y,
    )
    if regression:
        mean, spread = y.mean(), y.std()
        y, y_held_out = (y - mean) / spread, (y_held_out - mean) / spread
    net = net_for(X.shape[1], None if regression else len(np.unique(y)), seed, epochs)
    estimator = make_pipeline(StandardScaler(), net)
    found = space(estimator.steps[-1][0], widths)
    return Work(estimator, found, X, y, X_held_out, y_held_out, epochs)


def rows_of(name: str, folder: Path | None) -> tuple[np.ndarray, np.ndarray]:
    if name == "digits":
        return digits.data()
    if folder is None:
        raise ValueError(f"{name} is in the folder that --data names")
    found = published_records(folder).dataset(name)
    X, y = found["X"].astype(np.float32), found["y"]
    if name.startswith("reg_"):
        return X, y.astype(np.float32).reshape(-1, 1)
    return X, np.unique(y, return_inverse=True)[1].astype(np.int64)


def net_for(n_in: int, n_classes: int | None, seed: int, epochs: int) -> Any:
    """A classifier, or a regressor where there are no classes."""
    if n_classes is None:
        kind = NeuralNetRegressor
    else:
        kind = partial(NeuralNetClassifier, criterion=nn.CrossEntropyLoss)
    return kind(
        MLP,
        module__n_in=n_in,
        module__n_out=n_classes or 1,
        module__seed=seed,
        optimizer=torch.optim.SGD,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def space(step: str, widths: Sequence[int]) -> dict[str, Any]:
    found = {
        "lr": loguniform(1e-3, 1.0),
        "optimizer__momentum": uniform(0.0, 0.95),
        "optimizer__weight_decay": loguniform(1e-6, 1e-2),
        "module__dropout": uniform(0.0, 0.5),
        "module__width": list(widths),
        "batch_size": list(BATCH_SIZES),
    }
    return {f"{step}__{name}": values for name, values in found.items()}
