"""Workers that run nothing: units are noted, or take as long as somebody says."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sktune._types import Fit, FitOutcome, Params, Unit


class Noting:
    """Workers that never give anything back."""

    n_workers = 1

    def __init__(self) -> None:
        self.units: list[Unit] = []

    def submit(self, unit: Unit) -> None:
        """Note one unit."""
        self.units.append(unit)

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        """Nothing is done."""
        return []


class SimulatedFit(NamedTuple):
    """A fit that took its share of the seconds of a unit."""

    fit: Fit
    seconds: float


@dataclass
class SimulatedWorkers:
    """Workers whose clock jumps from the end of one unit to that of the next.

    What the search itself takes to decide is measured, and passes on that clock too.
    Scores are what is said, and some noise.

    Parameters
    ----------
    seconds_of : callable
        ``seconds_of(unit, steps, resumes)``, as `Preview.simulated` takes it.
    root : int
        Root of the seeds of the scores.
    n_workers : int
    continues : bool
        Whether a candidate is given only what it has not had.
    score_of : callable
        ``score_of(params)``: of a candidate in the end.
    noise : float
        How far scores are off that, at random.
    objectives : tuple of str
        Metrics beside the score, with scores of their own.

    Attributes
    ----------
    now : float
        Seconds since the search began.
    deciding : float
        Of these, while no worker ran.
    fits : list of SimulatedFit
    units : list of tuple of Fit
    is_cut : bool
        Whether the search was left before it was over.
    """

    seconds_of: Callable[[Unit, Sequence[int], bool], float]
    root: int
    n_workers: int = 1
    continues: bool = False
    score_of: Callable[[Params], float] = lambda params: 0.0
    noise: float = 0.01
    objectives: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.now = 0.0
        self.deciding = 0.0
        self.fits: list[SimulatedFit] = []
        self.is_cut = False
        self.units: list[Unit] = []
        self._ready: list[tuple[Unit, float]] = []
        self._free = [0.0] * self.n_workers  # a heap: when each worker is free
        self._running: list[tuple[float, int, Unit]] = []  # a heap: by their ends
        self._reached: dict[tuple[int, int], int] = {}
        self._n = 0
        self._left = time.perf_counter()

    def submit(self, unit: Unit) -> None:
        """Queue one unit."""
        before = [self._reached.get((fit.candidate, fit.split), 0) for fit in unit]
        resumes = self.continues and any(before)
        steps = [
            (fit.n_resources or 0) - (n if self.continues else 0)
            for fit, n in zip(unit, before, strict=True)
        ]
        seconds = self.seconds_of(unit, steps, resumes)
        for fit in unit:
            self._reached[fit.candidate, fit.split] = fit.n_resources or 0
            self.fits.append(SimulatedFit(fit, seconds / len(unit)))
        self.units.append(unit)
        self._ready.append((unit, seconds))

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        """The unit that ends next; the clock is at its end then."""
        passed = time.perf_counter() - self._left
        if not self._running:
            self.deciding += passed
        self.now += passed
        for unit, seconds in self._ready:
            start = max(heapq.heappop(self._free), self.now)
            self._n += 1
            heapq.heappush(self._running, (start + seconds, self._n, unit))
            heapq.heappush(self._free, start + seconds)
        self._ready.clear()
        if not self._running:
            return []
        end, _, unit = heapq.heappop(self._running)
        self.now = max(self.now, end)
        self._left = time.perf_counter()
        return [(fit, self._outcome(fit)) for fit in unit]

    def _outcome(self, fit: Fit) -> FitOutcome:
        seed = (self.root, fit.candidate, fit.split, fit.n_resources or 0)
        noise = np.random.default_rng(seed).normal(size=1 + len(self.objectives))
        rise = 1 - 1 / (1 + (fit.n_resources or 0))
        scores = 0.3 * rise + self.score_of(fit.params) + self.noise * noise
        told = dict(zip(("score", *self.objectives), scores.tolist(), strict=True))
        return FitOutcome(told, reached=fit.n_resources)
