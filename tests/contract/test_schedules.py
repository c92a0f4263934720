"""One contract for all schedules: whatever scores come, and in whatever order."""

from __future__ import annotations

import math
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktune._types import Report, Resume, Start, Stop
from sktune.schedule import (
    Asynchronous,
    Brackets,
    Flat,
    Growth,
    Population,
    Racing,
    Slices,
    halving,
    hyperband,
    levels_between,
    total_resources,
)
from tests.helpers.driven import (
    ASYNCHRONOUS,
    N_SPLITS,
    Drive,
    counted,
    scores_to_come,
)

SCHEDULES = {
    "flat": Flat(5),
    "halving": Brackets(halving(9, 3, 1, 9)),
    "halving, factor 2": Brackets(halving(7, 2, 1, 10)),
    "halving, aggressive": Brackets(halving(20, 3, 2, 9, aggressive_elimination=True)),
    "hyperband": Brackets(hyperband(3, 1, 9)),
    "hyperband, twice": Brackets(hyperband(2, 1, 4, n_rounds=2)),
    "halving, on fewer splits": Brackets(halving(9, 3, 1, 9), 1, seed=1),
    "hyperband, on fewer splits": Brackets(hyperband(2, 1, 4), 1),
    **ASYNCHRONOUS,
}
RACES = {
    "racing": Racing(7, 2.33, n_pending=3),
    "racing in rounds, shuffled": Racing(6, 1.0, in_rounds=True, shuffle=True, step=2),
    "early stopping": Racing(5, None, Growth(), n_pending=2),
    "both": Racing(6, 2.33, Growth()),
}
SLICES = {
    "freeze and thaw": Slices(levels_between(1, 9), 50, n_first=9),
    "freeze and thaw, three at once": Slices(
        levels_between(2, 20, halfway=False),
        200,
        n_first=3,
        continues=False,
        n_pending=3,
        max_paused=2,
    ),
}
POPULATIONS = {
    "population": Population(6, (2, 4, 6, 7), 2),
    "population of two": Population(2, (1, 2, 3), 1, seed=1),
    "population of one generation": Population(4, (9,), 1),
}
SYNCHRONOUS = {n: s for n, s in SCHEDULES.items() if s.in_order and n != "flat"}
RUNGS = {n: s for n, s in SCHEDULES.items() if n != "flat"}
GOING_ON = {**RUNGS, **SLICES, **POPULATIONS}
EVERY = {**SCHEDULES, **RACES, **SLICES, **POPULATIONS}


@pytest.mark.parametrize("schedule", EVERY.values(), ids=EVERY)
@given(
    scores=scores_to_come,
    order=st.lists(st.integers(0, 20), max_size=20),
    n_workers=st.integers(1, 6),
    limit=st.one_of(st.just(math.inf), st.integers(0, 12)),
)
@settings(deadline=None, max_examples=60)
def test_it_ends_and_leaves_nobody_paused(schedule, scores, order, n_workers, limit):
    drive = Drive(schedule, scores, order, n_workers, limit)
    assert len(drive.ended) == len(drive.reached) <= limit
    assert not drive.paused
    assert len(drive.told) == sum(not isinstance(d, Stop) for d in drive.decisions)


@pytest.mark.parametrize("schedule", GOING_ON.values(), ids=GOING_ON)
@given(scores=scores_to_come, n_workers=st.integers(1, 6))
@settings(deadline=None, max_examples=40)
def test_who_failed_does_not_go_on(schedule, scores, n_workers):
    drive = Drive(schedule, scores, n_workers=n_workers)
    last = {}
    for candidate, _, score in drive.told:
        assert last.get(candidate, 0.0) is not None
        failed = score is None or not math.isfinite(score)
        last[candidate] = None if failed else score


@pytest.mark.parametrize("schedule", EVERY.values(), ids=EVERY)
def test_earlier_states_stay_as_they_were(schedule):
    class Keeping(Drive):
        kept = ()

        def judge(self, decision):
            self.kept = (*self.kept, (self.state, decision))

    drive = Keeping(schedule, [3.0, None, 1.0, 2.0, 2.0], [1, 0, 2], 3)
    for state, decision in drive.kept:
        assert schedule.next(state)[0] == decision


class OnSomeSplits(Drive):
    """Told the same means, of fewer splits than there are, and more beside them."""

    def report(self, candidate, n_resources, score, splits):
        if score is None:
            return Report(candidate, n_resources, {0: None})
        scores = {0: score - 1.0, N_SPLITS - 1: score + 1.0}
        # What has stopped a fit, and how it went till then, is for those who ask.
        reached, curves = {0: 1}, {0: (0.5,)}
        return Report(candidate, n_resources, scores, reached, curves)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@given(scores=scores_to_come, n_workers=st.integers(1, 6))
@settings(deadline=None, max_examples=20)
def test_a_split_that_was_not_run_has_not_failed(schedule, scores, n_workers):
    """The mean over those that were run decides, and a failure on any of them."""
    on_all = Drive(schedule, scores, n_workers=n_workers)
    on_some = OnSomeSplits(schedule, scores, n_workers=n_workers)
    assert on_some.decisions == on_all.decisions


@pytest.mark.parametrize("schedule", RUNGS.values(), ids=RUNGS)
@given(st.permutations(range(60)))
@settings(deadline=None, max_examples=20)
def test_every_rung_has_as_many_as_planned(schedule, scores):
    """With one worker; an asynchronous run spends what the plan says, too."""
    drive = Drive(schedule, map(float, scores))
    assert counted(drive) == {
        (r.bracket, r.iter, r.n_resources): r.n_candidates for r in schedule.rungs
    }
    spent = Counter()
    for candidate, n_resources, _ in drive.told:
        spent[candidate] = n_resources
    assert sum(spent.values()) == total_resources(schedule.rungs, continues=True)


@pytest.mark.parametrize("schedule", SYNCHRONOUS.values(), ids=SYNCHRONOUS)
@given(scores=scores_to_come)
@settings(deadline=None, max_examples=40)
def test_the_best_go_on_and_of_equals_the_earlier(schedule, scores):
    drive = Drive(schedule, scores)
    of_rung = {}
    iters = dict.fromkeys(drive.reached, -1)
    for candidate, _, score in drive.told:
        iters[candidate] += 1
        failed = score is None or not math.isfinite(score)
        place = (drive.places[candidate], iters[candidate])
        of_rung.setdefault(place, {})[candidate] = None if failed else score
    planned = {(r.bracket, r.iter): r.n_candidates for r in schedule.rungs}
    for (bracket, i), scored in of_rung.items():
        finite = [c for c, score in scored.items() if score is not None]
        best = sorted(finite, key=lambda c: (-scored[c], c))
        wanted = best[: planned.get((bracket, i + 1), 0)]
        assert sorted(of_rung.get((bracket, i + 1), {})) == sorted(wanted)


@pytest.mark.parametrize("schedule", SYNCHRONOUS.values(), ids=SYNCHRONOUS)
def test_no_more_are_kept_than_may_go_on(schedule):
    """One score at a time; the one that has just come is kept until it is judged."""
    limit = max(r.n_candidates for r in schedule.rungs if r.iter)
    for sign in (1.0, -1.0):
        drive = Drive(schedule, [sign * k for k in range(60)])
        assert drive.peak <= limit + 1


@pytest.mark.parametrize("schedule", RUNGS.values(), ids=RUNGS)
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7])
def test_a_space_smaller_than_a_bracket(schedule, limit):
    drive = Drive(schedule, limit=limit)
    most = max(rung.n_resources for rung in schedule.rungs)
    assert len(drive.reached) == limit
    assert most in drive.reached.values()


@pytest.mark.parametrize("name", ["halving", "asha"])
def test_of_fewer_the_same_share_goes_on(name):
    assert list(counted(Drive(SCHEDULES[name], limit=4)).values()) == [4, 2, 1]


def test_a_bracket_begins_when_the_last_rung_before_is_decided():
    """And not when it is over: workers have something to do while it ends."""

    class Noting(Drive):
        begun = {}

        def judge(self, decision):
            if isinstance(decision, Start) and decision.bracket not in self.begun:
                out = [n_resources for _, n_resources, *_ in self.in_flight]
                self.begun[decision.bracket] = out

    drive = Noting(SCHEDULES["hyperband"])
    assert drive.begun == {0: [], 1: [9], 2: [9]}


@pytest.mark.parametrize(
    "schedule",
    [Brackets(halving(2000, 3, 1, 2000)), Asynchronous(halving(2000, 3, 1, 2000), 3)],
    ids=["synchronous", "asynchronous"],
)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_score_costs_no_sort_of_all_before(schedule, sign):
    """A tenth of a second or two; with a sort for each score it took several."""
    began, state, newest, out = time.process_time(), schedule.init(1), -1, []
    while True:
        decision, state = schedule.next(state)
        if isinstance(decision, Start):
            newest += 1
            out.append((newest, decision.n_resources))
        elif isinstance(decision, Resume):
            out.append((decision.candidate, decision.n_resources))
        if decision is None or (out and not schedule.in_order):
            if not out:
                break
            candidate, n_resources = out.pop(0)
            told = Report(candidate, n_resources, {0: sign * candidate})
            state = schedule.tell(state, told)
    assert newest == 1999
    assert time.process_time() - began < 1
