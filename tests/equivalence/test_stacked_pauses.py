"""Nets that are trained as one, paused and resumed are nets that never were."""

import numpy as np
import pytest
import torch
from skorch.callbacks import EarlyStopping, GradientNormClipping, LRScheduler
from skorch.dataset import ValidSplit
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau, StepLR

from sktune._types import Fit
from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.estimators._resource import Resource
from sktune.execution.fitting._unit import run_unit
from sktune.execution.guards._random_states import preserved_random_states
from tests.helpers.estimators import net
from tests.helpers.trained import all_of, job_of

RUNGS = (2, 5, 9)
PARAMS = [{"lr": 0.01}, {"lr": 0.03}, {"lr": 0.002}]
VALID = dict(train_split=ValidSplit(3, stratified=True))

NETS = {
    # The bias before the batch norm has a gradient of rounding errors, of which Adam
    # (and RMSprop) makes whole steps where eps is as small as they are.
    "adam": dict(optimizer=torch.optim.Adam, optimizer__eps=1e-3),
    "momentum": dict(optimizer__momentum=0.9, optimizer__nesterov=True),
    "schedule": dict(callbacks=[LRScheduler(StepLR, step_size=2, gamma=0.5)]),
    "plateau": dict(
        optimizer=torch.optim.RMSprop,
        optimizer__eps=1e-3,
        callbacks=[LRScheduler(ReduceLROnPlateau, monitor="valid_loss", patience=1)],
        **VALID,
    ),
    "one cycle": dict(
        callbacks=[
            LRScheduler(OneCycleLR, max_lr=0.05, total_steps=18, step_every="batch")
        ]
    ),
    "clipped": dict(callbacks=[GradientNormClipping(0.5)], **VALID),
    "early": dict(
        callbacks=[EarlyStopping("train_loss", patience=2, threshold=0.02)], **VALID
    ),
}


class Kept:
    """A scorer that keeps what it scores, by learning rate."""

    def __init__(self):
        self.nets = {}

    def __call__(self, estimator, X, y=None):
        self.nets[estimator.lr] = estimator
        return float(estimator.score(X, y))


def run(job, n_resources, params, together):
    """Train so far; the candidates together or each by itself."""
    end = job.resource.max_resources
    fits = [
        Fit(PARAMS.index(p), 0, p, 7 + PARAMS.index(p), n_resources, n_resources < end)
        for p in params
    ]
    units = [tuple(fits)] if together else [(fit,) for fit in fits]
    with preserved_random_states():
        return [outcome for unit in units for outcome in run_unit(job, unit)]


def trained(name, rungs, together, survivors=None):
    """The nets at the end; `together` says so for each rung."""
    with checkpoints_in(None) as checkpoints:
        job = job_of(
            net(max_epochs=9, **NETS[name]),
            Resource("max_epochs", "epochs", 9),
            checkpoints,
            stacked=True,
            scorer=Kept(),
        )
        for k, (n_resources, how) in enumerate(zip(rungs, together, strict=True)):
            last = k == len(rungs) - 1
            params = survivors if last and survivors else PARAMS
            run(job, n_resources, params, how)
        return job.scorer.nets


def assert_close(a, b):
    for p, q in zip(a.module_.parameters(), b.module_.parameters(), strict=True):
        scale = float(p.detach().abs().max())
        assert torch.allclose(p, q, rtol=1e-4, atol=1e-4 * scale)
    assert len(a.history) == len(b.history)
    np.testing.assert_allclose(
        a.history[:, "train_loss"], b.history[:, "train_loss"], rtol=1e-4
    )


@pytest.mark.parametrize("name", NETS)
def test_bit_for_bit_where_the_stack_is_the_same(name):
    at_once = trained(name, [9], [True])
    paused = trained(name, RUNGS, [True] * 3)
    assert {lr: all_of(one) for lr, one in paused.items()} == {
        lr: all_of(one) for lr, one in at_once.items()
    }


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize(
    "together", [(True, False, True), (False, True, False)], ids=str
)
def test_what_was_stacked_goes_on_by_itself_and_back(name, together):
    alone = trained(name, [9], [False])
    mixed = trained(name, RUNGS, together)
    for lr, one in alone.items():
        assert_close(one, mixed[lr])


@pytest.mark.parametrize("name", ["adam", "clipped"])
def test_survivors_are_who_they_would_have_been(name):
    alone = trained(name, [9], [False])
    survived = trained(name, RUNGS, [True] * 3, survivors=PARAMS[:2])
    for params in PARAMS[:2]:
        assert_close(alone[params["lr"]], survived[params["lr"]])
