"""Spaces as a whole: coordinates, subspaces, identity, size, constraint."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from sktune._errors import SpaceError, SpaceTypeError
from sktune.space import Space, allows

TREE = [
    {"kernel": ["linear"], "C": stats.loguniform(1e-2, 1e2)},
    {
        "kernel": ["rbf"],
        "C": stats.loguniform(1e-2, 1e2),
        "gamma": stats.uniform(0, 1),
    },
    {"kernel": ["rbf"], "C": [1, 10], "degree": [2, 3]},
]


def test_one_dict_has_its_names_in_order():
    space = Space({"b": [1, 2], "a": ["x"], "c": stats.norm()})
    assert space.names == ("a", "b", "c")
    assert list(space.decode([0.1, 0.1, 0.1])) == ["a", "b", "c"]
    assert space.is_continuous.tolist() == [False, False, True]


def test_same_name_and_values_share_a_coordinate():
    space = Space(TREE)
    # choice | C of the first two, kernel linear | gamma, kernel rbf of both | C, degree
    assert space.names == ("", "C", "kernel", "gamma", "kernel", "C", "degree")


@pytest.mark.parametrize(
    ("a", "b", "shared"),
    [
        ([1, 2], (2, 1), True),
        ([1, 2], [1, 2, 3], False),
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["b", "a"], False),  # categories by index
        (["a", 1], [1, 2], False),
        ([[1], [2]], [[1], [2]], True),
        (stats.norm(0, 1), stats.norm(loc=0, scale=1), True),
        (stats.norm(0, 1), stats.norm(0, 2), False),
        (stats.norm(0, 1), stats.Normal(mu=0, sigma=2), False),
        (stats.loguniform(1, 2), stats.uniform(1, 1), False),
        (stats.Uniform(a=0, b=1), stats.Uniform(a=0, b=1), True),
        (stats.poisson(3), stats.poisson(3), True),
        (stats.poisson(3), stats.poisson(4), False),
        (stats.binom(2, 0.5), stats.randint(0, 3), False),  # not equally likely
        (stats.randint(0, 10**9), stats.randint(0, 10**9), True),
        (stats.randint(0, 10**9), stats.uniform(0, 10**9), False),
        (stats.randint(0, 10**9), [1, 2], False),
    ],
)
def test_sharing(a, b, shared):
    space = Space([{"x": a}, {"x": b, "y": [0]}])
    assert space.names.count("x") == (1 if shared else 2)
    assert Space([{"x": a}, {"y": b}]).n_dims == 3


def test_a_dict_is_chosen_evenly_and_gives_only_its_own_names():
    space = Space(TREE)
    names = [["C", "kernel"], ["C", "gamma", "kernel"], ["C", "degree", "kernel"]]
    for u0 in np.linspace(0.001, 0.999, 30):
        params = space.decode([u0] + [0.5] * 6)
        assert list(params) == names[int(u0 * 3)]


def test_inactive_coordinates_are_nan_and_not_looked_at():
    space = Space(TREE)
    u = np.array([0.1, 0.3, 0.5, np.nan, np.nan, np.nan, np.nan])
    params = space.decode(u)
    assert params["kernel"] == "linear"
    expected = [1 / 6, 0.3, 0.5, *[np.nan] * 4]
    np.testing.assert_allclose(space.encode(params), expected)
    np.testing.assert_allclose(space.snap(u[None])[0], expected)
    other = np.where(np.isnan(u), 0.77, u)
    np.testing.assert_array_equal(space.snap(other[None]), space.snap(u[None]))


def test_cells_of_inactive_and_continuous_coordinates():
    space = Space(TREE)
    U = space.snap([[0.1, *[0.3] * 6], [0.9, *[0.3] * 6]])
    low, high = space.cells(U)
    np.testing.assert_array_equal(np.isnan(low), np.isnan(U))
    np.testing.assert_array_equal(np.isnan(high), np.isnan(U))
    np.testing.assert_array_equal(
        low[:, space.is_continuous], U[:, space.is_continuous]
    )
    np.testing.assert_allclose(low[:, 0], [0.0, 2 / 3])
    np.testing.assert_allclose(high[:, 0], [1 / 3, 1.0])
    assert space.n_categories[0] == 3


def test_an_empty_dict_is_one_candidate():
    space = Space({})
    assert (space.n_dims, space.size, space.n_features) == (0, 1, 0)
    assert space.decode([]) == {}
    assert list(space.points()) == [{}]
    assert space.encode({}).shape == (0,)
    assert space.snap(np.empty((3, 0))).shape == (3, 0)
    assert space.features(np.empty((3, 0))).shape == (3, 0)


def test_an_empty_dict_among_others():
    space = Space([{}, {"a": [1, 2]}])
    assert space.size == 3
    assert list(space.points()) == [{}, {"a": 1}, {"a": 2}]
    assert space.decode([0.1, 0.9]) == {}


def test_points_in_order():
    space = Space({"b": ["x", None], "a": [3, 1]})
    expected = [{"a": a, "b": b} for a, b in itertools.product([1, 3], ["x", None])]
    assert list(space.points()) == expected


@pytest.mark.parametrize(
    ("subspaces", "size"),
    [
        ([{"a": [1, 2]}, {"b": [1, 2]}], 4),
        ([{"a": [1, 2]}, {"a": [2, 3]}], 3),
        ([{"a": [1, 2]}, {"a": [1, 2]}], 2),
        ([{"a": [1, 2], "b": ["x"]}, {"a": [2, 3], "b": ["x", "y"]}], 5),
        ([{"a": [[1], [2]]}, {"a": [[2], "z"]}], 3),
        ([{"a": stats.randint(0, 3)}, {"a": [2, 3]}], 4),
        ([{}, {}], 1),
        ([{"a": [1]}, {"a": stats.norm()}], np.inf),
        ([{"a": stats.randint(0, 10**9)}, {"a": stats.randint(0, 10)}], 10**9 + 10),
    ],
)
def test_size_counts_a_candidate_once(subspaces, size):
    space = Space(subspaces)
    assert space.size == size
    if size < 100:
        keys = [space.key(params) for params in space.points()]
        assert len(keys) == len(set(keys)) == size


def test_a_candidate_of_two_dicts_is_encoded_in_the_first():
    space = Space([{"a": [1, 2]}, {"a": [2, 3]}])
    again = space.decode([0.9, 0.1, 0.1])
    assert again == {"a": 2}
    assert space.encode(again)[0] == 0.25
    assert space.key(again) == space.key(space.decode([0.1, 0.9, 0.1]))


def test_keys_are_equal_for_equal_candidates_only():
    space = Space(
        {"m": [[1], None, (1,)], "lr": stats.loguniform(1e-4, 1), "k": [1, 2]}
    )
    params = {"m": [1], "lr": 0.1, "k": 2}
    same = [{"k": 2.0, "lr": np.float64(0.1), "m": [1]}]
    others = [
        {**params, "m": (1,)},
        {**params, "lr": np.nextafter(0.1, 1)},
        {**params, "k": 1},
    ]
    assert all(space.key(p) == space.key(params) for p in same)
    assert all(space.key(p) != space.key(params) for p in others)


def test_a_value_beyond_what_is_drawn_is_still_encoded():
    space = Space({"x": stats.norm(), "n": stats.geom(1e-6)})
    params = {"x": 40.0, "n": 10**9}
    u = space.encode(params)
    assert np.all(u < 1)
    decoded = space.decode(u)
    assert 6 < decoded["x"] < 40
    assert decoded["n"] < 10**9
    assert space.key(params) != space.key(decoded)


def test_constraint():
    space = Space({"a": [1, 2], "b": [1, 2]}, constraint=lambda p: p["a"] < p["b"])
    assert [p for p in space.points() if space.allows(p)] == [{"a": 1, "b": 2}]
    assert space.size == 4
    assert Space({"a": [1]}).allows({"a": 1})
    assert allows(lambda params: np.bool_(True), {}) is True


def test_constraint_cannot_change_the_candidate():
    params = {"a": 1}
    assert allows(lambda p: p.pop("a") == 1, params)
    assert params == {"a": 1}


def test_repr_says_what_is_searched():
    text = repr(Space([{"lr": stats.loguniform(0.1, 1)}, {"k": [1, 2]}]))
    assert text == (
        "Space({lr: within [0.1, 1], the support of loguniform(0.1, 1)} | "
        "{k: one of [1, 2]})"
    )


# -- what lies outside ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "value", "expected"),
    [
        (stats.uniform(2, 4), 1.0, -0.25),
        (stats.uniform(2, 4), 10.0, 2.0),
        (stats.uniform(2, 4), 10.1, None),
        (stats.Uniform(a=2, b=6), 8.0, 1.5),
        (stats.loguniform(1e-4, 1e-2), 1e-1, 1.5),
        (stats.loguniform(1e-4, 1e-2), 1e-7, None),
        (stats.loguniform(1e-4, 1e-2), -1.0, None),
        (stats.beta(2, 5), 1.5, None),
        (stats.truncnorm(-1, 1), 1.5, None),
        (stats.expon(), -1.0, None),
        (stats.randint(1, 10), 10, None),
        (stats.randint(1, 10**9), 0, None),
        ([1, 2, 3], 4, None),
        (["a", "b"], "c", None),
        (stats.uniform(2, 4), "8", None),
        (stats.uniform(2, 4), float("inf"), None),
        (stats.uniform(2, 4), True, None),
    ],
)
def test_a_number_beyond_an_even_range(given, value, expected):
    space = Space({"a": given})
    if expected is None:
        with pytest.raises(SpaceError, match="'a'"):
            space.outline({"a": value})
    else:
        assert space.outline({"a": value}) == pytest.approx([expected])


def test_inside_the_outline_is_the_point_itself():
    space = Space(
        [
            {"a": stats.uniform(0, 1), "b": ["x", "y"]},
            {"a": stats.uniform(0, 1), "c": stats.randint(1, 10)},
            {"a": stats.uniform(0, 3), "c": stats.randint(1, 10)},
        ]
    )
    for u in np.random.default_rng(0).random((20, space.n_dims)):
        params = space.decode(u)
        np.testing.assert_array_equal(space.outline(params), space.encode(params))
    np.testing.assert_allclose(
        space.outline({"a": 4.0, "c": 1})[[0, 4]], [5 / 6, 4 / 3], err_msg="the third"
    )
    with pytest.raises(SpaceError, match="'b' is missing"):
        space.outline({"a": 0.5})
    with pytest.raises(SpaceTypeError, match="not a dict"):
        space.outline(3)
