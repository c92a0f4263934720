"""Policies give what torch's schedules and the formulas of the papers give."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as of_torch

from sktune.nets import LRSchedule

N, LR, MOMENTUM = 24, 0.2, 0.9  # steps of a training, and what a net is made with
BASE = {"base_momentum": 0.81, "max_momentum": 0.9}


def by_torch(make, n=N, momentum=MOMENTUM):
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=LR, momentum=momentum)
    rates, momenta = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SequentialLR calls what torch deprecates
        scheduler = make(optimizer)
        for _ in range(n):
            rates.append(optimizer.param_groups[0]["lr"])
            momenta.append(optimizer.param_groups[0]["momentum"])
            optimizer.step()
            scheduler.step()
    return rates, momenta


def one_cycle(optimizer, n=N, **kwargs):
    kwargs = {"max_lr": LR, "total_steps": n, **BASE, **kwargs}
    return of_torch.OneCycleLR(optimizer, **kwargs)


TORCH = {
    "constant": ({}, lambda o: of_torch.ConstantLR(o, factor=1.0)),
    "exponential": (
        {"gamma": 0.9, "period": 1},
        lambda o: of_torch.ExponentialLR(o, gamma=0.9),
    ),
    "natural_exponential": (
        {"decay": 0.2, "period": 1},
        lambda o: of_torch.LambdaLR(o, lambda k: math.exp(-0.2 * k)),
    ),
    "inverse_time": (
        {"decay": 0.5, "period": 2},
        lambda o: of_torch.LambdaLR(o, lambda k: 1 / (1 + 0.5 * k / 2)),
    ),
    "step": (
        {"gamma": 0.5, "period": 5},
        lambda o: of_torch.StepLR(o, step_size=5, gamma=0.5),
    ),
    "piecewise": (
        {"gamma": 0.3, "milestones": [0.25, 0.5]},
        lambda o: of_torch.MultiStepLR(o, milestones=[6, 12], gamma=0.3),
    ),
    "polynomial": (
        {"power": 2.0},
        lambda o: of_torch.PolynomialLR(o, total_iters=N, power=2.0),
    ),
    "cosine": (
        {"floor": 0.1},
        lambda o: of_torch.CosineAnnealingLR(o, T_max=N, eta_min=0.1 * LR),
    ),
    "warm_restarts": (
        {"cycles": 2, "cycle_mult": 2, "floor": 0.01},
        lambda o: of_torch.CosineAnnealingWarmRestarts(
            o, T_0=N // 3, T_mult=2, eta_min=0.01 * LR
        ),
    ),
    "triangular": (
        {"cycles": 2, "gamma": 0.5, "floor": 0.1},
        lambda o: of_torch.CyclicLR(
            o, base_lr=0.1 * LR, max_lr=LR, step_size_up=6, mode="triangular2", **BASE
        ),
    ),
    "one_cycle": ({}, one_cycle),
}


def rates_of(policy, n=N, **options):
    return LRSchedule(policy, **options).simulate(n, LR)


@pytest.mark.parametrize("policy", TORCH)
def test_rates_and_momenta_of_torch(policy):
    options, make = TORCH[policy]
    rates, momenta = by_torch(make)
    np.testing.assert_allclose(rates_of(policy, **options), rates, rtol=1e-9)
    scheduler = LRSchedule(policy, **options)
    course = scheduler._course(N, 1)
    ours = [MOMENTUM * course.momentum(step) for step in range(N)]
    np.testing.assert_allclose(ours, momenta, rtol=1e-9)


@pytest.mark.parametrize(
    "policy", [name for name in TORCH if name not in ("triangular", "one_cycle")]
)
def test_warmup_before_any_is_torchs_linear_one(policy):
    """Those of torch that set momenta cannot come second there."""
    options, make = TORCH[policy]

    def warmed(optimizer):
        first = of_torch.LinearLR(optimizer, start_factor=1 / 7, total_iters=6)
        return of_torch.SequentialLR(optimizer, [first, make(optimizer)], [6])

    rates, _ = by_torch(warmed, n=6 + N)
    ours = rates_of(policy, n=6 + N, warmup=6, **options)
    np.testing.assert_allclose(ours, rates, rtol=1e-9)
    as_share = rates_of(policy, n=6 + N, warmup=0.2, **options)
    np.testing.assert_allclose(as_share, ours, rtol=1e-12)


def test_warmup_before_cycles():
    rates = rates_of("one_cycle", n=6 + N, warmup=6)
    np.testing.assert_allclose(rates[6:], rates_of("one_cycle"))
    np.testing.assert_allclose(rates[:6], LR * 0.04 * np.arange(1, 7) / 7)


def test_polynomial_with_cycles():
    """Each ends at a multiple of the period, from which the fall is reckoned."""
    ours = rates_of("polynomial", cycles=3, floor=0.1, power=1.5)
    period = 8
    for k in range(N):
        end = period * (k // period + 1)
        expected = (LR - 0.1 * LR) * (1 - k / end) ** 1.5 + 0.1 * LR
        assert ours[k] == pytest.approx(expected)


def test_piecewise_values():
    ours = rates_of("piecewise", milestones=[0.25, 18], values=[0.5, 1, 0.1])
    expected = np.repeat([0.5, 1, 0.1], [6, 12, 6]) * LR
    np.testing.assert_allclose(ours, expected)


def test_peaks_of_warm_restarts_fall_by_gamma():
    ours = rates_of("warm_restarts", cycles=3, cycle_mult=1, gamma=0.5)
    np.testing.assert_allclose(ours[[0, 8, 16]], [LR, LR / 2, LR / 4])
    assert np.all(np.diff(ours)[[7, 15]] > 0) and np.sum(np.diff(ours) > 0) == 2


@pytest.mark.parametrize("n", [1, 2, 3, 7, 50, 1000])
@pytest.mark.parametrize("policy", TORCH)
def test_any_length(policy, n):
    """The rate of the net is the highest, and no cycle begins at the last step."""
    ours = rates_of(policy, n=n)
    assert ours.shape == (n,) and np.isfinite(ours).all()
    assert len(rates_of(policy, n=n, warmup=0.1)) == n
    assert 0 < ours.max() <= LR * (1 + 1e-12) and ours.min() >= 0
    if n >= 50:
        assert ours.max() > 0.98 * LR
        assert policy == "constant" or ours[-1] < 0.25 * LR
