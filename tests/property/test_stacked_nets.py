"""Any layers, optimiser, loss and schedule: stacked is alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skorch.callbacks import LRScheduler
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR, OneCycleLR, ReduceLROnPlateau

from tests.helpers.estimators import net
from tests.helpers.stacked import SPLITS, Layers, X, states, trained, y

pytestmark = pytest.mark.one_end  # of torch there is one version

BETWEEN = {
    "tanh": lambda: [nn.Tanh()],
    "norm": lambda: [nn.LayerNorm(4)],
    "batch norm": lambda: [nn.BatchNorm1d(4), nn.SiLU()],
    "conv": lambda: [
        nn.Unflatten(1, (2, 2)), nn.Conv1d(2, 3, 2, padding=1), nn.GELU(),
        nn.AvgPool1d(2), nn.Flatten(), nn.Linear(3, 4),
    ],
    "image": lambda: [
        nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4),
        nn.Softplus(), nn.Flatten(),
    ],
    "attention": lambda: [
        nn.Linear(4, 8),
        nn.Unflatten(1, (2, 4)),
        nn.TransformerEncoderLayer(
            4, 2, 3, dropout=0.0, activation="gelu", batch_first=True
        ),
        nn.Flatten(),
        nn.Linear(8, 4),
    ],
    "group norm": lambda: [nn.Linear(4, 4, bias=False), nn.GroupNorm(1, 4)],
}  # fmt: skip
# With an epsilon that does not make gradients of what differs by rounding alone, such
# as those of a bias before a batch norm.
OPTIMIZERS = [
    (torch.optim.SGD, {}),
    (torch.optim.SGD, {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    (torch.optim.Adam, {"eps": 0.1}),
    (torch.optim.AdamW, {"eps": 0.1, "amsgrad": True}),
    (torch.optim.NAdam, {"eps": 0.1}),
    (torch.optim.RMSprop, {"eps": 0.1, "momentum": 0.5}),
    (torch.optim.Adagrad, {"eps": 0.1}),
]
LOSSES = [
    (nn.CrossEntropyLoss, {}),
    (nn.CrossEntropyLoss, {"label_smoothing": 0.1}),
    (nn.CrossEntropyLoss, {"weight": torch.tensor([1.0, 2.0, 0.5])}),
    (nn.MultiMarginLoss, {"p": 2}),
]
SCHEDULES = [
    None,
    lambda: LRScheduler(ExponentialLR, gamma=0.9),
    lambda: LRScheduler(
        OneCycleLR,
        max_lr=0.002,
        total_steps=80,
        step_every="batch",
        cycle_momentum=False,
    ),
    lambda: LRScheduler(ReduceLROnPlateau, monitor="train_loss", patience=1),
]  # fmt: skip


def layers_of(names, rate=None):
    def layers():
        made = [nn.Linear(4, 4)]
        for name in names:
            made += BETWEEN[name]()
            if rate is not None:
                made.append(nn.Dropout(rate))
        return *made, nn.Linear(4, 3)

    return layers


def as_dtype(options, dtype):
    return {
        name: value.to(dtype) if isinstance(value, torch.Tensor) else value
        for name, value in options.items()
    }


def assert_close(one, other, tolerance):
    """Beside the largest number of its kind, as rounding is."""
    (a, _, history_a), (b, _, history_b) = states(one), states(other)
    scale = max(float(value.abs().max()) for value in a.values())
    for name, value in a.items():
        gap = (value.double() - b[name].double()).abs().max()
        assert float(gap) <= tolerance * max(scale, 1.0), name
    for x, z in zip(history_a, history_b, strict=True):
        assert x["train_loss"] == pytest.approx(z["train_loss"], rel=10 * tolerance)


@settings(max_examples=12, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(BETWEEN)), min_size=1, max_size=2),
    optimizer=st.sampled_from(OPTIMIZERS),
    loss=st.sampled_from(LOSSES),
    schedule=st.sampled_from(SCHEDULES),
    batch_size=st.sampled_from([11, 15, 44]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_twenty_epochs(names, optimizer, loss, schedule, batch_size, dtype):
    (optimizer, options), (criterion, choices) = optimizer, loss
    estimator = net(
        optimizer=optimizer,
        criterion=criterion,
        # At more, some of these nets amplify what differs by rounding: two of attention
        # in single precision, from 2e-6 to 6e-3 within four epochs at 0.003.
        lr=0.001 if dtype == torch.float32 else 0.003,
        max_epochs=20,
        batch_size=batch_size,
        callbacks=None if schedule is None else [schedule()],
        **{f"optimizer__{name}": value for name, value in options.items()},
        **{
            f"criterion__{name}": value
            for name, value in as_dtype(choices, dtype).items()
        },
    ).set_params(module=Layers, module__layers=layers_of(names))
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        data = X.astype("float32" if dtype == torch.float32 else "float64")
        given = dict(X=data, splits=SPLITS[:2])
        alone, _ = trained(estimator, [{}, {"lr": 0.001}], False, **given)
        together, _ = trained(estimator, [{}, {"lr": 0.001}], True, **given)
    finally:
        torch.set_default_dtype(before)
    for one, other in zip(alone, together, strict=True):
        assert_close(one, other, 1e-5 if dtype == torch.float32 else 1e-9)


@settings(max_examples=5, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(BETWEEN)), min_size=1, max_size=2),
    rate=st.sampled_from([0.1, 0.5]),
)
def test_masks_of_dropout_are_the_nets_own(names, rate):
    """Whoever else is in the stack."""
    estimator = net(optimizer=torch.optim.SGD, lr=0.01, max_epochs=3, batch_size=15)
    estimator.set_params(module=Layers, module__layers=layers_of(names, rate))
    torch.set_default_dtype(torch.float64)
    try:
        few, _ = trained(estimator, [{}], True, y=y, splits=SPLITS[:2])
        many, _ = trained(estimator, [{}, {"lr": 0.2}], True, y=y, splits=SPLITS)
    finally:
        torch.set_default_dtype(torch.float32)
    for one, other in zip(few, many, strict=False):
        assert_close(one, other, 1e-9)
