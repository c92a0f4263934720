"""Shares of a training become numbers of steps, at its beginning."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch.optim import lr_scheduler as of_torch

from sktune.nets import RelativeLRScheduler
from tests.helpers.estimators import blobs, net

X, y = blobs(90)  # 3 batches of 32 rows
ONE_CYCLE = {"max_lr": 0.5, "cycle_momentum": False}


def _rates(fitted):
    return np.ravel(fitted.history[:, "batches", :, "event_lr"])


def _fit(*args, X=X, y=y, n_epochs=4, **kwargs):
    scheduler = RelativeLRScheduler(*args, **kwargs)
    return net(callbacks=[("lr", scheduler)], max_epochs=n_epochs, verbose=0).fit(X, y)


def _by_torch(policy, n_steps, lr=0.1, **kwargs):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler, rates = policy(optimizer, **kwargs), []
    for _ in range(n_steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("policy", "shares", "steps"),
    [
        ("OneCycleLR", ONE_CYCLE, {**ONE_CYCLE, "total_steps": 12}),
        (
            "OneCycleLR",
            {**ONE_CYCLE, "total_steps": 15},
            {**ONE_CYCLE, "total_steps": 15},
        ),
        ("CosineAnnealingLR", {}, {"T_max": 12}),
        ("CosineAnnealingLR", {"T_max": 0.5}, {"T_max": 6}),
        ("CosineAnnealingWarmRestarts", {"T_0": 0.25}, {"T_0": 3}),
        ("MultiStepLR", {"milestones": [0.5, 0.75]}, {"milestones": [6, 9]}),
        ("StepLR", {"step_size": 1 / 3}, {"step_size": 4}),
        ("PolynomialLR", {"total_iters": 1.0}, {"total_iters": 12}),
    ],
)
def test_shares_are_of_the_batches_of_the_training(policy, shares, steps):
    expected = _by_torch(getattr(of_torch, policy), 12, **steps)
    assert np.allclose(_rates(_fit(policy, **shares)), expected)
    by_class = _fit(getattr(of_torch, policy), **shares)
    assert np.allclose(_rates(by_class), expected)


def test_fewer_rows_more_epochs_and_epochs_as_steps():
    few = _rates(_fit("OneCycleLR", X=X[:40], y=y[:40], n_epochs=3, **ONE_CYCLE))
    expected = _by_torch(of_torch.OneCycleLR, 6, **ONE_CYCLE, total_steps=6)
    assert np.allclose(few, expected)
    by_epoch = _fit("OneCycleLR", step_every="epoch", **ONE_CYCLE)
    expected = _by_torch(of_torch.OneCycleLR, 4, **ONE_CYCLE, total_steps=4)
    assert np.allclose(by_epoch.history[:, "event_lr"], expected)
    simulated = RelativeLRScheduler("OneCycleLR", **ONE_CYCLE).simulate(4, 0.1)
    assert np.allclose(simulated, expected)


def test_each_training_has_a_schedule_of_its_own():
    fitted = _fit("OneCycleLR", **ONE_CYCLE)
    again = fitted.partial_fit(X, y)
    assert len(_rates(again)) == 24
    assert np.allclose(_rates(again)[:12], _rates(again)[12:])


def test_parameters_are_those_of_a_callback():
    one = net(callbacks=[("lr", RelativeLRScheduler("OneCycleLR", **ONE_CYCLE))])
    copy = clone(one).set_params(callbacks__lr__max_lr=0.2, max_epochs=1)
    assert _rates(copy.fit(X, y)).max() <= 0.2 < _rates(one.fit(X, y)).max()


def test_what_is_no_share():
    with pytest.raises(ValueError, match=r"1\.5 is no share.*between 0 and 1"):
        _fit("CosineAnnealingLR", T_max=1.5)
    with pytest.raises(AttributeError, match="NoSuchLR"):
        _fit("NoSuchLR")
