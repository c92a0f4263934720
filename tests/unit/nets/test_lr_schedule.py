"""A schedule by its name in a net: what it sets, and what it refuses."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback, LRScheduler

from sktune.nets import LRSchedule, ParamGroups
from tests.helpers.estimators import blobs, net

X, y = blobs(90)  # 3 batches of 32 rows


def scheduled(*args, n_epochs=4, **kwargs):
    of_net = {k: kwargs.pop(k) for k in list(kwargs) if k.startswith("optimizer")}
    callbacks = [("schedule", LRSchedule(*args, **kwargs))]
    return net(callbacks=callbacks, max_epochs=n_epochs, verbose=0, **of_net)


def rates_of(fitted, step_every="batch"):
    found = (
        fitted.history[:, "event_lr"]
        if step_every == "epoch"
        else fitted.history[:, "batches", :, "event_lr"]
    )
    return np.ravel(found)


def test_batches_epochs_and_lengths():
    by_batch = rates_of(scheduled("cosine").fit(X, y))
    k = np.arange(12)
    np.testing.assert_allclose(by_batch, 0.1 * (1 + np.cos(np.pi * k / 12)) / 2)
    by_epoch = rates_of(scheduled("cosine", step_every="epoch").fit(X, y), "epoch")
    np.testing.assert_allclose(by_epoch, by_batch[::3])
    falls = rates_of(scheduled("step", period=1, gamma=0.5, warmup=1).fit(X, y))
    expected = np.concatenate([[0.25, 0.5, 0.75], np.repeat([1, 0.5, 0.25], 3)]) * 0.1
    np.testing.assert_allclose(falls, expected)


def test_it_is_searched_as_any_parameter():
    one = clone(scheduled("cosine"))
    one.set_params(
        lr=0.3,
        callbacks__schedule__policy="polynomial",
        callbacks__schedule__power=np.float64(2),
        callbacks__schedule__cycles=np.int64(2),
    )
    k = np.arange(12)
    expected = 0.3 * (1 - k / np.where(k < 6, 6, 12)) ** 2
    np.testing.assert_allclose(rates_of(one.fit(X, y)), expected)


def test_groups_keep_their_shares_and_momentum_is_the_nets_own():
    adam = scheduled(
        "one_cycle",
        momentum_drop=0.5,
        optimizer=ParamGroups(torch.optim.Adam),
        optimizer__param_groups=[("layers.0.*", {"lr": 0.01, "betas": (0.8, 0.9)})],
    )
    seen = []

    def look(net, **kwargs):
        groups = net.optimizer_.param_groups
        seen.append([(group["lr"], group["betas"]) for group in groups])

    adam.set_params(callbacks=[*adam.callbacks, ("look", Looking(look))]).fit(X, y)
    course = LRSchedule("one_cycle", momentum_drop=0.5)._course(12, 3)
    for step, groups in enumerate(seen):
        rate, drop = course.rate(step), course.momentum(step)
        lrs, betas = zip(*groups, strict=True)
        assert lrs == pytest.approx((0.01 * rate, 0.1 * rate))
        assert betas == ((0.8 * drop, 0.9), (0.9 * drop, 0.999))


class Looking(Callback):
    """Calls a function before each batch."""

    def __init__(self, look):
        self.look = look

    def on_batch_begin(self, net, training=False, **kwargs):
        self.look(net)


def test_a_net_without_momentum_gets_none():
    fitted = scheduled("triangular").fit(X, y)
    assert fitted.optimizer_.param_groups[0]["momentum"] == 0


def test_each_training_has_a_schedule_of_its_own():
    fitted = scheduled("cosine").fit(X, y)
    again = rates_of(fitted.partial_fit(X, y))
    np.testing.assert_array_equal(again[:12], again[12:])
    fitted.set_params(lr=0.2).partial_fit(X, y)
    np.testing.assert_allclose(rates_of(fitted)[24:], 2 * again[:12])


def test_a_momentum_that_is_set_between_two_trainings():
    fitted = scheduled("one_cycle", optimizer__momentum=0.9).fit(X, y)
    group = fitted.optimizer_.param_groups[0]
    assert group["momentum"] == 0.9  # the cycle ends there
    fitted.partial_fit(X, y)
    assert group["momentum"] == 0.9
    fitted.set_params(optimizer__momentum=0.5).partial_fit(X, y)
    assert group["momentum"] == 0.5


@pytest.mark.parametrize("step_every", ["batch", "epoch"])
def test_one_schedule_over_several_trainings(step_every):
    options = {"epochs": 4, "step_every": step_every, "optimizer__momentum": 0.9}
    at_once = scheduled("one_cycle", **options).fit(X, y)
    bit_by_bit = scheduled("one_cycle", **options, n_epochs=1)
    bit_by_bit.initialize()
    for _ in range(5):
        bit_by_bit.partial_fit(X, y)
    rates = rates_of(bit_by_bit, step_every)
    n = len(rates) * 4 // 5
    np.testing.assert_array_equal(rates[:n], rates_of(at_once, step_every))
    assert (rates[n:] == rates[n - 1]).all()  # after its end it stays


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"policy": "cosin"}, r"'cosin'. Did you mean 'cosine'\? There are constant, "),
        ({"policy": "StepLR"}, r"Did you mean 'step'\? RelativeLRScheduler takes"),
        ({"policy": torch.optim.lr_scheduler.StepLR}, "RelativeLRScheduler takes"),
        ({"gamma": 0.5}, r"gamma is no argument of policy='cosine', which takes floor"),
        ({"policy": "step", "gamma": 2}, r"gamma=2 must be a number above 0, up to 1"),
        ({"policy": "polynomial", "power": 0}, "power=0 must be a number above 0 up"),
        ({"policy": "step", "period": 1.5}, r"period=1.5 must be a share.*epochs"),
        ({"policy": "step", "period": True}, "period=True must be"),
        ({"policy": "piecewise", "milestones": 3}, "milestones=3 must be a sequence"),
        ({"policy": "piecewise", "values": (1,)}, "1 values for 2 milestones; one mo"),
        ({"policy": "piecewise", "values": (1, -1)}, "values.*numbers from 0 up"),
        (
            {"policy": "piecewise", "values": (1, 1, 1), "gamma": 1},
            "give values or gamma",
        ),
        ({"policy": "triangular", "cycles": 0.5}, "cycles=0.5 must be an integer from"),
        (
            {"warmup": 1.0},
            r"warmup=1.0 must be a number of epochs, or a share.*below 1",
        ),
        ({"warmup": -1}, "warmup=-1 must be"),
        ({"warmup": 4}, "warmup=4 epochs are all of a training of 4. Give fewer"),
        ({"step_every": "step"}, "step_every='step' must be 'batch' or 'epoch'"),
        ({"epochs": 0}, "epochs=0 must be an integer from 1 up"),
    ],
)
def test_what_it_refuses(kwargs, message):
    with pytest.raises(ValueError, match=message):
        scheduled(**kwargs).fit(X, y)


def test_two_schedules_of_one_rate():
    both = [("a", LRSchedule()), ("b", LRScheduler("StepLR", step_size=1))]
    with pytest.raises(ValueError, match="and so does callback 'b'"):
        net(callbacks=both).fit(X, y)
