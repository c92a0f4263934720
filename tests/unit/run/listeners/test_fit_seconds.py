"""How long fits take, where it is known what it depends on."""

import math
import time

import numpy as np
import pytest

from sktune.run.listeners._fit_seconds import FitSeconds


def draw(n, rng):
    return [
        {
            "batch_size": int(rng.choice([32, 64, 128, 256])),
            "lr": float(10 ** rng.uniform(-4, 0)),
            "kind": str(rng.choice(["a", "b"])),
        }
        for _ in range(n)
    ]


def taken(params, slope=-0.8):
    is_b = params["kind"] == "b"
    return 3.0 * (params["batch_size"] / 64) ** slope * (2.0 if is_b else 1.0)


def seen(candidates, n, noise=0.05, rng=None):
    seconds = FitSeconds(candidates)
    for params in candidates[:n]:
        scatter = math.exp(noise * rng.normal())
        row = seconds.row(params)
        seconds.add(1.0, row, taken(params) * scatter, 1.0)
    return seconds


def test_slopes_are_found():
    rng = np.random.default_rng(0)
    candidates = draw(60, rng)
    seconds = seen(candidates, 30, rng=rng)
    for params in candidates[30:]:
        factor = float(seconds.factors(seconds.row(params)))
        assert seconds.of(1.0, factor) == pytest.approx(taken(params), rel=0.2)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_to_come_is_told_from_few(seed):
    """Two that happen to have small batches do not mislead."""
    rng = np.random.default_rng(seed)
    candidates = sorted(draw(40, rng), key=lambda params: params["batch_size"])
    seconds = seen(candidates, 4, rng=rng)
    rest = candidates[4:]
    true = sum(map(taken, rest))
    factors = seconds.factors(np.array([seconds.row(params) for params in rest]))
    told = sum(seconds.of(1.0, float(factor)) for factor in factors)
    assert abs(math.log(told / true)) < abs(
        math.log(len(rest) * seconds.of(1.0) / true)
    )
    assert told == pytest.approx(true, rel=0.45)


@pytest.mark.parametrize("seed", range(3))
def test_params_that_do_not_matter_do_no_harm(seed):
    rng = np.random.default_rng(seed)
    candidates = [{f"p{j}": float(rng.uniform()) for j in range(12)} for _ in range(60)]
    seconds = FitSeconds(candidates)
    for params in candidates[:12]:
        scatter = math.exp(0.2 * rng.normal())
        seconds.add(1.0, seconds.row(params), 2.0 * scatter, 1.0)
    rows = np.array([seconds.row(params) for params in candidates[12:]])
    told = np.mean([seconds.of(1.0, float(f)) for f in seconds.factors(rows)])
    assert told == pytest.approx(seconds.of(1.0), rel=0.1)


@pytest.mark.parametrize("set_up", [0.0, 0.02])
def test_a_part_that_is_the_same_whatever_is_given(set_up):
    seconds = FitSeconds()
    for step in (1.0, 3.0, 9.0):
        for _ in range(4):
            seconds.add(step, seconds.row({}), set_up + 0.01 * step, 1.0)
    assert seconds.of(27.0) == pytest.approx(set_up + 0.27, rel=0.15)
    assert seconds.of(9.0) == pytest.approx(set_up + 0.09)
    assert seconds.of(0.0) == 0.0


def test_long_fits_are_in_proportion():
    seconds = FitSeconds()
    seconds.add(1.0, seconds.row({}), 60.0, 1.0)
    assert seconds.of(27.0) == pytest.approx(60.0 * 27, rel=0.1)


def test_nothing_is_known_at_first():
    assert FitSeconds().of(1.0) is None
    assert len(FitSeconds()) == 0


def test_it_is_cheap():
    rng = np.random.default_rng(0)
    candidates = draw(1000, rng)
    begin = time.process_time()
    seen(candidates, 1000, rng=rng)
    assert (time.process_time() - begin) / 1000 < 0.5e-3
