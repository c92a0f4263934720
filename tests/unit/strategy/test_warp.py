from __future__ import annotations

import numpy as np
import pytest

from sktune.strategy._warp import raised, warp


def test_what_is_normal_is_only_standardised() -> None:
    scores = np.random.default_rng(0).standard_normal(50)
    np.testing.assert_allclose(warp(scores), (scores - scores.mean()) / scores.std())


@pytest.mark.parametrize("pit", [-1e3, -1e30, -1e300, -1.7e308])
def test_a_pit_does_not_flatten_the_crowd(pit: float) -> None:
    crowd = np.linspace(0.90, 0.95, 20)
    warped = warp(np.append(crowd, pit))
    assert np.ptp(warped[:-1]) > 1.0
    assert warped[-1] == warped.min()
    if abs(pit) < 1e6:
        assert (np.diff(warped[:-1]) > 0).all()


def test_units_do_not_matter() -> None:
    scores = np.random.default_rng(1).standard_t(2, size=40)
    for factor in (1e-200, 1e-3, 1e7, 1e200):
        np.testing.assert_allclose(warp(factor * scores), warp(scores), rtol=1e-9)


@pytest.mark.parametrize("constant", [0.0, 0.1 + 0.2, -1e300, 5e-324])
def test_equal_scores_are_zeros(constant: float) -> None:
    np.testing.assert_array_equal(warp(np.full(5, constant)), np.zeros(5))


def test_ties_that_hold_the_middle() -> None:
    warped = warp(np.array([0.0] * 7 + [-1e9, 1.0, 2.0]))
    assert np.isfinite(warped).all()
    assert warped[-1] > warped[-2] > warped[0] > warped[7]


def test_pits_are_raised_and_the_rest_is_standardised():
    scores = np.array([-1e30, 0.0, 0.5, 0.75, 1.0, 0.25, 0.5, 0.75])
    y = raised(scores)
    low = np.quantile(scores, 0.25)
    expected = np.maximum(scores, low - (1.0 - low))
    np.testing.assert_allclose(y, (expected - expected.mean()) / expected.std())
    assert not raised(np.full(5, 0.1)).any()


def test_what_is_raised_less_keeps_its_scale_where_most_are_at_the_top():
    rng = np.random.default_rng(0)
    scores = np.append(1.0 + 0.02 * rng.standard_normal(40), [0.3, 0.5, 0.7])
    y = raised(scores, reach=20.0)
    np.testing.assert_allclose((y[-1] - y[-3]) / (y[-2] - y[-3]), 2.0)
    assert len(set(raised(scores)[-3:])) == 1
