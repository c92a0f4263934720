"""Estimators that take memory; light, since new workers import them anew."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from tests.helpers.killed import Plain

MB = 10**6


class Takes(Plain):
    """Takes `a` MB while it is fitted, in one of some ways.

    Parameters
    ----------
    how : str
        "at_once"; "in_steps" of 8 MB; "in_score", at once; "nested", in the fit of a
        search within; "then_abort", in steps until the process ends itself.
    folder : str
        Where each fit leaves a line.
    device : str or None
        Where it says it is.
    """

    def __init__(self, a=0.0, how="at_once", folder="", device=None):
        super().__init__(a)
        self.how = how
        self.folder = folder
        self.device = device

    def fit(self, X, y):
        if self.folder:
            with Path(self.folder, "runs").open("a") as file:
                file.write(f"{self.a}\n")
        if self.how == "at_once":
            take(self.a)
        elif self.how in ("in_steps", "then_abort"):
            held = []
            for _ in range(int(self.a // 8)):
                held.append(take(8))
                time.sleep(0.005)
            if self.how == "then_abort" and held:
                os.abort()
        return super().fit(X, y)

    def score(self, X, y=None):
        if self.how == "in_score":
            take(self.a)
        return super().score(X, y)


def take(n_mb):
    """So many MB, in memory and not only promised."""
    return np.ones(int(n_mb * MB // 8))
