"""A small space of cells, rows that need one, and nets for them."""

import numpy as np
import torch
from skorch import NeuralNetClassifier

from sktune.architectures import CellNet, CellSpace

SPACE = CellSpace(["none", "skip", "linear_relu"], 3)


def rows():
    """Two classes, told apart by the sign of a product: a linear net finds nothing."""
    X = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    return X, (X[:, 0] * X[:, 1] > 0).astype("int64")


def net_of_cells(**params):
    """A net of small cells, for `rows`."""
    given = {
        "module__n_inputs": 4,
        "module__n_outputs": 2,
        "module__kind": "rows",
        "module__channels": 8,
        "module__n_cells": 1,
        "criterion": torch.nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "lr": 0.02,
        "max_epochs": 3,
        "batch_size": 16,
        "train_split": None,
        "verbose": 0,
    }
    return NeuralNetClassifier(CellNet, **given | params)
