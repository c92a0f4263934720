"""How long a search will still take, from what its own fits have taken."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from sktune._types import Evaluation, Fit, FitOutcome, Observation, Unit
from sktune.run.listeners._cost import Cost, RefitCost, ToCome
from sktune.run.listeners._fit_seconds import FitSeconds
from sktune.run.listeners._param_columns import Floats
from sktune.run.listeners._spared_splits import SparedSplits
from sktune.run.listeners._units_in_flight import (
    UnitInFlight,
    UnitsInFlight,
    seconds_until_done,
)
from sktune.schedule import Place

# Of how many proposals the time and the params are looked at: a surrogate slows down
# as it learns, and comes to propose what is alike.
_LATEST = 10
# The space counts as much as so many proposals.
_N_OF_SPACE = 4
# What a rule leaves of a fit, as if it were seen of so many.
_LEFT_BY_RULE, _N_PRIOR = 0.5, 3


class TimeLeft:
    """Tells how long a search will still take; it reads no clock itself.

    What was told before `begin` was replayed from a journal, and says nothing of speed.
    Neither do the units that workers begin with, for they import and set up as well;
    those of many fits do until others are in. From then on a fit takes what
    `FitSeconds` has learnt, and beside that as much as others: scoring, sending,
    writing. Which candidates are to come is known, or else what some of the space would
    take. How many run at once follows from the plan, and then from how many have. Where
    candidates are spared splits, how many are left follows from how many went on.

    Parameters
    ----------
    cost : Cost
    n_splits : int
    n_pending : int or None
        As the engine takes it.
    refit : RefitCost or None
        None where there is no refit.
    seconds_allowed : callable
        How many are left until the search is to end.
    to_come : ToCome

    Attributes
    ----------
    n_splits : int
    """

    def __init__(
        self,
        cost: Cost,
        n_splits: int,
        n_pending: int | None = None,
        refit: RefitCost | None = None,
        seconds_allowed: Callable[[], float] = lambda: math.inf,
        to_come: ToCome | None = None,
    ) -> None:
        self._cost = cost
        self.n_splits = max(1, n_splits)
        self._n_pending = n_pending
        self._refit = refit
        self._seconds_allowed = seconds_allowed
        self._n_splits_of = cost.splits(self.n_splits)
        spent = cost.of_a_candidate(self._n_splits_of)
        # What one fit of each rung is given, in the mean over its splits.
        self._steps = [n / k for n, k in zip(spent, self._n_splits_of, strict=True)]
        # The same spread over all splits.
        self._costs = [n / self.n_splits for n in spent]
        places = (Place(rung.bracket, rung.iter) for rung in cost.rungs)
        self._index = {place: i for i, place in enumerate(places)}
        self._iter: dict[int, int] = {}  # by candidate, of its last rung
        self._n_left = [rung.n_candidates for rung in cost.rungs]
        self._spent = self._given = 0.0
        # By candidate that is not through: its rung, and fits sent for it.
        self._begun: dict[int, tuple[int | None, int]] = {}
        self._n_begun = [0] * len(cost.rungs)  # fits
        self._units = UnitsInFlight()
        self._spared = SparedSplits(self.n_splits)
        self._to_come = to_come or ToCome()
        self._fits = FitSeconds(self._to_come.candidates)
        self._firsts = FitSeconds()
        rows = [self._fits.row(params) for params in self._to_come.candidates]
        self._rows_to_come = np.array(rows) if rows else np.zeros((0, 0))
        self._rows: dict[int, Floats] = {}  # by candidate
        self._factor: tuple[tuple[int, int], float | None] = ((0, -1), None)
        self._beside = (0, 0.0)  # fits, and seconds
        # Seconds, and what they were expected to be; where there is a rule, and where
        # there is none.
        self._shortened = {True: [0.0, 0.0], False: [0.0, 0.0]}
        self._best: tuple[tuple[float, float], int] | None = None  # and who
        self._asking = 0.0
        self._latest: deque[float] = deque(maxlen=_LATEST)

    # -- what is told --------------------------------------------------------------

    def begin(self, n_workers: int) -> None:
        """The first fit is being sent to so many workers."""
        self._units.begin(n_workers)

    def on_ask(self, seconds: float) -> None:
        """A candidate was proposed, which took so long."""
        if self._units.n_workers is not None:
            self._latest.append(seconds)
        if self._units.since is not None:
            self._asking += seconds

    def on_submit(self, unit: Unit, now: float) -> None:
        """Fits were decided on, and are sent to workers."""
        n_of: dict[int, int] = {}
        for fit in unit:
            if fit.candidate not in self._rows:
                self._rows[fit.candidate] = self._fits.row(fit.params)
            n_of[fit.candidate] = n_of.get(fit.candidate, 0) + 1
        i = self._index.get(Place(unit[0].bracket, unit[0].iter))
        for candidate, n in n_of.items():
            self._spared.on_submit(candidate, n)
            self._begun[candidate] = i, self._begun.get(candidate, (i, 0))[1] + n
            if i is not None:
                self._n_begun[i] += n
        rows = [self._rows[fit.candidate] for fit in unit]
        step = 0.0 if i is None else self._steps[i]
        self._units.submit(unit, step, rows, now)

    def on_arrival(self, fit: Fit, outcome: FitOutcome, now: float) -> None:
        """One fit is done, and will be told of when its turn comes."""
        self._spared.settle()
        i = self._index.get(Place(fit.bracket, fit.iter))
        self._given += 0.0 if i is None else self._steps[i]
        unit = self._units.arrive(fit, outcome, now)
        if unit is None or self._units.n_workers is None or not unit.step:
            return
        seconds = unit.fit_seconds / unit.n_fits
        weight = unit.n_fits / self.n_splits
        if unit.began is None:
            if unit.n_fits > 1:
                self._firsts.add(unit.step, self._firsts.row({}), seconds, weight)
            return
        n, beside = self._beside
        # Those of a batch come in together: less than nothing here is more elsewhere.
        beside += now - unit.began - unit.fit_seconds
        self._beside = n + unit.n_fits, beside
        if not unit.is_short:
            self._fits.add(unit.step, unit.row, seconds, weight)
        expected = self._fits.of(unit.step, float(self._fits.factors(unit.row)))
        if expected is None:  # all have failed so far
            self._firsts.add(unit.step, self._firsts.row({}), seconds, weight)
            return
        shortened = self._shortened[unit.has_rule]
        shortened[0] += (seconds if unit.is_short else expected) * unit.n_fits
        shortened[1] += expected * unit.n_fits

    def on_evaluation(self, one: Evaluation, seen: Observation) -> bool:
        """All splits of a decision are in; whether the candidate has none left."""
        candidate, n_run = one.candidate, len(seen.scores)
        place = Place(candidate.bracket, one.iter)
        if n_run < self._planned(place):
            self._spared.on_told(candidate.id, n_run)
            return False
        self._spared.on_complete(candidate.id)
        if not seen.failed:
            result = (float(one.n_resources or 0), seen.score)
            if self._best is None or result > self._best[0]:
                self._best = result, candidate.id
        self._through(candidate.id, place)
        return True

    def on_stop(self, candidate: int) -> bool:
        """A candidate is run no further; whether it had splits left."""
        if not self._spared.on_stop(candidate):
            return False
        self._through(candidate, Place(0, 0))
        return True

    def _through(self, candidate: int, place: Place) -> None:
        i, n = self._begun.pop(candidate, (None, 0))
        if i is not None:
            self._n_begun[i] -= n
        passed = self._passed(candidate, place)
        self._iter[candidate] = place.iter
        for i in passed:
            self._n_left[i] = max(0, self._n_left[i] - 1)
            self._spent += self._costs[i]

    def _passed(self, candidate: int, place: Place) -> list[int]:
        """Rungs that a candidate was trained through since its last."""
        first = self._iter.get(candidate, -1) + 1
        places = (Place(place.bracket, k) for k in range(first, place.iter + 1))
        return [self._index[one] for one in places if one in self._index]

    # -- what is said --------------------------------------------------------------

    def seconds(self, now: float) -> float | None:
        """Seconds until the search is over, the refit included; None: not known yet."""
        rest, refit = self._allowed(), self.of_refit()
        if not any(rest):
            return 0.0 if self._refit is None else refit
        if self._learnt is None:
            return None
        left = self._of_fits(rest, now)
        if self._asks_in_turn and self._latest:
            n_asks = sum(self._n_new(i, n) for i, n in enumerate(rest))
            left += n_asks * sum(self._latest) / len(self._latest)
        return min(left, self._seconds_allowed()) + (refit or 0.0)

    def of_refit(self) -> float | None:
        """Seconds of the refit; None where there is none, or where it is not known."""
        if self._refit is None or self._learnt is None:
            return None
        factor = None
        if self._best is not None and self._best[1] in self._rows:
            factor = self._factor_of(self._rows[self._best[1]])
        seconds = self._learnt.of(self._refit.n_resources, factor)
        return None if seconds is None else seconds * self._refit.share

    def share_done(self) -> float:
        """How much of all that the fits are given has been, from 0 to 1."""
        n_to_come = enumerate(self._allowed())
        to_come = sum(self._n_fits(i, n) * self._steps[i] for i, n in n_to_come)
        done, left = self._given, self._units.given + to_come
        return done / (done + left) if done + left else 1.0

    def n_fits_left(self) -> int:
        """How many fits are left, about."""
        n_to_come = sum(self._n_fits(i, n) for i, n in enumerate(self._allowed()))
        return round(self._units.n_fits + n_to_come)

    # -- how it is found -----------------------------------------------------------

    @property
    def _asks_in_turn(self) -> bool:
        """Whether nothing runs while a candidate is proposed."""
        return self._n_pending == 1 or self._units.n_workers == 1

    @property
    def _learnt(self) -> FitSeconds | None:
        """What is known of the seconds of fits; None as long as nothing is."""
        if len(self._fits):
            return self._fits
        return self._firsts if len(self._firsts) else None

    def _factor_of(self, row: Floats) -> float | None:
        return float(self._fits.factors(row)) if len(self._fits) else None

    def _factor_of_new(self) -> float | None:
        """In the mean over the candidates that have not begun; None: not known."""
        if not len(self._fits) or not len(self._rows_to_come):
            return None
        key = self._fits.n_learnt, len(self._rows)
        if self._factor[0] != key:
            self._factor = key, self._mean_factor_of_new()
        return self._factor[1]

    def _mean_factor_of_new(self) -> float | None:
        total, n = (
            float(self._fits.factors(self._rows_to_come).sum()),
            len(self._rows_to_come),
        )
        if self._to_come.are_listed:
            begun = list(self._rows.values())
            total -= float(self._fits.factors(np.array(begun)).sum()) if begun else 0.0
            return total / (n - len(begun)) if n > len(begun) else None
        latest = list(self._rows.values())[-_LATEST:]
        of_latest = float(self._fits.factors(np.array(latest)).sum()) if latest else 0.0
        return (_N_OF_SPACE * total / n + of_latest) / (_N_OF_SPACE + len(latest))

    def _factor_of_rest(self, i: int, n: int, of_new: float | None) -> float:
        """In the mean over all fits that have not been sent."""
        n_new, more = self._n_fits_of_new(i, n), self._n_more()
        rows = np.array([self._rows[candidate] for candidate in more])
        factors = self._fits.factors(rows) if more else np.zeros(0)
        n_more = np.array(list(more.values()))
        total = (of_new or 1.0) * n_new + float(factors @ n_more)
        return total / max(1e-9, n_new + float(n_more.sum()))

    def _left_of(self, step: float, *, has_rule: bool) -> float:
        """What is left of the seconds of fits, since some fail or are ended."""
        share, n = (_LEFT_BY_RULE, _N_PRIOR) if has_rule else (1.0, 1)
        prior = n * ((self._learnt and self._learnt.of(step)) or 0.0)
        seconds, expected = self._shortened[has_rule]
        if not prior + expected:
            return 1.0
        return (seconds + share * prior) / (expected + prior)

    def _of_one(self, step: float, factor: float | None, *, has_rule: bool) -> float:
        """Seconds of a fit, and what is beside it."""
        n, beside = self._beside
        seconds = (self._learnt and self._learnt.of(step, factor)) or 0.0
        left = self._left_of(step, has_rule=has_rule)
        return seconds * left + (max(0.0, beside / n) if n else 0.0)

    def _of_fits(self, rest: Sequence[int], now: float) -> float:
        asking = self._asking if self._asks_in_turn else 0.0
        at_once = self._units.at_once(self._at_once(0), now, asking)
        some, each = self._units.some()
        flight = [self._of_unit(unit, now) for unit in some]
        in_flight = sum(flight) * each
        to_come = sum(self._of_rung(i, n, at_once) for i, n in enumerate(rest) if n)
        if each > 1:
            return in_flight / at_once + to_come
        until = seconds_until_done(flight, self._units.n_workers or 1)
        is_in_turn = self._n_pending == 1 or self._cost.is_barrier(0)
        if is_in_turn or not to_come:
            return until + to_come
        return max(until, in_flight / at_once + to_come)

    def _of_unit(self, unit: UnitInFlight, now: float) -> float:
        """Seconds that a unit in flight still takes; never nothing."""
        factor = self._factor_of(unit.row)
        seconds = self._of_one(unit.step, factor, has_rule=unit.has_rule) * unit.n_fits
        gone = 0.0 if unit.began is None else now - unit.began
        return max(seconds - gone, seconds / 10)

    def _of_rung(self, i: int, n: int, at_once: float) -> float:
        """Seconds of the fits of a rung that have not been sent."""
        n_fits = self._n_fits(i, n)
        if not n_fits:
            return 0.0
        is_first = not self._cost.rungs[i].iter
        factor = self._factor_of_new() if is_first else None
        if self._spared.begins_with is not None and len(self._fits):
            factor = self._factor_of_rest(i, n, factor)
        rounds = n_fits / at_once
        if self._cost.is_barrier(i) or (is_first and self._n_pending == 1):
            rounds = max(rounds, self._rounds(i, n_fits))
        has_rule = self._shortened[True][1] > 0
        one = self._of_one(self._steps[i], factor, has_rule=False)
        if has_rule and self._spared.begins_with is not None:
            short = self._of_one(self._steps[i], factor, has_rule=True)
            n_short = self._n_new(i, n) * self._spared.begins_with
            one -= (one - short) * min(1.0, n_short / n_fits)
        return one * rounds

    def _n_new(self, i: int, n: int) -> int:
        """Candidates of a first rung that have not begun."""
        if self._cost.rungs[i].iter:
            return 0
        n_begun = sum(1 for k, _ in self._begun.values() if k == i)
        return max(0, n - n_begun)

    def _n_fits(self, i: int, n: int) -> float:
        """Fits of a rung that have not been sent, where so many are not through."""
        if self._spared.begins_with is None:
            return max(0, n * self._n_splits_of[i] - self._n_begun[i])
        return self._n_fits_of_new(i, n) + sum(self._n_more().values())

    def _n_fits_of_new(self, i: int, n: int) -> float:
        n = self._n_new(i, n)
        return n * ((self._spared.begins_with or 0) + self._spared.n_new(n))

    def _n_more(self) -> dict[int, float]:
        """Fits that will be decided on, by candidate that has begun."""
        begun = self._begun.items()
        return {one: self._spared.n_more(one, k) for one, (_, k) in begun}

    def _at_once(self, i: int) -> float:
        """How many fits of a rung run at once by the plan, while there are enough."""
        n_workers, size = self._units.n_workers or 1, self._units.fits_of_a_unit
        if self._n_pending is None or self._cost.rungs[i].iter:
            return n_workers
        n_splits = self._spared.begins_with or self._n_splits_of[i]
        n_units = max(1.0, self._n_pending * n_splits / size)
        if self._n_pending == 1:
            return n_units / math.ceil(n_units / n_workers)
        return min(n_workers, n_units)

    def _rounds(self, i: int, n_fits: float) -> float:
        """How many times as long as one fit so many fits of a rung take by the plan."""
        if self._n_pending == 1 and not self._cost.rungs[i].iter:
            return n_fits / self._at_once(i)
        size = min(n_fits, self._units.fits_of_a_unit)
        return math.ceil(n_fits / size / self._at_once(i)) * size

    def _allowed(self) -> list[int]:
        """Evaluations that are left in each rung, and that resources are left for."""
        if self._cost.max_resources is None:
            return self._n_left
        left, allowed = self._cost.max_resources - self._spent, []
        for n, cost in zip(self._n_left, self._costs, strict=True):
            n_here = min(n, max(0, int(left // cost))) if cost else n
            left = left - n_here * cost if n_here == n else 0
            allowed.append(n_here)
        return allowed

    def _planned(self, place: Place) -> int:
        """Splits that a candidate is to be run on."""
        i = self._index.get(place)
        return self.n_splits if i is None else self._n_splits_of[i]
