"""One run: how good the best candidate is after each one that is asked for."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from landscapes import Landscape, Params
from searchers import Random, Searcher

REFERENCE = "reference"  # what regret is measured by, in the place of a searcher
N_REFERENCE = 200


class Observer:
    """Scores as a searcher is told them, with noise where the landscape has it.

    Attributes
    ----------
    incumbent : float
        Score without noise of the candidate that has looked best so far.
    """

    def __init__(self, landscape: Landscape, seed: int) -> None:
        self.landscape, self.seed, self.n_seen = landscape, seed, 0
        self.incumbent = self.best_seen = -np.inf

    def observe(self, params: Params) -> float:
        seen = score = self.landscape.score(params)
        if self.landscape.observe is not None:
            seen = self.landscape.observe(params, self.seed, self.n_seen)
        self.n_seen += 1
        if seen > self.best_seen:
            self.best_seen, self.incumbent = seen, float(score)
        return seen


def trajectory(
    landscape: Landscape, searcher: Searcher, seed: int, n: int
) -> dict[str, Any]:
    """Noise-free score of the incumbent after each candidate, and CPU ms for each."""
    observer = Observer(landscape, seed)
    curve, cpu = [], []
    for _ in range(n):
        start = time.process_time()
        params = searcher.ask()
        spent = time.process_time() - start
        if params is not None:
            seen = observer.observe(params)
            start = time.process_time()
            searcher.tell(params, seen)
            spent += time.process_time() - start
        curve.append(observer.incumbent)
        cpu.append(round(1e3 * spent, 3))
    return {"curve": curve, "cpu_ms": cpu}


def reference(landscape: Landscape, n: int) -> dict[str, Any]:
    """Mean of the incumbent's score over many random searches."""
    found = [
        trajectory(landscape, Random(landscape.space, seed, n), seed, n)["curve"]
        for seed in range(10_000, 10_000 + N_REFERENCE)
    ]
    return {"curve": np.mean(found, axis=0).tolist(), "best": landscape.best}
