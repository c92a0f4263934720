"""Gaussian process regression with automatic relevance determination.

Notation
--------
n, m      number of observed points, of new points
p, d      number of features, of coordinates; coordinate j owns the features with
          ``groups == j`` and has one lengthscale for all of them
F         (n, p) features of the observed points
y         (n,)   warped scores, about zero mean and unit variance
D         (d, n(n-1)/2) squared distance of each pair, coordinate by coordinate
theta     (d+2,) log lengthscales l_j, log signal variance s^2, log noise variance t^2
B         (n, n) covariance of what is not asked for, such as a level that many scores
          share; 0 unless given
K         (n, n) = k(F, F) + B + t^2 I = L L'
alpha     (n,)   = K^-1 y

Half of the signal varies with all coordinates together: the Matern 5/2 ([1]_, eq. 4.17)
of the distance of [1]_, eq. 5.1. The other half is a sum of main effects ([3]_, eq. 7),
one function of each coordinate, of which few scores already tell much: the rational
quadratic of [1]_, eq. 4.19, with its alpha 1, which is quick to compute. With
z_j = D_j / l_j^2::

    r^2(x, x') = sum_j z_j,   a = sqrt(5) r
    m(x, x')   = (1 + a + a^2 / 3) exp(-a)                                         (1)
    dm / d r^2 = -5/6 (1 + a) exp(-a)                                              (2)
    c_j(x, x') = 1 / (1 + z_j / 2),   dc_j / d z_j = -c_j^2 / 2                    (3)
    k(x, x')   = s^2 ((1 - h) m + h / d sum_j c_j),   h = 1/2                      (4)

References
----------
.. [1] Rasmussen, Williams. Gaussian Processes for Machine Learning. MIT Press, 2006.
.. [2] Hvarfner, Hellsten, Nardi. Vanilla Bayesian Optimization Performs Great in High
       Dimensions. ICML 2024.
.. [3] Duvenaud, Nickisch, Rasmussen. Additive Gaussian Processes. NeurIPS 2011.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy.linalg import lapack

from sktune.strategy._arrays import Array, Indices

SQRT5 = math.sqrt(5.0)
LOG_2PI = math.log(2.0 * math.pi)
ADDITIVE = 0.5  # h, the part of the signal that is a sum of main effects


@dataclass(frozen=True, slots=True)
class Prior:
    """Independent normals on theta, before the first score.

    The mean of the log lengthscales grows with the dimension as in [2]_, so that the
    prior function is as smooth in 20 dimensions as it is in 2.
    """

    lengthscale_loc: float = -1.0  # plus log(d) / 2
    lengthscale_scale: float = 1.0
    signal_loc: float = 0.0
    signal_scale: float = 0.7
    noise_loc: float = math.log(0.01)
    noise_scale: float = 1.5

    def moments(self, n_dims: int) -> tuple[Array, Array]:
        """Mean and standard deviation of theta, each (d+2,)."""
        loc = np.empty(n_dims + 2)
        loc[:-2] = self.lengthscale_loc + 0.5 * math.log(max(n_dims, 1))
        loc[-2:] = self.signal_loc, self.noise_loc
        scale = np.empty(n_dims + 2)
        scale[:-2] = self.lengthscale_scale
        scale[-2:] = self.signal_scale, self.noise_scale
        return loc, scale


def bounds(n_dims: int) -> Array:
    """Lower and upper end of each entry of theta, (d+2, 2)."""
    lengthscales = np.tile(np.log([0.03, 100.0]), (n_dims, 1))
    return np.vstack([lengthscales, np.log([0.05, 20.0]), np.log([1e-5, 2.0])])


def matern(r2: Array) -> tuple[Array, Array]:
    """Correlation (1) and its derivative by the squared distance (2)."""
    a = np.sqrt(5.0 * r2)
    decay = np.exp(-a)
    slope = (1.0 + a) * decay
    return slope + (5.0 / 3.0) * r2 * decay, (-5.0 / 6.0) * slope


def kernel(z: Array, signal: float) -> tuple[Array, Array]:
    """Covariance (4) of pairs, and its derivative by each z_j, of scaled distances.

    z is (d, ...), one block for each coordinate; so is the derivative.
    """
    joint, slope = matern(z.sum(axis=0))
    additive = 1.0 / (1.0 + 0.5 * z)
    share = signal * ADDITIVE / max(len(z), 1)
    k = (signal * (1.0 - ADDITIVE)) * joint + share * additive.sum(axis=0)
    additive *= additive
    additive *= -0.5 * share
    return k, additive + (signal * (1.0 - ADDITIVE)) * slope


def cholesky(K: Array) -> Array:
    """Lower factor of K; K gets as much on its diagonal as it takes."""
    jitter = 0.0
    while True:
        L, info = lapack.dpotrf(K, lower=1, clean=1)
        if info == 0:
            return L
        extra = 1e-8 if jitter == 0.0 else 9.0 * jitter
        K = K + extra * np.eye(len(K))
        jitter += extra


@dataclass(frozen=True, slots=True)
class MarginalLikelihood:
    """Log marginal likelihood of theta, given the scores at some points.

    With the prior it is, up to a constant, the log posterior density of theta ([1]_,
    eq. 2.30).
    """

    y: Array
    D: Array
    rows: Indices  # pair q is (rows[q], columns[q]) with rows[q] > columns[q]
    columns: Indices
    loc: Array
    scale: Array
    B: Array | None = None

    @classmethod
    def of(
        cls,
        F: Array,
        groups: Indices,
        n_dims: int,
        y: Array,
        prior: Prior,
        B: Array | None = None,
    ) -> MarginalLikelihood:
        rows, columns = np.tril_indices(len(F), -1)
        squares = (F[rows] - F[columns]) ** 2
        member = groups[:, None] == np.arange(n_dims)
        D = np.ascontiguousarray((squares @ member).T)
        return cls(y, D, rows, columns, *prior.moments(n_dims), B)

    def log_likelihood(self, theta: Array) -> tuple[float, Array]:
        """Value and gradient (d+2,) of the log marginal likelihood.

        With G = alpha alpha' - K^-1 ([1]_, eq. 5.9), d/d theta_i is
        1/2 tr(G dK/d theta_i). Of symmetric matrices only the pairs are kept.
        """
        n = len(self.y)
        precision = np.exp(-2.0 * theta[:-2])
        signal, noise = np.exp(theta[-2:])
        z = precision[:, None] * self.D
        k, slope = kernel(z, signal)
        K = np.zeros((n, n), order="F")
        K[self.rows, self.columns] = k
        np.fill_diagonal(K, signal + noise)
        if self.B is not None:
            K += self.B
        L = cholesky(K)
        alpha, _ = lapack.dpotrs(L, self.y, lower=1)
        inverse, _ = lapack.dpotri(L, lower=1)
        value = -0.5 * self.y @ alpha - np.log(np.diag(L)).sum() - 0.5 * n * LOG_2PI

        G = alpha[self.rows] * alpha[self.columns] - inverse[self.rows, self.columns]
        trace = alpha @ alpha - np.trace(inverse)  # tr(G) = the diagonal's share
        gradient = np.empty_like(theta)
        gradient[:-2] = -2.0 * np.einsum("jq,jq,q->j", z, slope, G)
        gradient[-2] = G @ k + 0.5 * signal * trace
        gradient[-1] = 0.5 * noise * trace
        return float(value), gradient

    def log_posterior(self, theta: Array) -> tuple[float, Array]:
        """Value and gradient of log likelihood plus log prior."""
        value, gradient = self.log_likelihood(theta)
        z = (theta - self.loc) / self.scale
        return value - 0.5 * float(z @ z), gradient - z / self.scale

    def maximise(self, starts: list[Array], max_iter: int = 50) -> Array:
        """The best theta that L-BFGS-B finds from any of the starts."""
        box = bounds(len(self.loc) - 2)
        return maximum_of(self.log_posterior, starts, box, max_iter, tolerance=1e-7)


def maximum_of(
    log_posterior: Callable[[Array], tuple[float, Array]],
    starts: Sequence[Array],
    box: Array,
    max_iter: int,
    tolerance: float,
) -> Array:
    """The best theta within a box (p, 2) that L-BFGS-B finds from any of the starts.

    `log_posterior` gives the value and the gradient; a step that improves the value by
    less than the relative `tolerance` is the last.
    """

    def negative(theta: Array) -> tuple[float, Array]:
        value, gradient = log_posterior(theta)
        return -value, -gradient

    best, best_value = starts[0], math.inf
    for start in starts:
        found = optimize.minimize(
            negative,
            np.clip(start, box[:, 0], box[:, 1]),
            jac=True,
            method="L-BFGS-B",
            bounds=box,
            options={"maxiter": max_iter, "ftol": tolerance, "gtol": 1e-3},
        )
        if found.fun < best_value:
            best, best_value = found.x, found.fun
    return best


@dataclass(frozen=True, slots=True)
class Posterior:
    """The Gaussian process given the scores ([1]_, eqs. 2.25 and 2.26).

    What has covariance B is explained away: the mean and the variance are those of k.
    """

    Z: Array  # (n, p) features divided by their lengthscales
    alpha: Array  # (n,)
    W: Array  # (n, n) = L^-1
    weights: Array  # (p,) 1 / lengthscale of each feature
    groups: Indices  # (p,) the coordinate of each feature
    member: Array  # (p, d) 1 where a feature belongs to a coordinate
    signal: float

    @classmethod
    def of(
        cls,
        theta: Array,
        F: Array,
        groups: Indices,
        y: Array,
        B: Array | None = None,
    ) -> Posterior:
        weights = np.exp(-theta[:-2])[groups]
        signal, noise = (float(v) for v in np.exp(theta[-2:]))
        member = (groups[:, None] == np.arange(len(theta) - 2)).astype(float)
        Z = F * weights
        K = np.asfortranarray(covariance(Z, Z, member, signal))
        K[np.diag_indices_from(K)] = signal + noise
        if B is not None:
            K += B
        L = cholesky(K)
        alpha, _ = lapack.dpotrs(L, y, lower=1)
        W, _ = lapack.dtrtri(L, lower=1)
        return cls(Z, alpha, W, weights, groups, member, signal)

    def predict(self, F: Array) -> tuple[Array, Array]:
        """Mean and variance, without noise, at new points (m, p); each (m,)."""
        k = covariance(F * self.weights, self.Z, self.member, self.signal)
        V = k @ self.W.T
        variance = self.signal - np.einsum("ij,ij->i", V, V)
        return k @ self.alpha, np.maximum(variance, 1e-12 * self.signal)

    def predict_with_slopes(self, f: Array) -> tuple[float, float, Array, Array]:
        """Mean and variance at one point (p,), and their gradients by its features."""
        difference = f * self.weights - self.Z
        k, slope = kernel((difference**2 @ self.member).T, self.signal)
        dk = slope[self.groups].T * difference * (2.0 * self.weights)
        v = self.W @ k
        variance = max(self.signal - float(v @ v), 1e-12 * self.signal)
        return (
            float(k @ self.alpha),
            variance,
            self.alpha @ dk,
            -2.0 * (v @ self.W) @ dk,
        )


def covariance(A: Array, B: Array, member: Array, signal: float) -> Array:
    """Covariance (4) between the rows of A (m, p) and of B (n, p): (m, n).

    One coordinate at a time, since that of all would be (d, m, n).
    """
    r2 = np.zeros((len(A), len(B)))
    additive = np.zeros_like(r2)
    for column in member.T:
        block = np.flatnonzero(column)
        z = squared_distances(A[:, block], B[:, block])
        r2 += z
        z *= 0.5
        z += 1.0
        additive += np.divide(1.0, z, out=z)
    k, _ = matern(r2)
    k *= signal * (1.0 - ADDITIVE)
    additive *= signal * ADDITIVE / max(member.shape[1], 1)
    return k + additive


def squared_distances(A: Array, B: Array) -> Array:
    """(m, n) squared Euclidean distances between the rows of A and of B."""
    if A.shape[1] == 1:  # most coordinates, for which this is quicker and exact
        return (A - B[:, 0]) ** 2
    squares = np.einsum("ij,ij->i", A, A)[:, None] + np.einsum("ij,ij->i", B, B)
    return np.maximum(squares - 2.0 * (A @ B.T), 0.0)
