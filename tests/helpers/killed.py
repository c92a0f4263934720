"""Estimators whose processes are killed; light, since new workers import them anew."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Plain(ClassifierMixin, BaseEstimator):
    """Trains nothing; its score is a function of its parameter."""

    def __init__(self, a=0.0):
        self.a = a

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)

    def score(self, X, y=None):
        return -((self.a - 0.3) ** 2)


def is_first(folder, name):
    """Whether no process has come here before."""
    try:
        Path(folder, name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


class Kills(Plain):
    """Kills its process where `a` is in `bad`: always, or the first time only."""

    def __init__(self, a=0.0, bad=(), folder="", always=False, pause=0.0):
        super().__init__(a)
        self.bad = bad
        self.folder = folder
        self.always = always
        self.pause = pause

    def fit(self, X, y):
        with Path(self.folder, "runs").open("a") as file:
            file.write(f"{self.a}\n")
        time.sleep(self.pause)
        bad = self.a in self.bad
        if bad and (self.always or is_first(self.folder, f"killed-{self.a}")):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y)


class KillsANeighbour(Plain):
    """At 5 it ends the other process; before, each waits until there are two."""

    def __init__(self, a=0.0, folder=""):
        super().__init__(a)
        self.folder = folder

    def fit(self, X, y):
        Path(self.folder, f"pid-{os.getpid()}").touch()
        end = time.monotonic() + 60
        while len(self._processes()) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        if self.a == 5 and is_first(self.folder, "killed"):
            time.sleep(0.3)  # the other one comes to rest
            (other,) = self._processes() - {os.getpid()}
            os.kill(other, signal.SIGKILL)
            time.sleep(2)
        return super().fit(X, y)

    def _processes(self):
        return {int(p.name[4:]) for p in Path(self.folder).glob("pid-*")}
