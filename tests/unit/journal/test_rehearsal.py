"""A search that is run with what its journal has, to see what it decides."""

import pytest

from sktune._errors import JournalError
from sktune._types import FitOutcome, Problem
from sktune.engine import Engine
from sktune.journal._rehearsal import Rehearsal
from sktune.journal._replay import RecordedFit
from sktune.schedule import Asynchronous, Flat, Rung
from sktune.strategy import Listed


class Numbers:
    """Names the number of the candidate, and of all candidates where that is small."""

    def __init__(self, offers=True):
        self.asked = []
        if offers:
            self.begins_alike = lambda problem, other: (
                self.init(problem) == self.init(other)
            )

    def init(self, problem):
        return min(problem.n_candidates, 4)

    def tell(self, state, observation):
        return state

    def ask(self, state, candidate, pending, seed):
        self.asked.append(candidate)
        return {"a": [candidate, state]}


def refused(found):
    return JournalError("; ".join(found))


def rehearsal(n_before, n_recorded, told=True):
    """Of a search for `n_before` candidates, of which some are recorded."""
    size = min(n_before, 4)
    params = {c: {"a": [c, size]} for c in range(n_recorded)}
    outcome = FitOutcome({"score": 0.0})
    fits = {(c, 0, 0, None): RecordedFit(outcome, 1) for c in range(n_recorded)}
    return Rehearsal(params, fits, refused, n_before if told else None)


def run(one, strategy, n, schedule=None):
    problem = Problem(None, n, None, 1)
    engine = Engine(
        one.strategy(strategy),
        schedule or Flat(n),
        problem,
        one.workers(),
        root=0,
        score=lambda outcome: outcome.score("score"),
        n_pending=1,
    )
    engine.run()
    one.check(strategy, n)


def test_what_begins_alike_is_not_asked_for():
    strategy = Numbers()
    run(rehearsal(5, 5), strategy, 9)
    assert not strategy.asked


@pytest.mark.parametrize(
    ("offers", "told"), [(False, True), (True, False), (False, False)]
)
def test_all_is_asked_for_where_nobody_says_so(offers, told):
    strategy = Numbers(offers)
    run(rehearsal(5, 5, told), strategy, 9)
    assert strategy.asked == [0, 1, 2, 3, 4], "and none beyond"


@pytest.mark.parametrize("offers", [True, False])
def test_the_first_difference_is_refused(offers):
    with pytest.raises(JournalError, match=r"^candidate 0.a \(\[0, 3\] in the"):
        run(rehearsal(3, 2), Numbers(offers), 9)


def test_fewer_candidates_need_not_come_to_all():
    run(rehearsal(9, 9), Numbers(), 5)


def test_of_a_list_all_are_compared():
    candidates = [{"a": [c, 4]} for c in range(6)]
    one = rehearsal(6, 6)
    one.check(Listed(candidates), 9)
    candidates[5] = {"a": [5, 5]}
    with pytest.raises(JournalError, match=r"candidate 5.a"):
        one.check(Listed(candidates), 9)


def test_a_candidate_that_other_decisions_come_before():
    one = rehearsal(6, 6)
    with pytest.raises(JournalError, match=r"candidate 0 .named in the journal, other"):
        one.check(Numbers(), 9)


def test_another_resource_is_refused():
    schedule = Asynchronous((Rung(0, 0, 9, 3),), 2)
    with pytest.raises(JournalError, match=r"candidate 0 in rung 0 .None in.*, 3 now"):
        run(rehearsal(5, 5), Numbers(), 9, schedule)
