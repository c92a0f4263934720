"""What the controller decides, and what it learns from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import Reinforce
from sktune.strategy._reinforce import choices_at, drawn, edges_of_choices
from tests.helpers.asked import searched

CELLS = {name: list("vwxyz") for name in "abcdef"}
SPACES: dict[str, Any] = {
    "mixed": {
        "x": stats.uniform(0, 1),
        "n": stats.randint(0, 500),
        "k": [1, 10, 100],
        "c": list("abcd"),
        "rare": stats.binom(3, 0.1),
        "only": ["a"],
    },
    "conditional": [
        {"x": stats.uniform(0, 1), "k": [1, 2]},
        {"c": list("abc"), "k": [1, 2]},
    ],
}


def n_right(params):
    return sum(value == "x" for value in params.values())


def test_it_finds_what_is_rewarded():
    """Chance has 1.2 right on average; no candidate is tried twice."""
    means = []
    for seed in range(3):
        asked, _ = searched(Reinforce(), Problem(Space(CELLS)), 60, n_right, seed)
        means.append(np.mean([n_right(params) for params in asked[-20:]]))
    assert np.median(means) > 2.5


@pytest.mark.parametrize("name", SPACES)
def test_a_choice_leads_to_a_value_and_back(name):
    space = Space(SPACES[name])
    edges = edges_of_choices(space)
    state = Reinforce().init(Problem(space))
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(200):
        u = space.snap(drawn(state, rng)[None])[0]
        choices = choices_at(edges, u)
        assert ((choices < 0) == np.isnan(u)).all()
        for j in np.flatnonzero(choices >= 0):
            assert edges[j][choices[j]] <= u[j] <= edges[j][choices[j] + 1]
            seen.add((space.names[j], choices[j]))
    n_choices = {n: len(e) - 1 for n, e in zip(space.names, edges, strict=True)}
    assert len(seen) == sum(n_choices.values())  # none is out of reach
    if name == "mixed":
        assert n_choices == {"x": 10, "n": 10, "k": 3, "c": 4, "rare": 4, "only": 1}


def test_it_has_learnt_the_same_in_whatever_order_it_was_told():
    strategy, space = Reinforce(), Space(SPACES["mixed"])
    rng = np.random.default_rng(0)
    told = [
        Observation(i, space.decode(rng.random(6)), {0: float(rng.random())})
        for i in range(8)
    ]
    found = []
    for order in (range(8), rng.permutation(8)):
        state = strategy.init(Problem(space))
        for i in order:
            state = strategy.tell(state, told[i])
        found.append(state.controller.theta)
    np.testing.assert_array_equal(*found)


def test_initial_points_come_first_and_must_be_of_the_space():
    first = dict.fromkeys("abcdef", "z")
    strategy = Reinforce(initial_points=(first,))
    assert searched(strategy, Problem(Space(CELLS)), 1, n_right)[0] == [first]
    with pytest.raises(ValueError, match="'f'"):
        replace(strategy, initial_points=({**first, "f": "q"},)).init(
            Problem(Space(CELLS))
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [("learning_rate", 0.0), ("learning_rate", np.nan), ("entropy_weight", -1.0)],
)
def test_arguments_are_checked(name, value):
    with pytest.raises(ValueError, match=f"{name}={value!r} must be"):
        Reinforce(**{name: value}).init(Problem(Space(CELLS)))


def test_it_needs_a_space():
    with pytest.raises(ValueError, match=r"Reinforce.* needs a space"):
        Reinforce().init(Problem(None))
