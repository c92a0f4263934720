import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from sktune import GridSearchCV
from sktune._errors import EstimatorError
from sktune.nets import GradualUnfreezing, ParamGroups
from tests.helpers.estimators import blobs, net

X, y = blobs(60)
GROUPS = ["layers.2.*", ["layers.0.weight", "layers.0.bias"]]


class Three(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = (4, 5), (5, 5), (5, 3)
        layers = [part for a, b in sizes for part in (nn.Linear(a, b), nn.Tanh())]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, X):
        return self.layers(X)


def unfreezing(groups=GROUPS, max_epochs=5, **kwargs):
    callbacks = [("unfreezing", GradualUnfreezing(groups, **kwargs))]
    one = net(callbacks=callbacks, max_epochs=max_epochs, verbose=0)
    return one.set_params(module=Three, iterator_train__shuffle=False)


@pytest.mark.parametrize(
    ("kwargs", "n_frozen"),
    [
        ({}, [2, 1, 0, 0, 0]),
        ({"start": 0}, [1, 0, 0, 0, 0]),
        ({"start": 2, "every": 2}, [2, 2, 1, 1, 0]),
        ({"start": 1, "every": 0}, [2, 0, 0, 0, 0]),
        ({"start": 9}, [2, 2, 2, 2, 2]),
        ({"start": 0, "every": 0}, [0, 0, 0, 0, 0]),
    ],
)
def test_when_groups_are_thawed(kwargs, n_frozen):
    one = unfreezing(**kwargs).fit(X, y)
    assert one.history[:, "n_frozen_groups"] == n_frozen
    trained = [p.requires_grad for p in one.module_.parameters()]
    last = n_frozen[-1]
    assert trained == [last < 1, last < 1, last < 2, last < 2, True, True]


def test_a_plain_loop_with_a_rate_for_each_group():
    one = unfreezing().set_params(
        optimizer=ParamGroups(torch.optim.Adam),
        optimizer__param_groups=[("layers.0*", {}), ("layers.2*", {})],
        optimizer__group_decay=2.6,
        optimizer__weight_decay=0.1,
        lr=0.05,
    )
    torch.manual_seed(0)
    one.fit(X, y)
    torch.manual_seed(0)
    module, loss = Three(), nn.CrossEntropyLoss()
    first, second, third = (module.layers[k] for k in (0, 2, 4))
    rates = zip((first, second, third), (0.05 / 2.6**2, 0.05 / 2.6, 0.05), strict=True)
    optimizer = torch.optim.Adam(
        [{"params": [*layer.parameters()], "lr": lr} for layer, lr in rates],
        weight_decay=0.1,
    )
    rows = list(zip(torch.as_tensor(X), torch.as_tensor(y), strict=True))
    for epoch in range(5):
        first.requires_grad_(epoch >= 2)
        second.requires_grad_(epoch >= 1)
        for inputs, labels in DataLoader(rows, batch_size=32):
            optimizer.zero_grad()
            loss(module(inputs), labels).backward()
            optimizer.step()
    expected = module.state_dict()
    for name, found in one.module_.state_dict().items():
        torch.testing.assert_close(found, expected[name], rtol=1e-5, atol=1e-7)


def test_the_first_of_two_groups_that_match_decides():
    one = unfreezing(["layers.2.*", "layers.[02].*"], max_epochs=2).fit(X, y)
    trained = [p.requires_grad for p in one.module_.parameters()]
    assert trained == [False, False, True, True, True, True]


def test_each_training_begins_frozen():
    one = unfreezing(max_epochs=3).fit(X, y)
    assert one.partial_fit(X, y).history[:, "n_frozen_groups"] == [2, 1, 0] * 2
    assert one.fit(X, y).history[:, "n_frozen_groups"] == [2, 1, 0]


def test_candidates_that_thaw_at_other_epochs_are_trained_as_one():
    space = {
        "callbacks__unfreezing__start": [0, 2],
        "callbacks__unfreezing__every": [0, 1],
    }
    alone, stacked = (
        GridSearchCV(
            unfreezing(), space, cv=2, scoring="neg_log_loss", stacked=s, random_state=0
        ).fit(X, y)
        for s in (False, True)
    )
    sizes = {row["stacked"] for row in stacked.paths_ if row["split"] is not None}
    assert min(sizes) >= 4
    scores = [one.cv_results_["mean_test_score"] for one in (alone, stacked)]
    np.testing.assert_allclose(*scores, rtol=1e-4)
    assert len(set(scores[0].round(6))) == 4


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"groups": ["layer.0.*"]}, r"'layer.0.\*' matches no .*'layers.0.weight'"),
        ({"groups": ["layers.*"]}, "all parameters are frozen in epoch 1. Pass start"),
        ({"start": -1}, "start=-1 epochs cannot be"),
        ({"every": -2}, "every=-2 epochs cannot be"),
    ],
)
def test_what_cannot_be(kwargs, message):
    with pytest.raises(EstimatorError, match=message):
        unfreezing(**kwargs).fit(X, y)
