"""Nets with the data that they are trained on and what is searched for them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from modules import CNN, MLP, N_TOKENS, Embedded, TwoInputs
from scipy.stats import loguniform
from skorch import NeuralNetRegressor
from skorch.helper import SliceDict

sys.path.insert(0, str(Path(__file__).parents[1]))
import digits

SPACE = {
    "lr": loguniform(1e-4, 1e-2),
    "optimizer__weight_decay": loguniform(1e-6, 1e-2),
}


@dataclass(frozen=True)
class Work:
    """How much there is to do."""

    n_iter: int = 12
    n_splits: int = 5
    epochs: int = 20

    @property
    def n_fits(self) -> int:
        return self.n_iter * self.n_splits


QUICK = Work(n_iter=2, n_splits=2, epochs=2)


@dataclass(frozen=True)
class Workload:
    """What is trained on what."""

    net: Any
    X: Any
    y: Any


def on_digits(module: Any = MLP, n_rows: int | None = None, **params: Any) -> Workload:
    """Rows of 64 pixels, or images of 8 x 8."""
    X, y = digits.data()
    X, y = X[:n_rows], y[:n_rows]
    return Workload(adam(module, **params), X if module is MLP else as_images(X), y)


def as_images(X: np.ndarray) -> np.ndarray:
    return X.reshape(-1, 1, 8, 8)


def adam(module: Any, **params: Any) -> Any:
    return digits.net(module, **{"optimizer": torch.optim.Adam, **params})


def tokens(n_rows: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of tokens, and whether those that count as positive prevail."""
    drawn = np.random.default_rng(0).integers(0, N_TOKENS, (n_rows, length))
    return drawn, (drawn.mean(1) > N_TOKENS / 2).astype(np.int64)


def on_tokens(n_rows: int = 1800, length: int = 20, **params: Any) -> Workload:
    return Workload(adam(Embedded, **params), *tokens(n_rows, length))


def regression(**params: Any) -> Workload:
    X = np.random.default_rng(0).standard_normal((1800, 20)).astype(np.float32)
    y = (np.sin(X[:, :1]) + X[:, 1:2] * X[:, 2:3]).astype(np.float32)
    net = NeuralNetRegressor(
        MLP,
        module__n_in=20,
        module__n_out=1,
        optimizer=torch.optim.Adam,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        **params,
    )
    return Workload(net, X, y)


def on_dict(**params: Any) -> Workload:
    X, y = digits.data()
    halves = SliceDict(upper=X[:, :32].copy(), lower=X[:, 32:].copy())
    return Workload(adam(TwoInputs, **params), halves, y)


def wide(**params: Any) -> Workload:
    """Rows of 1,000 features, of which the first count."""
    X = np.random.default_rng(0).standard_normal((1800, 1000)).astype(np.float32)
    y = X[:, :10].argmax(1)
    return Workload(adam(MLP, module__n_in=1000, **params), X, y)


SIX = {
    "MLP": on_digits,
    "CNN": lambda **params: on_digits(CNN, **params),
    "embedding": on_tokens,
    "regression": regression,
    "dict X": on_dict,
    "1,000 features": wide,
}
