"""The guard: when skip connections take over, and that the training ends then."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetRegressor
from skorch.dataset import ValidSplit
from torch import nn

from sktune.architectures import CellNet, CellSpace, choose
from sktune.architectures._perturbation import fix_by_perturbation
from sktune.architectures._relaxation import Relaxation, dominance, strongest


def course(n_free, eigenvalues, gain=0.01):
    return [
        {"n_free": n, "eigenvalue": value, "free_weight": 0.2 + gain * k}
        for k, (n, value) in enumerate(zip(n_free, eigenvalues, strict=True))
    ]


@pytest.mark.parametrize(
    ("n_free", "epoch"),
    [
        ([1, 3, 2, 4, 5, 4, 6, 5], 3),
        ([4, 5, 4, 6, 5], 3),  # from the beginning: the fewest
        ([5, 5, 5, 5, 5], 5),
        ([4, 4, 3, 4, 4], None),
        ([4, 4, 4, 4], None),
    ],
)
def test_too_many_go_back_to_the_last_epoch_with_few(n_free, epoch):
    found = dominance(course(n_free, [0.0] * len(n_free)), max_free=3)
    assert (found and found[1]) == epoch
    if found:
        assert "5 edges have operations without parameters after epoch" in found[0]


def test_a_sharper_minimum_goes_back_five_epochs():
    flat, steep = [1.0] * 5, [1.0, 1.2, 1.4, 1.6, 1.8]
    reason, epoch = dominance(course([0] * 10, flat + steep), max_free=3)
    assert epoch == 5
    assert "grew from 1 to 1.4 by epoch 10" in reason


def test_a_net_that_begins_to_learn_is_no_failure():
    """Eigenvalues grow, but skip connections do not gain."""
    values = [1.0] * 5 + [9.0] * 5
    assert dominance(course([0] * 10, values, gain=0.0), 3) is None
    assert dominance(course([0] * 10, values, gain=-0.01), 3) is None


@pytest.mark.parametrize(
    "eigenvalues",
    [
        [1.0] * 4 + [9.0] * 5,  # nine epochs say too little
        [1.0] * 5 + [1.3] * 5,
        [3.0] * 5 + [1.0] * 5,
        [-2.0] * 5 + [-1.0] * 5,  # a maximum is not sharp
    ],
)
def test_what_is_no_dominance(eigenvalues):
    assert dominance(course([3] * len(eigenvalues), eigenvalues), 3) is None


def test_none_is_never_the_strongest_where_there_are_others():
    weights = np.array([[0.8, 0.1, 0.1], [0.2, 0.3, 0.5]])
    assert strongest(weights, [True, False, False]) == [1, 2]
    assert strongest(weights, [True, True, True]) == [0, 2]


class Noise(nn.Module):
    """An operation that does harm wherever it is used."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.scale * 0 + 5 * torch.randn_like(x)


def net(**options):
    """Targets are one of the inputs, doubled: skip connections are all it takes."""
    return NeuralNetRegressor(
        CellNet,
        module__cell=CellSpace(["noise", "skip", "none"], 3),
        module__n_inputs=2,
        module__n_outputs=1,
        module__kind="rows",
        module__channels=4,
        module__n_cells=1,
        module__operations={"noise": lambda channels: Noise()},
        optimizer=torch.optim.Adam,
        lr=0.01,
        max_epochs=12,
        batch_size=16,
        train_split=ValidSplit(0.5),
        callbacks=[("relaxation", Relaxation(learning_rate=0.05, **options))],
        verbose=0,
    )


def fitted(**options):
    torch.manual_seed(0)
    np.random.seed(0)
    X = np.random.randn(64, 2).astype("float32")
    one = net(**options).fit(X, 2 * X[:, :1])
    return one, dict(one.callbacks_)["relaxation"]


@pytest.mark.parametrize("order", [1, 2])
def test_skips_that_dominate_end_the_training(order):
    one, relaxation = fitted(order=order)
    assert len(one.history) < 12
    assert "operations without parameters" in relaxation.stopped_
    last = relaxation.course_[relaxation.epoch_ - 1]["weights"]
    assert np.array_equal(relaxation.weights_, last)


def test_nothing_is_stopped_that_is_not_watched():
    one, relaxation = fitted(watch=False)
    assert len(one.history) == 12
    assert relaxation.stopped_ is None and relaxation.epoch_ == 12
    assert relaxation.cell_ == ("skip",) * 3
    assert relaxation.course_[-1]["eigenvalue"] is None


def test_to_be_watched_changes_nothing():
    _, watched = fitted(max_free=3)
    _, alone = fitted(watch=False)
    pairs = zip(watched.course_, alone.course_, strict=False)
    assert all(np.array_equal(a["weights"], b["weights"]) for a, b in pairs)
    assert all(one["eigenvalue"] is not None for one in watched.course_)


def test_perturbation_keeps_what_is_missed_most():
    _, relaxation = fitted(watch=False, perturbation=True)
    assert "skip" in (relaxation.cell_[1], relaxation.cell_[2])


class Constant(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, x):
        return self.value * torch.ones_like(x)


def test_perturbation_by_hand():
    """An edge gives 0.5 * 1 + 0.5 * 3, to be 2: without 3 more is lost."""
    one = NeuralNetRegressor(
        _Edge, train_split=None, max_epochs=0, verbose=0, lr=0.0, batch_size=4
    )
    X = np.ones((4, 1), dtype="float32")
    one.fit(X, 2 * X)
    weights = torch.tensor([[0.5, 0.5, 0.0]])
    data = one.get_dataset(X, 2 * X)
    names, zeros = ("one", "three", "none"), (False, False, True)
    given = (one, weights, names, zeros, data, data)
    assert fix_by_perturbation(*given, n_tuning_epochs=1) == ("three",)
    assert weights.tolist() == [[0.5, 0.5, 0.0]]
    choose(one.module_, ("three",))
    assert one.predict(X[:1]).item() == 3.0


class _Edge(nn.Module):
    def __init__(self):
        super().__init__()
        from sktune.architectures import Cell

        own = {"one": lambda c: Constant(1.0), "three": lambda c: Constant(3.0)}
        self.cell = Cell(CellSpace(["one", "three", "none"], 2), 1, "rows", own)

    def forward(self, x):
        return self.cell(x)
