"""How much of what a forest predicts is due to each coordinate, and to each pair.

Notation
--------
n, d      number of scored candidates, of coordinates
T         number of trees
f(x)      what one tree predicts; it is constant in each of its leaves, which are boxes
          (lo_j, hi_j] in each coordinate j
w         measure of a segment of a coordinate; over all segments of one it sums to 1
f_0       mean of f over the whole space
a_j(x_j)  mean of f over all other coordinates, and a_jk(x_j, x_k) over all but two
V         variance of f

The functional analysis of variance of a tree is exact ([1]_, section 3): with the
measure of a box the product of those of its sides, a_j is a step function with steps at
the cuts of the tree, and a_jk one on the grid of these. Then

    V_j  = sum_s w_s a_j(s)^2 - f_0^2
    V_jk = sum_st w_s w_t a_jk(s, t)^2 - f_0^2 - V_j - V_k,

and the importance of j is V_j / V. The trees of a random forest, which are grown on
bootstrap samples, differ in it; their standard deviation is what is in doubt.

A coordinate is made of atoms, values that have a measure each, and of an interval
[0, 1] to the right of them on which the measure is even. Categories and few numbers are
atoms only.

References
----------
.. [1] F. Hutter, H. H. Hoos, K. Leyton-Brown, "An efficient approach for assessing
       hyperparameter importance", ICML 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Key = tuple[int, ...]
"""A coordinate, or two."""


@dataclass(frozen=True)
class Coordinate:
    """The measure of one coordinate.

    Attributes
    ----------
    atoms : ndarray of shape (k,)
        Ascending; below 0 where there is an interval.
    weights : ndarray of shape (k,)
        Measure of each. The interval, if their sum is below 1, has the rest.
    """

    atoms: Array
    weights: Array

    def segments(self, cuts: Array) -> tuple[Array, Array]:
        """A point of each part on which a tree of these cuts is constant; its measure.

        Points are in the inside of the parts, so that they are in one leaf each.
        """
        rest = 1.0 - float(self.weights.sum())
        if rest <= 1e-12:
            return self.atoms, self.weights
        edges = np.concatenate([[0.0], cuts[(cuts > 0.0) & (cuts < 1.0)], [1.0]])
        middles, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
        return (
            np.concatenate([self.atoms, middles]),
            np.concatenate([self.weights, rest * widths]),
        )


def anova(
    X: Array,
    y: Array,
    coordinates: Sequence[Coordinate],
    fixed: dict[int, float],
    *,
    n_trees: int,
    max_pairs: int,
    seed: int,
) -> dict[Key, Array]:
    """Share of the variance due to each coordinate, and to pairs, in each tree.

    Parameters
    ----------
    X : ndarray of shape (n, d + m)
        Coordinates, and m more, which are fixed.
    y : ndarray of shape (n,)
    coordinates : sequence of Coordinate
        d of them.
    fixed : dict
        Value at which the function is looked at, of each column that is fixed.
    n_trees : int
    max_pairs : int
        Pairs are those of the coordinates that matter most, at most so many.
    seed : int

    Returns
    -------
    shares : dict
        By ``(j,)`` and ``(j, k)`` an ndarray of shape (T,), 0 where a tree does not
        vary at all.
    """
    from sklearn.ensemble import RandomForestRegressor  # slow to import

    # Of many scores a single one is mostly noise, which trees would take for pairs.
    leaf = int(np.clip(len(y) // 50, 1, 5))
    forest = RandomForestRegressor(n_trees, min_samples_leaf=leaf, random_state=seed)
    forest.fit(X, y)
    trees = [
        _Boxes.of(tree.tree_, coordinates, fixed, X.shape[1])
        for tree in forest.estimators_
    ]
    d = len(coordinates)
    shares: dict[Key, Array] = {
        (j,): np.array([tree.share(j) for tree in trees]) for j in range(d)
    }
    means = [float(shares[j,].mean()) for j in range(d)]
    pairs = sorted(combinations(range(d), 2), key=lambda p: -means[p[0]] - means[p[1]])
    for j, k in pairs[:max_pairs]:
        both = np.array([tree.share_of_pair(j, k) for tree in trees])
        shares[j, k] = np.maximum(both, 0.0)
    return shares


@dataclass(frozen=True)
class _Boxes:
    """The leaves of a tree, as ranges of segments.

    Attributes
    ----------
    value : ndarray of shape (n_leaves,)
        What is predicted there.
    first, last : ndarrays of shape (n_leaves, d), int
        The segments of each coordinate that a leaf has: first to last, without last.
    measure : list of ndarray
        Of the segments of each coordinate.
    width : ndarray of shape (n_leaves, d)
        Measure of each side of a leaf.
    """

    value: Array
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    measure: list[Array]
    width: Array

    @classmethod
    def of(
        cls,
        tree: Any,
        coordinates: Sequence[Coordinate],
        fixed: dict[int, float],
        n_columns: int,
    ) -> _Boxes:
        low, high, leaves = _bounds(tree, n_columns)
        here = np.ones(len(leaves), dtype=bool)
        for j, at in fixed.items():
            here &= (low[:, j] < at) & (at <= high[:, j])
        low, high, leaves = low[here], high[here], leaves[here]
        d = len(coordinates)
        first = np.empty((len(leaves), d), dtype=np.intp)
        last, width = np.empty_like(first), np.empty(first.shape)
        measure = []
        for j, coordinate in enumerate(coordinates):
            cuts = np.unique(tree.threshold[tree.feature == j])
            points, weights = coordinate.segments(cuts)
            total = np.concatenate([[0.0], np.cumsum(weights)])
            first[:, j] = np.searchsorted(points, low[:, j], side="right")
            last[:, j] = np.searchsorted(points, high[:, j], side="right")
            width[:, j] = total[last[:, j]] - total[first[:, j]]
            measure.append(weights)
        return cls(tree.value[leaves, 0, 0], first, last, measure, width)

    @property
    def moments(self) -> tuple[float, float]:
        """f_0 and V."""
        volume = self.width.prod(axis=1)
        mean = float(volume @ self.value)
        return mean, float(volume @ (self.value - mean) ** 2)

    def share(self, j: int) -> float:
        """V_j / V."""
        mean, variance = self.moments
        if variance <= 1e-24 * max(1.0, mean**2):
            return 0.0
        return self._variance_of(j) / variance

    def share_of_pair(self, j: int, k: int) -> float:
        """V_jk / V."""
        mean, variance = self.moments
        if variance <= 1e-24 * max(1.0, mean**2):
            return 0.0
        others = np.delete(self.width, [j, k], axis=1).prod(axis=1)
        mass = (self.value - mean) * others
        steps = np.zeros((len(self.measure[j]) + 1, len(self.measure[k]) + 1))
        for rows, columns, sign in [
            (self.first, self.first, 1.0),
            (self.first, self.last, -1.0),
            (self.last, self.first, -1.0),
            (self.last, self.last, 1.0),
        ]:
            np.add.at(steps, (rows[:, j], columns[:, k]), sign * mass)
        a = steps.cumsum(axis=0).cumsum(axis=1)[:-1, :-1]
        of_both = float(self.measure[j] @ a**2 @ self.measure[k])
        return (of_both - self._variance_of(j) - self._variance_of(k)) / variance

    def _variance_of(self, j: int) -> float:
        """V_j; what varies is taken about f_0, so that nothing cancels."""
        mean, _ = self.moments
        mass = (self.value - mean) * np.delete(self.width, j, axis=1).prod(axis=1)
        steps = np.zeros(len(self.measure[j]) + 1)
        np.add.at(steps, self.first[:, j], mass)
        np.add.at(steps, self.last[:, j], -mass)
        return float(self.measure[j] @ steps.cumsum()[:-1] ** 2)


def _bounds(tree: Any, n_columns: int) -> tuple[Array, Array, NDArray[np.intp]]:
    """Lower and upper end of each leaf in each column, and its number."""
    low = np.full((tree.node_count, n_columns), -np.inf)
    high = np.full((tree.node_count, n_columns), np.inf)
    for node in range(tree.node_count):  # children have greater numbers
        left, right, j = (
            tree.children_left[node],
            tree.children_right[node],
            tree.feature[node],
        )
        if left == right:
            continue
        low[[left, right]], high[[left, right]] = low[node], high[node]
        high[left, j] = low[right, j] = tree.threshold[node]
    leaves = np.flatnonzero(tree.children_left == tree.children_right)
    return low[leaves], high[leaves], leaves
