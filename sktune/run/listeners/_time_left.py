"""How long a search will still take, from what its own fits have taken."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sktune._types import Evaluation, Fit, FitOutcome, Observation
from sktune.schedule import Place, Rung, resources_of_a_candidate, splits_of

# Of how many proposals the time is looked at: a surrogate slows down as it learns.
_LATEST = 10


@dataclass(frozen=True)
class Cost:
    """What the evaluations of a search cost beside each other.

    Attributes
    ----------
    rungs : tuple of Rung
        The plan. A flat search has one rung, and a resource of 1.
    continues : bool
        Whether a candidate costs no more than what it was given since its last rung.
    in_order : bool
        Whether a rung begins when the one before is over.
    max_resources : int or None
        The most that fits on one split may spend together.
    min_splits : int or None
        Splits that the lowest rungs run on; None: all run on all.
    """

    rungs: tuple[Rung, ...] = ()
    continues: bool = False
    in_order: bool = True
    max_resources: float | None = None
    min_splits: int | None = None

    def splits(self, n_splits: int) -> list[int]:
        """On how many splits a candidate is run in each rung."""
        return list(splits_of(self.rungs, n_splits, self.min_splits).values())

    def of_a_candidate(self, splits: Sequence[int]) -> list[int]:
        """What a candidate is given in each rung, on its splits together."""
        return resources_of_a_candidate(self.rungs, splits, continues=self.continues)


@dataclass(frozen=True)
class RefitCost:
    """What the refit costs beside the fits.

    Attributes
    ----------
    n_resources : int
        In one go; 1 where there is no resource.
    share : float
        How many times as many rows as the fits it trains on.
    """

    n_resources: int = 1
    share: float = 1.0


@dataclass
class _Seconds:
    """Seconds of fits, by what they were given."""

    n: Counter[float] = field(default_factory=Counter)
    total: Counter[float] = field(default_factory=Counter)

    def add(self, step: float, seconds: float) -> None:
        self.n[step] += 1
        self.total[step] += seconds  # type: ignore[assignment]

    def of(self, step: float) -> float | None:
        """Of one fit, by those that were given most nearly as much."""
        if not self.n:
            return None
        if not step:
            return 0.0
        nearest = min(self.n, key=lambda other: abs(math.log(other / step)))
        return self.total[nearest] / self.n[nearest] * step / nearest


class TimeLeft:
    """Tells how long a search will still take; it reads no clock itself.

    What was told before `begin` was replayed from a journal, and says nothing of speed.
    Neither does the first fit of each worker, which imports and sets up as well. From
    then on a fit takes as long as others that were given as much, or in proportion to
    the nearest of them. How many run at once follows from the plan. What else takes
    time (proposals, sending, waiting for others) is what has passed beyond that.

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
        self._spent = 0.0
        # By candidate that has splits left, what each of those that are in was given.
        self._under_way: dict[int, list[float]] = {}
        self._n_workers: int | None = None  # until the first fit has been sent
        self._slots: set[tuple[object, ...]] = set()
        self._n_fits = 0
        self._fits, self._scored = _Seconds(), _Seconds()
        self._score_seconds = 0.0
        # Splits that candidates were run on: of those that have some left, each; of
        # those that are through, all together, and how many were planned.
        self._n_run: dict[int, int] = {}
        self._n_run_in_all = self._n_planned_in_all = 0
        # Since each worker has had its first fit.
        self._since: float | None = None
        self._n_done = [0] * len(cost.rungs)
        self._asking = 0.0
        self._latest: deque[float] = deque(maxlen=_LATEST)

    # -- what is told --------------------------------------------------------------

    def begin(self, n_workers: int) -> None:
        """The first fit is being sent to so many workers."""
        self._n_workers = n_workers

    def on_ask(self, seconds: float) -> None:
        """A candidate was proposed, which took so long."""
        if self._n_workers is not None:
            self._latest.append(seconds)
        if self._since is not None:
            self._asking += seconds

    def on_arrival(self, fit: Fit) -> None:
        """One fit is done, and will be told of when its turn comes."""
        passed = self._passed(fit.candidate, Place(fit.bracket, fit.iter))
        given = sum(self._steps[i] for i in passed) / self.n_splits
        self._under_way.setdefault(fit.candidate, []).append(given)

    def on_fit(self, fit: Fit, outcome: FitOutcome) -> None:
        """One fit is done."""
        if self._n_workers is None:
            return
        self._n_fits += 1
        if self._n_fits <= self._n_workers:
            return
        lease = outcome.lease or {}
        if lease.get("slot") is not None:
            self._slots.add((lease.get("host"), lease.get("device"), lease["slot"]))
        step = self._step(fit.bracket, fit.iter)
        if not step:
            return
        self._fits.add(step, outcome.fit_time)
        self._score_seconds += outcome.score_time
        if outcome.fit_error is None:
            self._scored.add(step, outcome.fit_time)

    def on_evaluation(self, one: Evaluation, seen: Observation, now: float) -> bool:
        """All splits of a decision are in; whether the candidate has none left."""
        candidate, n_run = one.candidate, len(seen.scores)
        place = Place(candidate.bracket, one.iter)
        self._n_run[candidate.id] = n_run
        if n_run < self._planned(place):
            return False
        self._through(candidate.id, place, now)
        return True

    def on_stop(self, candidate: int, now: float) -> bool:
        """A candidate is run no further; whether it had splits left."""
        if candidate not in self._n_run:
            return False
        self._through(candidate, Place(0, 0), now)
        return True

    def _through(self, candidate: int, place: Place, now: float) -> None:
        self._under_way.pop(candidate, None)
        self._n_run_in_all += self._n_run.pop(candidate)
        self._n_planned_in_all += self._planned(place)
        passed = self._passed(candidate, place)
        self._iter[candidate] = place.iter
        for i in passed:
            self._n_left[i] = max(0, self._n_left[i] - 1)
            self._spent += self._costs[i]
            if self._since is not None:
                self._n_done[i] += 1
        has_all_begun = self._n_workers is not None and self._n_fits >= self._n_workers
        if passed and self._since is None and has_all_begun:
            self._since = now

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
        if not self._fits.n:
            return None
        left = self._corrected(self._modelled(rest), rest, now)
        if self._asks_in_turn and self._latest:
            firsts = zip(self._cost.rungs, rest, strict=True)
            n_asks = sum(n for rung, n in firsts if rung.iter == 0)
            left += n_asks * sum(self._latest) / len(self._latest)
        return min(left, self._seconds_allowed()) + (refit or 0.0)

    def of_refit(self) -> float | None:
        """Seconds of the refit; None where there is none, or where it is not known."""
        if self._refit is None:
            return None
        seconds = self._scored.of(self._refit.n_resources)
        return None if seconds is None else seconds * self._refit.share

    def share_done(self) -> float:
        """How much of all that the fits are given has been, from 0 to 1."""
        under_way = sum(map(sum, self._under_way.values()))
        costs = zip(self._allowed(), self._costs, strict=True)
        left = max(0.0, sum(n * cost for n, cost in costs) - under_way)
        done, left = self._spent * self._share + under_way, left * self._share
        return done / (done + left) if done + left else 1.0

    def n_fits_left(self) -> int:
        """How many fits are left, about."""
        n_left = zip(self._allowed(), self._n_splits_of, strict=True)
        n_under_way = sum(map(len, self._under_way.values()))
        n_planned = sum(n * k for n, k in n_left) - n_under_way
        return round(max(0, n_planned) * self._share)

    # -- how it is found -----------------------------------------------------------

    @property
    def _asks_in_turn(self) -> bool:
        """Whether nothing runs while a candidate is proposed."""
        return self._n_pending == 1 or self._n_workers == 1

    @property
    def _n_at_once(self) -> int:
        n_workers = self._n_workers or 1
        return min(n_workers, len(self._slots)) if self._slots else n_workers

    def _step(self, bracket: int, iteration: int) -> float:
        i = self._index.get(Place(bracket, iteration))
        return 0 if i is None else self._steps[i]

    def _planned(self, place: Place) -> int:
        """Splits that a candidate is to be run on."""
        i = self._index.get(place)
        return self.n_splits if i is None else self._n_splits_of[i]

    def _of_fit(self, step: float) -> float:
        scoring = self._score_seconds / max(1, self._fits.n.total())
        return (self._fits.of(step) or 0.0) + scoring

    def _corrected(self, left: float, rest: Sequence[int], now: float) -> float:
        """Seconds of the fits that are left, by how long those before have taken."""
        n_done = sum(self._n_done)
        if self._since is None or not n_done:
            return left
        elapsed, modelled = now - self._since, self._modelled(self._n_done)
        # Fits that run now may have begun before, or be counted later.
        running = next(i for i, n in enumerate(rest) if n)
        slack = self._of_fit(self._steps[running])
        if elapsed + slack < modelled:
            return left * (elapsed + slack) / modelled
        beyond = elapsed - slack - modelled
        beyond -= self._asking if self._asks_in_turn else 0.0
        return left + max(0.0, beyond) * sum(rest) / n_done

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

    @property
    def _share(self) -> float:
        """Of the splits that are planned, how many a candidate is run on."""
        if not self._n_planned_in_all:
            return 1.0
        return self._n_run_in_all / self._n_planned_in_all

    def _modelled(self, counts: Sequence[int]) -> float:
        """Seconds that so many evaluations of each rung take."""
        rounds = (self._rounds(i, n) for i, n in enumerate(counts))
        steps = zip(rounds, self._steps, strict=True)
        seconds = sum(n * self._of_fit(step) for n, step in steps if n)
        return seconds * self._share

    def _rounds(self, i: int, n_candidates: int) -> float:
        """How many times as long as one fit so many candidates of a rung take."""
        at_once, n_splits = self._n_at_once, self._n_splits_of[i]
        if not self._cost.rungs[i].iter and self._n_pending is not None:
            if self._n_pending == 1:
                return n_candidates * math.ceil(n_splits / at_once)
            at_once = min(at_once, self._n_pending * n_splits)
        rounds = n_candidates * n_splits / at_once
        return math.ceil(rounds) if self._is_barrier(i) else rounds

    def _is_barrier(self, i: int) -> bool:
        """Whether nothing else runs until the rung is over."""
        rungs = self._cost.rungs
        if i + 1 == len(rungs):
            return True
        return self._cost.in_order and rungs[i].bracket == rungs[i + 1].bracket
