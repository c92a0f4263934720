"""How long a search will take: a few fits are run, and all of its decisions made."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np

from sktune._types import Fit, FitOutcome, Params, Unit, refit_metric
from sktune.advice._fit_times import FitTimes, RoughScores, Timed
from sktune.execution.estimators._nets import is_net
from sktune.execution.estimators._parameter_paths import last_step, prefix_of_last
from sktune.execution.guards._process_memory import can_measure, private_memory
from sktune.search._preview import Preview
from sktune.search._simulated_workers import SimulatedFit

# Seconds that a piece of training takes at least, where it may, for its time to count.
_LONG_ENOUGH = 0.15
# Seconds that decisions may take.
_TO_SIMULATE = 20.0
# Machines are not always equally quick, and what wins is not what was timed.
_DOUBT = 0.2


@dataclass(frozen=True)
class RungTime:
    """A row of the table.

    Attributes
    ----------
    bracket, iter : int
    n_candidates : int
    n_resources : int or None
        None where candidates get everything at once.
    n_fits : int
    seconds : float
        Of all its fits together, on one worker.
    """

    bracket: int
    iter: int
    n_candidates: int
    n_resources: int | None
    n_fits: int
    seconds: float


@dataclass(frozen=True)
class TimeEstimate:
    """How long a search will take.

    Attributes
    ----------
    seconds : float
        From the call of `fit` to its end, the refit included.
    low, high : float
        A range that should hold it.
    is_bound : bool
        Whether the search may spare fits, so that this is the most.
    rungs : tuple of RungTime
    refit : float
        Seconds of the refit; 0 where there is none.
    start : float
        Seconds until the workers ran; 0 where they did already.
    n_workers : int
    per_fit : float
        Seconds of a fit with all that it is given, in the median of those timed.
    per_step : float or None
        Seconds of one more of the resource or one more epoch; None where that is not
        known.
    step : str
        What that is.
    memory : int or None
        Bytes that one fit took at most beyond what there was before; None where it
        cannot be told.
    n_timed : int
        Candidates that were timed.
    n_failed : int
    outcomes : tuple of (dict, FitOutcome)
        Params, and what came of them.
    slowdown : float
        How many times as long fits take beside each other.
    """

    seconds: float
    low: float
    high: float
    is_bound: bool
    rungs: tuple[RungTime, ...]
    refit: float
    start: float
    n_workers: int
    per_fit: float
    per_step: float | None
    step: str
    memory: int | None
    n_timed: int
    n_failed: int
    outcomes: tuple[tuple[dict[str, Any], FitOutcome], ...]
    slowdown: float = 1.0


class Timer:
    """Runs a few units of a search, and tells what all of it will take.

    Parameters
    ----------
    one : Preview
    n_candidates : int
        Candidates to time at most.
    limit : float
        Seconds after which no further one is begun.
    """

    def __init__(self, one: Preview, n_candidates: int, limit: float) -> None:
        self._one = one
        self._n_candidates = n_candidates
        self._limit = limit
        job = one.job
        self._of_net = is_net(last_step(job.estimator))
        resource = one.proposal.resource
        self._continues = resource is not None and resource.continues
        self._by_power = resource is not None and resource.name == "n_samples"
        self._epochs = f"{prefix_of_last(job.estimator)}max_epochs"
        self._given = 1
        if resource is None and self._of_net:
            self._given = int(job.estimator.get_params()[self._epochs])
        self.outcomes: list[tuple[dict[str, Any], FitOutcome]] = []
        self._n_ran = 0

    # -- all of it -----------------------------------------------------------------

    def estimate(self) -> TimeEstimate:
        """Time a few, then count them all."""
        one = self._one
        sample = _spread(one.candidates(), self._n_candidates)
        most = max(map(self._most, (fit for unit in one.units for fit in unit)))
        with _memory_watched() as peak:
            timed = self._timed(sample)
        times = FitTimes(timed, of_net=self._of_net, by_power=self._by_power)
        slowdown, start, n_workers = self._beside(sample, times)

        def seconds_of(unit: Unit, steps: Sequence[int], resumes: bool) -> float:
            step = max(steps) if self._has_rungs else max(map(self._most, unit))
            return slowdown * self._of(times, unit, step, resumes)

        given = seconds_of, n_workers, _TO_SIMULATE, self._score_of()
        whole = one.simulated(*given)
        seconds = whole.now
        if whole.is_cut:
            seconds *= self._share_left(whole.fits)
        if one.search.max_time is not None:
            seconds = min(seconds, one.search.max_time)
        refit = 0.0
        if one.search.refit:
            refit = self._refit(self._times_alone(times, sample), sample)
        seconds += start + refit
        doubt = math.exp(_DOUBT + times.spread / math.sqrt(len(timed)))
        lines = [t.line()[2] for t in timed]
        longest = [self._of(times, unit, most, False) / len(unit) for unit in sample]
        return TimeEstimate(
            seconds,
            seconds / doubt,
            seconds * doubt,
            one.spares,
            _table(whole.fits),
            refit,
            start,
            n_workers,
            median(longest),
            None if self._by_power or not any(lines) else median(lines),
            self._step_name(),
            peak[0],
            len(timed),
            sum(outcome.traceback is not None for _, outcome in self.outcomes),
            tuple(self.outcomes),
            slowdown,
        )

    @property
    def _has_rungs(self) -> bool:
        return self._one.proposal.resource is not None

    def _step_name(self) -> str:
        resource = self._one.proposal.resource
        name = "epoch" if resource is None else resource.name.rpartition("__")[2]
        return "epoch" if name == "max_epochs" else name

    def _share_left(self, fits: Sequence[SimulatedFit]) -> float:
        proposal = self._one.proposal
        if proposal.n_evaluations is None:
            return 1.0
        n_fits = proposal.n_evaluations * self._one.data.n_splits
        return max(1.0, n_fits / max(1, len(fits)))

    def _score_of(self) -> Callable[[Params], float]:
        """What is likely to be good, by the scores of those that were timed."""
        metric = self._one.search.refit
        scored = []
        for params, outcome in self.outcomes:
            name = refit_metric(metric, outcome.test_scores)
            score = outcome.score(name)
            if score is not None:
                scored.append((params, score))
        return RoughScores(scored) if len(scored) > 2 else lambda params: 0.0

    def _times_alone(self, times: FitTimes, sample: Sequence[Unit]) -> FitTimes:
        """Of fits by themselves, where others are trained as one."""
        if all(len(unit) == 1 for unit in sample):
            return times
        few = [self._time_one(unit[:1], self._limit / 4) for unit in sample[:2]]
        return FitTimes(few, of_net=self._of_net, by_power=self._by_power)

    def _refit(self, times: FitTimes, sample: Sequence[Unit]) -> float:
        """Of one of those that were timed, on all rows and with all it may get."""
        one, resource = self._one, self._one.proposal.resource
        n_rows = len(one.data.y) if one.data.y is not None else 0
        train, _ = one.job.splits[0]
        share = 1.0
        if n_rows and hasattr(train, "__len__") and len(train) != n_rows:
            share = n_rows / len(train)
        seconds = []
        for unit in sample:
            step = self._most(unit[0]) if resource is None else resource.max_resources
            seconds.append(times.seconds(dict(unit[0].params), 1, step, False))
        return share * float(np.mean(seconds))

    # -- a few fits ----------------------------------------------------------------

    def _timed(self, sample: Sequence[Unit]) -> list[Timed]:
        start = time.perf_counter()
        self._run(
            sample[0], self._least(sample[0]), pause=False
        )  # imports, and the like
        found: list[Timed] = []
        for k, unit in enumerate(sample):
            passed = time.perf_counter() - start
            if found and passed * (k + 1) / k > self._limit:
                break
            rest = (self._limit - passed) / (len(sample) - k)
            found.append(self._time_one(unit, rest))
        return found

    def _time_one(self, unit: Unit, limit: float) -> Timed:
        """A candidate's unit, a little and then more, as far as the limit lets it."""
        least, most = self._least(unit), self._most(unit[0])
        if self._has_rungs:
            assert self._one.proposal.resource is not None
            most = self._one.proposal.resource.max_resources
        least = min(least, most)
        steps, resumes, seconds = [least], [False], []
        seconds.append(self._run(unit, least, pause=self._continues and least < most))
        reached = least
        while reached < most and sum(seconds) < limit:
            slope = seconds[-1] / steps[-1]
            want = max(1, math.ceil(_LONG_ENOUGH / max(slope, 1e-6)))
            room = max(1, int((limit - sum(seconds)) / max(slope, 1e-6) / 2))
            more = min(want if len(steps) > 1 else least, room, most - reached)
            if not self._continues:
                more = min(max(want, 2 * reached), room, most - reached)
            to = reached + more
            is_last = len(steps) >= 2 or to >= most
            took = self._run(unit, to, pause=self._continues and not is_last)
            steps.append(more if self._continues else to)
            resumes.append(self._continues)
            seconds.append(took)
            reached = to
            if is_last:
                break
        if self._continues:
            for fit in unit:
                self._one.job.forget(fit.candidate)
        params = dict(unit[0].params)
        return Timed(params, len(unit), tuple(steps), tuple(resumes), tuple(seconds))

    def _run(self, unit: Unit, step: int, *, pause: bool) -> float:
        """Seconds of a unit that is trained up to there."""
        ran, _ = self._one.run([self._upto(unit, step, pause)])
        pairs = zip(ran[0].unit, ran[0].outcomes, strict=True)
        self.outcomes += [(dict(fit.params), outcome) for fit, outcome in pairs]
        return ran[0].seconds

    def _upto(self, unit: Unit, step: int, pause: bool) -> Unit:
        self._n_ran += 1
        if self._has_rungs:
            made = [replace(f, n_resources=step, pause=pause) for f in unit]
        elif self._of_net:
            made = [replace(f, params={**f.params, self._epochs: step}) for f in unit]
        else:
            made = list(unit)
        return tuple(replace(f, stop_rule=None, unit=self._n_ran) for f in made)

    def _least(self, unit: Unit) -> int:
        if self._has_rungs:
            rungs = self._one.proposal.cost.rungs
            return min((rung.n_resources for rung in rungs), default=1)
        return 1

    def _most(self, fit: Fit) -> int:
        """Of the resource, in one fit; of a flat search, epochs."""
        if self._has_rungs:
            return int(fit.n_resources or 1)
        return int(fit.params.get(self._epochs, self._given)) if self._of_net else 1

    def _of(self, times: FitTimes, unit: Unit, step: int, resumes: bool) -> float:
        return times.seconds(dict(unit[0].params), len(unit), step, resumes)

    # -- workers -------------------------------------------------------------------

    def _beside(
        self, sample: Sequence[Unit], times: FitTimes
    ) -> tuple[float, float, int]:
        """How much slower fits are beside each other, and how long workers start."""
        n_jobs = self._one.search.n_jobs
        step = self._least(sample[0])
        began = time.perf_counter()
        first = [self._upto(sample[0], step, False)] * 1
        first += [self._upto(sample[0], step, False) for _ in range(3)]
        if n_jobs in (None, 1):
            _, n_workers = self._one.run(first[:1], n_jobs)
            if n_workers == 1:
                return 1.0, 0.0, 1
        _, n_workers = self._one.run(first, n_jobs)
        wall = time.perf_counter() - began
        if n_workers == 1:
            return 1.0, 0.0, 1
        alone = self._of(times, sample[0], step, False)
        start = max(0.0, wall - alone * math.ceil(len(first) / n_workers))
        each = np.mean([self._of(times, unit, step, False) for unit in sample])
        # Long enough that sending does not count more than it will.
        longer = max(times.of_mean_step(), 1e-6)
        most = min(self._most(unit[0]) for unit in sample)
        step = int(np.clip(math.ceil((0.4 - each) / longer), step, max(step, most)))
        each = np.mean([self._of(times, unit, step, False) for unit in sample])
        n_each = int(np.clip(math.ceil(1.0 / each / len(sample)), 1, 10))
        units = [
            self._upto(unit, step, False)
            for _ in range(n_each * n_workers)
            for unit in sample
        ]
        units = units[: max(2 * n_workers, int(self._limit * n_workers / each / 4))]
        expected = sum(self._of(times, unit, step, False) for unit in units)
        began = time.perf_counter()
        self._one.run(units, n_jobs)
        wall = time.perf_counter() - began
        return float(np.clip(wall * n_workers / expected, 0.5, 4.0)), start, n_workers


def _spread(units: Sequence[Unit], n: int) -> list[Unit]:
    """Some that are far apart in what matters most to time: batch sizes."""

    def size(unit: Unit) -> float:
        named = [v for k, v in unit[0].params.items() if k.endswith("batch_size")]
        return float(named[0]) if named and isinstance(named[0], int) else 0.0

    found = sorted(units, key=size)  # stable: else as they come
    places = np.unique(np.linspace(0, len(found) - 1, min(n, len(found))).round())
    return [found[int(k)] for k in places]


def _table(fits: Sequence[SimulatedFit]) -> tuple[RungTime, ...]:
    rows: dict[tuple[int, int, int | None], list[SimulatedFit]] = {}
    for one in fits:
        key = one.fit.bracket, one.fit.iter, one.fit.n_resources
        rows.setdefault(key, []).append(one)
    return tuple(
        RungTime(
            bracket,
            iteration,
            len({one.fit.candidate for one in those}),
            n_resources,
            len(those),
            sum(one.seconds for one in those),
        )
        for (bracket, iteration, n_resources), those in sorted(
            rows.items(), key=lambda row: (row[0][0], row[0][1], row[0][2] or 0)
        )
    )


@contextmanager
def _memory_watched() -> Iterator[list[int | None]]:
    """The most that this process had meanwhile, beyond what it had before."""
    peak: list[int | None] = [None]
    if not can_measure():
        yield peak
        return
    before, ends = private_memory(), threading.Event()

    def look() -> None:
        most = 0
        while not ends.wait(0.02):
            most = max(most, private_memory() - before)
        peak[0] = most

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ends.set()
        thread.join()
