"""Which units are with workers, since when, and how many run at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from sktune._types import Fit, FitOutcome, Unit
from sktune.run.listeners._param_columns import Floats

# Of how many the time is reckoned one by one; of more, of some of them.
_MOST = 200


@dataclass
class UnitInFlight:
    """Fits that are trained together, and are done together.

    Attributes
    ----------
    n_fits : int
    step : float
        What each is given.
    row : ndarray
        Params as numbers, in the mean over the fits.
    has_rule : bool
        Whether a rule may end the training.
    began : float or None
        When a worker was free for it; None if it may be the first of one.
    is_running : bool
    n_left : int
        Fits that have not come in.
    fit_seconds : float
        Of those that have.
    is_short : bool
        Whether one was ended early, or failed.
    """

    n_fits: int
    step: float
    row: Floats
    has_rule: bool = False
    began: float | None = None
    is_running: bool = False
    n_left: int = 0
    fit_seconds: float = 0.0
    is_short: bool = False


class UnitsInFlight:
    """A queue from which workers take the first when they are free.

    What a unit takes is looked at from then on, until it is in: sending, scoring and
    writing are in it.
    """

    def __init__(self) -> None:
        self.n_workers: int | None = None  # until the first has been sent
        self._units: dict[int, UnitInFlight] = {}  # in the order of the queue
        self._n_of: Counter[int] = Counter()  # fits, by candidate
        self.since: float | None = None  # when each worker was through with its first
        self.given = 0.0
        self._busy = 0.0
        self._n_begun = self._n_first = self._n_done = 0
        self._n_submitted = self._n_units = 0

    def __len__(self) -> int:
        return len(self._units)

    @property
    def n_fits(self) -> int:
        return self._n_of.total()

    @property
    def fits_of_a_unit(self) -> float:
        """In the mean so far."""
        return self._n_submitted / self._n_units if self._n_units else 1.0

    def n_of(self, candidate: int) -> int:
        """Fits of a candidate that are in flight."""
        return self._n_of[candidate]

    def begin(self, n_workers: int) -> None:
        """Workers take what is there."""
        self.n_workers = n_workers
        for unit in islice(self._units.values(), n_workers):
            unit.is_running = True
            self._n_begun += 1

    def submit(
        self, unit: Unit, step: float, rows: Sequence[Floats], now: float
    ) -> None:
        """A unit is sent to workers."""
        one = UnitInFlight(len(unit), step, np.mean(rows, axis=0), n_left=len(unit))
        one.has_rule = unit[0].stop_rule is not None
        self._units[unit[0].unit] = one
        self._n_of.update(fit.candidate for fit in unit)
        self._n_submitted += len(unit)
        self.given += len(unit) * step
        self._n_units += 1
        self._run(now)

    def arrive(self, fit: Fit, outcome: FitOutcome, now: float) -> UnitInFlight | None:
        """A fit is in; its unit, if that was the last of it."""
        one = self._units.get(fit.unit)
        if one is None:
            return None
        one.n_left -= 1
        self.given -= one.step
        one.fit_seconds += outcome.fit_time
        one.is_short |= outcome.stopped or outcome.fit_error is not None
        self._n_of[fit.candidate] -= 1
        if one.n_left:
            return None
        del self._units[fit.unit]
        if one.began is None:
            self._n_first += one.is_running
            if self._n_first == self.n_workers:
                self.since = now
        elif self.since is not None:
            self._n_done += 1
            self._busy += now - max(one.began, self.since)
        self._run(now)
        return one

    def _run(self, now: float) -> None:
        """Free workers take the next."""
        if self.n_workers is None:
            return
        for one in islice(self._units.values(), self.n_workers):
            if one.is_running:
                continue
            one.is_running = True
            self._n_begun += 1
            if self._n_begun > self.n_workers:
                one.began = now

    def at_once(self, planned: float, now: float, asking: float) -> float:
        """How many run at once, by the plan as long as little has been seen.

        ``asking`` are seconds in which nothing could run.
        """
        if self.since is None or not self._n_done:
            return planned
        n_workers = self.n_workers or 1
        running = (
            now - max(one.began, self.since)
            for one in islice(self._units.values(), n_workers)
            if one.began is not None
        )
        busy = self._busy + sum(running)
        gone = max(now - self.since - asking, 1e-9)
        prior = 2 * self._busy / self._n_done
        at_once = (busy + prior * planned) / (gone + prior)
        return min(float(n_workers), max(0.1, at_once))

    def some(self) -> tuple[list[UnitInFlight], float]:
        """Units in the order of the queue, and for how many each of them stands."""
        every = -(-len(self._units) // _MOST)
        some = list(islice(self._units.values(), 0, None, every or 1))
        return some, len(self._units) / len(some) if some else 1.0


def seconds_until_done(durations: Iterable[float], n_workers: int) -> float:
    """When the last is done, where each is begun as soon as a worker is free."""
    free = [0.0] * n_workers
    for seconds in durations:
        first = min(range(n_workers), key=free.__getitem__)
        free[first] += seconds
    return max(free)
