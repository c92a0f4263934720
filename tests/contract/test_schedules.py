"""One contract for all schedules: whatever scores come, and in whatever order."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktune._types import Resume, Start, Stop
from sktune.schedule import (
    Asynchronous,
    Brackets,
    Flat,
    halving,
    hyperband,
    total_resources,
)

SCHEDULES = {
    "flat": Flat(5),
    "halving": Brackets(halving(9, 3, 1, 9)),
    "halving, factor 2": Brackets(halving(7, 2, 1, 10)),
    "halving, aggressive": Brackets(halving(20, 3, 2, 9, aggressive_elimination=True)),
    "hyperband": Brackets(hyperband(3, 1, 9)),
    "hyperband, twice": Brackets(hyperband(2, 1, 4, n_rounds=2)),
    "asha": Asynchronous(halving(9, 3, 1, 9), 3),
    "asynchronous hyperband": Asynchronous(hyperband(3, 1, 9), 3),
}
SYNCHRONOUS = {n: s for n, s in SCHEDULES.items() if s.in_order and n != "flat"}
RUNGS = {n: s for n, s in SCHEDULES.items() if n != "flat"}

scores_to_come = st.lists(
    st.one_of(st.none(), st.integers(0, 5).map(float), st.just(math.nan)), max_size=60
)


class Drive:
    """Carries out the decisions of a schedule, as the engine does, and notes them."""

    def __init__(self, schedule, scores=(), order=(), n_workers=1, limit=math.inf):
        self.schedule, self.state = schedule, schedule.init()
        self.decisions, self.reached, self.places = [], {}, {}
        self.told = []  # (candidate, n_resources, score)
        self.paused, self.in_flight, self.ended = set(), [], set()
        self.peak = 0
        scores, order = list(scores), list(order)
        for i in range(10_000):
            self.decide(n_workers, limit)
            if not self.in_flight:
                return
            k = order[i % len(order)] if order else 0
            k = 0 if schedule.in_order else k % len(self.in_flight)
            candidate, n_resources, pause = self.in_flight.pop(k)
            score = scores[i % len(scores)] if scores else float(-candidate)
            (self.paused if pause else self.ended).add(candidate)
            self.told.append((candidate, n_resources, score))
            self.state = schedule.tell(self.state, candidate, n_resources, score)
        raise AssertionError("does not end")

    def decide(self, n_workers, limit):
        while self.schedule.in_order or len(self.in_flight) < n_workers:
            decision, state = self.schedule.next(self.state)
            assert self.schedule.next(self.state) == (decision, state)  # pure
            if decision is None:
                assert state == self.state or self.schedule.next(state)[0] is None
                return
            if isinstance(decision, Start) and len(self.reached) >= limit:
                self.state = self.schedule.close(self.state)
                continue
            self.carry_out(decision)
            self.state = state
            self.peak = max(self.peak, len(self.paused))

    def carry_out(self, decision):
        self.decisions.append(decision)
        if isinstance(decision, Start):
            candidate = len(self.reached)
            self.places[candidate] = decision.bracket
        else:
            candidate = decision.candidate
            assert candidate in self.paused, "only who is paused can go on or stop"
            self.paused.remove(candidate)
        if isinstance(decision, Stop):
            self.ended.add(candidate)
            return
        if isinstance(decision, Resume):
            assert decision.n_resources >= self.reached[candidate]
            assert decision.iter > 0
        self.reached[candidate] = decision.n_resources
        self.in_flight.append((candidate, decision.n_resources, decision.pause))


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@given(
    scores=scores_to_come,
    order=st.lists(st.integers(0, 20), max_size=20),
    n_workers=st.integers(1, 6),
    limit=st.one_of(st.just(math.inf), st.integers(0, 12)),
)
@settings(deadline=None, max_examples=60)
def test_it_ends_and_leaves_nobody_paused(schedule, scores, order, n_workers, limit):
    drive = Drive(schedule, scores, order, n_workers, limit)
    assert len(drive.ended | drive.paused) == len(drive.reached) <= limit
    if schedule.in_order:
        assert not drive.paused
    assert len(drive.told) == sum(not isinstance(d, Stop) for d in drive.decisions)


@pytest.mark.parametrize("schedule", RUNGS.values(), ids=RUNGS)
@given(scores=scores_to_come, n_workers=st.integers(1, 6))
@settings(deadline=None, max_examples=40)
def test_who_failed_does_not_go_on(schedule, scores, n_workers):
    drive = Drive(schedule, scores, n_workers=n_workers)
    last = {}
    for candidate, _, score in drive.told:
        assert last.get(candidate, 0.0) is not None
        failed = score is None or not math.isfinite(score)
        last[candidate] = None if failed else score


@pytest.mark.parametrize("schedule", SYNCHRONOUS.values(), ids=SYNCHRONOUS)
@given(st.permutations(range(60)))
@settings(deadline=None, max_examples=20)
def test_every_rung_has_as_many_as_planned(schedule, scores):
    drive = Drive(schedule, map(float, scores))
    counts = Counter()
    for decision in drive.decisions:
        if isinstance(decision, Start):
            counts[decision.bracket, 0, decision.n_resources] += 1
        elif isinstance(decision, Resume):
            bracket = drive.places[decision.candidate]
            counts[bracket, decision.iter, decision.n_resources] += 1
    planned = {
        (r.bracket, r.iter, r.n_resources): r.n_candidates for r in schedule.rungs
    }
    assert counts == planned
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


# -- asynchronous -------------------------------------------------------------------


@pytest.mark.parametrize("n_workers", [1, 2, 8])
@given(scores=scores_to_come, order=st.lists(st.integers(0, 20), max_size=20))
@settings(deadline=None, max_examples=40)
def test_asha_resumes_the_best_share_and_lets_nobody_wait(n_workers, scores, order):
    schedule = SCHEDULES["asha"]
    drive = Drive(schedule, scores, order, n_workers)
    # A worker is idle only when all candidates have been started.
    n_started = 0
    for decision in drive.decisions:
        n_started += isinstance(decision, Start)
    assert n_started == 9
    assert max(Counter(c for c, *_ in drive.told).values()) <= 3


def test_the_first_candidate_gets_no_free_pass():
    drive = Drive(SCHEDULES["asha"], scores=[9.0, 1.0, 2.0, 3.0])
    assert [type(d) for d in drive.decisions[:3]] == [Start, Start, Start]
    assert drive.decisions[3] == Resume(0, 3, 1, True)


def test_a_straggler_holds_nobody_up():
    """Candidate 0 never ends, and all the others go their way."""
    schedule = SCHEDULES["asha"]
    state = schedule.init()
    in_flight, told = [], []
    for _ in range(200):
        while len(in_flight) < 2:
            decision, state = schedule.next(state)
            if decision is None:
                break
            if isinstance(decision, Stop):
                continue
            newest = len(state.places) - 1
            candidate = getattr(decision, "candidate", newest)
            in_flight.append((candidate, decision.n_resources))
        movable = [one for one in in_flight if one[0] != 0]
        if not movable:
            break
        in_flight.remove(movable[0])
        told.append(movable[0])
        state = schedule.tell(state, *movable[0], score=float(movable[0][0]))
    assert {c for c, _ in told} == set(range(1, 9))
    assert max(n for _, n in told) == 9
