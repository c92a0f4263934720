"""The analysis of variance of trees: by brute force, and of a known function."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from sktune.inspection._forest_anova import Coordinate, _Boxes, anova

EVEN = Coordinate(np.empty(0), np.empty(0))
WORDS = Coordinate(np.array([0.0, 0.5, 1.0]), np.full(3, 1 / 3))
# A value apart, which one candidate in five has, beside an interval.
MIXED = Coordinate(np.array([-0.13]), np.array([0.2]))


def test_shares_of_a_known_function():
    X = np.random.default_rng(0).random((400, 3))
    y = X[:, 0] + 2 * X[:, 1] + 3 * (X[:, 0] - 0.5) * (X[:, 1] - 0.5)
    shares = anova(X, y, [EVEN] * 3, {}, n_trees=24, max_pairs=3, seed=0)
    V = np.array([1 / 12, 4 / 12, 0.0, 9 / 144])
    found = [shares[key].mean() for key in [(0,), (1,), (2,), (0, 1)]]
    np.testing.assert_allclose(found, V / V.sum(), atol=0.03)
    assert all(share.shape == (24,) for share in shares.values())
    assert shares[0,].std() < 0.05


@pytest.mark.parametrize("second", [WORDS, MIXED], ids=["words", "mixed"])
def test_a_tree_by_brute_force(second):
    rng = np.random.default_rng(1)
    other = rng.integers(0, 3, 60) / 2
    if second is MIXED:
        other = np.where(rng.random(60) < 0.2, -0.13, rng.random(60))
    X = np.column_stack([rng.random(60), other])
    y = np.sin(5 * X[:, 0]) + X[:, 1] * X[:, 0]
    forest = RandomForestRegressor(1, random_state=0).fit(X, y)
    tree = _Boxes.of(forest.estimators_[0].tree_, [EVEN, second], {}, 2)

    grid = (np.arange(2000) + 0.5) / 2000
    points, weights = second.atoms, second.weights
    if second is MIXED:
        points = np.concatenate([points, grid])
        weights = np.concatenate([weights, np.full(2000, 0.8 / 2000)])
    F = forest.predict(
        np.array(np.meshgrid(grid, points, indexing="ij")).reshape(2, -1).T
    ).reshape(len(grid), -1)
    f_0 = F.mean(axis=0) @ weights
    V = ((F - f_0) ** 2).mean(axis=0) @ weights
    V_0 = ((F @ weights - f_0) ** 2).mean()
    V_1 = (F.mean(axis=0) - f_0) ** 2 @ weights
    np.testing.assert_allclose(tree.moments, (f_0, V), rtol=2e-3)
    np.testing.assert_allclose(tree.share(0), V_0 / V, rtol=5e-3)
    np.testing.assert_allclose(tree.share(1), V_1 / V, rtol=5e-3)
    both = (V - V_0 - V_1) / V
    np.testing.assert_allclose(tree.share_of_pair(0, 1), both, rtol=2e-2)
    np.testing.assert_allclose(tree.share_of_pair(1, 0), both, rtol=2e-2)


def test_what_is_fixed_is_no_part_of_the_variance():
    """At a resource of 1 the score is x, and at 0 it is something else."""
    rng = np.random.default_rng(2)
    X = np.column_stack([rng.random((300, 2)), rng.integers(0, 2, 300)])
    y = np.where(X[:, 2] == 1, X[:, 0], 10 - 5 * X[:, 1])
    shares = anova(X, y, [EVEN] * 2, {2: 1.0}, n_trees=8, max_pairs=1, seed=0)
    assert shares[0,].mean() > 0.95
    shares = anova(X, y, [EVEN] * 2, {2: 0.0}, n_trees=8, max_pairs=1, seed=0)
    assert shares[1,].mean() > 0.95


def test_where_nothing_varies():
    X = np.random.default_rng(0).random((10, 2))
    shares = anova(X, np.ones(10), [EVEN] * 2, {}, n_trees=3, max_pairs=1, seed=0)
    for share in shares.values():
        np.testing.assert_array_equal(share, 0.0)
