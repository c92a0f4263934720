"""Freeze and thaw: who gets the next slice, what it may cost, and who is let go."""

import pytest

from sktune._types import Forget, Report, Resume, Start, Stop
from sktune.schedule import SlicePlan, Slices, first_halving, levels_between


class Driven:
    """Carries out decisions with what is expected of candidates given by a function."""

    def __init__(self, slices, expect, n_workers=1, fails=()):
        self.slices, self.state = slices, slices.init(1)
        self.decisions, self.reached, self.spent, self.asked = [], {}, 0, []
        self.forgotten = set()
        out = []
        for _ in range(1000):
            while True:
                decision, self.state = slices.next(self.state, self._noted(expect))
                if decision is None:
                    break
                self.decisions.append(decision)
                if isinstance(decision, Forget):
                    self.forgotten.add(decision.candidate)
                elif not isinstance(decision, Stop):
                    out.append(self._run(decision))
            if not out:
                return
            candidate = out.pop(0)
            n = self.reached[candidate]
            score = None if candidate in fails else n - candidate / 100
            self.state = slices.tell(self.state, Report(candidate, n, {0: score}))
        raise AssertionError("does not end")

    def _noted(self, expect):
        def noted(candidates):
            self.asked.append(list(candidates))
            return [expect(c, self.reached) for c in candidates]

        return noted

    def _run(self, decision):
        candidate = len(self.reached)
        before = 0
        if isinstance(decision, Resume):
            candidate = decision.candidate
            before = self.reached[candidate]
            assert decision.is_anew == (candidate in self.forgotten)
            if decision.is_anew:
                self.forgotten.remove(candidate)
                before = 0
        assert decision.iter == self.slices.levels.index(decision.n_resources)
        assert decision.pause == (decision.n_resources < self.slices.levels[-1])
        self.spent += decision.n_resources - before * self.slices.continues
        self.reached[candidate] = decision.n_resources
        return candidate

    @property
    def after_the_halving(self):
        n = sum(rung.n_candidates for rung in self.slices.rungs)
        return self.decisions[n:]


def newest(candidate, reached):
    return candidate


def oldest(candidate, reached):
    return -candidate


@pytest.mark.parametrize(
    ("least", "most", "levels"),
    [
        (1, 27, (1, 2, 3, 6, 9, 16, 27)),
        (1, 1, (1,)),
        (1, 2, (1, 2)),
        (4, 5, (4, 5)),
        (1, 10, (1, 2, 3, 6, 10)),
        (7, 200, (7, 13, 22, 39, 66, 115, 200)),
    ],
)
def test_levels(least, most, levels):
    assert levels_between(least, most) == levels
    coarse = levels_between(least, most, halfway=False)
    assert set(coarse) <= set(levels)


def test_it_begins_with_a_halving():
    driven = Driven(Slices(levels_between(1, 27), 400, n_first=9), oldest)
    first = driven.decisions[:14]
    assert [d.n_resources for d in first] == [1] * 9 + [3] * 3 + [9] + [27]
    assert all(isinstance(d, Start) for d in first[:9])
    # Of equal scores the earlier goes on; whoever does not stays paused.
    assert [d.candidate for d in first[9:]] == [0, 1, 2, 0, 0]
    assert driven.after_the_halving[0] == Resume(1, 6, 3, True)


def test_whoever_is_expected_to_gain_most_goes_on_by_one_level():
    wanted = {7: 5.0, 4: 4.0}
    slices = Slices(levels_between(1, 9), 60, n_first=9)
    driven = Driven(slices, lambda c, reached: wanted.get(c, -c))
    runs = [d for d in driven.after_the_halving if not isinstance(d, Stop)]
    assert [(d.candidate, d.n_resources) for d in runs[:8]] == [
        *((7, n) for n in (2, 3, 6)),
        (None, 1),  # somebody new, whatever is expected
        (7, 9),
        *((4, n) for n in (2, 3)),
        (None, 1),
    ]


def test_a_new_candidate_is_one_of_those_who_may_gain():
    driven = Driven(Slices(levels_between(1, 9), 60, n_first=3), newest)
    assert driven.after_the_halving[0] == Start(1, 0, 0, True)
    assert driven.asked[0] == [1, 2, 3]


@pytest.mark.parametrize("continues", [True, False])
@pytest.mark.parametrize("expect", [newest, oldest])
@pytest.mark.parametrize("budget", [9, 40, 41, 77])
def test_the_budget_is_kept_and_whoever_goes_on_could_be_finished(
    continues, expect, budget
):
    slices = Slices(levels_between(1, 9), budget, 3, continues)
    driven = Driven(slices, expect)
    assert driven.spent <= budget
    whole = 9 if continues else sum(slices.levels)
    if budget >= 2 * whole:
        assert budget - driven.spent < whole
        assert 9 in driven.reached.values()
    stopped = {d.candidate for d in driven.decisions if isinstance(d, Stop)}
    assert stopped == {c for c, n in driven.reached.items() if n < 9}


def test_whoever_failed_is_let_go():
    driven = Driven(Slices(levels_between(1, 9), 60, n_first=9), oldest, fails={0, 3})
    assert Stop(0) in driven.decisions and Stop(3) in driven.decisions
    assert driven.reached[0] == driven.reached[3] == 1
    assert 9 in driven.reached.values()


def test_the_least_promising_is_forgotten_beyond_a_limit():
    slices = Slices(levels_between(1, 9), 60, n_first=9, max_paused=4)
    driven = Driven(slices, oldest)
    forgotten = [d.candidate for d in driven.decisions if isinstance(d, Forget)]
    assert forgotten[:4] == [8, 7, 6, 5]
    stopped = {d.candidate for d in driven.decisions if isinstance(d, Stop)}
    assert stopped == {c for c, n in driven.reached.items() if n < 9}


def test_who_was_forgotten_goes_on_if_wanted_and_costs_all():
    slices = Slices(levels_between(1, 9), 80, n_first=9, max_paused=4)

    def expect(candidate, reached):
        is_late = len(reached) > 9
        return candidate if is_late and candidate < 9 else -candidate

    driven = Driven(slices, expect)
    anew = [d for d in driven.decisions if getattr(d, "is_anew", False)]
    assert (anew[0].candidate, anew[0].n_resources) == (8, 2)
    assert driven.spent == driven.state.spent <= 80
    whole = sum(n for c, n in driven.reached.items() if c not in driven.forgotten)
    assert whole < driven.spent


def test_a_closed_space_is_trained_to_its_end():
    slices = Slices(levels_between(1, 9), 1000, n_first=9)
    state = slices.init(1)
    for _ in range(3):
        decision, state = slices.next(state)
        assert isinstance(decision, Start)
    state = slices.close(state)
    reached = dict.fromkeys(range(3), 1)
    for _ in range(100):
        for candidate, n in reached.items():
            if candidate in state.pending:
                report = Report(candidate, n, {0: -float(candidate)})
                state = slices.tell(state, report)
        decision, state = slices.next(state)
        if decision is None:
            break
        assert isinstance(decision, Resume)
        reached[decision.candidate] = decision.n_resources
    assert set(reached.values()) == {9}


def test_several_at_once_know_less():
    expect = lambda c, reached: -c  # noqa: E731
    slices = Slices(levels_between(1, 9), 100, n_first=3, n_pending=3)
    state, told = slices.init(1), []
    out = []
    while True:
        decision, state = slices.next(state, lambda cs: [expect(c, None) for c in cs])
        if decision is None:
            told.append(len(out))
            if not out:
                break
            candidate, n = out.pop(0)
            state = slices.tell(state, Report(candidate, n, {0: float(-candidate)}))
        elif not isinstance(decision, Stop):
            candidate = getattr(decision, "candidate", None)
            candidate = state.n_started - 1 if candidate is None else candidate
            out.append((candidate, decision.n_resources))
    assert max(told) == 3


@pytest.mark.parametrize(
    ("n_iter", "n_first"), [(1, 1), (3, 3), (5, 3), (8, 9), (20, 27), (60, 27)]
)
def test_few_begin_where_the_budget_is_small(n_iter, n_first):
    assert Slices.within(1, 27, n_iter).n_first == n_first


def test_a_space_smaller_than_the_halving():
    assert Slices.within(1, 27, 60, most_first=5).n_first == 5


def test_where_nothing_continues_levels_are_fewer():
    assert Slices.within(1, 27, 60, continues=False).levels == (1, 3, 9, 27)


def test_the_plan():
    plan = SlicePlan(Slices.within(1, 27, 20), 20, "max_epochs", 5)
    assert plan.total_resources == 20 * 27 * 5
    assert plan.rungs == first_halving(plan.levels, 27)
    assert repr(plan) == (
        "at first   27 candidates to 1 max_epochs\n"
        "of these    9 candidates to 3 max_epochs\n"
        "of these    3 candidates to 9 max_epochs\n"
        "of these    1 candidates to 27 max_epochs\n"
        "then whoever is expected to gain most, to the next of 1, 2, 3, 6, 9, 16, 27\n"
        "20 full candidates x 5 splits, continued from level to level: 2700 max_epochs "
        "at most"
    )


def test_a_guess_at_the_rungs_costs_the_budget():
    slices = Slices.within(1, 27, 60)
    likely = slices.likely_rungs()
    assert [rung.n_resources for rung in likely] == list(slices.levels)
    before, cost = 0, 0
    for rung in likely:
        cost += rung.n_candidates * (rung.n_resources - before)
        before = rung.n_resources
    assert cost == pytest.approx(slices.budget, rel=0.05)
