"""Layers and code of many kinds, over stacks."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skorch import NeuralNetClassifier
from skorch.helper import SliceDict
from torch import nn

from tests.helpers.estimators import net
from tests.helpers.stacked import RATES, Layers, X, assert_same, close, states, trained

pytestmark = [
    pytest.mark.usefixtures("double_precision"),
    pytest.mark.one_end,  # of torch there is one version
]


class Positions(nn.Module):
    """Tensors that are made in the forward pass, masks and constants."""

    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Linear(1, 4), nn.Embedding(4, 4)
        self.register_buffer("factor", torch.full((4,), 2.0))
        self.last = nn.Linear(4, 3)

    def forward(self, X):
        X = X.view(X.size(0), -1, 1)
        where = torch.arange(X.size(1), device=X.device)
        hidden = torch.tanh(self.words(X) + self.places(where)) * self.factor
        hidden = hidden + self.places(torch.arange(4)) + torch.ones((X.size(1), 4))
        mask = X > 0
        hidden = hidden.masked_fill(mask, 0.5) * mask.logical_not().float()
        return self.last(hidden.mean(dim=1))


class Shapes(nn.Module):
    """What changes shapes, by methods and by functions."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 12), nn.Linear(16, 3)

    def forward(self, X):
        hidden = self.first(X).reshape(-1, 3, 4).transpose(1, 2).permute(0, 2, 1)
        a, b, c = hidden.softmax(-1).unsqueeze(1).squeeze(1).chunk(3, dim=1)
        d = torch.flatten(torch.stack([a, b], dim=-1).sum((1, -1)), 1)
        parts = [a[:, 0], c.flatten(1), d, torch.log_softmax(b, dim=2).squeeze(1)]
        return self.last(torch.cat(parts, 1)) + X.mean() + hidden[..., 1:].amax(1)


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(2, 12), nn.Linear(4, 3)

    def forward(self, X):
        n, length = X.shape
        parts = self.first(X.view(n, length // 2, 2)).view(n, 2, 3, 2, 2)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind()
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.last(out.transpose(1, 2).flatten(2).mean(1))


class MultiHead(nn.Module):
    def __init__(self, need_weights=False, masked=False, **options):
        super().__init__()
        self.first, self.last = nn.Linear(1, 4), nn.Linear(4, 3)
        self.attend = nn.MultiheadAttention(4, 2, **options)
        self.need_weights, self.masked = need_weights, masked

    def forward(self, X):
        X = self.first(X.unsqueeze(-1))
        mask = torch.triu(torch.ones(4, 4), 1).bool() if self.masked else None
        if not self.attend.batch_first:
            X = X.transpose(0, 1)
        out, _ = self.attend(X, X, X, need_weights=self.need_weights, attn_mask=mask)
        if not self.attend.batch_first:
            out = out.transpose(0, 1)
        return self.last(out.mean(1))


class Encoder(nn.Module):
    def __init__(self, n_layers=1, **options):
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            4, 2, dim_feedforward=5, batch_first=True, **options
        )
        self.encoder = layer
        if n_layers > 1:
            self.encoder = nn.TransformerEncoder(
                layer, n_layers, norm=nn.LayerNorm(4), enable_nested_tensor=False
            )
        self.first, self.last = nn.Linear(1, 4), nn.Linear(4, 3)

    def forward(self, X):
        return self.last(self.encoder(self.first(X.unsqueeze(-1))).mean(1))


@pytest.mark.parametrize("module", [Positions, Shapes, Heads], ids=lambda m: m.__name__)
def test_code(module):
    assert_same(net(batch_size=11).set_params(module=module, max_epochs=3))


@pytest.mark.parametrize(
    "options",
    [
        {"batch_first": True}, {"batch_first": False, "dropout": 0.3},
        {"need_weights": True}, {"masked": True, "batch_first": True, "dropout": 0.2},
        {"add_bias_kv": True, "dropout": 0.2}, {"bias": False, "batch_first": True},
    ],
    ids=lambda options: "-".join(options),
)  # fmt: skip
def test_multihead_attention(options):
    one = net(batch_size=16).set_params(module=MultiHead, max_epochs=2)
    assert_same(one.set_params(**{f"module__{k}": v for k, v in options.items()}))


@pytest.mark.parametrize(
    "options",
    [
        {"dropout": 0.0}, {"dropout": 0.3, "norm_first": True}, {"activation": "gelu"},
        {"n_layers": 2, "dropout": 0.1},
    ],
    ids=lambda options: "-".join(options),
)  # fmt: skip
def test_encoders(options):
    """In training, and in evaluation, for which torch has a path of its own."""
    one = net(batch_size=22, max_epochs=2, train_split=Halves())
    one.set_params(module=Encoder, **{f"module__{k}": v for k, v in options.items()})
    assert_same(one)


class Halves:
    """A split whose parts both are stacked."""

    def __call__(self, dataset, y=None, groups=None):
        half = len(dataset) // 2
        parts = np.arange(half), np.arange(half, len(dataset))
        return tuple(torch.utils.data.Subset(dataset, part) for part in parts)


class Recurrent(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.cells, self.last = cell(2, 5, 2, dropout=0.2), nn.Linear(5, 3)

    def forward(self, X):
        out, _ = self.cells(X.view(-1, 2, 2).transpose(0, 1))
        return self.last(out[-1])


@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM, nn.RNN])
def test_recurrent_layers(cell):
    assert_same(net(max_epochs=2).set_params(module=Recurrent, module__cell=cell))


class Two(nn.Module):
    """Several inputs, and parameters that nothing reads."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(2, 4), nn.Linear(2, 4)
        self.unused = nn.Linear(3, 3)
        self.last = nn.Linear(4, 3)

    def forward(self, left, right):
        return self.last(torch.tanh(self.left(left)) + self.right(right).relu())


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_several_inputs_and_unused_parameters(optimizer):
    one = net(optimizer=optimizer, lr=0.01, optimizer__weight_decay=0.1)
    assert_same(one.set_params(module=Two), X=SliceDict(left=X[:, :2], right=X[:, 2:]))


class Outputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, X):
        hidden = torch.tanh(self.first(X))
        return self.last(hidden), {"hidden": [hidden]}


class OfFirst(NeuralNetClassifier):
    def get_loss(self, y_pred, y_true, X=None, training=False):
        scores, more = y_pred
        return self.criterion_(scores, y_true) + more["hidden"][0].square().mean()

    def forward(self, X, **kwargs):
        (batch,) = self.forward_iter(X, **kwargs)
        return batch[0]


def test_several_outputs():
    one = OfFirst(Outputs, criterion=nn.CrossEntropyLoss, batch_size=66, verbose=0)
    assert_same(
        one.set_params(max_epochs=2, train_split=None, callbacks__valid_acc=None)
    )


def test_batches_of_one_row():
    def layers():
        return nn.Linear(4, 5), nn.LayerNorm(5), nn.Dropout(0.2), nn.Linear(5, 3)

    one = net(batch_size=1, max_epochs=1)
    assert_same(one.set_params(module=Layers, module__layers=layers))


class _Backwards(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, *gradients):
        return -gradients[0]


class Switched(nn.Module):
    """Forward passes of which a trace does not see all."""

    def __init__(self, how):
        super().__init__()
        self.first, self.last = nn.Linear(4, 5), nn.Linear(5, 3)
        self.how = how
        self.kept = []
        self.register_buffer("mean", torch.zeros(5))
        self.register_buffer("count", torch.zeros(()))

    def forward(self, X):
        if self.how == "no gradients":
            with torch.no_grad():
                hidden = torch.tanh(self.first(X))
            return self.last(hidden)
        hidden = torch.tanh(self.first(X))
        if self.how == "own derivative":
            hidden = _Backwards.apply(hidden)
        elif self.how == "list":
            self.kept.append(hidden)
        elif self.how == "mean" and self.training:
            self.mean.mul_(0.9).add_(0.1 * hidden.detach().mean(0))
            hidden = hidden - self.mean
        elif self.how == "count" and self.training:
            self.count.add_(1)
            hidden = hidden / (1 + self.count)
        return self.last(hidden)


@pytest.mark.parametrize(
    "how", ["no gradients", "own derivative", "list", "mean", "count"]
)
def test_what_a_trace_does_not_see_is_not_stacked(how):
    """It would be trained as something else, and by its trace alone be another net."""
    estimator = net(batch_size=16).set_params(module=Switched, module__how=how)
    alone, _ = trained(estimator, RATES, False)
    together, outcomes = trained(estimator, RATES, True)
    for a, b in zip(alone, together, strict=True):
        close(states(a), states(b))
    expected = {"no gradients": "else when stacked", "own derivative": "else when"}
    assert all(
        expected.get(how, "keeps values") in outcome.path["reason"]
        for outcome in outcomes
    )


class Scaled(nn.Module):
    """A parameter that is one number."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self.scale = nn.Parameter(torch.tensor(0.5))

    def forward(self, X):
        return self.layer(X) * self.scale


def test_a_parameter_that_is_one_number():
    assert_same(
        net(batch_size=16, optimizer=torch.optim.Adam).set_params(module=Scaled)
    )
