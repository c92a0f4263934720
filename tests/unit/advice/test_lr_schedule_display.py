"""Simulated rates are those of the training, and nothing is touched by it."""

import copy
import random

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, LRScheduler
from skorch.dataset import ValidSplit
from torch.optim import lr_scheduler as of_torch

from sktune.advice import LRScheduleDisplay
from sktune.nets import LRSchedule, ParamGroups, RelativeLRScheduler
from tests.helpers.estimators import blobs, net

X, y = blobs(90)
GROUPS = {
    "optimizer": ParamGroups(torch.optim.Adam),
    "optimizer__param_groups": [("layers.0.*", {"name": "first", "lr": 0.01})],
}


class Seen(Callback):
    """Keeps what each batch is trained with."""

    def initialize(self):
        self.rates_, self.momenta_ = [], []

    def on_batch_begin(self, net, training=False, **kwargs):
        if training:
            groups = net.optimizer_.param_groups
            self.rates_.append([group["lr"] for group in groups])
            self.momenta_.append(
                [group.get("momentum", group.get("betas", [0])[0]) for group in groups]
            )


@pytest.mark.parametrize(
    "schedule, params",
    [
        (LRSchedule("one_cycle", warmup=1), {"optimizer__momentum": 0.9}),
        (LRSchedule("triangular"), GROUPS),
        (LRSchedule("step", step_every="epoch"), {"train_split": ValidSplit(3)}),
        (LRScheduler("StepLR", step_size=1), {"batch_size": 16}),
        (RelativeLRScheduler("OneCycleLR", max_lr=0.3), {"optimizer__momentum": 0.9}),
        (LRScheduler(of_torch.ExponentialLR, gamma=0.9, step_every="batch"), {}),
    ],
)
def test_what_is_drawn_is_what_is_trained_with(schedule, params):
    estimator = net(callbacks=[("schedule", schedule)], verbose=0, **params)
    display = LRScheduleDisplay.from_estimator(estimator, X, y)
    estimator.set_params(callbacks=[*estimator.callbacks, ("seen", Seen())])
    seen = dict(estimator.fit(X, y).callbacks_)["seen"]
    np.testing.assert_array_equal(display.rates[0], seen.rates_)
    np.testing.assert_array_equal(display.momenta[0], seen.momenta_)
    assert display.epochs[0][-1] < 3 <= display.epochs[0][-1] + display.epochs[0][1]


def test_net_and_random_states_are_left_alone():
    one = net(callbacks=[("schedule", LRSchedule())])
    before = one.get_params(deep=False)
    schedule = copy.deepcopy(vars(one.callbacks[0][1]))
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    LRScheduleDisplay.from_estimator(one, X, y)
    assert not hasattr(one, "module_") and not one.initialized_
    assert before == one.get_params(deep=False)
    assert schedule == vars(one.callbacks[0][1])
    assert torch.equal(states[0], torch.get_rng_state())
    assert (states[1] == np.random.get_state()[1]).all()
    assert states[2] == random.getstate()


def test_variants_in_a_pipeline():
    one = net(callbacks=[("schedule", LRSchedule())], optimizer__momentum=0.9)
    piped = make_pipeline(StandardScaler(), one)
    policy = "neuralnetclassifier__callbacks__schedule__policy"
    variants = [{policy: "cosine"}, {policy: "one_cycle"}, {policy: "constant"}]
    display = LRScheduleDisplay.from_estimator(piped, X, y, variants=variants)
    assert display.labels == ["policy=cosine", "policy=one_cycle", "policy=constant"]
    assert len(display.ax_.lines) == 3 and len(display.momentum_ax_.lines) == 1
    assert display.ax_.get_legend() is not None
    again = LRScheduleDisplay.from_estimator(piped, X, y, ax=display.ax_)
    assert again.ax_ is display.ax_ and again.momentum_ax_ is None
    with pytest.raises(ValueError, match="must be a list of dicts"):
        LRScheduleDisplay.from_estimator(piped, X, y, variants=[])
    with pytest.raises(ValueError, match="Did you mean 'cosine'"):
        LRScheduleDisplay.from_estimator(piped, X, y, variants=[{policy: "cosin"}])


def test_an_optimizer_without_momentum():
    one = net(callbacks=[("s", LRSchedule("one_cycle"))], optimizer=torch.optim.Adagrad)
    display = LRScheduleDisplay.from_estimator(one, X, y)
    assert np.isnan(display.momenta[0]).all() and display.momentum_ax_ is None


def test_what_cannot_be_told_before():
    plateau = net(callbacks=[("schedule", LRScheduler("ReduceLROnPlateau"))])
    with pytest.raises(ValueError, match=r"ReduceLROnPlateau.*history\[:, 'event_lr'"):
        LRScheduleDisplay.from_estimator(plateau, X, y)
