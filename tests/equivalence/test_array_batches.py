"""Nets whose batches are cut from arrays are those that skorch trains, bit by bit."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetRegressor
from skorch.callbacks import (
    BatchScoring,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
)
from skorch.dataset import Dataset, ValidSplit
from skorch.helper import SliceDict, predefined_split
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import (
    DataLoader,
    SequentialSampler,
    Subset,
    WeightedRandomSampler,
)

from sktune.execution.training._array_batches import ArrayLoader, cut_from_arrays
from sktune.execution.training._listening import quick_batches
from tests.helpers.estimators import blobs, net

X, y = blobs(75)
X_other, y_other = blobs(30)


class Linear(nn.Module):
    def __init__(self, n_outputs=1, dtype=torch.float32):
        super().__init__()
        self.layer = nn.Linear(4, n_outputs, dtype=dtype)

    def forward(self, X):
        return self.layer(X)


class Named(nn.Module):
    """Takes a dict, with a weight of each row."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, first, second, weight):
        return self.layer(torch.cat([first, second], 1)), weight


class WeightedLoss(nn.CrossEntropyLoss):
    def __init__(self):
        super().__init__(reduction="none")

    def forward(self, given, target):
        prediction, weight = given
        return (super().forward(prediction, target) * weight).mean()


class OwnDataset(Dataset):
    def transform(self, X, y):
        return super().transform(X * 2, y)


class OwnLoader(DataLoader):
    pass


def double_rows(batch):
    X, y = torch.utils.data.default_collate(batch)
    return torch.cat([X, X]), torch.cat([y, y])


def trained(net, X, y, quick):
    """Everything that a training leaves behind."""
    torch.manual_seed(3)
    np.random.seed(3)
    net = clone(net).set_params(verbose=0)
    if quick:
        with quick_batches(net) as batches:
            net.fit(X, y)
            predictions = net.forward(X)
        path = batches.path
    else:
        net.fit(X, y)
        predictions, path = net.forward(X), None
    history = [
        {k: v for k, v in row.items() if k != "dur"} for row in net.history.to_list()
    ]
    state = net.module_.state_dict(), net.optimizer_.state_dict(), predictions
    return history, state, torch.get_rng_state(), path


def assert_same(net, X, y, path="arrays"):
    expected, found = (trained(net, X, y, quick) for quick in (False, True))
    assert repr(found[0]) == repr(expected[0])  # NaN is not itself
    torch.testing.assert_close(found[1], expected[1], rtol=0, atol=0, equal_nan=True)
    assert torch.equal(found[2], expected[2])
    assert found[3] == path


read_only = X.copy()
read_only.flags.writeable = False
by_column = np.asfortranarray(X)
pairs = {"first": X[:, :2], "second": X[:, 2:], "weight": X[:, 0] ** 2}


# torch warns, once in a process, of data that nobody may write to.
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    "data", [X, torch.from_numpy(X), sparse.csr_matrix(X), read_only, by_column,
             np.repeat(X, 2, axis=1)[:, ::2]],
    ids=["array", "tensor", "csr", "read_only", "by_column", "strided"],
)  # fmt: skip
def test_data(data, shuffle):
    assert_same(net(iterator_train__shuffle=shuffle), data, y)


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_a_file_that_is_mapped(tmp_path):
    np.save(tmp_path / "X.npy", X)
    assert_same(net(), np.load(tmp_path / "X.npy", mmap_mode="r"), y)


@pytest.mark.parametrize("kind", [dict, SliceDict])
def test_dicts_with_weights(kind):
    weighted = net(criterion=WeightedLoss).set_params(module=Named)
    assert_same(weighted, kind(**pairs), y)


def test_losses():
    targets = np.random.default_rng(0).normal(size=(75, 1)).astype("f4")
    common = dict(max_epochs=2, batch_size=16, iterator_train__shuffle=True)
    for loss in (nn.MSELoss, nn.L1Loss, nn.HuberLoss):
        assert_same(NeuralNetRegressor(Linear, criterion=loss, **common), X, targets)
    double = NeuralNetRegressor(Linear, module__dtype=torch.float64, **common)
    assert_same(double, X.astype(float), targets.astype(float))
    flat = NeuralNetBinaryClassifier(nn.Sequential(Linear(), nn.Flatten(0)), **common)
    assert_same(flat, X, (y > 0).astype("f4"))
    assert_same(net(criterion=nn.MultiMarginLoss), X, torch.from_numpy(y))


class Reconstruction(nn.MSELoss):
    def forward(self, output, target):
        assert target.shape == (len(output), 1)  # what skorch puts there without a y
        return super().forward(output, target.expand_as(output))


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32", "bool"])
def test_targets_of_pandas(dtype):
    targets = pd.Series(y, index=np.arange(len(y))[::-1]).astype(dtype)
    rows, arrays = (DataLoader(Dataset(X, targets), batch_size=7) for _ in range(2))
    assert cut_from_arrays(arrays) is None
    for one, other in zip(rows, arrays, strict=True):
        assert one[1].dtype == other[1].dtype
        assert torch.equal(one[1], other[1])


def test_a_series_trains_as_its_array():
    assert_same(net(iterator_train__shuffle=True), X, pd.Series(y))
    words = pd.Series(y.astype(str))
    assert "dtype" in cut_from_arrays(DataLoader(Dataset(X, words), batch_size=7))


def test_without_a_y():
    plain = NeuralNet(Linear, Reconstruction, module__n_outputs=4, train_split=None)
    assert_same(plain.set_params(max_epochs=2), X, None)


@pytest.mark.parametrize(
    "params",
    [
        dict(optimizer=torch.optim.Adam, lr=0.01),
        dict(optimizer=torch.optim.LBFGS, lr=0.01, max_epochs=2),
        dict(optimizer__momentum=0.9, optimizer__nesterov=True),
        dict(iterator_train__drop_last=True),
        dict(batch_size=-1, iterator_valid__batch_size=7),
        dict(iterator_train__generator=None),
        dict(train_split=ValidSplit(4, stratified=True)),
        dict(train_split=ValidSplit(0.3)),
        dict(train_split=predefined_split(Dataset(X_other, y_other))),
        dict(
            train_split=ValidSplit(3),
            max_epochs=8,
            callbacks=[EarlyStopping(patience=2), GradientNormClipping(1.0)],
        ),
        dict(
            train_split=ValidSplit(3),
            callbacks=[
                LRScheduler("StepLR", step_size=1),
                EpochScoring("accuracy", name="a", on_train=True),
                EpochScoring("neg_log_loss", name="b", use_caching=False),
                BatchScoring("accuracy", name="c"),
            ],
        ),
        dict(
            callbacks=[
                LRScheduler(OneCycleLR, max_lr=0.1, total_steps=9, step_every="batch")
            ]
        ),
    ],
    ids=lambda params: "-".join(params),
)
def test_trainings(params):
    assert_same(net(**params), X, y)


def test_what_is_not_known_to_be_the_same_is_left_as_it_is():
    rows = partial(assert_same, y=y)
    rows(net(dataset=OwnDataset), X, path="rows: the dataset is a OwnDataset")
    rows(net(iterator_train=OwnLoader), X, path="rows: the loader is a OwnLoader")
    rows(
        net(iterator_train__collate_fn=double_rows),
        X,
        path="rows: the loader has a collate_fn",
    )
    sampler = WeightedRandomSampler(np.ones(75), 75)
    rows(
        net(iterator_train__sampler=sampler, iterator_train__shuffle=False),
        X,
        path="rows: the loader has a sampler",
    )
    sampler = net(iterator_train__sampler=SequentialSampler(X))
    rows(sampler.set_params(iterator_train__shuffle=False), X)
    frame = pd.DataFrame(X, columns=list("abcd"))
    by_column = net().set_params(module=ByColumn)
    rows(by_column, frame, path="rows: X is a DataFrame")


class ByColumn(Linear):
    def __init__(self):
        super().__init__(3)

    def forward(self, **columns):
        return super().forward(torch.cat(list(columns.values()), 1))


DTYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c8"]
DTYPES += [">f4", "O", "U3", "M8[s]"]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_batch_is_the_one_that_torch_would_stack(data):
    draw = data.draw
    n = draw(st.integers(1, 12))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    dtypes = draw(st.tuples(st.sampled_from(DTYPES), st.sampled_from(DTYPES)))
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(n, *shape)) * 3).astype(int).astype(dtypes[0])
    y = rng.integers(3, size=n).astype(dtypes[1])
    dataset = Dataset(X, y if draw(st.booleans()) else None)
    if draw(st.booleans()):
        dataset = Subset(dataset, rng.integers(n, size=draw(st.integers(1, n))))
    kwargs = dict(batch_size=draw(st.integers(1, 5)), shuffle=draw(st.booleans()))
    kwargs["drop_last"] = draw(st.booleans())
    loader = DataLoader(dataset, **kwargs)
    plain = DataLoader(dataset, **kwargs)
    reason = cut_from_arrays(loader)
    assert (reason is None) == (type(loader) is ArrayLoader)
    if reason is not None:
        assert type(loader) is DataLoader
        return
    torch.manual_seed(0)
    expected = list(plain), torch.get_rng_state()
    torch.manual_seed(0)
    found = list(loader), torch.get_rng_state()
    assert len(found[0]) == len(expected[0]) == len(loader)
    assert torch.equal(found[1], expected[1])
    for a, b in zip(found[0], expected[0], strict=True):
        assert type(a) is type(b) is list
        for one, other in zip(a, b, strict=True):
            assert (one.dtype, one.shape, one.stride()) == (
                other.dtype, other.shape, other.stride()
            )  # fmt: skip
            assert torch.equal(one, other)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "?", "u1"])
def test_the_usual_dtypes_are_cut(dtype):
    loader = DataLoader(Dataset(X.astype(dtype), y.astype(dtype)), batch_size=7)
    assert cut_from_arrays(loader) is None


@pytest.mark.parametrize("indices", [[-1, -3, 5, 7, -60], np.arange(-60, 0)])
def test_parts_by_indices_from_the_end(indices):
    part = Subset(Dataset(X, y), indices)
    rows, arrays = (DataLoader(part, batch_size=4) for _ in range(2))
    assert cut_from_arrays(arrays) is None
    for (a, b), (c, d) in zip(rows, arrays, strict=True):
        assert torch.equal(a, c) and torch.equal(b, d)


@pytest.mark.parametrize("indices", [[0, len(X), 1], [0, -len(X) - 1, 1]])
def test_indices_of_no_row_are_torchs_to_refuse(indices):
    loader = DataLoader(Subset(Dataset(X, y), indices), batch_size=2)
    assert "other indices" in cut_from_arrays(loader)
    with pytest.raises(IndexError):
        list(loader)
