"""The process over learning curves against plain dense formulas."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import check_grad

from sktune.strategy import _curve_regression as curves
from sktune.strategy import _gp_regression as gp
from sktune.strategy._curve_regression import (
    CurveLikelihood,
    CurvePosterior,
    Curves,
    Variances,
    left_to_train,
)

Array = NDArray[np.float64]
# Five features of three coordinates: one number, a category of three, one number.
GROUPS = np.array([0, 1, 1, 1, 2])
LEVELS = np.array([1, 3, 9, 27])


def features(n: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    F = np.empty((n, 5))
    F[:, [0, 4]] = rng.random((n, 2))
    F[:, 1:4] = np.eye(3)[rng.integers(3, size=n)] / np.sqrt(2)
    return F


def data(n: int = 9, seed: int = 0) -> Curves:
    """Each candidate up to a level of its own."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 5, size=n)
    which = np.repeat(np.arange(n), lengths)
    levels = np.concatenate([LEVELS[:length] for length in lengths])
    y = rng.standard_normal(len(which))
    F = features(n, seed)
    return Curves(F, GROUPS, 3, which, left_to_train(levels, 27), y)


def theta_of(seed: int) -> Array:
    loc, _ = curves.moments(3)
    return loc + np.random.default_rng(seed).normal(0.0, 0.4, size=len(loc))


def dense(theta: Array, A: Array, B: Array, same: Array, u: Array, v: Array) -> Array:
    """Equation (1) without noise, one pair at a time."""
    p = Variances(*np.exp(theta[3:]))
    K = np.empty((len(A), len(B)))
    for i, a in enumerate(A):
        for j, b in enumerate(B):
            z = ((a - b) / np.exp(theta[:3])[GROUPS]) ** 2
            z = np.array([z[k == GROUPS].sum() for k in range(3)])
            C = gp.kernel(z[:, None], 1.0)[0][0]
            m = min(u[i], v[j])
            K[i, j] = C * (p.final + p.shared * m) + p.trend * m
            if same[i, j]:
                K[i, j] += p.own + p.drift * m
    return K


def dense_of(theta: Array, c: Curves) -> Array:
    F, same = c.F[c.which], c.which[:, None] == c.which
    noise = np.exp(theta[-1])
    return dense(theta, F, F, same, c.u, c.u) + noise * np.eye(len(c.u))


def test_what_is_left_to_train():
    np.testing.assert_allclose(left_to_train(LEVELS, 27), [1, 2 / 3, 1 / 3, 0])
    assert left_to_train(np.array([1]), 1) == [0.0]


@pytest.mark.parametrize("seed", range(3))
def test_likelihood_and_its_gradient(seed):
    c, theta = data(seed=seed), theta_of(seed)
    likelihood = CurveLikelihood.of(c)
    K = dense_of(theta, c)
    wanted = -0.5 * c.y @ np.linalg.solve(K, c.y)
    wanted -= 0.5 * (np.linalg.slogdet(K)[1] + len(c.y) * np.log(2 * np.pi))
    assert likelihood.log_likelihood(theta)[0] == pytest.approx(wanted)
    value, slope = (lambda t, i=i: likelihood.log_posterior(t)[i] for i in (0, 1))
    assert check_grad(value, slope, theta, epsilon=1e-7) < 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_what_new_candidates_will_score(seed):
    c, theta, F = data(seed=seed), theta_of(seed), features(4, 100 + seed)
    end, nobody = np.zeros(4), np.zeros((4, len(c.u)), dtype=bool)
    k = dense(theta, F, c.F[c.which], nobody, end, c.u)
    # Without the luck of each, which is nothing that can be looked for.
    check(theta, c, k, CurvePosterior.of(theta, c).predict(F), own=0.0)


@pytest.mark.parametrize("seed", range(3))
def test_what_candidates_with_a_curve_will_score(seed):
    c, theta, rows = data(seed=seed), theta_of(seed), np.array([5, 0, 8])
    same = rows[:, None] == c.which
    k = dense(theta, c.F[rows], c.F[c.which], same, np.zeros(3), c.u)
    check(theta, c, k, CurvePosterior.of(theta, c).of_candidates(rows))


def check(theta, c, k, found, own=None):
    K, p = dense_of(theta, c), Variances(*np.exp(theta[3:]))
    own = p.own if own is None else own
    mean, variance = found
    np.testing.assert_allclose(mean, k @ np.linalg.solve(K, c.y), atol=1e-8)
    gone = np.einsum("ij,ji->i", k, np.linalg.solve(K, k.T))
    np.testing.assert_allclose(variance, p.final + own - gone, atol=1e-8)


def test_slopes_are_those_of_the_predictions():
    posterior = CurvePosterior.of(theta_of(0), data())
    f = features(1, 7)[0]
    mean, variance, by_mean, by_variance = posterior.predict_with_slopes(f)
    np.testing.assert_allclose(posterior.predict(f[None])[0], mean)
    np.testing.assert_allclose(posterior.predict(f[None])[1], variance)
    for i, slope in ((0, by_mean), (1, by_variance)):
        at = lambda f, i=i: posterior.predict(f[None])[i][0]  # noqa: E731
        assert check_grad(at, lambda f, slope=slope: slope, f) < 1e-5


def test_curves_of_a_process_are_recognised():
    """What the scores were drawn from is likelier than the prior's mean, and found."""
    rng, truth = np.random.default_rng(0), theta_of(1)
    c = data(25, seed=3)
    y = np.linalg.cholesky(dense_of(truth, c)) @ rng.standard_normal(len(c.u))
    likelihood = CurveLikelihood.of(Curves(c.F, GROUPS, 3, c.which, c.u, y))
    found = likelihood.maximise()
    best = likelihood.log_posterior(found)[0]
    assert best >= likelihood.log_posterior(truth)[0]
    assert best > likelihood.log_posterior(curves.moments(3)[0])[0] + 0.1


def test_the_further_a_curve_the_less_is_in_doubt():
    theta, F = curves.moments(3)[0], features(1, 0)
    left = left_to_train(LEVELS, 27)

    def doubt(n):
        which = np.zeros(n, dtype=int)
        c = Curves(F, GROUPS, 3, which, left[:n], np.zeros(n))
        return CurvePosterior.of(theta, c).of_candidates(np.array([0]))[1][0]

    doubts = [doubt(n) for n in (1, 2, 3, 4)]
    assert doubts == sorted(doubts, reverse=True)
    assert doubts[-1] < 2e-3
