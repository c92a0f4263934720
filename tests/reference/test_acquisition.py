"""Acquisitions against 60-digit arithmetic, quadrature and finite differences."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import integrate, stats

from sktune.strategy._acquisition import (
    ACQUISITIONS,
    knowing_noise,
    log_augmented_ei,
    log_ei,
    log_h,
    log_pi,
    ucb,
)

Z = [
    *np.linspace(-9.0, 9.0, 37),
    *(-1.0 + np.array([-1e-9, 0.0, 1e-9])),
    *(-100.0 + np.array([-1e-6, 0.0, 1e-6])),
    -20.0, -38.0, -50.0, -99.0, -101.0, -1e3, -1e5, -1e8, -1e12, 38.0, 50.0, 1e3, 1e8,
]  # fmt: skip


def exact_log_h(z: float) -> tuple[float, float]:
    with mpmath.workdps(60):
        x = mpmath.mpf(z)
        phi = mpmath.npdf(x)
        cdf = mpmath.erfc(-x / mpmath.sqrt(2)) / 2
        if z < -1e4:  # six terms: the remainder is below 1e-44
            t = 1 / x**2
            series = t * (1 - t * (3 - t * (15 - t * (105 - 945 * t))))
            log_phi = -(x**2) / 2 - mpmath.log(2 * mpmath.pi) / 2
            mills = -(1 / x) * (1 - t * (1 - t * (3 - t * (15 - 105 * t))))
            return float(log_phi + mpmath.log(series)), float(mills / series)
        h = phi + x * cdf
        return float(mpmath.log(h)), float(cdf / h)


@pytest.mark.parametrize("z", Z)
def test_log_h_and_its_slope(z: float) -> None:
    value, slope = log_h(np.array(z))
    expected_value, expected_slope = exact_log_h(z)
    assert value == pytest.approx(expected_value, rel=1e-10, abs=1e-10)
    assert slope == pytest.approx(expected_slope, rel=1e-8)


def test_log_h_rises_everywhere() -> None:
    z = np.concatenate([-np.logspace(9, -3, 4000), np.linspace(0, 50, 500)])
    value, slope = log_h(z)
    assert (np.diff(value) > 0).all()
    assert (slope > 0).all()


@pytest.mark.parametrize("mu", [-3.0, -0.4, 0.0, 2.0])
@pytest.mark.parametrize("sigma", [0.05, 1.0, 7.0])
def test_log_ei_is_the_log_of_the_expected_improvement(mu: float, sigma: float) -> None:
    best = -0.2
    posterior = stats.norm(mu, sigma)
    low = max(best, mu - 40 * sigma)
    integral, _ = integrate.quad(
        lambda x: (x - best) * posterior.pdf(x),
        low,
        max(best, mu) + 12 * sigma,
        points=[max(mu, low)],
        epsabs=0.0,
        limit=200,
    )
    value = log_ei(np.array(mu), np.array(sigma), best)[0]
    if integral > 1e-250:
        assert value == pytest.approx(np.log(integral), rel=1e-7)
    else:
        assert np.isfinite(value)


@pytest.mark.parametrize("z", [-1e6, -50.0, -10.0, -1.0, 0.0, 3.0, 8.0])
def test_log_pi_is_the_log_of_the_probability(z: float) -> None:
    with mpmath.workdps(50):
        x = mpmath.mpf(z)
        probability = mpmath.erfc(-x / mpmath.sqrt(2)) / 2
        expected = float(mpmath.log(probability))
    sigma, best = 0.3, 1.5
    value = log_pi(np.array(best + z * sigma), np.array(sigma), best)[0]
    assert value == pytest.approx(expected, rel=1e-9)


def test_ucb() -> None:
    value = ucb(np.array([1.0]), np.array([2.0]), best=9.0)[0]
    assert value == pytest.approx(1.0 + 1.8 * 2.0)


@pytest.mark.parametrize("sigma", [1e-6, 0.02, 0.3, 40.0])
@pytest.mark.parametrize("noise", [1e-5, 0.09, 2.0])
def test_augmented_ei_is_expected_improvement_less_what_noise_hides(
    sigma: float, noise: float
) -> None:
    mu, best = np.array(0.1), 0.5
    with mpmath.workdps(50):
        tau2 = mpmath.mpf(noise)
        hidden = mpmath.sqrt(tau2 / (mpmath.mpf(sigma) ** 2 + tau2))
        expected = float(mpmath.log(1 - hidden))
    plain = float(log_ei(mu, np.array(sigma), best)[0])
    value = float(log_augmented_ei(mu, np.array(sigma), best, noise=noise)[0])
    assert value == pytest.approx(plain + expected, rel=1e-12)


def test_without_noise_it_is_expected_improvement() -> None:
    mu, sigma = np.array([-1.0, 2.0]), np.array([0.3, 0.1])
    for one, other in zip(
        log_augmented_ei(mu, sigma, 0.4, noise=0.0),
        log_ei(mu, sigma, 0.4),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("noise", [0.0, 0.04])
@pytest.mark.parametrize("name", list(ACQUISITIONS))
@pytest.mark.parametrize("mu", [-40.0, -3.0, -0.9, 0.1, 2.0])
@pytest.mark.parametrize("sigma", [0.2, 1.0, 3.0])
def test_slopes_are_finite_differences(
    name: str, mu: float, sigma: float, noise: float
) -> None:
    acquisition, best = knowing_noise(ACQUISITIONS[name], noise), 0.5

    def value(mu: float, sigma: float) -> float:
        return float(acquisition(np.array([mu]), np.array([sigma]), best)[0][0])

    _, by_mu, by_sigma = acquisition(np.array([mu]), np.array([sigma]), best)
    step = 1e-5
    difference = (value(mu + step, sigma) - value(mu - step, sigma)) / (2 * step)
    assert by_mu[0] == pytest.approx(difference, rel=1e-5, abs=1e-8)
    difference = (value(mu, sigma + step) - value(mu, sigma - step)) / (2 * step)
    assert by_sigma[0] == pytest.approx(difference, rel=1e-4, abs=1e-6)
