"""A random forest as the surrogate: for large, conditional, categorical spaces.

Notation
--------
n         number of observations
T         number of trees
m, v      (T, k) mean and variance of the scores in the leaf of each tree that each of k
          points falls into
X         (T, k, p) features of points, for each tree its own

The forest's posterior at a point is the mixture of its leaves ([1]_, section 4). By the
law of total variance

    mu = mean_t m_t        sigma^2 = mean_t (v_t + m_t^2) - mu^2.

Trees are extremely randomised ([2]_): each sees all scores, looks at some of the
coordinates and cuts them at random places, so that mu is nearly continuous although
each tree is a staircase. Between scores, sigma is that of one staircase, which is far
more than mu is wrong by; SPREAD is the part of it that an acquisition is told.

A tree cuts along an order, and categories have none. Every tree gets an order of its
own: by the mean score of a category, drawn as the few scores of it leave it in doubt.
Along the true order the best cut is one of the best two sets of categories ([3]_,
section 8.8), and what has hardly been seen is early in some trees and late in others.

Where a coordinate is not active it is ABSENT, which lies below all others, so that one
cut tells the branches apart.

References
----------
.. [1] F. Hutter, L. Xu, H. H. Hoos, K. Leyton-Brown, "Algorithm runtime prediction:
       methods & evaluation", Artificial Intelligence 206, 2014.
.. [2] P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine Learning
       63, 2006.
.. [3] L. Breiman, J. H. Friedman, R. A. Olshen, C. J. Stone, "Classification and
       regression trees", Wadsworth, 1984.
.. [4] F. Hutter, H. H. Hoos, K. Leyton-Brown, "Sequential model-based optimization for
       general algorithm configuration", LION 2011.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sktune.strategy._acquisition import (
    AcquisitionFormula,
)
from sktune.strategy._arrays import Array, Indices
from sktune.strategy._multi_fidelity import RESOURCE_SCALE, resource_coordinates
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._surrogate import SurrogateInput, SurrogateOutput, first_distinct
from sktune.strategy._warp import blend, warp

if TYPE_CHECKING:
    from sktune.space import Space

N_TREES = 40
SHARE = 0.5  # of the coordinates that are looked at for a cut
SPREAD = 0.5
FLOOR = 1e-3  # of sigma; the scores have standard deviation 1
ABSENT = -1.0

TreeInputs = NDArray[np.float32]  # what sklearn's trees compute with


@dataclass(frozen=True, slots=True)
class TreeFeatures:
    """Features of points for each tree: numbers as they are, categories in its order.

    Attributes
    ----------
    category_positions : tuple of ndarray of shape (T, 1 + n_categories)
        Of each coordinate that is categorical: where each tree puts the categories,
        on [0, 1], after ABSENT.
    """

    space: Space
    category_positions: tuple[TreeInputs, ...]

    @classmethod
    def of(
        cls, space: Space, U: Array, y: Array, rng: np.random.Generator
    ) -> TreeFeatures:
        """From points (n, d) and their scores (n,), which have mean 0 and variance 1.

        The effect of a category that was seen k times is taken to be normal, around
        the sum of its scores divided by k + 1, with variance 1 / (k + 1).
        """
        found = []
        for j, codes in _categories(space, U):
            width = int(space.n_categories[j]) + 1
            seen = 1.0 + np.bincount(codes, minlength=width)
            effect = np.bincount(codes, weights=y, minlength=width) / seen
            doubt = rng.standard_normal((N_TREES, width)) / np.sqrt(seen)
            order = np.argsort(np.argsort((effect + doubt)[:, 1:], axis=1), axis=1)
            positions = np.full((N_TREES, width), ABSENT, dtype=np.float32)
            positions[:, 1:] = (order + 0.5) / (width - 1)
            found.append(positions)
        return cls(space, tuple(found))

    def features(self, U: Array, further: Array) -> TreeInputs:
        """X of snapped points (k, d) and further coordinates (k, q) that they have."""
        X = np.empty((N_TREES, len(U), U.shape[1] + further.shape[1]), np.float32)
        X[:, :, : U.shape[1]] = np.where(np.isnan(U), ABSENT, U)
        X[:, :, U.shape[1] :] = further
        for (j, codes), positions in zip(
            _categories(self.space, U), self.category_positions, strict=True
        ):
            X[:, :, j] = positions[:, codes]
        return X


def _categories(space: Space, U: Array) -> list[tuple[int, Indices]]:
    """Each categorical coordinate, and the category (k,) of points: 0 if inactive."""
    F = space.features(U)
    found = []
    for j in np.flatnonzero(space.n_categories):
        is_one = (F[:, space.groups == j] > 0.0).astype(np.intp)
        found.append((int(j), is_one @ np.arange(1, 1 + is_one.shape[1])))
    return found


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees that have been grown.

    Attributes
    ----------
    trees : tuple of sklearn.tree._tree.Tree
        T of them.
    first : ndarray of shape (T, 1)
        Where the nodes of each tree begin in `mean` and `variance`.
    mean, variance : ndarrays
        Of the scores in each node, one tree after the other.
    """

    tree_features: TreeFeatures
    trees: tuple[Any, ...]
    first: Indices
    mean: Array
    variance: Array

    @classmethod
    def of(cls, space: Space, U: Array, further: Array, y: Array, seed: int) -> Forest:
        """From snapped points (n, d), further coordinates (n, q) and scores (n,)."""
        from sklearn.tree import ExtraTreeRegressor  # imports half of scikit-learn

        rng = np.random.default_rng(seed)
        tree_features = TreeFeatures.of(space, U, y, rng)
        seeds = rng.integers(2**31, size=N_TREES).tolist()
        trees = tuple(
            ExtraTreeRegressor(max_features=SHARE, random_state=seed)
            .fit(X, y[:, None], check_input=False)
            .tree_
            for X, seed in zip(tree_features.features(U, further), seeds, strict=True)
        )
        ends = np.cumsum([tree.node_count for tree in trees])
        return cls(
            tree_features,
            trees,
            np.concatenate([[0], ends[:-1]])[:, None],
            np.concatenate([tree.value[:, 0, 0] for tree in trees]),
            np.concatenate([tree.impurity for tree in trees]),
        )

    def predict(self, U: Array, further: Array) -> tuple[Array, Array]:
        """Mean and variance (k,) of the mixture of the leaves."""
        X = self.tree_features.features(U, further)
        leaves = np.array(
            [tree.apply(rows) for tree, rows in zip(self.trees, X, strict=True)]
        )
        leaves += self.first
        m, v = self.mean[leaves], self.variance[leaves]
        # The variance of the means, taken about mu, cannot come out negative.
        return m.mean(axis=0), m.var(axis=0) + np.maximum(v, 0.0).mean(axis=0)


@dataclass(frozen=True, slots=True)
class ForestAcquisition:
    """The acquisition as a function of points (m, d) of a space; it has no slope.

    `target` are coordinates that points have beside the space's own where candidates
    are compared: that of the largest resource.
    """

    space: Space
    forest: Forest
    formula: AcquisitionFormula
    best: float
    target: tuple[float, ...] = ()

    def values(self, U: Array) -> Array:
        """(m,) for snapped points."""
        mu, variance = self.forest.predict(U, _repeated(self.target, len(U)))
        # All leaves may agree, and an acquisition divides by sigma.
        sigma = np.sqrt(SPREAD**2 * variance + FLOOR**2)
        return self.formula(mu, sigma, self.best)[0]


def random_forest(data: SurrogateInput) -> SurrogateOutput:
    """The acquisition by a random forest, and the points of highest mean ([4]_)."""
    space, pending = data.space, data.pending
    scored = [one for one in data.observations if one.score is not None]
    failures = [one for one in data.observations if one.score is None]
    scores = np.array([one.score for one in scored])
    y = warp(scores) if data.max_resources is None else blend(scores)
    y = np.concatenate([y, np.full(len(failures), y.min())])
    U = np.array([one.point for one in [*scored, *failures]])
    further = _shares([*scored, *failures], data.max_resources)
    target = () if data.max_resources is None else (1.0,)

    grown = Forest.of(space, U, further, y, data.seed)
    if len(pending):  # what is expected of them is taken for what they scored
        at_the_end = _repeated(target, len(pending))
        expected, _ = grown.predict(pending, at_the_end)
        y = np.concatenate([y, expected])
        U, further = np.concatenate([U, pending]), np.concatenate([further, at_the_end])
        grown = Forest.of(space, U, further, y, data.seed)

    mu, _ = grown.predict(U, _repeated(target, len(U)))
    best = float(mu.max())
    acquisition = ForestAcquisition(space, grown, data.formula, best, target)
    return acquisition, first_distinct(U[np.argsort(-mu, kind="stable")])


def _shares(
    observations: Sequence[EncodedObservation], max_resources: int | None
) -> Array:
    """How far each was trained, on [0, 1], (n, 1); (n, 0) where there are no rungs."""
    if max_resources is None:
        return np.empty((len(observations), 0))
    return resource_coordinates(observations, max_resources) / RESOURCE_SCALE


def _repeated(target: tuple[float, ...], n: int) -> Array:
    return np.tile(target, (n, 1)).reshape(n, -1)
