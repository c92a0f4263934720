"""A Gaussian process on categories and pairs of categories, for Thompson sampling.

Notation
--------
n, m      number of observed points, of new points
d         number of coordinates, all of them categories
X         (n, d) the category of each coordinate, as an index; -1 where there is none
y         (n,)   normal scores: quantiles of a standard normal, by rank
M         (n, m) in how many coordinates two points agree
a         part of the signal that belongs to pairs
t^2       variance of the noise

The score is a sum of effects, one for each category and one for each pair of categories
of two coordinates, all of them independent normals::

    f(x) = sqrt((1 - a) / d) sum_j v_j[x_j]
           + sqrt(2 a / (d (d - 1))) sum_{j<k} w_jk[x_j, x_k]                      (1)
    k(x, x') = (1 - a) M / d + a M (M - 1) / (d (d - 1))                           (2)

(2) is the covariance of (1), an additive process of second order ([1]_) that any two
categories are equally far apart in. a and t^2 are those of a few that are likeliest
([2]_, eq. 2.30).

Where all is made of categories there is no slope to be climbed, and many candidates at
the top differ by less than the noise. So the next candidate is the best one of a
function that is drawn from the posterior ([3]_): one drawn from (1) and carried over to
the scores, f(x) + k(x, X) (k(X, X) + t^2 I)^-1 (y - f(X) - e), e being noise ([4]_).

References
----------
.. [1] Duvenaud, Nickisch, Rasmussen. Additive Gaussian Processes. NeurIPS 2011.
.. [2] Rasmussen, Williams. Gaussian Processes for Machine Learning. MIT Press, 2006.
.. [3] Thompson. On the Likelihood that One Unknown Probability Exceeds Another in View
       of the Evidence of Two Samples. Biometrika 25, 1933.
.. [4] Wilson, Borovitskiy, Terenin, Mostowsky, Deisenroth. Efficiently Sampling
       Functions from Gaussian Process Posteriors. ICML 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_solve

from sktune.strategy._arrays import Array, Indices
from sktune.strategy._gp_regression import cholesky
from sktune.strategy._parzen import scores_of_one_rung
from sktune.strategy._surrogate import SurrogateInput, SurrogateOutput, first_distinct
from sktune.strategy._warp import normal_scores

if TYPE_CHECKING:
    from sktune.space import Space

SHARES = (0.2, 0.4, 0.6)  # of pairs
NOISES = (0.03, 0.1, 0.3)  # variances, beside a signal of 1


@dataclass(frozen=True, slots=True)
class Effects:
    """A function drawn from the prior, (1).

    Attributes
    ----------
    single : ndarray of shape (d, c)
        With the last column 0, for coordinates that a point has not.
    pairs : ndarray of shape (d, d, c, c)
        As `single`; 0 but for j < k.
    """

    single: Array
    pairs: Array

    @classmethod
    def drawn(
        cls, n_categories: Indices, share: float, rng: np.random.Generator
    ) -> Effects:
        d, c = len(n_categories), int(n_categories.max()) + 1
        single = np.sqrt((1.0 - share) / d) * rng.standard_normal((d, c))
        pairs = rng.standard_normal((d, d, c, c))
        pairs *= np.sqrt(2.0 * share / max(d * (d - 1), 1))
        pairs *= np.triu(np.ones((d, d)), 1)[:, :, None, None]
        single[:, -1] = pairs[:, :, -1] = pairs[:, :, :, -1] = 0.0
        return cls(single, pairs)

    def values(self, X: Indices) -> Array:
        """(m,) at the categories X (m, d)."""
        d = X.shape[1]
        found: Array = self.single[np.arange(d), X].sum(axis=1)
        for j in range(d):
            for k in range(j + 1, d):
                found += self.pairs[j, k, X[:, j], X[:, k]]
        return found


@dataclass(frozen=True, slots=True)
class SampledFunction:
    """A function drawn from the posterior, to be maximised."""

    space: Space
    prior: Effects
    X: Indices
    alpha: Array
    share: float

    def values(self, U: Array) -> Array:
        """(m,) for snapped points."""
        X = categories(self.space, U)
        return self.prior.values(X) + covariance(X, self.X, self.share) @ self.alpha


def pairs_of_categories(data: SurrogateInput) -> SurrogateOutput:
    """A draw from the posterior, and the best points seen.

    Failures count with the worst score. Pending candidates are not looked at: another
    draw leads elsewhere.
    """
    space = data.space
    scored = scores_of_one_rung(data.observations, data.max_resources, space.n_dims)
    failed = [one for one in data.observations if one.failed]
    y = normal_scores(np.array([one.score for one in scored], dtype=float))
    order = np.argsort(-y, kind="stable")
    points = [one.point for one in scored]
    X = categories(space, np.array(points + [one.point for one in failed]))
    y = np.append(y, np.full(len(failed), y.min()))
    share, noise = likeliest(X, y)
    rng = np.random.default_rng(data.seed)
    prior = Effects.drawn(space.n_categories, share, rng)
    lacking = y - prior.values(X) - np.sqrt(noise) * rng.standard_normal(len(y))
    L = cholesky(covariance(X, X, share) + noise * np.eye(len(y)))
    alpha = cho_solve((L, True), lacking)
    acquisition = SampledFunction(space, prior, X, alpha, share)
    return acquisition, first_distinct(points[i] for i in order)


def likeliest(X: Indices, y: Array) -> tuple[float, float]:
    """The share of pairs and the variance of the noise."""

    def log_likelihood(hyperparameters: tuple[float, float]) -> float:
        share, noise = hyperparameters
        L = cholesky(covariance(X, X, share) + noise * np.eye(len(y)))
        return float(-0.5 * y @ cho_solve((L, True), y) - np.log(np.diag(L)).sum())

    return max(product(SHARES, NOISES), key=log_likelihood)


def covariance(X: Indices, other: Indices, share: float) -> Array:
    """(2) between points (n, d) and others (m, d), (n, m)."""
    d = X.shape[1]
    M = np.zeros((len(X), len(other)))
    for one, another in zip(X.T, other.T, strict=True):
        M += (one[:, None] == another) & (one >= 0)[:, None]
    return (1.0 - share) / d * M + share / max(d * (d - 1), 1) * M * (M - 1.0)


def categories(space: Space, U: Array) -> Indices:
    """The categories of snapped points (m, d), -1 where they have none."""
    found = np.floor(np.where(np.isnan(U), -1.0, U * space.n_categories))
    return np.clip(found, -1, space.n_categories - 1).astype(np.intp)


def check_categories(space: Space) -> None:
    """Refuse a space that has anything but categories."""
    ordered = [
        name for name, n in zip(space.names, space.n_categories, strict=True) if n == 0
    ]
    if ordered:
        raise ValueError(
            f"surrogate='pairs' is for spaces of categories, and {ordered[0]!r} has an "
            "order. Give its values as text, or choose surrogate='gp'."
        )
