"""Splits in turn: who goes on, and who is spared the rest."""

import pytest

from sktune._types import Report, Resume, Start, Stop
from sktune.schedule import LearningCurve, Racing


def drive(schedule, score, n_splits=6, curves=None, stopped=()):
    """Carry decisions out in order; `score(candidate, split)` is None for a failure."""
    state, decisions, queue, scores, n = schedule.init(n_splits), [], [], {}, 0
    while True:
        while True:
            decision, state = schedule.next(state)
            if decision is None:
                break
            decisions.append(decision)
            if isinstance(decision, Stop):
                continue
            if isinstance(decision, Start):
                candidate, n = n, n + 1
            else:
                candidate = decision.candidate
            queue.append((candidate, decision.splits))
        if not queue:
            return state, decisions, scores
        candidate, splits = queue.pop(0)
        scores.setdefault(candidate, {}).update(
            {k: score(candidate, k) for k in splits}
        )
        first = {k: (curves or {}).get(candidate, (0.0,)) for k in splits}
        ended = frozenset(splits) if candidate in stopped else frozenset()
        told = Report(candidate, None, dict(scores[candidate]), {}, first, ended)
        state = schedule.tell(state, told)


def n_run(scores):
    return [len(scores[c]) for c in sorted(scores)]


def test_the_order_of_splits_is_seeded_and_the_same_for_all():
    orders = {Racing(1, 2.33, seed=seed).init(8).order for seed in range(9)}
    assert len(orders) > 5 and all(sorted(o) == list(range(8)) for o in orders)
    schedule = Racing(3, 2.33, seed=4)
    _, decisions, _ = drive(schedule, lambda c, k: float(k))
    order = schedule.init(6).order
    assert {d.splits for d in decisions if isinstance(d, Start)} == {order[:2]}


@pytest.mark.parametrize("n_pending", [1, 2, 8, 20])
def test_one_at_least_is_run_on_all_splits(n_pending):
    for score in (lambda c, k: float(c), lambda c, k: float(-c), lambda c, k: 0.0):
        _, _, scores = drive(Racing(9, 2.33, n_pending=n_pending), score)
        assert 6 in n_run(scores) and len(scores) == 9


def test_some_lead_before_anybody_is_spared():
    _, decisions, _ = drive(Racing(20, 2.33, n_pending=8), lambda c, k: float(-c))
    first = decisions[: 8 + 3]
    assert [type(d) for d in first] == [Start] * 8 + [Resume] * 3
    assert [d.candidate for d in first[8:]] == [0, 1, 2]
    assert {len(d.splits) for d in first[8:]} == {4}


def test_who_is_nearest_goes_on_first():
    noise = {0: 0.0, 1: 0.1, 2: -0.1, 3: 0.05, 4: 0.0, 5: 0.02}
    scores = [0.0, -0.9, -0.02, -0.5, -0.01]

    def score(c, k):
        return scores[c] + noise[(k + c) % 6]

    _, decisions, _ = drive(Racing(5, 9.0, n_pending=5), score)
    resumed = [d.candidate for d in decisions if isinstance(d, Resume)]
    assert resumed.index(4) < resumed.index(3) < resumed.index(1)


def test_who_failed_is_stopped_unless_nothing_is_left():
    def score(c, k):
        return None if c in (1, 3) else float(-c)

    state, decisions, scores = drive(Racing(6, 2.33, n_pending=3), score)
    stopped = [d.candidate for d in decisions if isinstance(d, Stop)]
    assert stopped.count(1) == stopped.count(3) == 1
    assert state.best == 0 and n_run(scores)[1] == 2
    _, decisions, scores = drive(Racing(3, 2.33), lambda c, k: None, n_splits=2)
    assert not any(isinstance(d, Stop) for d in decisions)
    assert n_run(scores) == [2, 2, 2]


def test_everybody_is_complete_or_stopped():
    rated = {c: float((7 * c) % 11) for c in range(30)}
    noise = {0: 0.3, 1: -0.2, 2: 0.1, 3: -0.3, 4: 0.2, 5: 0.0}

    def score(c, k):
        return rated[c] + noise[(c + k) % 6]

    for n_pending in (1, 4, 8):
        schedule = Racing(30, 2.33, n_pending=n_pending)
        _, decisions, scores = drive(schedule, score)
        stopped = {d.candidate for d in decisions if isinstance(d, Stop)}
        complete = {c for c in scores if len(scores[c]) == 6}
        assert stopped | complete == set(range(30)) and not stopped & complete
        assert len(stopped) > 10


def test_in_rounds_nothing_is_decided_as_long_as_anything_is_in_flight():
    for in_rounds in (False, True):
        schedule = Racing(20, 2.33, n_pending=4, in_rounds=in_rounds)
        state = schedule.init(6)
        out = []
        decided_meanwhile = told_since = False
        scores = {}
        n = 0
        while True:
            decision, state = schedule.next(state)
            if isinstance(decision, Stop):
                continue
            if decision is not None:
                candidate = n if isinstance(decision, Start) else decision.candidate
                n += isinstance(decision, Start)
                out.append((candidate, decision.splits))
                decided_meanwhile |= told_since and len(out) > 1 and bool(scores)
                continue
            if not out:
                break
            candidate, splits = out.pop(0)
            told_since = bool(out)
            of = scores.setdefault(candidate, {})
            of.update(
                {k: float(-candidate) + 0.1 * ((k * candidate) % 3) for k in splits}
            )
            state = schedule.tell(state, Report(candidate, None, dict(of)))
        assert decided_meanwhile != in_rounds


class Noting:
    """Notes the curves that it is given, and makes a rule that says how many."""

    def __init__(self):
        self.given = []

    def rule(self, curves):
        self.given.append(tuple(curves))
        return len(curves)


def test_rules_are_made_of_the_curves_on_the_first_split():
    noting = Noting()
    schedule = Racing(3, None, noting, n_pending=1)
    curves = {0: (0.1, 0.2), 1: (0.3,), 2: (0.5,)}
    _, decisions, scores = drive(schedule, lambda c, k: 1.0, curves=curves, stopped={1})
    assert noting.given == [
        (),
        (LearningCurve((0.1, 0.2), True),),
        (LearningCurve((0.1, 0.2), True), LearningCurve((0.3,), False)),
    ]
    order = schedule.init(6).order
    assert decisions == [
        Start(pause=True, splits=order[:1], stop_rule=0),
        Resume(0, None, 0, False, order[1:]),
        Start(pause=True, splits=order[:1], stop_rule=1),
        Stop(1),
        Start(pause=True, splits=order[:1], stop_rule=2),
        Resume(2, None, 0, False, order[1:]),
    ]
    assert n_run(scores) == [6, 1, 6]


def test_who_passes_its_rule_enters_the_race_with_a_second_split():
    schedule = Racing(3, 2.33, Noting(), n_pending=1)
    _, decisions, _ = drive(schedule, lambda c, k: float(-c), stopped={1})
    order = schedule.init(6).order
    assert [d.splits for d in decisions[:3]] == [order[:1], order[1:2], order[2:]]


def test_a_fit_that_was_stopped_on_the_only_split_is_no_answer():
    schedule = Racing(2, 2.33, Noting(), n_pending=1)
    state, decisions, _ = drive(schedule, lambda c, k: 9.0 - c, 1, stopped={0})
    assert state.best == 1 and not any(isinstance(d, Stop) for d in decisions)
