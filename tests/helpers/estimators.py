"""Estimators, nets and data that tests share; tiny, and importable by workers."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from skorch import NeuralNetClassifier
from torch import nn


def blobs(n: int = 90, n_features: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Three noisy groups in float32, rows shuffled."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(n) % 3)
    X = rng.normal(size=(n, n_features)) + 1.2 * y[:, None]
    return X.astype(np.float32), y


class Net(nn.Module):
    """One hidden layer, batch norm and dropout: everything that draws numbers."""

    def __init__(self, hidden: int = 8, dropout: float = 0.3, n_features: int = 4):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, 3),
        )

    def forward(self, X):
        return self.layers(X)


def net(**kwargs) -> NeuralNetClassifier:
    """A skorch net that shuffles; 3 epochs unless told otherwise."""
    defaults = dict(
        criterion=nn.CrossEntropyLoss,
        max_epochs=3,
        lr=0.1,
        batch_size=32,
        train_split=None,
        iterator_train__shuffle=True,
    )
    return NeuralNetClassifier(Net, **{**defaults, **kwargs})


class Signals(nn.Module):
    """Convolutions, with an argument of each kind that is worth searching."""

    def __init__(
        self,
        n_filters=8,
        kernel_size=3,
        num_layers=1,
        hidden_sizes=(16, 8),
        dropout=0.1,
        activation=nn.ReLU,
        output_activation=nn.Identity,
    ):
        super().__init__()
        layers, n = [nn.Unflatten(1, (1, -1))], 1
        for _ in range(num_layers):
            padding = kernel_size // 2
            layers += [nn.Conv1d(n, n_filters, kernel_size, padding=padding)]
            layers += [activation()]
            n = n_filters
        layers += [nn.Flatten(), nn.Dropout(dropout)]
        n = 4 * n_filters
        for size in hidden_sizes:
            layers += [nn.Linear(n, size), activation()]
            n = size
        self.layers = nn.Sequential(*layers, nn.Linear(n, 3), output_activation())

    def forward(self, X):
        return self.layers(X)


def signals(**kwargs) -> NeuralNetClassifier:
    """A net of convolutions, trained for an epoch."""
    return net(max_epochs=1).set_params(module=Signals, **kwargs)


class SeededNet(NeuralNetClassifier):
    """A net that seeds itself, so that any search trains the same one."""

    def fit(self, X, y=None, **fit_params):
        torch.manual_seed(0)
        return super().fit(X, y, **fit_params)


class Score(ClassifierMixin, BaseEstimator):
    """Trains nothing; its score is a function of its parameters.

    Raises where ``a`` is in `bad`, and scores `odd` where ``a`` is in `odd_at`.
    """

    def __init__(self, a=0.0, b=0.0, bad=(), odd=np.nan, odd_at=()):
        self.a = a
        self.b = b
        self.bad = bad
        self.odd = odd
        self.odd_at = odd_at

    def fit(self, X, y, sample_weight=None):
        if self.a in self.bad:
            raise ValueError(f"a={self.a} is bad")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)

    def score(self, X, y=None, sample_weight=None):
        if self.a in self.odd_at:
            return self.odd
        return -((self.a - 0.3) ** 2) - (self.b - 0.6) ** 2


class Draws(ClassifierMixin, BaseEstimator):
    """Scores with numbers that it draws from numpy's global generator."""

    def __init__(self, a=0):
        self.a = a

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.drawn_ = np.random.random_sample() + float(torch.rand(()))
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)

    def score(self, X, y=None):
        return self.drawn_


def ends(distribution) -> tuple[float, float]:
    """Where a frozen distribution begins and ends."""
    return tuple(round(float(end), 10) for end in distribution.support())
