"""The tree-structured Parzen estimator as the surrogate: where good candidates lie.

Notation
--------
n, m      number of kernels of a density, of new points
d         number of coordinates
l, g      densities of the good and of the bad candidates
y*        score that divides them, gamma the part of all scores that is above it
X         (n, d) centres of the kernels, nan where a candidate lacks a coordinate
H         (n, d) bandwidths; for categories, how much of a kernel is spread over all
w         (n+1,) weights of the kernels, and of the prior at the end

Other surrogates say how scores are distributed given x; this one, how x is distributed
given the score: as l where y > y*, as g otherwise ([1]_, eq. 2, its sign turned). With
Bayes' rule, probability of improvement and expected improvement over y* are ::

    P(y > y* | x) = gamma l(x) / (gamma l(x) + (1 - gamma) g(x))                   (1)
    E[(y - y*)+ | x] = P(y > y* | x) E[y - y* | y > y*]                            (2)

(for (2) see [1]_, eq. 3 and below). What x has to do with it is l(x) / g(x) in both,
with which both grow: they rank candidates alike, and the acquisition is log l - log g.

A density is a mixture of one kernel for each candidate and of the prior, which is what
random search draws, and 1 everywhere in the unit cube::

    l(x) = sum_i w_i prod_j k_ij(x_j) + w_0                                        (3)

So coordinates are looked at together ([2]_, [3]_), and a category that went well with
high rates says nothing about low ones. k_ij is a normal of width H_ij about X_ij, cut
off at 0 and 1; its mean over the cell of a value where values are discrete; (1 - H_ij)
at the same category and H_ij over all of them. Where one of the two candidates lacks
the coordinate k_ij is 1: nothing is known of it but the prior.

The ratio is greatest where hardly anything has been seen of either. It chooses among
some that are drawn from l, and is not maximised over the space.

References
----------
.. [1] Bergstra, Bardenet, Bengio, Kegl. Algorithms for Hyper-Parameter Optimization.
       NIPS 2011.
.. [2] Falkner, Klein, Hutter. BOHB: Robust and Efficient Hyperparameter Optimization at
       Scale. ICML 2018.
.. [3] Watanabe. Tree-Structured Parzen Estimator: Understanding Its Algorithm
       Components and Their Roles for Better Empirical Performance. arXiv:2304.11127,
       2023.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from sktune.strategy._arrays import Array
from sktune.strategy._maximize import is_same
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._surrogate import SurrogateInput, SurrogateOutput, first_distinct

if TYPE_CHECKING:
    from sktune.space import Space

N_DRAWN = 100
CATEGORICAL_BANDWIDTH = 0.8  # from where it falls with the number of kernels
NARROWEST = 100  # a kernel is at least as wide as one of so many on [0, 1]
NARROW = 1e-5  # a cell over which a kernel does not change
SQRT_2PI = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class Density:
    """A mixture of kernels on a space, (3)."""

    space: Space
    X: Array
    H: Array
    w: Array

    @classmethod
    def of(cls, space: Space, X: Array) -> Density:
        """The density of candidates at snapped points (n, d)."""
        X = np.clip(X, 0.0, 1.0)  # other searches may have gone further
        H = np.ones(X.shape)
        for j in range(space.n_dims):
            has = ~np.isnan(X[:, j])
            if space.n_categories[j]:
                H[has, j] = categorical_bandwidth(int(has.sum()), space.n_dims)
            else:
                H[has, j] = bandwidths(X[has, j])
        return cls(space, X, H, np.full(len(X) + 1, 1.0 / (len(X) + 1)))

    def log_values(self, U: Array) -> Array:
        """Logarithm of the density at snapped points (m, d), (m,)."""
        low, high = self.space.cells(U)
        logs = np.tile(np.log(self.w), (len(U), 1))
        for j, n_categories in enumerate(self.space.n_categories):
            of = np.flatnonzero(~np.isnan(self.X[:, j]))
            at = np.flatnonzero(~np.isnan(U[:, j]))
            x, h = self.X[of, j], self.H[of, j]
            if n_categories:
                hit = np.abs(U[at, j, None] - x) < 0.5 / n_categories
                k = np.log(h + n_categories * (1.0 - h) * hit)
            else:
                k = log_normal(U[at, j], low[at, j], high[at, j], x, h)
            logs[np.ix_(at, of)] += k
        largest = logs.max(axis=1)
        return largest + np.log(np.exp(logs - largest[:, None]).sum(axis=1))

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Points that are distributed so, snapped (n, d)."""
        kernel = rng.choice(len(self.w), size=n, p=self.w)
        prior = np.full((1, self.space.n_dims), np.nan)
        X = np.concatenate([self.X, prior])[kernel]
        H = np.concatenate([self.H, prior])[kernel]
        U = rng.random(X.shape)
        lowest, highest = special.ndtr(-X / H), special.ndtr((1.0 - X) / H)
        near = X + H * special.ndtri(lowest + U * (highest - lowest))
        near = np.where(self.space.n_categories > 0, X, np.clip(near, 0.0, 1.0))
        spread = (self.space.n_categories > 0) & (rng.random(X.shape) < H)
        return self.space.snap(np.where(np.isnan(X) | spread, U, near))


@dataclass(frozen=True, slots=True)
class ParzenAcquisition:
    """The ratio of the densities of good and of bad candidates, by its logarithm."""

    space: Space
    good: Density
    bad: Density
    seed: int

    def values(self, U: Array) -> Array:
        """(m,) for snapped points."""
        return self.good.log_values(U) - self.bad.log_values(U)

    def samples(self) -> Array:
        """Draws from the density of the good, snapped (m, d)."""
        return self.good.draw(N_DRAWN, np.random.default_rng(self.seed))


def parzen_estimator(data: SurrogateInput) -> SurrogateOutput:
    """The ratio of two densities, and the best points seen.

    As many candidates are good as is the root of their number.
    """
    space, observations = data.space, data.observations
    scored = scores_of_one_rung(observations, data.max_resources, space.n_dims)
    # Once each, however many rungs; those of other searches have no number.
    failed = first_distinct(
        (one.point for one in observations if one.score is None), len(observations)
    )
    best_first = sorted(scored, key=lambda one: -(one.score or 0.0))
    n_good = max(1, min(math.ceil(math.sqrt(len(scored))), len(scored) - 1))
    points = [one.point for one in best_first]
    # A candidate that is on its way to the next rung is pending, and has a score here.
    pending = [
        u for u in data.pending if not any(is_same(u, point) for point in points)
    ]
    bad = [*points[n_good:], *failed, *pending]
    acquisition = ParzenAcquisition(
        space,
        Density.of(space, np.array(points[:n_good])),
        Density.of(space, np.array(bad).reshape(-1, space.n_dims)),
        data.seed,
    )
    return acquisition, first_distinct(points)


def scores_of_one_rung(
    observations: Sequence[EncodedObservation],
    max_resources: int | None,
    n_dims: int,
) -> list[EncodedObservation]:
    """The scores of one rung: the highest with enough of them, else the fullest.

    Enough are three more than there are coordinates, as in [2]_.
    """
    by_rung: dict[int, list[EncodedObservation]] = {}
    for one in observations:
        if one.score is not None:
            rung = one.n_resources or max_resources or 0
            by_rung.setdefault(rung, []).append(one)
    enough = n_dims + 3
    return by_rung[max(by_rung, key=lambda r: (min(len(by_rung[r]), enough), r))]


def bandwidths(x: Array) -> Array:
    """The distance of each of n numbers on [0, 1] to the farther neighbour, (n,).

    Those at either end have one neighbour, and a single number has the ends of [0, 1].
    None is narrower than one of n + 2 on [0, 1], nor than NARROWEST allows.
    """
    n = len(x)
    if n < 2:
        return np.maximum(x, 1.0 - x)
    order = np.argsort(x, kind="stable")
    gaps = np.diff(x[order])
    h = np.empty(n)
    h[order] = np.maximum(np.append(gaps, 0.0), np.append(0.0, gaps))
    return np.maximum(h, 1.0 / min(n + 2, NARROWEST))


def categorical_bandwidth(n: int, n_dims: int) -> float:
    """How much of the kernels of n categories is spread over all.

    It falls as slowly as bandwidths do in d dimensions by the usual rule of thumb.
    """
    return CATEGORICAL_BANDWIDTH * (n + 1.0) ** (-1.0 / (n_dims + 4))


def log_normal(u: Array, low: Array, high: Array, x: Array, h: Array) -> Array:
    """Log of the mean over the cells of points u, (m, n).

    Normals are about x with width h, and cut off at 0 and 1.
    """
    inside = special.ndtr((1.0 - x) / h) - special.ndtr(-x / h)
    narrow = high - low < NARROW
    logs = np.empty((len(u), len(x)))
    z = (u[narrow, None] - x) / h
    logs[narrow] = -0.5 * z**2 - np.log(SQRT_2PI * h * inside)
    low, high = low[~narrow, None], high[~narrow, None]
    mass = special.ndtr((high - x) / h) - special.ndtr((low - x) / h)
    tiny = np.finfo(float).tiny
    logs[~narrow] = np.log(np.maximum(mass, tiny) / (inside * (high - low)))
    return logs
