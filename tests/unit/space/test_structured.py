"""One parameter with several coordinates."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import loguniform

from sktune._errors import SpaceError, SpaceTypeError
from sktune.architectures import CellSpace, ChainSpace
from sktune.space import EveryValue, Space, draw, is_structured

EDGES = CellSpace(["none", "skip", "conv"], n_nodes=3)
NODES = CellSpace(["relu", "tanh"], n_nodes=4, operations_on="nodes", n_inputs=2)
CHAINS = ChainSpace(
    [0, 2, 3],
    only_if={"kernel": {"block": ["conv"]}},
    block=["conv", "pool"],
    kernel=[1, 3],
)
ALL = [EDGES, NODES, CHAINS]


class Pair:
    """The least that has parts; `b` is there where `a` is above 1."""

    def __init__(self, conditions=None, join=tuple, split=None):
        self.given = {"b": {"a": [2, 3]}} if conditions is None else conditions
        self._join = join
        self._split = split

    def parts(self):
        return {"a": [1, 2, 3], "b": ["x", "y"]}

    def conditions(self):
        return self.given

    def join(self, values):
        return self._join(values.values())

    def split(self, value):
        if self._split is not None:
            return self._split
        return dict(zip("ab", value, strict=False))

    def rvs(self, size=None, random_state=None):
        return draw(self, size, random_state)


def test_coordinates_are_those_of_the_parts_and_inactive_ones_nan():
    space = Space({"p": Pair(), "lr": loguniform(0.01, 1.0)})
    assert space.names == ("lr", "p[a]", "p[b]")
    assert space.n_categories.tolist() == [0, 0, 2]
    assert space.is_conditional
    assert space.decode([0.5, 0.1, 0.9])["p"] == (1,)
    assert space.decode([0.5, 0.5, 0.9])["p"] == (2, "y")
    u = space.encode({"p": (1,), "lr": 0.1})
    np.testing.assert_allclose(u, [0.5, 1 / 6, np.nan])
    np.testing.assert_allclose(space.snap([[0.5, 0.1, 0.9]]), u[None])
    assert (space.features(u[None])[0, 2:] == 0.0).all()
    assert list(Space({"p": Pair()}).points()) == [
        {"p": (1,)},
        *({"p": (a, b)} for a in (2, 3) for b in "xy"),
    ]


@pytest.mark.parametrize("given", ALL)
@pytest.mark.parametrize("others", [{}, {"lr": loguniform(0.01, 1.0)}])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_points_and_candidates_are_the_same(given, others, data):
    space = Space([{"p": given, **others}, {"q": [1, 2, 3], "p": given}])
    unit = st.floats(0.0, 1.0)
    u = data.draw(st.lists(unit, min_size=space.n_dims, max_size=space.n_dims))
    params = space.decode(u)
    snapped = space.snap([u])[0]
    np.testing.assert_allclose(space.encode(params), snapped, atol=1e-9)
    np.testing.assert_allclose(space.outline(params), snapped, atol=1e-9)
    again = space.decode(snapped)
    assert again["p"] == params["p"] and params["p"] in given
    assert space.key(again)[1:] or not space.n_dims
    low, high = space.cells(snapped[None])
    assert ((low <= snapped) | np.isnan(snapped)).all()
    assert ((snapped <= high) | np.isnan(snapped)).all()


@pytest.mark.parametrize("given", ALL)
def test_values_are_listed_counted_and_found_by_number(given):
    values = list(given)
    every = EveryValue(given, "here")
    assert len(values) == len(every) == given.size == Space({"p": given}).size
    assert [every[i] for i in range(len(every))] == values
    space = Space({"p": given})
    assert [params["p"] for params in space.points()] == values
    assert len({space.key({"p": value}) for value in values}) == len(values)


@pytest.mark.parametrize("given", [EDGES, CHAINS])
def test_draws_are_as_even_as_the_cube(given):
    space, rng = Space({"p": given}), np.random.default_rng(0)
    n = 3000
    drawn = Counter(map(str, given.rvs(n, random_state=0)))
    cube = Counter(str(space.decode(u)["p"]) for u in rng.random((n, space.n_dims)))
    for value in set(drawn) | set(cube):
        error = 5 * np.sqrt(max(drawn[value] + cube[value], 10))
        assert abs(drawn[value] - cube[value]) < error
    assert given.rvs(random_state=1) == given.rvs(random_state=np.random.RandomState(1))


def test_dicts_share_the_coordinates_of_equal_parts():
    one, other = CellSpace(["a", "b"], n_nodes=2), CellSpace(["a", "c"], n_nodes=2)
    assert Space([{"p": one}, {"p": one, "q": [1]}]).n_dims == 1 + 1 + 1
    assert Space([{"p": one}, {"p": other}]).n_dims == 1 + 2
    # ("a",) is in both, and counted once.
    assert Space([{"p": one}, {"p": other}]).size == 3


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (Pair(conditions={"a": {"b": ["x"]}}), "'a' depend on 'b'"),
        (Pair(conditions={"c": {"a": [1]}}), "'c' depend on 'a'"),
        (Pair(conditions={"b": {"a": [7]}}), "being 7"),
        (Pair(join=lambda values: list(values)[:1]), "split"),
        (Pair(split={"a": 1, "b": "x", "c": 3}), "split"),
    ],
)
def test_what_does_not_fit_together_is_refused(broken, says):
    with pytest.raises((SpaceError, SpaceTypeError), match=f"'p'(.|\n)*{says}"):
        Space({"p": broken})


def test_too_many_ways_to_decide_are_refused():
    class Many(Pair):
        def parts(self):
            return {"a": list(range(200)), "b": list(range(200)), "c": [1, 2]}

        def conditions(self):
            return {"c": {"a": [1], "b": [1]}}

    with pytest.raises(SpaceError, match="combinations"):
        Space({"p": Many()})


def test_more_than_can_be_listed():
    space = CellSpace(list("abcdefgh"), n_nodes=12)
    assert Space({"p": space}).size == float(8**66)
    assert space.rvs(random_state=0) in space
    with pytest.raises(SpaceError, match=r"cells has 4e\+59 values"):
        len(EveryValue(space, "cells"))


def test_what_has_parts_is_told_from_what_has_not():
    assert is_structured(EDGES) and not is_structured(CellSpace)
    assert not any(map(is_structured, ["a.b", [1], loguniform(1, 2), None]))
