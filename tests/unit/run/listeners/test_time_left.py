"""How long a search will still take, told on a clock that is simulated."""

import heapq
import math
from itertools import count

import pytest

from sktune._types import (
    Candidate,
    Evaluation,
    Fit,
    FitOutcome,
    Observation,
    Problem,
)
from sktune.engine import Engine
from sktune.run._run import Watched
from sktune.run.listeners._cost import Cost, RefitCost, ToCome
from sktune.run.listeners._progress import Progress
from sktune.run.listeners._time_left import TimeLeft
from sktune.schedule import Asynchronous, Brackets, Flat, Rung, halving, hyperband

STARTING, FIRST_FIT, PER_RESOURCE, SCORING = 10.0, 20.0, 2.0, 0.1


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Simulated:
    """Workers on a clock; they take long to start, and for the first fit of each."""

    def __init__(self, clock, cost, n_workers, begin, n_recorded=0):
        self.clock, self.n_workers, self._begin = clock, n_workers, begin
        # Not as the cost has it: else what is tested would be compared with itself.
        self._continues = cost.continues
        self._reached = {}
        self._free = [(STARTING, True)] * n_workers
        self._n_recorded, self._queue, self._running = n_recorded, [], []
        self._number = count()

    def submit(self, unit):
        self._queue += unit

    def next_done(self):
        if self._n_recorded and self._queue:
            self._n_recorded -= 1
            return [(self._queue.pop(0), FitOutcome({"score": 0.5}, fit_time=99.0))]
        self._begin(self.n_workers)
        while self._queue and self._free:
            fit = self._queue.pop(0)
            free_at, is_first = heapq.heappop(self._free)
            before = self._reached.get((fit.candidate, fit.split), 0)
            most = fit.n_resources or 1
            self._reached[fit.candidate, fit.split] = most
            step = most - before if self._continues else most
            seconds = (
                step * PER_RESOURCE * (0.7 + 0.06 * (fit.candidate * 7 % 10))
                + FIRST_FIT * is_first
            )
            end = max(self.clock.now, free_at) + seconds + SCORING
            heapq.heappush(self._running, (end, next(self._number), fit, seconds))
        if not self._running:
            return []
        end, _, fit, seconds = heapq.heappop(self._running)
        self.clock.now = end
        heapq.heappush(self._free, (end, False))
        score = fit.candidate * 0.618 % 1
        outcome = FitOutcome({"score": score}, fit_time=seconds, score_time=SCORING)
        return [(fit, outcome)]


class Numbers:
    """Names candidates by number, and thinks for some seconds."""

    def __init__(self, clock, time_left, seconds):
        self._clock, self._time_left, self._seconds = clock, time_left, seconds

    def init(self, problem):
        return None

    def tell(self, state, observation):
        return None

    def ask(self, state, candidate, pending, seed):
        self._clock.now += self._seconds
        self._time_left.on_ask(self._seconds)
        return {"a": candidate}


class Told(Progress):
    """Keeps what would be printed after each candidate."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.told = []  # fits that are done, the time, seconds left

    def on_evaluation(self, one, seen):
        super().on_evaluation(one, seen)
        before = self.told[-1][0] if self.told else 0
        now = self._clock()
        left = self.time_left.seconds(now)
        self.told.append((before + len(one.splits), now, left))


def simulate(
    schedule,
    cost,
    n_workers,
    *,
    n_splits=3,
    n_pending=None,
    refit=None,
    asking=0.0,
    n_recorded=0,
    verbose=1,
    **allowed,
):
    """Estimates of a simulated search, and the time at which it ended."""
    clock = Clock()
    time_left = TimeLeft(cost, n_splits, n_pending, refit, **allowed)
    n = sum(rung.n_candidates for rung in cost.rungs)
    progress = Told(n, verbose, time_left, clock=clock)
    workers = Simulated(clock, cost, n_workers, progress.begin_fits, n_recorded)
    engine = Engine(
        Numbers(clock, time_left, asking),
        schedule,
        Problem(None, n_splits=n_splits),
        Watched(workers, progress),
        root=0,
        score=lambda outcome: outcome.score("score"),
        n_pending=n_pending,
        may_go_on=lambda decision, evaluations: (
            len(evaluations) < (cost.max_resources or math.inf)
        ),
        listeners=[progress],
    )
    engine.run()
    return progress.told, clock.now


def after_half(told):
    return next(one for one in told if one[0] >= told[-1][0] / 2)


def flat(n=40):
    return Flat(n), Cost((Rung(0, 0, n, 1),))


def in_rungs(rungs, continues=True):
    return Brackets(rungs), Cost(rungs, continues)


PLANS = {
    "flat": flat(),
    "halving": in_rungs(halving(27, 3, 1, 27)),
    "halving, repeated first rung": in_rungs(
        halving(27, 3, 1, 9, aggressive_elimination=True)
    ),
    "halving, from scratch": in_rungs(halving(27, 3, 1, 27), continues=False),
    "hyperband": in_rungs(hyperband(3, 1, 27)),
    "asha": (
        Asynchronous(halving(27, 3, 1, 27), 3),
        Cost(halving(27, 3, 1, 27), True, in_order=False),
    ),
}


@pytest.mark.parametrize("n_pending", [None, 1, 2])
@pytest.mark.parametrize("n_workers", [1, 2, 4, 8])
@pytest.mark.parametrize("plan", PLANS)
def test_what_is_left_after_half_of_the_fits(plan, n_workers, n_pending):
    schedule, cost = PLANS[plan]
    most = max(rung.n_resources for rung in cost.rungs)
    told, end = simulate(
        schedule, cost, n_workers, n_pending=n_pending, refit=RefitCost(most, 1.5)
    )
    _, now, left = after_half(told)
    follows = end - now + most * PER_RESOURCE * 1.5
    assert follows / 1.5 < left < follows * 1.5


def test_every_estimate_after_the_first_candidates_is_of_use():
    for schedule, cost in PLANS.values():
        told, end = simulate(schedule, cost, 2)
        for n_fits, now, left in told:
            if n_fits > 9 and end - now > 60:
                assert (end - now) / 2 < left < (end - now) * 2


def test_starting_and_first_fits_are_not_extrapolated():
    told, end = simulate(*flat(40), 8)
    # When 9 fits are done, 8 of them were the first of a worker.
    assert [left is None for *_, left in told[:4]] == [True, True, False, False]
    _, now, left = told[2]
    assert left == pytest.approx(end - now, rel=0.5)


def test_replayed_fits_say_nothing_of_speed():
    told, end = simulate(*flat(40), 2, n_recorded=90)
    recorded = told[:30]
    assert {now for _, now, _ in recorded} == {0.0}
    assert {left for *_, left in recorded} == {None}
    _, now, left = told[32]
    assert left == pytest.approx(end - now, rel=0.2)


def test_nothing_is_left_of_what_is_all_recorded():
    told, _ = simulate(*flat(4), 2, n_recorded=12)
    assert told[-1][2] == 0.0
    # There is a refit, of which nothing tells how long it will take.
    told, _ = simulate(*flat(4), 2, n_recorded=12, refit=RefitCost())
    assert told[-1][2] is None


@pytest.mark.parametrize("n_workers", [1, 4])
def test_proposals_take_time_and_promotions_none(n_workers):
    plan = PLANS["halving"]
    told, end = simulate(*plan, n_workers, n_pending=1, asking=8.0)
    _, now, left = after_half(told)
    assert left == pytest.approx(end - now, rel=0.2)


def test_the_refit_is_in_it():
    without, _ = simulate(*flat(), 1)
    told, _ = simulate(*flat(), 1, refit=RefitCost(1, 1.5))
    refit = told[-1][2]
    assert without[-1][2] == 0.0
    assert refit == pytest.approx(1.5 * PER_RESOURCE, rel=0.1)
    assert told[20][2] - without[20][2] == pytest.approx(refit, rel=0.1)


def test_limits_are_in_it():
    told, _ = simulate(*flat(), 1, seconds_allowed=lambda: 7.0)
    assert told[5][2] == 7.0
    whole, half = flat()[1], Cost(flat()[1].rungs, max_resources=20)
    told, _ = simulate(flat()[0], whole, 1)
    capped, _ = simulate(flat()[0], half, 1)
    assert capped[10][2] == pytest.approx(told[30][2], rel=0.15)


def test_workers_that_wait_for_devices_do_not_work():
    cost = flat(100)[1]
    for n_slots, factor in [(1, 4.0), (2, 2.0), (9, 1.0)]:
        time_left = TimeLeft(cost, 1)
        time_left.begin(4)
        # Of four workers as many train at once as there are slots, two seconds each.
        at_once, now = min(4, n_slots), 0.0
        fits = [Fit(i, 0, {}, 0, unit=i) for i in range(100)]
        for fit in fits:
            time_left.on_submit((fit,), now)
        for i, fit in enumerate(fits[:40], 1):
            now = 2.0 * math.ceil(i / at_once)
            lease = {"host": "a", "device": "cuda:0", "slot": i % n_slots}
            outcome = FitOutcome({"score": 1.0}, fit_time=2.0, lease=lease)
            time_left.on_arrival(fit, outcome, now)
        assert time_left.seconds(now) == pytest.approx(60 / 4 * factor * 2.0, rel=0.05)


# -- params, and what is to come ---------------------------------------------------


def told_of(batch_sizes, to_come, n_seen, n_splits=3):
    """Seconds left, and in truth, where those with small batches come first."""
    candidates = [{"net__batch_size": size} for size in batch_sizes]
    time_left = TimeLeft(
        Cost((Rung(0, 0, len(candidates), 1),)),
        n_splits,
        to_come=to_come(candidates) if to_come else None,
    )
    time_left.begin(1)
    fits = [
        Fit(i, split, params, 0, unit=i * n_splits + split)
        for i, params in enumerate(candidates)
        for split in range(n_splits)
    ]
    seconds = [64 / fit.params["net__batch_size"] for fit in fits]
    for fit in fits:
        time_left.on_submit((fit,), 0.0)
    now = 0.0
    for fit, one in zip(fits[: n_seen * n_splits], seconds, strict=False):
        now += one
        time_left.on_arrival(fit, FitOutcome({"score": 1.0}, fit_time=one), now)
    return time_left.seconds(now), sum(seconds[n_seen * n_splits :])


def test_candidates_to_come_are_told_by_their_params():
    batch_sizes = [32] * 3 + [64] * 3 + [256] * 20
    told, true = told_of(batch_sizes, lambda them: ToCome(them, are_listed=True), 6)
    assert told == pytest.approx(true, rel=0.15)
    plain, _ = told_of(batch_sizes, None, 6)
    assert plain > 3 * true


def test_fits_tell_before_their_candidate_is_told():
    """The first candidate has two of three splits in."""
    time_left = TimeLeft(flat(10)[1], 3)
    time_left.begin(1)
    fits = [Fit(i, k, {}, 0, unit=3 * i + k) for i in range(10) for k in range(3)]
    for fit in fits:
        time_left.on_submit((fit,), 0.0)
    for n, fit in enumerate(fits[:2], 1):
        outcome = FitOutcome({"score": 1.0}, fit_time=2.0)
        time_left.on_arrival(fit, outcome, 2.0 * n)
    assert time_left.seconds(4.0) == pytest.approx(28 * 2.0)
    assert time_left.n_fits_left() == 28
    assert time_left.share_done() == pytest.approx(2 / 30)


def test_a_first_unit_of_many_fits_tells_until_there_is_another():
    time_left = TimeLeft(flat(30)[1], 3)
    time_left.begin(1)
    units = [
        [Fit(i, k, {}, 0, unit=u) for i in range(10 * u, 10 * u + 10) for k in range(3)]
        for u in range(3)
    ]
    for unit in units:
        time_left.on_submit(tuple(unit), 0.0)
    for now, unit, left in [(12.0, units[0], 24.0), (18.0, units[1], 6.0)]:
        for fit in unit:
            outcome = FitOutcome({"score": 1.0}, fit_time=(24.0 - now) / 30)
            if unit is units[0]:
                outcome = FitOutcome({"score": 1.0}, fit_time=12.0 / 30)
            time_left.on_arrival(fit, outcome, now)
        assert time_left.seconds(now) == pytest.approx(left)


def test_the_refit_is_told_by_the_params_of_the_best():
    cost, candidates = Cost((Rung(0, 0, 8, 1),)), [{"width": 4}, {"width": 64}] * 4
    lefts = []
    for best in (4, 64):
        to_come = ToCome(candidates, are_listed=True)
        time_left = TimeLeft(cost, 1, refit=RefitCost(), to_come=to_come)
        engine_side = Told(8, 0, time_left)
        time_left.begin(1)
        now = 0.0
        for i, params in enumerate(candidates):
            fit = Fit(i, 0, params, 0, unit=i)
            time_left.on_submit((fit,), now)
            now += params["width"] / 8
            score = float(params["width"] == best)
            outcome = FitOutcome({"score": score}, fit_time=params["width"] / 8)
            time_left.on_arrival(fit, outcome, now)
            one = Evaluation(Candidate(i, params), None, 0, (0,), {0: outcome})
            engine_side.on_evaluation(one, Observation(i, params, {0: score}))
        lefts.append(time_left.seconds(now))
    assert lefts == pytest.approx([4 / 8, 64 / 8], rel=0.2)


def test_failed_fits_take_no_time_and_so_will_others():
    time_left = TimeLeft(flat(40)[1], 1)
    time_left.begin(1)
    fits = [Fit(i, 0, {}, 0, unit=i) for i in range(40)]
    for fit in fits:
        time_left.on_submit((fit,), 0.0)
    now = 0.0
    for i, fit in enumerate(fits[:20]):
        seconds = 2.0 if i % 2 else 0.0
        now += seconds
        error = None if i % 2 else "Traceback"
        outcome = FitOutcome({"score": 1.0}, fit_error=error, fit_time=seconds)
        time_left.on_arrival(fit, outcome, now)
    assert time_left.seconds(now) == pytest.approx(20.0, rel=0.15)
