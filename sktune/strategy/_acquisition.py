"""Acquisition functions: how much a candidate is worth trying.

Notation: the posterior at a point is normal with mean mu and standard deviation sigma;
`best` is the score to beat, z = (mu - best) / sigma, and phi, Phi are density and
distribution function of the standard normal. Greater is better.

Every formula returns its value and the derivatives by mu and by sigma; arguments may be
arrays. All of them stay finite and ordered where z is very negative, where expected
improvement itself is 0 in floating point and has no slope to climb ([1]_).

A surrogate makes an `AcquisitionFunction` of a formula and of its posterior: a function
of points of the space, which is what is maximised.

References
----------
.. [1] Ament, Daulton, Eriksson, Balandat, Bakshy. Unexpected Improvements to Expected
       Improvement for Bayesian Optimization. NeurIPS 2023.
.. [2] Srinivas, Krause, Kakade, Seeger. Gaussian Process Optimization in the Bandit
       Setting. ICML 2010.
.. [3] Huang, Allen, Notz, Zeng. Global Optimization of Stochastic Black-Box Systems via
       Sequential Kriging Meta-Models. Journal of Global Optimization 34, 2006.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from scipy import special

from sktune.strategy._arrays import Array

if TYPE_CHECKING:
    from sktune.space import Space

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
SQRT_HALF_PI = math.sqrt(0.5 * math.pi)
UCB_WIDTH = 1.8  # standard deviations; the sqrt(beta) of [2]_, held constant

# -- formulas: of mu, sigma and best -------------------------------------------------

AcquisitionFormula = Callable[[Array, Array, float], tuple[Array, Array, Array]]


def mills_ratio(z: Array) -> Array:
    """Phi(z) / phi(z), for z <= 0 without cancellation or underflow."""
    return SQRT_HALF_PI * special.erfcx(-z / math.sqrt(2.0))


def log_h(z: Array) -> tuple[Array, Array]:
    """Log h(z) with h(z) = phi(z) + z Phi(z), and d log h / dz = Phi(z) / h(z).

    Three ranges ([1]_, eq. 9): above -1 the plain formula is exact; below it phi is
    taken out, h = phi (1 + z Phi / phi); below -100 the bracket, which cancels like
    1 / z^2, is its asymptotic series. Relative error of h: below 1e-10 everywhere.
    """
    z = np.asarray(z, dtype=float)
    low = np.minimum(z, -1.0)
    mills = mills_ratio(low)
    with np.errstate(over="ignore"):  # 1 / inf = 0 is meant
        t = 1.0 / np.square(np.minimum(low, -100.0))
    series = t * (1.0 - t * (3.0 - t * (15.0 - 105.0 * t)))
    bracket = np.where(low < -100.0, series, 1.0 + low * mills)

    high = np.maximum(z, -1.0)
    phi = np.exp(-0.5 * np.square(np.minimum(high, 40.0)) - HALF_LOG_2PI)
    cdf = special.ndtr(high)
    h = phi + high * cdf
    value = np.where(
        z < -1.0, -0.5 * low**2 - HALF_LOG_2PI + np.log(bracket), np.log(h)
    )
    return value, np.where(z < -1.0, mills / bracket, cdf / h)


def log_ei(mu: Array, sigma: Array, best: float) -> tuple[Array, Array, Array]:
    """Log expected improvement, log sigma + log h(z) ([1]_, eq. 8)."""
    z = (mu - best) / sigma
    value, slope = log_h(z)
    return np.log(sigma) + value, slope / sigma, (1.0 - z * slope) / sigma


def log_augmented_ei(
    mu: Array, sigma: Array, best: float, *, noise: float
) -> tuple[Array, Array, Array]:
    """Log augmented expected improvement ([3]_): less where noise would hide it.

    With tau^2 the variance of the noise and s^2 = sigma^2 + tau^2 that of the next
    score, expected improvement is multiplied by 1 - tau / s. Where much was tried, what
    is in doubt about the mean is small beside the noise, and expected improvement alone
    would still have the same candidate again and again.
    """
    value, by_mu, by_sigma = log_ei(mu, sigma, best)
    tau = math.sqrt(noise)
    s = np.hypot(sigma, tau)
    # 1 - tau / s = sigma^2 / (s (s + tau)), in which nothing cancels.
    value = value + 2.0 * np.log(sigma) - np.log(s) - np.log(s + tau)
    by_sigma = by_sigma + 2.0 / sigma - sigma / s**2 - sigma / (s * (s + tau))
    return value, by_mu, by_sigma


def log_pi(mu: Array, sigma: Array, best: float) -> tuple[Array, Array, Array]:
    """Log probability of improvement, log Phi(z)."""
    z = (mu - best) / sigma
    slope = np.exp(-0.5 * z**2 - HALF_LOG_2PI - special.log_ndtr(z))
    tail = 1.0 / mills_ratio(np.minimum(z, -1.0))
    slope = np.where(z < -1.0, tail, slope)
    return special.log_ndtr(z), slope / sigma, -z * slope / sigma


def ucb(mu: Array, sigma: Array, best: float) -> tuple[Array, Array, Array]:
    """Upper confidence bound, mu + 1.8 sigma ([2]_, eq. 6); `best` plays no part."""
    width = np.full_like(sigma, UCB_WIDTH)
    return mu + width * sigma, np.ones_like(mu), width


def posterior_mean(mu: Array, sigma: Array, best: float) -> tuple[Array, Array, Array]:
    """The mean, where there is nothing yet to be improved on."""
    return mu, np.ones_like(mu), np.zeros_like(sigma)


ACQUISITIONS: dict[str, AcquisitionFormula] = {
    "log_ei": log_ei,
    "pi": log_pi,
    "ucb": ucb,
}


def knowing_noise(formula: AcquisitionFormula, noise: float) -> AcquisitionFormula:
    """The formula that is meant where the variance of the noise is known."""
    return partial(log_augmented_ei, noise=noise) if formula is log_ei else formula


# -- acquisition functions: of points of a space -------------------------------------


class AcquisitionFunction(Protocol):
    """What candidates are compared by: greater is better."""

    @property
    def space(self) -> Space:
        """Where the candidates are."""
        ...

    def values(self, U: Array) -> Array:
        """(m,) of snapped points (m, d)."""
        ...


@runtime_checkable
class DifferentiableAcquisition(AcquisitionFunction, Protocol):
    """One that can be climbed."""

    def value_and_slope(self, u: Array) -> tuple[float, Array]:
        """At one snapped point (d,); the slope is 0 where a coordinate is discrete."""
        ...


@runtime_checkable
class SampledAcquisition(AcquisitionFunction, Protocol):
    """One that is not to be maximised: it chooses among samples of its own."""

    def samples(self) -> Array:
        """Snapped points (m, d)."""
        ...
