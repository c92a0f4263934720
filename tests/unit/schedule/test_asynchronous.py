"""Asynchronous halving against a rule that counts everything anew."""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktune._types import Resume, Start, Stop
from sktune.schedule import Asynchronous, Place, halving
from tests.helpers.driven import (
    ASYNCHRONOUS,
    N_SPLITS,
    Drive,
    counted,
    report,
    scores_to_come,
)


class Judged(Drive):
    """Compares each decision with a rule that counts anew what has been told so far."""

    def __init__(self, schedule, *args, **options):
        self.scores = defaultdict(dict)  # by place, by candidate
        self.at = {}
        self.table = {Place(r.bracket, r.iter): r for r in schedule.rungs}
        super().__init__(schedule, *args, **options)

    def hear(self, candidate, score):
        failed = score is None or not math.isfinite(score)
        self.scores[self.at[candidate]][candidate] = None if failed else score

    def carry_out(self, decision):
        super().carry_out(decision)
        if isinstance(decision, Start):
            self.at[len(self.reached) - 1] = Place(decision.bracket, decision.iter)
        elif isinstance(decision, Resume):
            bracket = self.places[decision.candidate]
            self.at[decision.candidate] = Place(bracket, decision.iter)

    def judge(self, decision):
        if isinstance(decision, Stop):
            assert not self.may_go_on(decision.candidate)
            return
        assert all(self.may_go_on(candidate) for candidate in self.paused)
        for place in sorted(self.table, key=lambda p: (-p.iter, p.bracket)):
            candidate = self.promotable(place)
            if candidate is not None:
                assert isinstance(decision, Resume)
                assert (decision.candidate, decision.iter) == (candidate, place[1] + 1)
                return
        can_start = len(self.reached) < self.n_to_start() and not self.closed
        assert type(decision) is (Start if can_start else type(None))

    def n_to_start(self):
        return sum(r.n_candidates for r in self.schedule.rungs if r.iter == 0)

    def n_came(self, place):
        return sum(at[0] == place[0] and at >= place for at in self.at.values())

    def cap(self, place):
        """How many may go on from a rung; none from the last."""
        if (place[0], place[1] + 1) not in self.table:
            return 0
        planned = self.table[place[0], place[1] + 1].n_candidates
        if self.closed:
            first = Place(place.bracket, 0)
            share = Fraction(self.n_came(first), self.table[first].n_candidates)
            planned = max(1, math.ceil(planned * share))
        return planned

    def gone(self, place):
        return [c for c in self.scores[place] if self.at[c] != place]

    def ranking(self, place):
        finite = [c for c, score in self.scores[place].items() if score is not None]
        return sorted(finite, key=lambda c: (-self.scores[place][c], c))

    def may_go_on(self, candidate):
        """Unless it failed, or as many as there is room for are better or gone."""
        place = self.at[candidate]
        ranking, gone = self.ranking(place), self.gone(place)
        if candidate not in ranking:
            return False
        ahead = {*ranking[: ranking.index(candidate)], *gone}
        return len(ahead) < self.cap(place)

    def promotable(self, place):
        gone = self.gone(place)
        left = [c for c in self.ranking(place) if c not in gone]
        if not left or len(gone) >= self.cap(place):
            return None
        share = len(self.scores[place]) / Fraction(self.schedule.factor)
        if left[0] in self.ranking(place)[: int(share)] or self.has_all(place):
            return left[0]
        return None

    def has_all(self, place):
        """Whether nobody can come to a rung any more, and who came has a score."""
        if len(self.scores[place]) < self.n_came(place):
            return False
        if place.iter == 0:
            return self.closed or self.n_came(place) == self.table[place].n_candidates
        below = Place(place.bracket, place.iter - 1)
        if len(self.gone(below)) >= self.cap(below):
            return True
        return self.has_all(below) and self.promotable(below) is None


@pytest.mark.parametrize("n_workers", [1, 2, 8])
@pytest.mark.parametrize("schedule", ASYNCHRONOUS.values(), ids=ASYNCHRONOUS)
@given(
    scores=scores_to_come,
    order=st.lists(st.integers(0, 20), max_size=20),
    limit=st.one_of(st.just(math.inf), st.integers(0, 12)),
)
@settings(deadline=None, max_examples=25)
def test_asha_resumes_the_best_share_and_lets_nobody_wait(
    schedule, n_workers, scores, order, limit
):
    drive = Judged(schedule, scores, order, n_workers, limit)
    # A worker is idle only when all candidates have been started.
    assert len(drive.reached) == min(drive.n_to_start(), limit)


@pytest.mark.parametrize("schedule", ASYNCHRONOUS.values(), ids=ASYNCHRONOUS)
@given(
    scores=st.lists(st.integers(0, 200).map(float), max_size=60),
    order=st.lists(st.integers(0, 20), max_size=20),
    n_workers=st.integers(1, 8),
)
@settings(deadline=None, max_examples=40)
def test_asha_spends_what_was_planned(schedule, scores, order, n_workers):
    """Also when later candidates overtake, and whoever is late."""
    drive = Judged(schedule, scores, order, n_workers)
    assert counted(drive) == {
        (r.bracket, r.iter, r.n_resources): r.n_candidates for r in schedule.rungs
    }


def test_asha_does_not_spend_more_when_each_candidate_is_better():
    schedule = ASYNCHRONOUS["asha, rounded up"]
    for score in (float, lambda k: -float(k)):
        drive = Drive(schedule, map(score, range(75)))
        assert list(counted(drive).values()) == [50, 17, 6, 2]


def test_a_share_is_exact():
    """``int(33 / 1.1)`` is 29."""
    schedule = Asynchronous(halving(40, 1.1, 100, 121), 1.1)
    state = schedule.init(N_SPLITS)
    for candidate in range(33):
        decision, state = schedule._start(state)
        state = schedule.tell(state, report(candidate, decision.n_resources, 1.0))
    for candidate in range(30):
        decision, state = schedule.next(state)
        assert decision == Resume(candidate, 110, 1, True)
    assert isinstance(schedule.next(state)[0], Start)


def test_the_top_comes_first():
    """Several may be told before a worker is free, if a candidate has many splits."""
    schedule = Asynchronous(halving(27, 3, 1, 27), 3)
    state = schedule.init(N_SPLITS)
    for _ in range(27):
        _, state = schedule.next(state)
    for candidate in range(9):
        state = schedule.tell(state, report(candidate, 1, -float(candidate)))
    for candidate in range(3):
        decision, state = schedule.next(state)
        assert decision == Resume(candidate, 3, 1, True)
    for candidate in (9, 10, 11):
        state = schedule.tell(state, report(candidate, 1, -float(candidate)))
    for candidate in range(3):
        state = schedule.tell(state, report(candidate, 3, -float(candidate)))
    decision, state = schedule.next(state)
    while isinstance(decision, Stop):
        decision, state = schedule.next(state)
    assert decision == Resume(0, 9, 2, True)
    assert schedule.next(state)[0] == Resume(3, 3, 1, True)


def test_the_first_candidate_gets_no_free_pass():
    drive = Drive(ASYNCHRONOUS["asha"], scores=[9.0, 1.0, 2.0, 3.0])
    assert [type(d) for d in drive.decisions[:3]] == [Start, Start, Start]
    assert drive.decisions[3] == Resume(0, 3, 1, True)


def test_a_straggler_holds_nobody_up():
    """Candidate 0 never ends, and all the others go their way."""
    schedule = ASYNCHRONOUS["asha"]
    state, newest = schedule.init(N_SPLITS), -1
    in_flight, told = [], []
    for _ in range(200):
        while len(in_flight) < 2:
            decision, state = schedule.next(state)
            if decision is None:
                break
            if isinstance(decision, Stop):
                continue
            newest += isinstance(decision, Start)
            candidate = newest if isinstance(decision, Start) else decision.candidate
            in_flight.append((candidate, decision.n_resources))
        movable = [one for one in in_flight if one[0] != 0]
        if not movable:
            break
        in_flight.remove(movable[0])
        told.append(movable[0])
        state = schedule.tell(state, report(*movable[0], score=float(movable[0][0])))
    assert {c for c, _ in told} == set(range(1, 9))
    assert max(n for _, n in told) == 9
