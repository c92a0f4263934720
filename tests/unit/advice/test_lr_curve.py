"""What is read from losses over learning rates."""

import numpy as np
import pytest

from sktune.advice._lr_curve import LRCurve, both_ways, read_curve, smooth


def test_the_average_has_no_bias_and_does_not_lag():
    np.testing.assert_allclose(smooth(np.full(9, 3.0), 0.9, np.ones(9)), 3.0)
    fall = 1 / (1 + np.exp(np.linspace(-8, 8, 81)))  # steepest in the middle
    lagging, both = (one(fall, 0.8, np.ones(81)) for one in (smooth, both_ways))
    assert np.gradient(lagging).argmin() > 42
    assert abs(np.gradient(both).argmin() - 40) <= 1


def test_rates_of_a_known_curve():
    rates = np.geomspace(1e-6, 1, 121)
    at = np.log10(rates)
    losses = 1 / (1 + np.exp(4 * (at + 3))) + 0.02 * np.exp(5 * (at + 0.5))
    curve = read_curve("", rates, np.array([losses, losses]), 0.5, np.ones(121))
    assert isinstance(curve, LRCurve)
    assert curve.steepest == pytest.approx(1e-3, rel=0.4)
    assert curve.lowest == pytest.approx(rates[losses.argmin()], rel=0.6)
    assert curve.suggestion == curve.lowest / 10
    assert curve.factor == 1.0


def test_seeds_that_do_not_agree():
    rates = np.geomspace(1e-6, 1, 121)
    at = np.log10(rates)
    losses = [np.maximum(abs(at - low), 1) + 0.1 * abs(at - low) for low in (-2, -1)]
    curve = read_curve("", rates, np.array(losses), 0.0, np.ones(121))
    assert 10**-2.1 < curve.lowest < 10**-0.9
    assert curve.factor == pytest.approx(10**0.5, rel=0.1)
