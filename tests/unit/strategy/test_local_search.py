"""Local search: which neighbours there are, and when a climb is over."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import LocalSearch
from sktune.strategy._local_search import neighbours, tops
from sktune.strategy._observations import EncodedObservation
from tests.helpers.asked import searched

CELL = {name: list("vwxyz") for name in "abcd"}
CONDITIONAL = [
    {"opt": ["sgd"], "lr": [1, 2, 3], "m": stats.uniform(0, 1)},
    {"opt": ["adam"], "lr": [1, 2, 3]},
]


def n_different(one, other):
    return sum(one[name] != other[name] for name in one)


def peaks(params):
    """Two peaks, all of v and all of z, of which the second is higher."""
    n_v, n_z = (list(params.values()).count(c) for c in "vz")
    return max(float(n_v), 1.5 * n_z)


def test_neighbours_of_a_cell_are_all_that_differ_once():
    space = Space(CELL)
    for number in (0, 77, 624):
        own = list(space.points())[number]
        found = [space.decode(u) for u in neighbours(space, space.encode(own))]
        expected = [p for p in space.points() if n_different(p, own) == 1]
        assert sorted(map(repr, found)) == sorted(map(repr, expected))


def test_numbers_have_a_step_either_way():
    space = Space({"x": stats.uniform(0, 1), "k": [1, 2, 3], "only": [5]})
    own = {"x": 0.5, "k": 2, "only": 5}
    found = [space.decode(u) for u in neighbours(space, space.encode(own))]
    assert sorted(p["x"] for p in found if p["k"] == 2) == pytest.approx(
        [0.3, 0.45, 0.55, 0.7]
    )
    assert sorted(p["k"] for p in found if p["k"] != 2) == [1, 3]
    assert {p["only"] for p in found} == {5}


def test_another_dict_is_a_neighbour():
    space = Space(CONDITIONAL)
    own = {"opt": "adam", "lr": 2}
    found = [space.decode(u) for u in neighbours(space, space.encode(own))]
    assert {"opt": "sgd", "lr": 2, "m": 0.5} in found
    assert {"opt": "adam", "lr": 1} in found


def test_it_climbs_one_parameter_at_a_time():
    """After the start each candidate is beside the best of a climb, until that ends."""
    strategy, space = LocalSearch(), Space(CELL)
    asked, _ = searched(strategy, Problem(space), 40, peaks, seed=3)
    best = max(asked[:6], key=peaks)
    for params in asked[6:]:
        if peaks(best) == 6.0:
            break
        if all(n_different(p, best) != 1 or p in asked for p in space.points()):
            break  # a peak
        assert n_different(params, best) == 1
        best = max(best, params, key=peaks)
    else:
        raise AssertionError("no climb has come to an end")


def test_it_leaves_the_lower_peak():
    strategy, space = LocalSearch(({name: "v" for name in "abcd"},)), Space(CELL)
    for seed in range(2):
        asked, _ = searched(strategy, Problem(space), 100, peaks, seed)
        assert max(map(peaks, asked)) == 6.0


def test_chance_finds_less():
    """The best of all 625 in 60 candidates, more often than by random draws."""
    space, rng = Space(CELL), np.random.default_rng(0)
    weights = rng.normal(size=(4, 5))
    every = {
        cell: sum(weights[i, "vwxyz".index(c)] for i, c in enumerate(cell))
        for cell in product("vwxyz", repeat=4)
    }

    def score(params):
        return every[tuple(params.values())]

    for seed in range(5):
        asked, _ = searched(LocalSearch(), Problem(space), 60, score, seed)
        assert max(map(score, asked)) == max(every.values())


def test_a_climb_is_a_chain_of_neighbours():
    """By hand: a start, a step up, one down, one far away, a step up of the first."""
    told = [
        EncodedObservation(i, np.array(point), score)
        for i, (point, score) in enumerate(
            [
                ((0.1, 0.1), 1.0),
                ((0.1, 0.3), 2.0),
                ((0.1, 0.5), 0.0),
                ((0.9, 0.9), 1.5),
                ((0.3, 0.3), 3.0),
            ]
        )
    ]
    assert [one.candidate for one in tops(told)] == [4, 3]


def test_a_constraint_ends_a_climb_too():
    """Neighbours that are not allowed are no reason to stay."""
    space = Space(CELL, lambda p: len(set(p.values())) == 1 or p["a"] == "z")
    asked, _ = searched(LocalSearch(), Problem(space), 60, peaks)
    assert max(map(peaks, asked)) == 6.0


def test_the_order_of_telling_plays_no_part():
    strategy, space = LocalSearch(), Space(CELL)
    rng = np.random.default_rng(0)
    told = [
        Observation(i, space.decode(rng.random(4)), {0: float(rng.random())})
        for i in range(12)
    ]
    answers = []
    for order in (range(12), rng.permutation(12)):
        state = strategy.init(Problem(space))
        for i in order:
            state = strategy.tell(state, told[i])
        answers.append(strategy.ask(state, 12, (), 0))
    assert answers[0] == answers[1]


def test_it_needs_a_space():
    with pytest.raises(ValueError, match=r"LocalSearch.* needs a space"):
        LocalSearch().init(Problem(None))
