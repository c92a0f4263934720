"""Single values: plain Python, and when two of them are one."""

from __future__ import annotations

import numpy as np
import pytest

from sktune.space import to_python
from sktune.space._values import Distinct, is_number, same_value


class Sizes(list):
    """Equal to the list of the same contents, and still something else."""


class Touchy:
    """Refuses to be compared or hashed."""

    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError("do not compare me")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("relu"), "relu"),
    ],
)
def test_numpy_scalars_become_plain(value, plain):
    assert to_python(value) == plain
    assert type(to_python(value)) is type(plain)


@pytest.mark.parametrize("value", [None, [1], np.zeros(2), np.array(1), len, "a"])
def test_all_else_is_the_object_itself(value):
    assert to_python(value) is value


@pytest.mark.parametrize("value", [1, -2.5, float("inf")])
def test_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", [True, None, "1", float("nan"), 1j])
def test_not_numbers(value):
    assert not is_number(value)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ([1, 2], [1, 2], True),
        ([1, 2], [1, 3], False),
        ([1], (1,), False),
        ([1], Sizes([1]), False),
        (np.arange(3), np.arange(3), True),
        (np.arange(3), np.arange(3.0), False),
        (Touchy(), Touchy(), False),
        ([np.arange(2)], [np.arange(2)], False),  # == raises inside
    ],
)
def test_same_value(a, b, same):
    assert same_value(a, b) is same
    assert same_value(a, a)


def test_distinct_keeps_order_and_tells_types_apart():
    values = [True, 1, 1.0, "1", None, [1], [1], True, None]
    distinct = Distinct(values)
    assert [type(v) for v in distinct.values] == [
        bool,
        int,
        float,
        str,
        type(None),
        list,
    ]
    assert [distinct.find(v) for v in values] == [0, 1, 2, 3, 4, 5, 5, 0, 4]
    assert distinct.find("absent") is None
    assert distinct.find([2]) is None


def test_distinct_finds_the_object_before_its_equals():
    class Sly(list):
        def __eq__(self, other):
            return other is not wanted

        __hash__ = None

    wanted = Sly()
    distinct = Distinct([wanted])
    distinct._append(Sly())
    assert distinct.find(wanted) == 0
    assert distinct.find(distinct.values[1]) == 1
