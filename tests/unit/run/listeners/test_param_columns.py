"""Params as numbers."""

import math

import numpy as np
import pytest

from sktune.run.listeners._param_columns import ParamColumns


class Net:
    """A class among the values of a param."""


def test_numbers_are_logarithms_and_centred():
    candidates = [{"a": value, "b": 7} for value in (1, 10, 100)]
    columns = ParamColumns(candidates)
    rows = [columns.row(params) for params in candidates]
    # One value in all of them tells nothing.
    assert np.shape(rows) == (3, 1)
    assert np.array(rows).std() == pytest.approx(1.0)
    assert np.array(rows).mean() == pytest.approx(0.0, abs=1e-9)
    assert rows[1][0] - rows[0][0] == pytest.approx(rows[2][0] - rows[1][0])


def test_what_is_known_of_a_param_is_by_its_logarithm():
    candidates = [{"net__batch_size": value, "c": value} for value in (16, 64)]
    columns = ParamColumns(candidates)
    first, second = map(columns.row, candidates)
    assert second[0] - first[0] == pytest.approx(math.log(4))
    assert columns.slopes[0] < 0 == columns.slopes[1]
    assert columns.sd[0] > columns.sd[1]


def test_categories_have_an_indicator_each():
    candidates = [{"a": "x"}, {"a": None}, {"a": Net}, {"a": True}, {"a": np.True_}]
    columns = ParamColumns(candidates)
    rows = np.array([columns.row(params) for params in candidates])
    assert np.array_equal(rows, np.eye(5))
    assert not columns.row({"a": "not seen"}).any()


def test_conditional_params_are_as_in_the_middle_where_there_are_none():
    columns = ParamColumns([{"a": 1.0}, {"a": 2.0}, {"b": "x"}, {"b": "y"}])
    assert not columns.row({}).any()
    assert columns.row({"a": 2.0}).tolist() == [pytest.approx(1.0), 0.0, 0.0]
    assert columns.row({"b": "y"}).tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "values",
    [
        [10**400, 1],
        [math.nan, 1.0],
        [math.inf, 1.0],
        [1e308, -1e308],
        [1j, 2],
        [0, -1],
        [[1], [2]],
        [object(), 3],
        [(1, 2), (3,)],
    ],
)
def test_any_value_will_do(values):
    columns = ParamColumns([{"a": value} for value in values])
    rows = np.array([columns.row({"a": value}) for value in values])
    assert np.isfinite(rows).all()


def test_nothing_at_all():
    columns = ParamColumns([])
    assert columns.row({"a": 1}).shape == columns.slopes.shape == (0,)
