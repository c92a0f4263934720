"""The Gaussian process against plain dense formulas and scikit-learn's regressor."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from sktune.strategy import _gp_regression as gp

Array = NDArray[np.float64]

# Five features of three coordinates: one number, a category of three, one number.
GROUPS = np.array([0, 1, 1, 1, 2])


def data(n: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    F = np.empty((n, 5))
    F[:, [0, 4]] = rng.random((n, 2))
    F[:, 1:4] = np.eye(3)[rng.integers(3, size=n)] / np.sqrt(2)
    y = np.sin(5 * F[:, 0]) + F[:, 2] - 0.5 * F[:, 4] + 0.1 * rng.standard_normal(n)
    return F, y


def theta_of(seed: int) -> Array:
    return np.random.default_rng(seed).normal(-0.5, 0.5, size=5)


def dense_kernel(theta: Array, A: Array, B: Array) -> Array:
    """Equation by equation, one pair at a time."""
    K = np.empty((len(A), len(B)))
    for i, a in enumerate(A):
        for j, b in enumerate(B):
            scaled = (a - b) / np.exp(theta[:-2])[GROUPS]
            r = np.sqrt(np.sum(scaled**2))
            joint = (1 + np.sqrt(5) * r + 5 * r**2 / 3) * np.exp(-np.sqrt(5) * r)
            additive = [
                1 / (1 + np.sum(scaled[g == GROUPS] ** 2) / 2) for g in range(3)
            ]
            K[i, j] = np.exp(theta[-2]) * (
                (1 - gp.ADDITIVE) * joint + gp.ADDITIVE * np.mean(additive)
            )
    return K


def marginal_likelihood(F: Array, y: Array) -> gp.MarginalLikelihood:
    return gp.MarginalLikelihood.of(F, GROUPS, 3, y, gp.Prior())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [1, 2, 17])
def test_likelihood_is_the_density_of_a_normal(n: int, seed: int) -> None:
    F, y = data(n, seed)
    theta = theta_of(seed)
    K = dense_kernel(theta, F, F) + np.exp(theta[-1]) * np.eye(n)
    _, log_det = np.linalg.slogdet(2 * np.pi * K)
    expected = -0.5 * (y @ np.linalg.solve(K, y) + log_det)
    assert marginal_likelihood(F, y).log_likelihood(theta)[0] == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("function", ["log_likelihood", "log_posterior"])
def test_gradient_by_theta(function: str, seed: int) -> None:
    F, y = data(15, seed)
    theta = theta_of(seed)
    target = getattr(marginal_likelihood(F, y), function)
    gradient = target(theta)[1]
    for i in range(len(theta)):
        step = np.zeros(len(theta))
        step[i] = 1e-5
        difference = (target(theta + step)[0] - target(theta - step)[0]) / 2e-5
        assert gradient[i] == pytest.approx(difference, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_posterior_is_the_conditional_normal(seed: int) -> None:
    F, y = data(20, seed)
    F_new, _ = data(7, seed + 50)
    theta = theta_of(seed)
    K = dense_kernel(theta, F, F) + np.exp(theta[-1]) * np.eye(len(F))
    k = dense_kernel(theta, F_new, F)
    mean = k @ np.linalg.solve(K, y)
    covariance = dense_kernel(theta, F_new, F_new) - k @ np.linalg.solve(K, k.T)
    mu, variance = gp.Posterior.of(theta, F, GROUPS, y).predict(F_new)
    np.testing.assert_allclose(mu, mean, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(variance, np.diag(covariance), rtol=1e-7, atol=1e-10)


def test_posterior_and_likelihood_are_those_of_scikit_learn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without main effects, which scikit-learn's kernels have not."""
    monkeypatch.setattr(gp, "ADDITIVE", 0.0)
    F, y = data(25)
    F_new, _ = data(9, 50)
    theta = theta_of(1)
    kernel = ConstantKernel(np.exp(theta[-2])) * Matern(
        np.exp(theta[:-2])[GROUPS], nu=2.5
    ) + WhiteKernel(np.exp(theta[-1]))
    model = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(F, y)
    mean, deviation = model.predict(F_new, return_std=True)
    mu, variance = gp.Posterior.of(theta, F, GROUPS, y).predict(F_new)
    np.testing.assert_allclose(mu, mean, rtol=1e-7)
    with_noise = variance + np.exp(theta[-1])
    np.testing.assert_allclose(np.sqrt(with_noise), deviation, rtol=1e-7)
    assert marginal_likelihood(F, y).log_likelihood(theta)[0] == pytest.approx(
        model.log_marginal_likelihood_value_
    )


@pytest.mark.parametrize("seed", range(3))
def test_slopes_of_the_posterior(seed: int) -> None:
    F, y = data(20, seed)
    posterior = gp.Posterior.of(theta_of(seed), F, GROUPS, y)
    f = np.random.default_rng(seed).random(5)
    mu, variance, dmu, dvariance = posterior.predict_with_slopes(f)
    together = posterior.predict(f[None])
    assert mu == pytest.approx(together[0][0])
    assert variance == pytest.approx(together[1][0])
    for i in range(5):
        step = np.zeros(5)
        step[i] = 1e-5
        high, low = posterior.predict(f + step[None]), posterior.predict(f - step[None])
        assert dmu[i] == pytest.approx((high[0] - low[0])[0] / 2e-5, rel=1e-5, abs=1e-7)
        assert dvariance[i] == pytest.approx(
            (high[1] - low[1])[0] / 2e-5, rel=1e-4, abs=1e-6
        )


def test_the_coordinate_that_matters_gets_the_shortest_lengthscale() -> None:
    rng = np.random.default_rng(0)
    F = rng.random((60, 4))
    y = np.sin(8 * F[:, 2]) / np.std(np.sin(8 * F[:, 2]))
    found = gp.MarginalLikelihood.of(F, np.arange(4), 4, y, gp.Prior())
    theta = found.maximise([found.loc])
    assert np.argmin(theta[:4]) == 2
    assert theta[2] < np.delete(theta[:4], 2).min() - 1.0


def test_main_effects_are_told_from_few_scores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sum of functions of one coordinate each, in four dimensions, from 40 scores."""

    def error(seed: int) -> float:
        rng = np.random.default_rng(seed)
        F, F_new = rng.random((40, 4)), rng.random((200, 4))
        y, y_new = (np.sin(6.0 * X + np.arange(4)).sum(axis=1) for X in (F, F_new))
        mean, std = y.mean(), y.std()
        found = gp.MarginalLikelihood.of(
            F, np.arange(4), 4, (y - mean) / std, gp.Prior()
        )
        theta = found.maximise([found.loc])
        posterior = gp.Posterior.of(theta, F, np.arange(4), found.y)
        misses = posterior.predict(F_new)[0] - (y_new - mean) / std
        return float(np.sqrt(np.mean(misses**2)))

    with_them = np.array([error(seed) for seed in range(5)])
    monkeypatch.setattr(gp, "ADDITIVE", 0.0)
    without = np.array([error(seed) for seed in range(5)])
    assert (with_them < without).all()
    assert with_them.mean() < 0.9 * without.mean()


def test_points_that_coincide() -> None:
    """Twenty times the same point: the factorisation still succeeds."""
    F = np.full((20, 3), 0.3)
    theta = np.array([0.0, 0.0, 0.0, 0.0, np.log(1e-20)])
    posterior = gp.Posterior.of(theta, F, np.arange(3), np.ones(20))
    mu, variance = posterior.predict(F[:1])
    assert mu == pytest.approx(1.0, abs=1e-3)
    assert 0 < variance[0] < 1e-3
