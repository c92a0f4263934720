"""The data and the net of the benchmarks that train on digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier


def data() -> tuple[np.ndarray, np.ndarray]:
    """Pixels from 0 to 1, as single floats."""
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


class Module(torch.nn.Module):
    """One hidden layer."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(64, 64),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(64, 10),
        )

    def forward(self, X: Any) -> Any:
        return self.layers(X)


def net(
    module: type[torch.nn.Module] = Module,
    *,
    net_type: type[NeuralNetClassifier] = NeuralNetClassifier,
    **params: Any,
) -> NeuralNetClassifier:
    """A net that trains on all rows it is given, and says nothing."""
    return net_type(
        module,
        criterion=torch.nn.CrossEntropyLoss,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        **params,
    )
