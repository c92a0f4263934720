"""Ten nets, each with its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from published_records import published_records
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn

N_ROWS = 1500
EPOCHS = 15


class MLP(nn.Sequential):
    def __init__(self, n_in: int, n_out: int, width: int = 64, depth: int = 1) -> None:
        layers: list[Any] = []
        for k in range(depth):
            layers += [nn.Linear(width if k else n_in, width), nn.ReLU()]
        super().__init__(*layers, nn.Linear(width, n_out))


class Normalized(nn.Sequential):
    """Four hidden layers with batch normalization."""

    def __init__(self, n_in: int, n_out: int, width: int = 64) -> None:
        layers: list[Any] = []
        for k in range(4):
            n = width if k else n_in
            layers += [nn.Linear(n, width), nn.BatchNorm1d(width), nn.ReLU()]
        super().__init__(*layers, nn.Linear(width, n_out))


class Conv(nn.Sequential):
    """On digits, 8 x 8."""

    def __init__(self) -> None:
        super().__init__(
            nn.Unflatten(1, (1, 8, 8)),
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(32, 10),
        )


class Conv1d(nn.Sequential):
    """On signals of 40 numbers."""

    def __init__(self) -> None:
        super().__init__(
            nn.Unflatten(1, (1, 40)),
            nn.Conv1d(1, 25, 5, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv1d(25, 25, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.LazyLinear(10),
        )


class Recurrent(nn.Module):
    """Reads digits row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRU(8, 32, batch_first=True)
        self.out = nn.Linear(32, 10)

    def forward(self, X: Any) -> Any:
        states, _ = self.cell(X.reshape(-1, 8, 8))
        return self.out(states[:, -1])


SGD, ADAM = torch.optim.SGD, torch.optim.Adam
MOMENTUM = {"optimizer": SGD, "optimizer__momentum": 0.9}
WORKS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "digits, MLP, SGD": ("digits", MLP, {"optimizer": SGD}),
    "digits, MLP, Adam": ("digits", MLP, {"optimizer": ADAM}),
    "digits, conv, momentum": ("digits", Conv, MOMENTUM),
    "digits, recurrent, Adam": ("digits", Recurrent, {"optimizer": ADAM}),
    "digits, four normalized layers, AdamW": (
        "digits",
        Normalized,
        {"optimizer": torch.optim.AdamW},
    ),
    "breast cancer, MLP, momentum": ("breast_cancer", MLP, MOMENTUM),
    "diabetes, MLP, Adam": ("diabetes", MLP, {"optimizer": ADAM}),
    "satimage, MLP, RMSprop": ("satimage", MLP, {"optimizer": torch.optim.RMSprop}),
    "letter, three layers, momentum": ("letter", MLP, {**MOMENTUM, "module__depth": 3}),
    "mnist1d, conv, Adam": ("mnist1d", Conv1d, {"optimizer": ADAM}),
    "power plant, MLP, SGD": ("reg_power_plant", MLP, {"optimizer": SGD}),
}
BUNDLED = {
    "digits": load_digits,
    "breast_cancer": load_breast_cancer,
    "diabetes": load_diabetes,
}


def work_on(name: str, folder: Path | None) -> tuple[Any, str, Any, Any] | None:
    """Estimator, prefix of the net's params, X and y; None without the data."""
    data, module, params = WORKS[name]
    if data in BUNDLED:
        X, y = BUNDLED[data](return_X_y=True)
    elif folder is None:
        return None
    else:
        found = published_records(folder).dataset(data)
        X, y = found["X"], found["y"]
    rows = np.random.default_rng(0).permutation(len(X))[:N_ROWS]
    X, y = X[rows].astype(np.float32), y[rows]
    is_regression = data in ("diabetes", "reg_power_plant")
    common = {
        "max_epochs": EPOCHS,
        "batch_size": 64,
        "iterator_train__shuffle": True,
        "train_split": None,
        "verbose": 0,
        **params,
    }
    if module in (MLP, Normalized):
        n_out = 1 if is_regression else len(np.unique(y))
        common |= {"module__n_in": X.shape[1], "module__n_out": n_out}
    if is_regression:
        y = ((y - y.mean()) / y.std()).astype(np.float32).reshape(-1, 1)
        net: Any = NeuralNetRegressor(module, **common)
    else:
        y = np.unique(y, return_inverse=True)[1].astype(np.int64)
        net = NeuralNetClassifier(module, criterion=nn.CrossEntropyLoss, **common)
    return make_pipeline(StandardScaler(), net), f"{type(net).__name__.lower()}__", X, y
