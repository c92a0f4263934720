"""Lists: what is ordered, what is a category, and what reaches the estimator."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from scipy import stats

from sktune.space import Space


class Net:
    """Stands for an estimator or a module: compared by identity."""


def test_two_numbers_are_two_numbers():
    space = Space({"k": [2, 5]})
    assert {space.decode([u])["k"] for u in np.linspace(0, 1, 1001)} == {2, 5}
    assert space.size == 2


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ([5, 2, 5, 9], [2, 5, 9]),
        ((0.5, 1, 2), [0.5, 1, 2]),
        (range(3), [0, 1, 2]),
        (np.array([3, 1, 2]), [1, 2, 3]),
        (np.linspace(0, 1, 3), [0.0, 0.5, 1.0]),
        ([np.float32(0.5), np.int8(1)], [0.5, 1]),
        ([1, 1.0], [1]),
        (deque([2, 1]), [1, 2]),
    ],
)
def test_numbers_are_ordered_and_plain(given, values):
    space = Space({"x": given})
    m = len(values)
    centres = [[(rank + 0.5) / m] for rank in range(m)]
    decoded = [space.decode(u)["x"] for u in centres]
    assert decoded == values
    assert [type(x) for x in decoded] == [type(x) for x in values]
    assert [space.encode({"x": x}).tolist() for x in values] == centres
    assert space.n_features == 1  # a line


CATEGORIES = {
    "strings": ["relu", "tanh", "gelu"],
    "with None": [None, 1, 2],
    "with a string": ["auto", 1, 0.5],
    "booleans": [True, False],
    "True is not 1": [1, True, 1.0],
    "nan": [1.0, float("nan")],
    "tuples": [(1, 2), (3,), ()],
    "lists": [[1, 2], [3], []],
    "dicts": [{"a": 1}, {"a": 2}],
    "arrays": [np.arange(3), np.arange(4), np.zeros(3)],
    "equal arrays in lists": [[np.arange(3)], [np.arange(3)]],
    "functions and classes": [len, max, Net, dict],
    "objects": [Net(), Net()],
    "distributions": [stats.norm(), stats.norm()],
    "complex": [1j, 2j],
}


@pytest.mark.parametrize("given", CATEGORIES.values(), ids=CATEGORIES)
def test_categories_are_the_very_objects_in_order(given):
    space = Space({"x": given})
    m = len(given)
    assert space.size == space.n_features == m
    for i, value in enumerate(given):
        params = space.decode([(i + 0.5) / m])
        assert params["x"] is value
        assert space.encode(params).tolist() == [(i + 0.5) / m]
    keys = [space.key(params) for params in space.points()]
    assert len(set(keys)) == m


def test_categories_that_are_equal_are_one():
    first = [1, 2]
    space = Space({"x": [first, [1, 2], "a", np.str_("a"), None, None]})
    assert [params["x"] for params in space.points()] == [[1, 2], "a", None]
    assert space.decode([0.0])["x"] is first


def test_an_array_of_strings_gives_strings():
    values = [params["x"] for params in Space({"x": np.array(["a", "b"])}).points()]
    assert [(x, type(x)) for x in values] == [("a", str), ("b", str)]


def test_a_series_is_a_list():
    pd = pytest.importorskip("pandas")
    series = pd.Series([3, 1], index=["p", "q"])
    assert [p["x"] for p in Space({"x": series}).points()] == [1, 3]


def test_an_equal_value_is_found_where_the_object_is_not():
    space = Space({"x": [[1], [2]], "y": [1, 2]})
    params = space.decode([0.9, 0.9])
    assert space.key({"x": [2], "y": 2.0}) == space.key(params)
    assert space.key({"x": [2], "y": np.int64(2)}) == space.key(params)


def test_a_long_list_is_quickly_read():
    names = [f"name{i}" for i in range(20_000)]
    space = Space({"x": names})
    assert space.size == 20_000
    assert space.decode([1.0])["x"] == names[-1]
