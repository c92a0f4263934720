"""Workers and strategies that know what a journal has."""

from dataclasses import replace

import pytest

from sktune._errors import JournalError
from sktune._types import Fit, FitOutcome
from sktune.journal._replay import (
    RecordedFit,
    ReplayedStrategy,
    ReplayedWorkers,
)
from sktune.strategy import Listed


class Lines:
    """A journal that is a list."""

    def __init__(self):
        self.records = []
        self.writes = []

    def append(self, *records):
        self.records += records
        self.writes.append(len(records))


class Queue:
    """Workers that do one unit at a time."""

    n_workers = 7

    def __init__(self):
        self.queue = []

    def submit(self, unit):
        self.queue.append(unit)

    def next_done(self):
        if not self.queue:
            return []
        return [(fit, outcome(-1.0)) for fit in self.queue.pop(0)]


def outcome(score):
    return FitOutcome(
        {"score": score},
        fit_time=0.5,
        score_time=0.25,
        n_test_samples=3,
    )


def unit(*candidates, iter=0):
    """One fit of each candidate."""
    return tuple(
        Fit(c, 0, {"a": c}, seed=1, n_resources=2, iter=iter, unit=candidates[0])
        for c in candidates
    )


def recorded(*candidates):
    lines, queue = Lines(), Queue()
    fits = {(c, 0, 0, 2): RecordedFit(outcome(float(c)), 10 + c) for c in candidates}
    return ReplayedWorkers(queue, lines, fits), lines, queue


def test_what_is_known_is_told_in_the_order_of_the_journal():
    workers, lines, queue = recorded(2, 0, 3, 1)
    for candidate in range(4):
        workers.submit(unit(candidate))
    told = []
    assert workers.n_workers == 12, "as it was when the first was decided on"
    while done := workers.next_done():
        ((one, result),) = done
        told.append(one.candidate)
        assert result.score("score") == one.candidate
        assert workers.n_workers == 10 + one.candidate
        assert workers.is_replaying
    assert told == [2, 0, 3, 1]
    assert workers.n_workers == 7 and not workers.is_replaying
    assert not lines.records and not queue.queue


def test_what_is_not_known_waits_and_is_written():
    workers, lines, queue = recorded(1)
    for candidate in range(3):
        workers.submit(unit(candidate))
    assert [fit.candidate for (fit,) in queue.queue] == [0, 2]
    assert workers.next_done()[0][0].candidate == 1
    assert not lines.records
    assert [workers.next_done()[0][0].candidate for _ in range(2)] == [0, 2]
    assert workers.next_done() == []
    kinds = [record["record"] for record in lines.records]
    assert kinds == ["session", "fit", "fit"]
    assert lines.records[0]["n_workers"] == 7
    assert lines.records[1]["test_scores"] == -1.0


def test_a_rung_is_another_fit():
    workers, _, queue = recorded(0)
    workers.submit(unit(0, iter=1))
    assert len(queue.queue) == 1


def test_one_that_nobody_asks_for_holds_nobody_up():
    """As where a later version decides otherwise."""
    workers, _, _ = recorded(5, 0, 1)
    for candidate in (0, 1, 2):
        workers.submit(unit(candidate))
    told = [workers.next_done()[0][0].candidate for _ in range(3)]
    assert told == [0, 1, 2]
    assert not workers.is_replaying


def test_out_of_turn_the_earliest_in_the_journal_comes_first():
    """As where a search has grown, which comes to some candidates later."""
    workers, _, queue = recorded(5, 3, 0, 1)
    for candidate in (2, 0, 1, 3):
        workers.submit(unit(candidate))
    assert [workers.next_done()[0][0].candidate for _ in range(3)] == [3, 0, 1]
    assert workers.n_workers == 11, "as when that was told"
    assert workers.next_done()[0][0].candidate == 2
    workers.submit(unit(5))
    assert workers.next_done()[0][0].candidate == 5
    assert not queue.queue


def test_where_it_ran_is_written_too():
    workers, lines, queue = recorded()
    workers.submit(unit(0))
    lease = {"device": "cuda:1", "slot": 0, "start": 1.0}
    (one,) = queue.queue.pop()
    done = [(one, replace(outcome(1.0), lease=lease))]
    queue.next_done = lambda: done
    workers.next_done()
    assert lines.records[-1]["lease"] == lease


def test_a_unit_is_told_whole_and_written_at_once():
    workers, lines, queue = recorded(3, 0, 1, 4)
    workers.submit(unit(0, 1))
    workers.submit(unit(2))
    workers.submit(unit(4, 5))  # of which the journal has a half
    workers.submit(unit(3))
    assert [fit.candidate for one in queue.queue for fit in one] == [2, 4, 5]
    told = []
    while done := workers.next_done():
        told.append([fit.candidate for fit, _ in done])
    assert told == [[3], [0, 1], [2], [4, 5]]
    assert lines.writes == [1, 1, 2], "the session, and each unit"


class Asking:
    """A strategy that counts how often it is asked."""

    def __init__(self, params):
        self.params, self.n_asked = params, 0
        self.init = lambda problem: None

    def ask(self, state, candidate, pending, seed):
        self.n_asked += 1
        return self.params


def test_plain_params_are_not_asked_for_again():
    inner = Asking({"a": 2})
    strategy = ReplayedStrategy(inner, {0: {"a": 1}}, "search.jsonl")
    assert strategy.ask(None, 0, [], 0) == {"a": 1}
    assert inner.n_asked == 0
    assert strategy.ask(None, 1, [], 0) == {"a": 2}


def test_others_are_asked_for_and_compared():
    recorded = {0: {"a": {"described": {"tuple": [1, 2]}}}}
    inner = Asking({"a": (1, 2)})
    strategy = ReplayedStrategy(inner, recorded, "search.jsonl")
    assert strategy.ask(None, 0, [], 0) is inner.params
    inner.params = {"a": (1, 3)}
    with pytest.raises(JournalError, match=r"candidate 0.a.described.tuple"):
        strategy.ask(None, 0, [], 0)


@pytest.mark.parametrize("now", [[{"a": 2}], [{"a": True}], [{"b": 1}], []])
def test_lists_are_always_compared(now):
    strategy = ReplayedStrategy(Listed(now), {0: {"a": 1}}, "search.jsonl")
    with pytest.raises(JournalError, match="candidate 0"):
        strategy.ask(None, 0, [], 0)
