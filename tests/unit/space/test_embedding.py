"""The Euclidean embedding: distances, slopes, positive kernels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from sktune.space import Space

SPACES = {
    "one dict": Space(
        {
            "lr": stats.loguniform(1e-4, 1),
            "k": [1, 2, 10],
            "act": ["relu", "tanh", None],
            "n": stats.randint(0, 5),
            "seed": stats.randint(0, 10**9),
            "fixed": [7],
        }
    ),
    "dicts": Space(
        [
            {"kernel": ["linear", "cosine"], "C": stats.loguniform(1e-2, 1e2)},
            {
                "kernel": ["rbf"],
                "C": stats.loguniform(1e-2, 1e2),
                "gamma": stats.uniform(0, 1),
                "degree": [2, 3, 4],
            },
            {},
        ]
    ),
}
spaces = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)


def distance(space, a, b):
    F = space.features(space.snap([a, b]))
    return np.linalg.norm(F[0] - F[1])


@spaces
def test_shapes_and_groups(space):
    U = space.snap(np.random.default_rng(0).random((7, space.n_dims)))
    assert space.features(U).shape == (7, space.n_features)
    assert space.feature_slopes(U).shape == (7, space.n_features)
    assert space.groups.shape == (space.n_features,)
    assert sorted(set(space.groups.tolist())) == list(range(space.n_dims))


@spaces
def test_a_feature_depends_on_its_coordinate_only(space):
    rng = np.random.default_rng(1)
    U = rng.random((50, space.n_dims))
    moved = np.flatnonzero(space.is_continuous)[0]
    U[:, 0] = 0.5 if not space.names[0] else U[:, 0]  # the dict that has everything
    V = U.copy()
    V[:, moved] = rng.random(50)
    differs = space.features(space.snap(U)) != space.features(space.snap(V))
    assert set(space.groups[differs.any(axis=0)]) == {moved}


@spaces
def test_largest_distance_of_each_coordinate_is_one(space):
    U = space.snap(np.random.default_rng(2).random((600, space.n_dims)))
    F = space.features(U)
    for j in range(space.n_dims):
        block = F[:, space.groups == j]
        largest = 1.0
        if len(np.unique(U[~np.isnan(U[:, j]), j])) == 1:  # a list of one value
            largest = 0.5**0.5 if np.isnan(U[:, j]).any() else 0.0
        assert cdist(block, block).max() == pytest.approx(largest, abs=0.03)


@spaces
def test_kernels_are_positive_definite(space):
    U = space.snap(np.random.default_rng(3).random((150, space.n_dims)))
    F = space.features(U)
    for kernel in (np.exp(-(cdist(F, F) ** 2)), np.exp(-cdist(F, F))):
        assert np.linalg.eigvalsh(kernel).min() > -1e-9


@spaces
def test_slopes_against_finite_differences(space):
    U = space.snap(0.05 + 0.9 * np.random.default_rng(4).random((40, space.n_dims)))
    slopes = space.feature_slopes(U)
    h = 1e-6
    for j in range(space.n_dims):
        mine = space.groups == j
        if not space.is_continuous[j]:
            assert not slopes[:, mine].any()
            continue
        above, below = U.copy(), U.copy()
        above[:, j] += h
        below[:, j] -= h
        numeric = (space.features(above) - space.features(below)) / (2 * h)
        np.testing.assert_allclose(slopes[:, mine], numeric[:, mine], atol=1e-8)
        assert (slopes[:, mine] != 0).any()
        assert not slopes[np.isnan(U[:, j])][:, mine].any()


def test_numbers_lie_on_a_line_and_categories_do_not():
    space = Space({"k": [1, 2, 10]})
    at = [0.1, 0.5, 0.9]
    assert distance(space, at[:1], at[1:2]) == pytest.approx(0.5)
    assert distance(space, at[:1], at[2:]) == pytest.approx(1)
    space = Space({"k": ["a", "b", "c"]})
    assert distance(space, at[:1], at[1:2]) == pytest.approx(1)
    assert distance(space, at[:1], at[2:]) == pytest.approx(1)


def test_integers_of_a_list_and_of_randint_are_alike():
    listed, drawn = Space({"k": [0, 1, 2]}), Space({"k": stats.randint(0, 3)})
    U = np.linspace(0, 1, 20)[:, None]
    np.testing.assert_allclose(
        listed.features(listed.snap(U)), drawn.features(drawn.snap(U))
    )


def test_arc_inactive_is_equally_far_from_every_value():
    space = Space([{"a": stats.uniform(0, 1)}, {"b": [1, 2, 3]}])
    chosen = space.groups > 0
    F = space.features(space.snap([[0.1, u, 0.5] for u in np.linspace(0, 1, 9)]))
    G = space.features(space.snap([[0.9, 0.5, u] for u in np.linspace(0, 1, 9)]))
    apart = cdist(F[:, space.groups == 1], G[:, space.groups == 1])
    np.testing.assert_allclose(apart, 1)
    assert np.linalg.norm(F[0, chosen] - F[-1, chosen]) == pytest.approx(1)


def test_nothing_depends_on_a_value_that_is_not_used():
    space = SPACES["dicts"]
    rng = np.random.default_rng(5)
    U = rng.random((20, space.n_dims))
    U[:, 0] = 0.99  # the empty dict
    F = space.features(space.snap(U))
    np.testing.assert_array_equal(F, np.broadcast_to(F[0], F.shape))
