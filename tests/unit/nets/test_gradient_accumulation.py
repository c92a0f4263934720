import numpy as np
import pytest
import torch
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from skorch.callbacks import EpochScoring, GradientNormClipping, LRScheduler
from torch import nn
from torch.utils.data import DataLoader

from sktune._errors import EstimatorError, EstimatorTypeError
from sktune.nets import GradientAccumulation
from tests.helpers.estimators import blobs

X, y = blobs(50)
X = X.astype(float)


class Accumulating(GradientAccumulation, NeuralNetClassifier):
    pass


class Smooth(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))

    def forward(self, X):
        return self.layers(X)


@pytest.fixture(autouse=True)
def double():
    """So that what differs by rounding differs by little."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def fitted(cls=Accumulating, X=X, y=y, **kwargs):
    settings = dict(criterion=nn.CrossEntropyLoss, lr=0.1, max_epochs=3, batch_size=20)
    settings |= dict(train_split=None, verbose=0, iterator_train__shuffle=True)
    torch.manual_seed(0)
    module = kwargs.pop("module", Smooth)
    return cls(module, **{**settings, **kwargs}).fit(X, y)


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.module_.parameters()])


def assert_equal(ours, theirs):
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-12, atol=1e-13)
    for a, b in zip(ours.history, theirs.history, strict=True):
        assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-12)
        assert [one["train_batch_size"] for one in a["batches"]] == [20, 20, 10]


@pytest.mark.parametrize("size", [1, 7, 10, 20, 64])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"optimizer": torch.optim.Adam, "lr": 0.01},
        {"optimizer": torch.optim.LBFGS, "optimizer__max_iter": 4},
        {"criterion__reduction": "sum", "lr": 0.01},
        {"criterion__weight": torch.tensor([1.0, 5.0, 0.1], dtype=torch.float64)},
        {"criterion__ignore_index": 1},
        {"criterion__label_smoothing": 0.1},
        {
            "callbacks": [
                GradientNormClipping(0.1),
                LRScheduler("StepLR", step_size=1, gamma=0.5, step_every="batch"),
                EpochScoring("accuracy", on_train=True),
            ],
            "optimizer__momentum": 0.9,
        },
    ],
    ids=["sgd", "adam", "lbfgs", "sum", "weight", "ignored", "smoothed", "callbacks"],
)
def test_parts_are_the_whole(size, kwargs):
    ours = fitted(micro_batch_size=size, **kwargs)
    theirs = fitted(NeuralNetClassifier, **kwargs)
    assert_equal(ours, theirs)
    if "callbacks" in kwargs:
        assert ours.history[:, "accuracy"] == theirs.history[:, "accuracy"]


def test_a_plain_loop_of_torch_with_an_incomplete_last_group():
    """Four batches a step, as books have it; of the epoch's 7 the last 3 are a step."""
    ours = fitted(
        batch_size=32, micro_batch_size=8, iterator_train__shuffle=False, lr=0.2
    )
    torch.manual_seed(0)
    module, loss = Smooth(), nn.CrossEntropyLoss(reduction="sum")
    optimizer = torch.optim.SGD(module.parameters(), lr=0.2)
    rows = list(zip(torch.as_tensor(X), torch.as_tensor(y), strict=True))
    for _ in range(3):
        n_rows = 0
        for k, (inputs, labels) in enumerate(DataLoader(rows, batch_size=8)):
            loss(module(inputs), labels).backward()
            n_rows += len(labels)
            if k % 4 == 3 or k == 6:
                for p in module.parameters():
                    p.grad /= n_rows
                optimizer.step()
                optimizer.zero_grad()
                n_rows = 0
    expected = torch.cat([p.detach().flatten() for p in module.parameters()])
    torch.testing.assert_close(weights(ours), expected, rtol=1e-12, atol=1e-13)


def test_no_more_rows_than_that_are_run_at_once():
    seen = []

    class Looking(Smooth):
        def forward(self, X):
            seen.append(len(X))
            return super().forward(X)

    fitted(module=Looking, micro_batch_size=8, max_epochs=1)
    assert seen == [8, 8, 4, 8, 8, 4, 8, 2]


class Several(nn.Module):
    """Reads a dict, and gives a tuple."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, left, right):
        return self.layer(torch.cat([left, right], 1)), left


class OfFirst(NeuralNetBinaryClassifier):
    def get_loss(self, y_pred, y_true, X=None, training=False):
        return super().get_loss(y_pred[0], y_true, X=X, training=training)


class Binary(GradientAccumulation, OfFirst):
    pass


def test_dicts_tuples_and_one_logit():
    data = {"left": X[:, :2], "right": X[:, 2:]}
    target = (y == 1).astype(float)
    options = dict(X=data, y=target, module=Several, criterion=nn.BCEWithLogitsLoss)
    ours = fitted(Binary, micro_batch_size=7, **options)
    assert_equal(ours, fitted(OfFirst, **options))


def test_a_loss_of_the_users_own():
    class Own(NeuralNetClassifier):
        def get_loss(self, y_pred, y_true, X=None, training=False):
            loss = super().get_loss(y_pred, y_true, X=X, training=training)
            return loss + 0.01 * self.module_.layers[0].weight.abs().sum()

    class Both(GradientAccumulation, Own):
        pass

    assert_equal(fitted(Both, micro_batch_size=7), fitted(Own))


def test_where_no_row_counts():
    """One part of a batch, and then all of it."""
    order = np.argsort(y, kind="stable")
    options = dict(X=X[order], y=y[order], iterator_train__shuffle=False)
    options |= dict(criterion__ignore_index=0, batch_size=40)
    ours = fitted(micro_batch_size=5, **options)
    theirs = fitted(NeuralNetClassifier, **options)
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-12, atol=1e-13)
    assert weights(ours).isfinite().all()
    options["batch_size"] = 10
    ours = fitted(micro_batch_size=5, **options)
    theirs = fitted(NeuralNetClassifier, **options)
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-12, atol=1e-13)
    assert np.isnan(ours.history[-1, "batches", 0, "train_loss"])


def test_what_cannot_be():
    with pytest.raises(EstimatorError, match="micro_batch_size=0 leaves no row"):
        fitted(micro_batch_size=0)

    def packed(rows):
        inputs, labels = zip(*rows, strict=True)
        sequences = [torch.as_tensor(one) for one in inputs]
        return nn.utils.rnn.pack_sequence(sequences), torch.as_tensor(labels)

    with pytest.raises(EstimatorTypeError, match="of PackedSequence cannot be cut"):
        fitted(micro_batch_size=5, iterator_train__collate_fn=packed)
