"""A program that searches, to be interrupted: ``python interrupted.py FOLDER BACKEND``.

Each fit leaves the number of its process in the folder, and would take for ever.
"""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from sktune import GridSearchCV


class Endless(ClassifierMixin, BaseEstimator):
    def __init__(self, a=0, folder=""):
        self.a = a
        self.folder = folder

    def fit(self, X, y):
        Path(self.folder, f"fit-{self.a}-{os.getpid()}").touch()
        while True:
            with suppress(KeyboardInterrupt):  # as a net does
                time.sleep(0.05)


def endless_net(folder):
    import torch
    from skorch import NeuralNetClassifier

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)

        def forward(self, X):
            if self.training:
                Path(folder, f"fit-{os.getpid()}").touch()
                time.sleep(0.05)
            return self.layer(X)

    return NeuralNetClassifier(
        Module, max_epochs=100_000, batch_size=2, train_split=None, verbose=0
    )


if __name__ == "__main__":
    folder, backend = sys.argv[1:]
    X = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")
    y = np.arange(20) % 2
    estimator, name = Endless(folder=folder), "a"
    if backend == "threading":
        estimator, name = endless_net(folder), "batch_size"
    space = {name: [1, 2, 3, 4]}
    try:
        with joblib.parallel_config(backend, n_jobs=2):
            GridSearchCV(estimator, space, cv=2, refit=False).fit(X, y)
    except KeyboardInterrupt:
        Path(folder, "interrupted").touch()
        raise
