"""Children: near their parents, in the space, and of the same dict."""

import numpy as np
import pytest
from scipy.stats import loguniform, norm, randint, uniform

from sktune._types import Problem
from sktune.architectures import ChainSpace
from sktune.space import Space
from sktune.strategy import Explore


def children(space, parent, n=200, resample=0.0, constraint=None):
    strategy = Explore([parent], resample)
    state = strategy.init(Problem(Space(space, constraint)))
    return [strategy.explore(state, 1, parent, seed) for seed in range(n)]


def values(found, name):
    return {one[name] for one in found}


def test_numbers_are_multiplied_and_stay_in_their_range():
    space = {"lr": loguniform(1e-4, 1.0), "drop": uniform(0, 0.5), "x": norm(0, 1)}
    found = children(space, {"lr": 0.01, "drop": 0.45, "x": -1.0})
    for name, expected in (
        ("lr", [0.008, 0.012]),
        ("drop", [0.36, 0.5]),
        ("x", [-1.2, -0.8]),
    ):
        assert sorted(values(found, name)) == pytest.approx(expected)
    assert len({tuple(one.values()) for one in found}) == 8, "each by itself"


def test_integers_and_lists_go_to_the_one_beside():
    space = {"n": randint(1, 100), "few": randint(1, 5), "batch": [16, 32, 64, 128]}
    space |= {"wide": randint(10, 10**6), "rate": [0.1, 0.3, 0.5], "one": [7]}
    parent = {"n": 50, "few": 2, "batch": 32, "wide": 1000, "rate": 0.5, "one": 7}
    found = children(space, parent)
    expected = {
        "n": {40, 60},
        "few": {1, 3},
        "batch": {16, 64},
        "wide": {800, 1200},
        "rate": {0.3},
        "one": {7},
    }
    for name, allowed in expected.items():
        assert values(found, name) == allowed, name


def test_categories_are_drawn_or_kept():
    space = {"act": ["relu", "tanh", "elu"], "lr": loguniform(1e-3, 1.0)}
    parent = {"act": "relu", "lr": 0.1}
    assert values(children(space, parent), "act") == {"relu"}
    found = children(space, parent, 400, resample=0.25)
    assert values(found, "act") == {"relu", "tanh", "elu"}
    kept = np.mean([one["act"] == "relu" for one in found])
    assert abs(kept - (0.75 + 0.25 / 3)) < 0.06
    drawn = np.mean([round(one["lr"], 6) not in (0.08, 0.12) for one in found])
    assert abs(drawn - 0.25) < 0.07


def test_a_child_is_in_the_dict_of_its_parent():
    space = [{"opt": ["a"], "m": uniform(0, 1)}, {"opt": ["b"], "k": [1, 2, 3]}]
    assert values(children(space, {"opt": "b", "k": 2}, resample=0.5), "opt") == {"b"}
    found = children(space, {"opt": "a", "m": 0.5})
    assert sorted(values(found, "m")) == pytest.approx([0.4, 0.6])


def test_a_constraint_is_kept_and_a_child_is_another():
    space = {"a": [1, 2, 3, 4], "b": [1, 2, 3, 4]}

    def equal_or_less(params):
        return params["a"] <= params["b"]

    parent = {"a": 2, "b": 2}
    found = children(space, parent, resample=0.25, constraint=equal_or_less)
    assert all(map(equal_or_less, found)) and parent not in found
    assert children({"a": [1]}, {"a": 1}, 1) == [{"a": 1}], "there is no other"


def test_layers_that_a_child_gains_are_drawn():
    chains = ChainSpace([1, 2], width=[4, 8], skip=[False, True])
    parent = {"layers": ({"width": 4, "skip": False},)}
    found = children({"layers": chains}, parent, resample=0.5)
    deep = [one["layers"] for one in found if len(one["layers"]) == 2]
    assert len(deep) > 50
    # Of the four second layers there are, each is some child's.
    assert len({tuple(layers[1].values()) for layers in deep}) == 4
    stepped = children({"layers": chains}, parent)
    assert {len(one["layers"]) for one in stepped} == {2}, "the one beside"
