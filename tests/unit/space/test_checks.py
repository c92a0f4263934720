"""Every message names the argument, the value and the remedy."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats

from sktune._errors import SpaceError, SpaceTypeError
from sktune.space import Space, as_sampled


class DrawnOnly:
    """What scikit-learn's random search takes, and a model cannot."""

    def rvs(self, random_state=None):
        return 1

    def __repr__(self):
        return "DrawnOnly()"


NOT_SEARCHABLE = {
    "number": (
        0,
        r"Parameter distribution is not a dict or a list, got: 0 of type int",
    ),
    "list of numbers": ([0], r"Parameter distribution is not a dict \(0\)"),
    "string": ("ab", r"Parameter distribution is not a dict \('a'\)"),
    "name": ({1: [1]}, r"Parameter names are strings, got: 1 of type int"),
    "value": (
        {"foo": 0},
        r"Parameter grid for parameter 'foo' is not iterable or a distribution "
        r"\(value=0\)",
    ),
    "array without length": ({"foo": np.array(3)}, r"'foo' is not iterable"),
    "str": (
        {"foo": "abc"},
        r"Parameter grid for parameter 'foo' needs to be a list or a numpy array, but "
        r"got 'abc' \(of type str\) instead\. Single values need to be wrapped",
    ),
    "bytes": ({"foo": b"abc"}, r"'foo' needs to be a list"),
    "set": ({"foo": {1, 2}}, r"'foo' needs to be a list .*\(of type set\)"),
    "dict": ({"foo": {"a": 1}}, r"'foo' needs to be a list .*\(of type dict\)"),
    "generator": ({"foo": (i for i in [1])}, r"'foo' needs to be a list"),
    "second dict": ([{"a": [1]}, {"foo": 0}], r"'foo' is not iterable"),
    "no ppf": (
        {"foo": DrawnOnly()},
        r"'foo' cannot be mapped .*DrawnOnly\(\) .*RandomizedSearchCV",
    ),
    "multivariate": (
        {"foo": stats.multivariate_normal([0, 0])},
        r"'foo' cannot be mapped to the unit interval",
    ),
    "not frozen": ({"foo": stats.loguniform}, r"'foo' lacks its arguments: loguniform"),
}


@pytest.mark.parametrize(
    ("given", "message"), NOT_SEARCHABLE.values(), ids=list(NOT_SEARCHABLE)
)
def test_what_is_no_list_and_no_distribution(given, message):
    with pytest.raises(SpaceTypeError, match=message) as caught:
        Space(given)
    assert isinstance(caught.value, TypeError)


EMPTY_OR_WRONG = {
    "no dicts": ([], r"Parameter distribution is an empty list"),
    "no values": (
        {"foo": []},
        r"Parameter grid for parameter 'foo' need to be a non-empty sequence, "
        r"got: \[\]",
    ),
    "empty array": ({"foo": np.array([])}, r"'foo' need to be a non-empty sequence"),
    "matrix": (
        {"foo": np.ones((2, 3))},
        r"Parameter array for 'foo' should be one-dimensional, got: .*shape \(2, 3\)",
    ),
    "arguments": (
        {"foo": stats.loguniform(-1, 1)},
        r"'foo' has arguments that scipy does not allow: loguniform\(-1, 1\)",
    ),
    "keyword arguments": (
        {"foo": stats.uniform(loc=1, scale=-1)},
        r"does not allow: uniform\(loc=1, scale=-1\)",
    ),
    "new style": ({"foo": stats.Uniform(a=3, b=1)}, r"does not allow: Uniform"),
    "no integers": ({"foo": stats.randint(5, 5)}, r"'foo' has arguments"),
    "arrays": ({"foo": stats.uniform([0, 1], [2, 3])}, r"'foo' has arrays"),
    "tail": (
        {"foo": stats.zipf(1.5)},
        r"'foo' has a tail too heavy .* zipf\(1\.5\) is beyond .*zipfian\(a, n\)",
    ),
}


@pytest.mark.parametrize(
    ("given", "message"), EMPTY_OR_WRONG.values(), ids=list(EMPTY_OR_WRONG)
)
def test_what_cannot_be_searched(given, message):
    with pytest.raises(SpaceError, match=re.compile(message, re.DOTALL)) as caught:
        Space(given)
    assert isinstance(caught.value, ValueError)


SPACE = Space({"lr": stats.loguniform(1e-4, 1), "k": [1, 2], "act": ["a", None]})

GOOD = {"lr": 0.1, "k": 2, "act": None}

OUTSIDE = {
    "unknown": (
        {**GOOD, "lrr": 1},
        r"Parameter 'lrr' of params .* is not in param_distributions\. "
        r"Did you mean 'lr'\? Give a value for each of \['act', 'k', 'lr'\] and",
    ),
    "missing": (
        {"lr": 0.1, "act": "a"},
        r"Parameter 'k' is missing in params \{'lr': 0\.1, 'act': 'a'\}",
    ),
    "off the support": (
        {**GOOD, "lr": 2},
        r"Value 2 of parameter 'lr' is not within \[0\.0001, 1\], the support of "
        r"loguniform\(0\.0001, 1\)",
    ),
    "nan": ({**GOOD, "lr": float("nan")}, r"Value nan of parameter 'lr' is not within"),
    "no number": ({**GOOD, "lr": "0.1"}, r"Value '0\.1' of parameter 'lr' is not"),
    "between": (
        {**GOOD, "k": 1.5},
        r"Value 1\.5 of parameter 'k' is not one of \[1, 2",
    ),
    "bool": (
        {**GOOD, "k": True},
        r"Value True of parameter 'k' is not one of \[1, 2\]",
    ),
    "category": ({**GOOD, "act": 0}, r"Value 0 of parameter 'act' is not one of \['a'"),
    "unhashable": (
        {**GOOD, "act": [0]},
        r"Value \[0\] of parameter 'act' is not one of",
    ),
}


@pytest.mark.parametrize(("params", "message"), OUTSIDE.values(), ids=list(OUTSIDE))
@pytest.mark.parametrize("method", ["encode", "key"])
def test_params_that_are_not_in_the_space(method, params, message):
    SPACE.encode(GOOD)
    with pytest.raises(SpaceError, match=message):
        getattr(SPACE, method)(params)


@pytest.mark.parametrize("value", [0, 0.5, 10**9, True, "1", float("inf")])
def test_values_that_a_long_discrete_distribution_has_not(value):
    space = Space({"n": stats.randint(1, 10**9)})
    assert space.encode({"n": 5.0}).shape == (1,)
    with pytest.raises(SpaceError, match=r"'n' is not one of the values of randint\(1"):
        space.encode({"n": value})


def test_params_of_several_dicts_are_held_to_the_nearest():
    space = Space([{"a": [1]}, {"b": [1], "c": [2]}])
    with pytest.raises(SpaceError, match="Parameter 'c' is missing"):
        space.encode({"b": 1})
    with pytest.raises(SpaceError, match=r"Parameter 'a' .* but with others"):
        space.encode({"a": 1, "b": 1, "c": 2})
    with pytest.raises(SpaceError, match="Value 9 of parameter 'c'"):
        space.encode({"b": 1, "c": 9})


def test_params_that_are_no_dict():
    with pytest.raises(SpaceTypeError, match=r"params=\[1\] is not a dict"):
        SPACE.encode([1])


def test_points_of_a_continuous_space():
    with pytest.raises(SpaceError, match="continuous distribution cannot be listed"):
        next(SPACE.points())


def test_a_new_style_distribution_that_cannot_be_drawn():
    with pytest.raises(SpaceError, match="Parameter distribution has arguments"):
        as_sampled(stats.Uniform(a=3, b=1))
