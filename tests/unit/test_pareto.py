"""Dominance and volumes, beside counting and drawing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktune._pareto import free_boxes, hypervolume, non_dominated

TOP = 4
# Points of a small grid: many are equal, and many are equal in one objective.
points = st.integers(1, 4).flatmap(
    lambda m: st.lists(
        st.lists(st.integers(0, TOP), min_size=m, max_size=m), min_size=1, max_size=8
    )
)
few = settings(max_examples=60, deadline=None)


def cells(m):
    """Middles of the cells of the grid, each of which has a volume of 1."""
    return np.indices((TOP,) * m).reshape(m, -1).T + 0.5


@few
@given(points)
def test_who_is_dominated_by_nobody(given_points):
    Y = np.array(given_points, dtype=float)
    expected = [
        not any((other >= y).all() and (other > y).any() for other in Y) for y in Y
    ]
    assert non_dominated(Y).tolist() == expected


def test_what_is_not_finite_neither_dominates_nor_is_on_the_front():
    Y = [[np.nan, 9.0], [1.0, 2.0], [np.inf, 0.0], [2.0, 1.0], [0.0, 0.0]]
    assert non_dominated(Y).tolist() == [False, True, False, True, False]
    assert non_dominated(np.empty((0, 2))).tolist() == []


@few
@given(points)
def test_the_volume_is_that_of_the_cells_that_are_dominated(given_points):
    Y = np.array(given_points, dtype=float)
    dominated = (cells(Y.shape[1])[:, None] < Y).all(axis=2).any(axis=1)
    assert hypervolume(Y, [0.0] * Y.shape[1]) == dominated.sum()


@few
@given(points)
def test_each_cell_is_dominated_or_in_one_box(given_points):
    Y = np.array(given_points, dtype=float)
    lower, upper = free_boxes(Y, [0.0] * Y.shape[1])
    z = cells(Y.shape[1])[:, None]
    n_boxes = ((z > lower) & (z < upper)).all(axis=2).sum(axis=1)
    dominated = (z < Y).all(axis=2).any(axis=1)
    np.testing.assert_array_equal(n_boxes + dominated, 1)
    # Above the grid nobody dominates.
    beyond = ((lower < TOP + 1) & (upper > TOP + 1)).all(axis=1)
    assert beyond.sum() == 1


def test_points_below_the_reference_count_for_nothing():
    assert hypervolume([[3.0, -1.0], [0.5, 0.5]], [0.0, 0.0]) == 0.25
    lower, upper = free_boxes([[3.0, -1.0]], [0.0, 0.0])
    np.testing.assert_array_equal(lower, [[0.0, 0.0]])
    np.testing.assert_array_equal(upper, [[np.inf, np.inf]])


@pytest.mark.parametrize("m", [2, 3])
def test_a_sphere_has_the_volume_of_a_sphere(m):
    """A known value: an octant of the unit ball, from points of its surface."""
    rng = np.random.default_rng(0)
    Y = np.abs(rng.normal(size=(150, m)))
    Y /= np.linalg.norm(Y, axis=1, keepdims=True)
    volume = hypervolume(Y, np.zeros(m))
    ball = {2: np.pi / 4, 3: np.pi / 6}[m]
    assert 0.85 * ball < volume < ball
