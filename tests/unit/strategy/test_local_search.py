"""Local search: all neighbours of the best, then a new start."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import LocalSearch
from tests.helpers.asked import searched

CELLS = {name: list("pqr") for name in "abcd"}
FIRST = {"a": "q", "b": "q", "c": "q", "d": "q"}


def n_different(one, other):
    return sum(one[name] != other[name] for name in one)


def walked(score, n, seed=0, strategy=None):
    """Candidates of a search that has two first ones, FIRST among them."""
    strategy = strategy or LocalSearch(initial_points=(FIRST,))
    problem = Problem(Space(CELLS), 4)  # of four candidates two are first ones
    return searched(strategy, problem, n, score, seed)[0]


def test_neighbours_of_the_best_are_tried_in_any_order_until_none_is_left():
    """FIRST is the best of all: its 8 neighbours follow, and what follows is none."""

    def score(params):
        return -n_different(params, FIRST)

    orders = set()
    for seed in range(5):
        asked = walked(score, 11, seed)
        near = [params for params in asked[2:] if n_different(params, FIRST) == 1]
        assert n_different(asked[1], FIRST) > 1
        assert near == asked[2:10]
        assert len({tuple(params.values()) for params in near}) == 8
        assert n_different(asked[10], FIRST) > 1
        orders.add(str(near))
    assert len(orders) > 1


def test_a_better_neighbour_is_gone_on_from_at_once():
    """Up a hill each candidate is next to the best before it, and the top is reached.

    Every point but the top has a better neighbour; at most 8 are tried for each of 4.
    """

    def score(params):
        return sum("pqr".index(value) for value in params.values())

    for seed in range(5):
        asked = walked(score, 30, seed)
        best = max(asked[:2], key=score)
        for params in asked[2:]:
            if score(best) == 8:
                break
            assert n_different(params, best) == 1
            best = max(best, params, key=score)
        assert score(best) == 8


def test_from_a_new_start_it_climbs_though_the_old_one_was_better():
    """FIRST has no better neighbour; far from it there is another hill."""
    other = dict.fromkeys("abcd", "r")

    def score(params):
        if n_different(params, FIRST) < 2:
            return 10.0 - n_different(params, FIRST)
        return 4.0 - n_different(params, other)

    asked = walked(score, 40)
    start = asked[10]
    assert n_different(start, FIRST) > 1
    assert n_different(asked[11], start) == 1
    assert other in asked


def test_what_fails_is_tried_once_and_never_gone_on_from():
    def score(params):
        return None if params["a"] == "p" else -n_different(params, FIRST)

    asked = walked(score, 11)
    near = [params for params in asked if n_different(params, FIRST) == 1]
    assert len(near) == 8
    assert n_different(asked[10], FIRST) > 1


def test_a_neighbour_that_is_pending_keeps_the_centre_from_being_left():
    """Its score may be better yet: what is asked meanwhile is a start on trial."""
    space, strategy = Space(CELLS), LocalSearch()
    state = strategy.init(Problem(space, 4))
    far = dict.fromkeys("abcd", "p")
    near = [
        {**FIRST, name: value} for name, value in product("abcd", "pr")
    ]  # all neighbours
    told = [(FIRST, 1.0), (far, 0.0), *((params, 0.0) for params in near[:-1])]
    for number, (params, score) in enumerate(told):
        state = strategy.tell(state, Observation(number, params, {0: score}))
    start = strategy.ask(state, 10, (near[-1],), 0)
    assert n_different(start, FIRST) > 1
    state = strategy.tell(state, Observation(10, start, {0: 0.5}))
    # The last neighbour, number 9, is better than the start, and than the centre.
    state = strategy.tell(state, Observation(9, near[-1], {0: 2.0}))
    assert n_different(strategy.ask(state, 11, (), 0), near[-1]) == 1


def test_the_order_of_telling_plays_no_part():
    strategy, space = LocalSearch(), Space(CELLS)
    rng = np.random.default_rng(0)
    points = [space.decode(u) for u in rng.random((12, 4))]
    told = [Observation(i, p, {0: float(rng.random())}) for i, p in enumerate(points)]
    answers = []
    for order in (range(12), rng.permutation(12)):
        state = strategy.init(Problem(space))
        for i in order:
            state = strategy.tell(state, told[i])
        answers.append([strategy.ask(state, 12, (), seed) for seed in range(5)])
    assert answers[0] == answers[1]


def test_initial_points_come_first_and_must_be_of_the_space():
    assert walked(lambda params: 0.0, 2)[0] == FIRST
    wrong = replace(LocalSearch(), initial_points=({**FIRST, "d": "x"},))
    with pytest.raises(ValueError, match="'d'"):
        wrong.init(Problem(Space(CELLS)))


def test_it_needs_a_space():
    with pytest.raises(ValueError, match=r"LocalSearch.* needs a space"):
        LocalSearch().init(Problem(None))
