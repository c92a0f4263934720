"""Steps, crossover, and whose scores are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy._told import Told
from sktune.strategy._variation import (
    best_first,
    crossed,
    moved,
    scored_alike,
    some_coordinates,
)

SPACES: dict[str, Any] = {
    "mixed": {
        "x": stats.uniform(0, 1),
        "n": stats.randint(3, 20),
        "k": [1, 10, 100],
        "c": list("abcd"),
        "only": ["a"],
        "one": [7],
    },
    "conditional": [
        {"x": stats.uniform(0, 1), "n": stats.randint(0, 3)},
        {"x": stats.uniform(0, 1), "c": list("abc")},
        {"y": stats.loguniform(1e-3, 1)},
    ],
}
MOVES = ("x", "n", "k", "c", "y", "")


@pytest.mark.parametrize("name", SPACES)
def test_what_is_to_change_changes_and_nothing_else(name):
    """However small the step: a discrete value becomes another one."""
    space, rng = Space(SPACES[name]), np.random.default_rng(0)
    for _ in range(200):
        u = space.snap(rng.random((1, space.n_dims)))[0]
        which = some_coordinates(space, u, 2.0, 0.5, rng)
        steps = rng.choice([-1, 1], len(u)) * 10.0 ** rng.uniform(-4, 0, len(u))
        v = moved(space, u, which, steps, rng)
        assert ((v >= 0.0) & (v <= 1.0)).all()
        snapped = space.snap(v[None])[0]
        for j, parameter in enumerate(space.names):
            if np.isnan(u[j]) or parameter not in MOVES:
                assert not which[j]
            elif not which[j]:
                assert v[j] == u[j]
            elif not np.isnan(snapped[j]):
                assert snapped[j] != u[j]


def test_a_step_is_reflected_at_the_ends():
    space, rng = Space({"x": stats.uniform(0, 1)}), np.random.default_rng(0)
    for u, step, expected in (
        (0.9, 0.3, 0.8),
        (0.1, -0.3, 0.2),
        (0.5, 0.25, 0.75),
        (0.0, -0.5, 0.5),
        (0.2, 1.5, 0.3),
    ):
        v = moved(space, np.array([u]), np.array([True]), np.array([step]), rng)
        assert v[0] == pytest.approx(expected)


def test_an_integer_takes_the_step_that_it_is_given():
    space, rng = Space({"n": list(range(10))}), np.random.default_rng(0)
    u = space.encode({"n": 4})
    for step, n in ((0.2, 6), (-0.2, 2), (0.001, 5), (-0.001, 3)):
        v = moved(space, u, np.array([True]), np.array([step]), rng)
        assert space.decode(v) == {"n": n}


def test_categories_are_replaced_by_all_others_alike():
    space, rng = Space({"c": list("abcd")}), np.random.default_rng(0)
    u, which = space.encode({"c": "b"}), np.array([True])
    drawn = [
        space.decode(moved(space, u, which, np.array([0.1]), rng))["c"]
        for _ in range(600)
    ]
    counts = [drawn.count(c) for c in "acd"]
    assert sum(counts) == 600
    assert stats.chisquare(counts).pvalue > 1e-3


def test_a_child_has_each_value_from_one_of_two_of_one_dict():
    space, rng = Space(SPACES["conditional"]), np.random.default_rng(0)
    u = space.encode({"x": 0.1, "n": 0})
    v = space.encode({"x": 0.9, "n": 2})
    children = np.array([crossed(space, u, v, rng) for _ in range(400)])
    for j in (1, 2):  # both values, and in all combinations
        assert 140 < (children[:, j] == u[j]).sum() < 260
    assert len({tuple(np.nan_to_num(child)) for child in children}) == 4
    other = space.encode({"x": 0.9, "c": "a"})
    for _ in range(20):
        np.testing.assert_array_equal(crossed(space, u, other, rng), u)


def told(space, rows, max_resources=None, n_splits=2):
    state = Told(Problem(space, None, max_resources, n_splits))
    for number, (x, scores, n_resources) in enumerate(rows):
        one = Observation(number, {"x": x}, scores, n_resources)
        state = state.tell(one)
    return state


def test_who_failed_is_not_compared():
    rows = [
        (0.1, {0: 1.0, 1: 3.0}, None),
        (0.2, {0: 9.0, 1: None}, None),
        (0.3, {0: 2.0, 1: 2.5}, None),
    ]
    scored = scored_alike(told(Space({"x": stats.uniform(0, 1)}), rows))
    assert [one.candidate for one in scored] == [0, 2]
    assert best_first(scored).tolist() == [1, 0]


def test_hard_splits_are_made_up_for():
    """Who was run on the hard split only is not behind for it."""
    rows = [
        (0.1, {0: 0.0, 1: 10.0}, None),
        (0.2, {0: 1.0, 1: 11.0}, None),
        (0.3, {0: 2.0}, None),
    ]
    scored = scored_alike(told(Space({"x": stats.uniform(0, 1)}), rows))
    assert best_first(scored)[0] == 2


def test_with_rungs_scores_are_of_one():
    rows = [(k / 10, {0: float(k)}, 1) for k in range(6)]
    rows += [(0.5, {0: -5.0}, 3), (0.4, {0: -4.0}, 3), (0.3, {0: None}, 3)]
    space = Space({"x": stats.uniform(0, 1)})
    scored = scored_alike(told(space, rows, max_resources=3))
    # Two scores of the higher rung are too few; who failed there has failed.
    assert {one.n_resources for one in scored} == {1}
    assert 0.3 not in [float(one.point[0]) for one in scored]
    rows += [(0.2, {0: -2.0}, 3), (0.1, {0: -1.0}, 3)]
    scored = scored_alike(told(space, rows, max_resources=3))
    assert {one.n_resources for one in scored} == {3}
    assert float(scored[best_first(scored)[0]].point[0]) == pytest.approx(0.1)
