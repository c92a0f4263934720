"""What is the relaxation's own: weights, and that it says when it was stopped."""

import numpy as np
import pytest
import torch
from torch import nn

from sktune.architectures import CellSpace, DARTSSearchCV
from tests.helpers.cells import SPACE, net_of_cells, rows

X, y = rows()


class Noise(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.scale + 10 * torch.randn_like(x)


def test_where_nothing_has_parameters_there_is_nothing_to_push_out():
    space = CellSpace(["skip", "none"], 2)
    options = {"n_random": 0, "max_free": 0, "cv": 2, "random_state": 0}
    net = net_of_cells(max_epochs=6)
    search = DARTSSearchCV(net, {"module__cell": space}, **options).fit(X, y)
    assert not search.stopped_


def test_the_cell_of_the_mean_weights_is_the_first():
    net = net_of_cells()
    search = DARTSSearchCV(
        net, {"module__cell": SPACE}, watch=False, n_random=0, cv=2, random_state=0
    ).fit(X, y)
    weights = [one["weights"] for one in search.relaxations_]
    np.testing.assert_allclose(search.weights_, np.mean(weights, axis=0))
    np.testing.assert_allclose(search.weights_.sum(axis=1), 1.0, rtol=1e-6)
    names = SPACE.operations
    mean = tuple(names[1 + k] for k in search.weights_[:, 1:].argmax(axis=1))
    cells = [params["module__cell"] for params in search.cv_results_["params"]]
    assert cells[0] == mean
    assert set(cells) == {mean, *(one["cell"] for one in search.relaxations_)}
    assert not search.stopped_
    assert [len(one["course"]) for one in search.relaxations_] == [3, 3]


def test_it_says_that_skip_connections_dominate():
    """Where the other operation is noise."""
    space = CellSpace(["skip", "noise"], 2)
    search = DARTSSearchCV(
        net_of_cells(module__operations={"noise": Noise}, max_epochs=12),
        {"module__cell": space},
        n_random=0,
        cv=2,
        random_state=0,
        max_free=0,
        architecture_lr=0.1,
    )
    with pytest.warns(UserWarning, match="stopped on [12] of 2 splits.*max_free=0"):
        search.fit(X, y)
    assert search.stopped_
    stopped = [one for one in search.relaxations_ if one["stopped"] is not None]
    assert stopped
    assert all(len(one["course"]) < 12 for one in stopped)
