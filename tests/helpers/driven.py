"""Schedules driven without an engine, and what is counted of their decisions."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import strategies as st

from sktune._types import Forget, Report, Resume, Start, Stop
from sktune.schedule import Asynchronous, halving, hyperband

ASYNCHRONOUS = {
    "asha": Asynchronous(halving(9, 3, 1, 9), 3),
    "asha, rounded up": Asynchronous(halving(50, 3, 1, 27), 3),
    "asha, factor 1.5": Asynchronous(halving(11, 1.5, 4, 9), 1.5),
    "asha, aggressive": Asynchronous(
        halving(20, 3, 2, 9, aggressive_elimination=True), 3
    ),
    "asynchronous hyperband": Asynchronous(hyperband(3, 1, 9), 3),
    "asha, on fewer splits": Asynchronous(halving(9, 3, 1, 9), 3, 1, seed=1),
}

scores_to_come = st.lists(
    st.one_of(st.none(), st.integers(0, 5).map(float), st.just(math.nan)), max_size=60
)


N_SPLITS = 3


def report(candidate, n_resources, score, splits=range(N_SPLITS)):
    """Of a score that is the mean over some splits; of a failure, on the last one."""
    scores = dict.fromkeys(splits, 1e9 if score is None else score)
    if score is None:
        scores[splits[-1]] = None
    return Report(candidate, n_resources, scores)


class Drive:
    """Carries out the decisions of a schedule, as the engine does, and keeps them."""

    def __init__(self, schedule, scores=(), order=(), n_workers=1, limit=math.inf):
        self.schedule, self.state = schedule, schedule.init(N_SPLITS)
        self.decisions, self.reached, self.places = [], {}, {}
        self.closed = False
        self.told = []  # (candidate, n_resources, score)
        self.paused, self.in_flight, self.ended = set(), [], set()
        self.forgotten = set()  # of those that are paused
        self.peak = 0
        self.run = {}  # splits, by candidate and resource
        scores, order = list(scores), list(order)
        for i in range(10_000):
            self.decide(n_workers, limit)
            if not self.in_flight:
                return
            k = order[i % len(order)] if order else 0
            k = 0 if schedule.in_order else k % len(self.in_flight)
            candidate, n_resources, pause, splits = self.in_flight.pop(k)
            score = scores[i % len(scores)] if scores else float(-candidate)
            (self.paused if pause else self.ended).add(candidate)
            self.told.append((candidate, n_resources, score))
            self.hear(candidate, score)
            run = self.run.setdefault((candidate, n_resources), [])
            run += [split for split in splits if split not in run]
            told = self.report(candidate, n_resources, score, run)
            self.state = schedule.tell(self.state, told)
        raise AssertionError("does not end")

    def decide(self, n_workers, limit):
        while self.schedule.in_order or len(self.in_flight) < n_workers:
            decision, state = self.schedule.next(self.state)
            assert self.schedule.next(self.state) == (decision, state)  # pure
            if decision is None:
                assert state == self.state or self.schedule.next(state)[0] is None
                self.judge(None)
                return
            if isinstance(decision, Start) and len(self.reached) >= limit:
                self.state = self.schedule.close(self.state)
                self.closed = True
                continue
            self.judge(decision)
            self.carry_out(decision)
            self.state = state
            self.peak = max(self.peak, len(self.paused - self.forgotten))

    def report(self, candidate, n_resources, score, splits):
        """What the schedule is told."""
        return report(candidate, n_resources, score, splits)

    def judge(self, decision):
        """Called with each decision, before it is carried out."""

    def hear(self, candidate, score):
        """Called with each score, before the schedule is told."""

    def carry_out(self, decision):
        self.decisions.append(decision)
        if isinstance(decision, Start):
            candidate = len(self.reached)
            if decision.candidate is not None:
                candidate = decision.candidate
                assert candidate not in self.reached
            self.places[candidate] = decision.bracket
            told = {c for c, _, _ in self.told}
            assert decision.parent is None or decision.parent in told
        else:
            candidate = decision.candidate
            assert candidate in self.paused, "only who is paused can go on or stop"
            is_forgotten = candidate in self.forgotten
            if isinstance(decision, Forget):
                assert not is_forgotten
                self.forgotten.add(candidate)
                return
            self.paused.remove(candidate)
            self.forgotten.discard(candidate)
            assert is_forgotten == getattr(decision, "is_anew", is_forgotten)
        if isinstance(decision, Stop):
            self.ended.add(candidate)
            return
        if isinstance(decision, Resume) and decision.n_resources is not None:
            assert decision.n_resources >= self.reached[candidate]
            assert decision.iter > 0
        self.reached[candidate] = decision.n_resources
        splits = range(N_SPLITS) if decision.splits is None else decision.splits
        assert splits and len(set(splits)) == len(splits)
        assert set(splits) <= set(range(N_SPLITS)), "only splits that there are"
        one = (candidate, decision.n_resources, decision.pause, splits)
        self.in_flight.append(one)


def counted(drive):
    """How many were decided on, by bracket, iter and resource."""
    counts = Counter()
    for decision in drive.decisions:
        if isinstance(decision, Start):
            counts[decision.bracket, 0, decision.n_resources] += 1
        elif isinstance(decision, Resume):
            bracket = drive.places[decision.candidate]
            counts[bracket, decision.iter, decision.n_resources] += 1
    return counts
