"""Gaussian process regression over params and resource: learning curves as one surface.

Notation
--------
n, c      number of points of learning curves, of candidates that they are of
F         (c, p) features of the candidates
which     (n,) the candidate of each point
u         (n,) how much is left to train, log(R / r) / log(R): 0 at the largest resource
          R, 1 at a resource of 1
y         (n,) warped scores, about zero mean and unit variance
C         (c, c) correlation of the candidates, (4) of `_gp_regression.py` with s = 1
E         (n, n) 1 where two points are of one candidate
m         (n, n) min(u, u')
theta     (d+6,) log lengthscales, and the logs of the variances of `Variances`

The score of a candidate is its final value and what it is still from that, as in [1]_
and [2]_. Both are partly a function of the params, which neighbours share, and partly
the candidate's own; what is still to come is partly the same for all::

    k = C (final + shared m) + E (own + drift m) + trend m + noise I               (1)

The deviation is a Brownian motion in the log of the resource, which runs backwards from
the end: it is 0 at R, and has no other scale. The last point of a curve tells of the
candidate's end what all of them do, so that they may be thinned.

At the end m is 0, so that a candidate is judged by C and E only. With P (c, n), the
sum over the points of each candidate, and k_e = final C + own E of candidates::

    mean = k_e (P K^-1 y),   variance = final + own - k_e (P K^-1 P') k_e'          (2)

and a prediction costs as much as if each candidate had one score.

References
----------
.. [1] K. Swersky, J. Snoek and R. P. Adams, "Freeze-thaw Bayesian optimization",
       arXiv:1406.3896, 2014.
.. [2] A. Klein, S. Falkner, J. T. Springenberg and F. Hutter, "Learning curve
       prediction with Bayesian neural networks", ICLR 2017.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack, solve_triangular

from sktune.strategy import _gp_regression as gp
from sktune.strategy._arrays import Array, Indices

JITTER = 1e-8


class Variances(NamedTuple):
    """The parts of the covariance (1), as shares of what all scores vary.

    Attributes
    ----------
    final, own : float
        Of final values: as a function of the params, and of one candidate.
    shared, drift, trend : float
        Of what is still to come from a resource of 1: as a function of the params, of
        one candidate, and the same for all.
    noise : float
        Of one point.
    """

    final: float
    shared: float
    own: float
    drift: float
    trend: float
    noise: float


# Independent normals on the logs, before the first score, and how far they may go.
LOC = Variances(1.0, 0.5, 0.03, 0.1, 0.5, 1e-3)
SCALE = Variances(0.7, 1.0, 1.0, 1.0, 1.0, 1.5)
LOWEST = Variances(0.05, 1e-3, 1e-4, 1e-4, 1e-3, 1e-5)
HIGHEST = Variances(20.0, 20.0, 2.0, 5.0, 20.0, 0.5)


def left_to_train(resources: Array, max_resources: int) -> Array:
    """The coordinate u of resources."""
    width = math.log(max_resources) or 1.0  # with one resource nothing is left
    return np.log(max_resources / np.asarray(resources, dtype=float)) / width


def moments(n_dims: int) -> tuple[Array, Array]:
    """Mean and standard deviation of theta, each (d+6,)."""
    loc, scale = gp.Prior().moments(n_dims)
    return np.append(loc[:n_dims], np.log(LOC)), np.append(scale[:n_dims], SCALE)


def bounds(n_dims: int) -> Array:
    """Lower and upper end of each entry of theta, (d+6, 2)."""
    lengthscales = gp.bounds(n_dims)[:n_dims]
    return np.vstack([lengthscales, np.log(np.column_stack([LOWEST, HIGHEST]))])


@dataclass(frozen=True, slots=True)
class Curves:
    """Points of learning curves.

    Attributes
    ----------
    F, which, u, y : ndarrays
        As in the notation.
    groups : ndarray of shape (p,)
        The coordinate of each feature.
    n_dims : int
    """

    F: Array
    groups: Indices
    n_dims: int
    which: Indices
    u: Array
    y: Array


@dataclass(frozen=True, slots=True)
class CurveLikelihood:
    """Log marginal likelihood of theta; pairs of points (rows[q], columns[q])."""

    curves: Curves
    D: Array  # (d, q) squared distances
    rows: Indices
    columns: Indices
    same: Array  # (q,) E
    left: Array  # (q,) m

    @classmethod
    def of(cls, curves: Curves) -> CurveLikelihood:
        which, u = curves.which, curves.u
        rows, columns = np.tril_indices(len(u), -1)
        squares = (curves.F[which[rows]] - curves.F[which[columns]]) ** 2
        member = curves.groups[:, None] == np.arange(curves.n_dims)
        D = np.ascontiguousarray((squares @ member).T)
        same = (which[rows] == which[columns]).astype(float)
        left = np.minimum(u[rows], u[columns])
        return cls(curves, D, rows, columns, same, left)

    def log_posterior(self, theta: Array) -> tuple[float, Array]:
        """Value and gradient of log likelihood plus log prior."""
        loc, scale = moments(self.curves.n_dims)
        value, gradient = self.log_likelihood(theta)
        z = (theta - loc) / scale
        return value - 0.5 * float(z @ z), gradient - z / scale

    def log_likelihood(self, theta: Array) -> tuple[float, Array]:
        """Value and gradient (d+6,), as in `MarginalLikelihood`."""
        d, u, y = self.curves.n_dims, self.curves.u, self.curves.y
        parts = Variances(*np.exp(theta[d:]))
        z = np.exp(-2.0 * theta[:d])[:, None] * self.D
        C, slope = gp.kernel(z, 1.0)
        weight = parts.final + parts.shared * self.left
        K = np.zeros((len(u), len(u)), order="F")
        K[self.rows, self.columns] = (
            C * weight
            + self.same * (parts.own + parts.drift * self.left)
            + parts.trend * self.left
        )
        np.fill_diagonal(K, _variance(parts, u) + parts.noise)
        L = gp.cholesky(K)
        alpha, _ = lapack.dpotrs(L, y, lower=1)
        inverse, _ = lapack.dpotri(L, lower=1)
        value = -0.5 * y @ alpha - np.log(np.diag(L)).sum()
        value -= 0.5 * len(y) * gp.LOG_2PI

        G = alpha[self.rows] * alpha[self.columns] - inverse[self.rows, self.columns]
        own = alpha**2 - np.diag(inverse)  # the diagonal of G
        CG, EG = C * G, self.same * G
        half, of_left = 0.5 * own.sum(), 0.5 * own @ u
        by_part = Variances(
            CG.sum() + half,
            CG @ self.left + of_left,
            EG.sum() + half,
            EG @ self.left + of_left,
            G @ self.left + of_left,
            half,
        )
        lengthscales = -2.0 * np.einsum("jq,jq,q->j", z, slope, G * weight)
        gradient = np.append(lengthscales, np.multiply(parts, by_part))
        return float(value), gradient

    def maximise(self, max_iter: int = 50) -> Array:
        """The best theta that L-BFGS-B finds from the mean of the prior."""
        start, _ = moments(self.curves.n_dims)
        box = bounds(self.curves.n_dims)
        return gp.maximum_of(self.log_posterior, [start], box, max_iter, tolerance=1e-6)


@dataclass(frozen=True, slots=True)
class CurvePosterior:
    """Final values, given points of learning curves: (2).

    Of a candidate that is not among these it is what its params say. How far it will be
    from that by itself (`own`) is not in the variance: that would count as something to
    be gained, and most so of neighbours of the best, about which nothing else is in
    doubt.
    """

    at_the_end: gp.Posterior  # of final values but for `own`, a score a candidate
    own: float

    @classmethod
    def of(cls, theta: Array, curves: Curves) -> CurvePosterior:
        d, which, u = curves.n_dims, curves.which, curves.u
        parts = Variances(*(float(v) for v in np.exp(theta[d:])))
        weights = np.exp(-theta[:d])[curves.groups]
        member = (curves.groups[:, None] == np.arange(d)).astype(float)
        Z = curves.F * weights
        C = gp.covariance(Z, Z, member, 1.0)
        left = np.minimum(u[:, None], u)
        same = which[:, None] == which
        K = C[which[:, None], which]
        K *= parts.final + parts.shared * left
        K += np.where(same, parts.own + parts.drift * left, 0.0)
        K += parts.trend * left
        K[np.diag_indices_from(K)] += parts.noise
        L = gp.cholesky(np.asfortranarray(K))
        P = (which[:, None] == np.arange(len(Z))).astype(float)
        half = solve_triangular(L, P, lower=True, check_finite=False)
        alpha, _ = lapack.dpotrs(L, curves.y, lower=1)
        # W'W = P K^-1 P', with as many rows as there are candidates.
        M = half.T @ half
        W = np.triu(gp.cholesky(np.asfortranarray(M)).T)
        end = gp.Posterior(
            Z, P.T @ alpha, W, weights, curves.groups, member, parts.final
        )
        return cls(end, parts.own)

    def predict(self, F: Array) -> tuple[Array, Array]:
        """Mean and variance of final values of new candidates (m, p); each (m,)."""
        return self.at_the_end.predict(F)

    def predict_with_slopes(self, f: Array) -> tuple[float, float, Array, Array]:
        """Of one new candidate (p,), and their gradients by its features."""
        return self.at_the_end.predict_with_slopes(f)

    def of_candidates(self, rows: Indices) -> tuple[Array, Array]:
        """Mean and variance of the final values of candidates that have points."""
        end = self.at_the_end
        k = gp.covariance(end.Z[rows], end.Z, end.member, end.signal)
        k[np.arange(len(rows)), rows] += self.own
        V = k @ end.W.T
        variance = end.signal + self.own - np.einsum("ij,ij->i", V, V)
        return k @ end.alpha, np.maximum(variance, JITTER * end.signal)


def _variance(parts: Variances, u: Array) -> Array:
    """Prior variance of points, but for noise."""
    growing = parts.shared + parts.drift + parts.trend
    return parts.final + parts.own + growing * u
