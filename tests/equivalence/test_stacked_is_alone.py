"""Nets that are trained as one are the nets that each would be by itself."""

import numpy as np
import pytest
import torch
from skorch.callbacks import (
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
)
from skorch.dataset import ValidSplit
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau, StepLR

from tests.helpers.estimators import net
from tests.helpers.stacked import Layers, Smooth, assert_same, trained

pytestmark = pytest.mark.usefixtures("double_precision")


class Code(nn.Module):
    """Code around layers, of many kinds."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.scale = nn.Parameter(torch.ones(6))
        self.register_buffer("shift", torch.full((6,), 0.1))
        self.last = nn.Linear(12, 3)

    def forward(self, X):
        hidden = torch.relu(self.first(X)) * self.scale + self.shift
        hidden = hidden / (1 + hidden.abs().mean(1, keepdim=True))
        both = torch.cat([hidden, hidden.view(X.size(0), -1).tanh()], dim=1)
        return self.last(both.reshape(len(both) if False else X.shape[0], -1))


class Branch(Code):
    def forward(self, X):
        if X.sum() > 1e9:
            return self.last(torch.cat([self.first(X)] * 2, 1)) * 0
        return super().forward(X)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.last = nn.Linear(4, 3)

    def forward(self, X):
        return self.last(torch.tanh(self.second(torch.tanh(self.first(X)))))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.GRU(2, 5, batch_first=True)
        self.last = nn.Linear(5, 3)

    def forward(self, X):
        out, _ = self.cells(X.view(-1, 2, 2))
        return self.last(out[:, -1])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(
            2, 1, dim_feedforward=4, dropout=0.0, batch_first=True
        )
        self.last = nn.Linear(4, 3)

    def forward(self, X):
        return self.last(self.encoder(X.view(-1, 2, 2)).flatten(1))


def image_layers():
    return (
        nn.Unflatten(1, (1, 2, 2)),
        nn.Conv2d(1, 4, 2, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 1, groups=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    )


def sequence_layers():
    return (
        nn.Unflatten(1, (1, 4)),
        nn.Conv1d(1, 3, 3, padding="same", padding_mode="circular"),
        nn.BatchNorm1d(3),
        nn.GELU(),
        nn.AvgPool1d(2),
        nn.Flatten(),
        nn.Linear(6, 3, bias=False),
    )


def normed_layers():
    return (
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.SiLU(), nn.LayerNorm(8),
        nn.Linear(8, 6), nn.PReLU(), nn.GroupNorm(2, 6), nn.Linear(6, 3),
    )  # fmt: skip


def dropout_layers():
    return (
        nn.Linear(4, 8), nn.Dropout(0.4), nn.ReLU(), nn.Unflatten(1, (4, 2)),
        nn.Dropout1d(0.3), nn.Flatten(), nn.Dropout(0.0), nn.Linear(8, 3),
    )  # fmt: skip


@pytest.mark.parametrize(
    "module", [Code, Branch, Tied, Recurrent, Attention], ids=lambda m: m.__name__
)
def test_modules(module):
    one = net(optimizer=torch.optim.SGD).set_params(module=module)
    assert_same(one, stacked=module is not Branch)


@pytest.mark.parametrize(
    "layers", [image_layers, sequence_layers, normed_layers, dropout_layers],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_layers(layers):
    one = net(optimizer=torch.optim.SGD, batch_size=11)
    assert_same(one.set_params(module=Layers, module__layers=layers))


def test_embeddings():
    words = np.random.default_rng(0).integers(7, size=(66, 5))

    def layers():
        return nn.Embedding(7, 4, padding_idx=2), nn.Flatten(), nn.Linear(20, 3)

    assert_same(net().set_params(module=Layers, module__layers=layers), X=words)


OPTIMIZERS = {
    torch.optim.SGD: [
        {}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.8, "dampening": 0.5, "weight_decay": 0.01}, {"maximize": True},
    ],
    torch.optim.Adam: [
        {}, {"weight_decay": 0.1, "betas": (0.8, 0.95)}, {"amsgrad": True},
    ],
    torch.optim.AdamW: [{}, {"weight_decay": 0.2, "amsgrad": True}],
    torch.optim.NAdam: [
        {}, {"weight_decay": 0.1},
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    torch.optim.RMSprop: [
        {}, {"momentum": 0.5, "weight_decay": 0.1}, {"centered": True},
    ],
    torch.optim.Adagrad: [
        {}, {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.2},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [(cls, options) for cls, several in OPTIMIZERS.items() for options in several],
    ids=lambda v: v.__name__ if isinstance(v, type) else "-".join(v) or "plain",
)
def test_optimizers(optimizer, options):
    one = net(optimizer=optimizer, max_epochs=5, batch_size=16).set_params(
        module=Smooth
    )
    one.set_params(**{f"optimizer__{k}": v for k, v in options.items()})
    rates = [{"lr": 0.01}, {"lr": 0.003}]
    if "weight_decay" in options:
        rates[1]["optimizer__weight_decay"] = 0.05
    assert_same(one, rates)


VALID = dict(train_split=ValidSplit(3), max_epochs=6)


@pytest.mark.parametrize(
    "params",
    [
        dict(callbacks=[LRScheduler(StepLR, step_size=2, gamma=0.5)]),
        dict(
            callbacks=[
                LRScheduler(OneCycleLR, max_lr=0.1, total_steps=40, step_every="batch")
            ],
            optimizer__momentum=0.9,
        ),
        dict(
            **VALID,
            callbacks=[
                LRScheduler(ReduceLROnPlateau, monitor="valid_loss", patience=0)
            ],
        ),
        dict(callbacks=[GradientNormClipping(0.1)], optimizer=torch.optim.Adam),
        dict(**VALID, callbacks=[EarlyStopping(patience=1, threshold=1e-2)]),
        dict(
            **VALID,
            callbacks=[
                EpochScoring("accuracy", name="a", on_train=True),
                EpochScoring("neg_log_loss", name="b", use_caching=False),
            ],
        ),
        dict(iterator_train__drop_last=True, batch_size=10),
        dict(batch_size=-1),
        dict(iterator_train__shuffle=False, iterator_valid__batch_size=5),
    ],
    ids=lambda params: "-".join(params),
)
def test_trainings(params):
    estimator = net(**{"batch_size": 16, **params}).set_params(module=Smooth)
    assert_same(estimator)


def test_who_stops_leaves_the_others():
    stop = EarlyStopping(patience=1, threshold=0.02)
    estimator = net(**VALID, callbacks=[stop]).set_params(module=Smooth, max_epochs=12)
    rates = [{"lr": 0.5}, {"lr": 1e-4}, {"lr": 0.1}]
    assert_same(estimator, rates)
    nets, _ = trained(estimator, rates, True)
    assert len({len(one.history) for one in nets}) > 1


class Frozen(Smooth):
    def __init__(self):
        super().__init__()
        self.layers[0].weight.requires_grad_(False)


def test_frozen_parameters_stay():
    assert_same(net(optimizer=torch.optim.Adam, lr=0.01).set_params(module=Frozen))


def test_parameter_groups():
    groups = [("layers.0.*", {"lr": 0.01}), ("layers.2.bias", {"weight_decay": 0.3})]
    estimator = net(optimizer=torch.optim.Adam, optimizer__param_groups=groups)
    assert_same(estimator.set_params(module=Smooth))
