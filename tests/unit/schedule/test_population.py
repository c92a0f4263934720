"""Generations of a population: how many, of whom, and what they spend."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktune._types import Resume, Start, Stop
from sktune.schedule import Population, PopulationPlan, every_interval
from tests.helpers.driven import Drive, scores_to_come

populations = st.builds(
    lambda n, share, n_levels, seed: Population(
        n, tuple(range(3, 3 + 2 * n_levels, 2)), max(1, n * share // 4), seed
    ),
    st.integers(2, 9),
    st.integers(1, 2),
    st.integers(1, 4),
    st.integers(0, 9),
)


class Family(Drive):
    """Keeps who was the parent of whom, and what each generation had."""

    def __init__(self, *args, **kwargs):
        self.parents, self.members, self.scored = {}, Counter(), {}
        self.n_new, self.out, self.new = 0, set(), set()
        super().__init__(*args, **kwargs)

    def judge(self, decision):
        if isinstance(decision, Start):
            candidate, self.n_new = self.n_new, self.n_new + 1
            assert decision.parent != candidate
            if decision.parent is not None:
                assert decision.iter > 0 and decision.parent in self.paused
                self.parents[candidate] = decision.parent
            else:
                assert decision.iter == 0
            self.members[decision.iter] += 1
            self.out.add(candidate)
            self.new.add(candidate)
        elif isinstance(decision, Resume):
            # What its children begin with has to be there until they are done.
            assert decision.candidate not in map(self.parents.get, self.new)
            self.members[decision.iter] += 1
            self.out.add(decision.candidate)
        elif isinstance(decision, Stop):
            assert decision.candidate not in self.out

    def hear(self, candidate, score):
        self.out.discard(candidate)
        self.new.discard(candidate)


def finite(score):
    return score is not None and score == score


@given(schedule=populations, scores=scores_to_come)
@settings(deadline=None, max_examples=150)
def test_a_population_keeps_its_number(schedule, scores):
    drive = Family(schedule, scores)
    n, n_generations = schedule.n_members, len(schedule.levels)
    told = [drive.told[g * n : (g + 1) * n] for g in range(n_generations)]
    for g, generation in enumerate(told):
        if not generation:
            # Nobody was left who could have had children.
            assert not any(finite(score) for *_, score in told[g - 1])
            break
        assert drive.members[g] == len(generation) == n
        assert {level for _, level, _ in generation} == {schedule.levels[g]}


@given(schedule=populations, scores=st.permutations(range(60)))
@settings(deadline=None, max_examples=100)
def test_the_worst_give_place_to_children_of_the_best(schedule, scores):
    drive = Family(schedule, map(float, scores))
    n, k = schedule.n_members, schedule.n_replaced
    for g in range(len(schedule.levels) - 1):
        generation = {c: s for c, _, s in drive.told[g * n : (g + 1) * n]}
        after = {c for c, _, _ in drive.told[(g + 1) * n : (g + 2) * n]}
        ranked = sorted(generation, key=generation.get, reverse=True)
        assert set(ranked[: n - k]) == after & set(generation)
        children = after - set(generation)
        assert len(children) == k
        assert {drive.parents[c] for c in children} <= set(ranked[:k])
    spent = sum(n * (b - a) for a, b in pairwise((0, *schedule.levels)))
    plan = PopulationPlan(schedule.rungs, "max_epochs", True, 1, n_replaced=k)
    assert plan.total_resources == spent
    assert plan.n_candidates == drive.n_new and plan.n_fits == len(drive.told)


def test_who_failed_dies_first():
    drive = Family(Population(4, (1, 2), 1), [None, 0.0, 1.0, 2.0])
    assert drive.decisions[4:6] == [Stop(0), Start(2, 0, 1, False, parent=3)]
    assert [c for c, *_ in drive.told[4:]] == [4, 1, 2, 3]
    drive = Family(Population(4, (1, 2), 1), [None, None, None, 2.0])
    assert drive.parents == {4: 3, 5: 3, 6: 3}


def test_parents_differ_with_the_seed():
    def parents(seed):
        schedule = Population(8, (1, 2, 3, 4), 4, seed)
        return Family(schedule, map(float, range(60))).parents

    assert parents(0) == parents(0) != parents(1)


def test_a_space_that_is_used_up():
    drive = Family(Population(6, (1, 2, 3), 2), limit=3)
    assert drive.members == {0: 3, 1: 2, 2: 1}


@pytest.mark.parametrize("interval", [1, 3, 10, 12, 99])
def test_levels_end_with_the_most(interval):
    levels = every_interval(interval, 2, 12)
    assert levels[-1] == 12 and list(levels) == sorted(set(levels)) and levels[0] >= 2


def test_a_plan_says_what_it_comes_to():
    plan = PopulationPlan(
        Population(8, (5, 10), 2).rungs, "max_epochs", True, 3, None, 2
    )
    assert plan.summary == (
        "8 members x 3 splits, continued, 2 replaced 1 times: 48 fits, 240 max_epochs"
    )
    assert repr(plan).endswith(plan.summary) and plan.n_candidates == 10
