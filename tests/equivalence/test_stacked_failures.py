"""A net that fails in a stack fails by itself: the others are what they would be."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring, LRScheduler
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from sktune._errors import SktuneError
from sktune.execution.stacking._batch_steps import BatchSteps
from sktune.execution.stacking._stack import Stack
from tests.helpers.estimators import net
from tests.helpers.stacked import (
    RATES,
    SPLITS,
    Layers,
    Smooth,
    X,
    close,
    epochs_of_stacks,
    states,
    trained,
    y,
)

pytestmark = pytest.mark.usefixtures("double_precision")


def assert_others_are_untouched(estimator, message, params=RATES, X=X, y=y):
    """Some fits fail, alone and stacked; what the others came to is the same."""
    alone, outcomes = trained(estimator, params, False, X, y, error_score=np.nan)
    with epochs_of_stacks() as sizes:
        together, stacked = trained(estimator, params, True, X, y, error_score=np.nan)
    assert max(sizes) == len(outcomes)
    errors = [outcome.fit_error is not None for outcome in outcomes]
    assert [outcome.fit_error is not None for outcome in stacked] == errors
    assert any(errors)
    assert not all(errors)
    for outcome in stacked:
        assert outcome.fit_error is None or message in outcome.fit_error
    for one, other in zip(alone, together, strict=True):
        close(states(one), states(other))


class Failing(EpochScoring):
    """Fails in its third epoch where the rate is the greater one."""

    def on_epoch_end(self, net, **kwargs):
        super().on_epoch_end(net, **kwargs)
        if net.lr == 0.05 and len(net.history) == 3:
            raise RuntimeError("no more of this")


def test_at_the_end_of_an_epoch():
    failing = Failing("accuracy", name="failing", on_train=True)
    estimator = net(callbacks=[failing], max_epochs=5).set_params(module=Smooth)
    assert_others_are_untouched(estimator, "no more of this")


def factor(step):
    if step == 5:
        raise RuntimeError("no such step")
    return 1.0


def steady(step):
    return 0.9**step


def test_in_a_callback_between_batches():
    scheduler = LRScheduler(LambdaLR, lr_lambda=steady, step_every="batch")
    estimator = net(callbacks=[("rate", scheduler)], batch_size=16, max_epochs=3)
    params = [{"callbacks__rate__lr_lambda": f} for f in (steady, factor)]
    assert_others_are_untouched(
        estimator.set_params(module=Smooth), "no such step", params
    )


@pytest.mark.parametrize("layers", ["normed", "dropped"])
def test_in_a_batch_that_no_loss_is_there_for(layers):
    """A class that is none, in the training rows of two of three splits."""

    def of():
        between = nn.BatchNorm1d(5) if layers == "normed" else nn.Dropout(0.3)
        return nn.Linear(4, 5), between, nn.Tanh(), nn.Linear(5, 3)

    wrong = y.copy()
    wrong[SPLITS[1][1][4]] = 9
    estimator = net(batch_size=16).set_params(module=Layers, module__layers=of)
    assert_others_are_untouched(estimator, "out of bounds", y=wrong)


class Strict(NeuralNetClassifier):
    """With a loss of its own, which takes in the weights, and fails at one rate."""

    def get_loss(self, y_pred, y_true, X=None, training=False):
        if self.lr == 0.05 and training and len(self.history) == 2:
            raise RuntimeError("no loss")
        loss = super().get_loss(y_pred, y_true, X=X, training=training)
        return loss + 0.1 * sum(p.abs().sum() for p in self.module_.parameters())


def test_in_a_loss_that_reads_the_net():
    estimator = Strict(
        Smooth, criterion=nn.CrossEntropyLoss, max_epochs=3, batch_size=16,
        train_split=None, verbose=0,
    )  # fmt: skip
    assert_others_are_untouched(estimator, "no loss")


def test_whom_a_check_sends_out_leaves(monkeypatch):
    run, calls = Stack.run, []

    def run_checked(stack, runners, check_time):
        position = 3 if len(runners) == 6 else None

        def check():
            calls.append(1)
            if len(calls) == 5:
                yield position, SktuneError("out of time")

        run(stack, runners, check)

    estimator = net(batch_size=16, max_epochs=3).set_params(module=Smooth)
    alone, _ = trained(estimator, RATES, False)
    monkeypatch.setattr(Stack, "run", run_checked)
    together, outcomes = trained(estimator, RATES, True, error_score=np.nan)
    failed = [outcome.fit_error is not None for outcome in outcomes]
    assert failed == [False] * 3 + [True] + [False] * 2
    assert "out of time" in outcomes[3].fit_error
    del alone[3]
    for one, other in zip(alone, together, strict=True):
        close(states(one), states(other))


SPLITS_OF_MANY_SIZES = [
    (np.delete(np.arange(66), np.arange(k)), np.arange(k)) for k in (18, 2, 3, 19, 18)
]


@pytest.mark.parametrize("batch_size", [16, 24])
def test_batches_of_several_sizes(batch_size):
    """Splits differ by a row, or by a batch."""

    def layers():
        first = nn.Linear(4, 5, bias=False)
        return first, nn.BatchNorm1d(5), nn.Dropout(0.2), nn.Linear(5, 3)

    estimator = net(batch_size=batch_size, optimizer=torch.optim.Adam, lr=0.01)
    estimator.set_params(module=Layers, module__layers=layers, max_epochs=4)
    alone, _ = trained(estimator, [{}], False, splits=SPLITS_OF_MANY_SIZES)
    with epochs_of_stacks() as sizes:
        together, _ = trained(estimator, [{}], True, splits=SPLITS_OF_MANY_SIZES)
    assert set(sizes) == {5}
    for one, other in zip(alone, together, strict=True):
        close(states(one), states(other))


def poisoned_layers():
    return (
        nn.Unflatten(1, (1, 2, 2)),
        nn.Conv2d(1, 4, 2, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(36, 6),
        nn.Dropout(0.2),
        nn.LayerNorm(6),
        nn.Linear(6, 3),
    )


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_a_loss_that_is_not_finite_harms_no_other(optimizer):
    """Bit for bit, in one composition of the stack."""
    estimator = net(batch_size=16, optimizer=optimizer, max_epochs=3)
    estimator.set_params(module=Layers, module__layers=poisoned_layers)
    rates = [{"lr": 0.01}, {"lr": 0.03}, {"lr": 0.02}]
    fine, _ = trained(estimator, rates, True)
    rates[1] = {"lr": 1e300}
    poisoned, _ = trained(estimator, rates, True)
    assert not np.isfinite(poisoned[4].history[-1, "train_loss"])
    for k in (0, 1, 2, 6, 7, 8):
        for one, other in zip(
            fine[k].module_.state_dict().values(),
            poisoned[k].module_.state_dict().values(),
            strict=True,
        ):
            assert torch.equal(one, other)
        assert fine[k].history[:, "train_loss"] == poisoned[k].history[:, "train_loss"]


def test_where_memory_is_short_the_stack_is_halved(monkeypatch):
    """What was drawn and counted in the step that failed is undone."""
    computed, sizes = BatchSteps._computed, []

    def within_memory(steps, members, batch):
        sizes.append(len(members))
        found = computed(steps, members, batch)
        if len(members) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return found

    def layers():
        first = nn.Linear(4, 5, bias=False)
        return first, nn.BatchNorm1d(5), nn.Dropout(0.2), nn.Linear(5, 3)

    estimator = net(batch_size=16, max_epochs=2, optimizer=torch.optim.SGD)
    estimator.set_params(module=Layers, module__layers=layers)
    alone, _ = trained(estimator, RATES, False)
    monkeypatch.setattr(BatchSteps, "_computed", within_memory)
    together, _ = trained(estimator, RATES, True)
    assert sizes.count(6) == 1
    for one, other in zip(alone, together, strict=True):
        close(states(one), states(other))
