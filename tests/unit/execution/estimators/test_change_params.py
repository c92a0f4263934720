"""What changes in a net that is being trained, and what must not."""

import pytest
import torch
from skorch import NeuralNetClassifier
from torch import nn

from sktune._errors import EstimatorError
from sktune.execution.estimators._change_params import change_params
from tests.helpers.estimators import blobs, net

X, y = blobs(30)


def trained(**kwargs):
    kwargs = {"optimizer": torch.optim.Adam, "verbose": 0, "max_epochs": 2, **kwargs}
    return net(**kwargs).fit(X, y)


def test_the_optimizer_goes_on_with_the_same_weights():
    one = trained()
    weights = {id(p) for p in one.module_.parameters()}
    optimizer, running = one.optimizer_, one.module_.layers[1].running_mean
    steps = [int(state["step"]) for state in optimizer.state.values()]
    changed = {
        "lr": 0.5,
        "module__dropout": 0.7,
        "optimizer__weight_decay": 0.2,
        "batch_size": 9,
    }
    change_params(one, changed)
    assert one.optimizer_ is optimizer and one.module_.layers[3].p == 0.7
    assert {id(p) for p in one.module_.parameters()} == weights
    assert one.module_.layers[1].running_mean is running
    assert [int(state["step"]) for state in optimizer.state.values()] == steps
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.5, 0.2)
    params = one.get_params()
    assert {name: params[name] for name in changed} == changed
    one.partial_fit(X, y)
    assert {int(state["step"]) for state in optimizer.state.values()} != set(steps)


def test_a_criterion_has_the_weights_of_classes_that_it_is_given():
    one = trained(criterion__weight=torch.ones(3))
    module, given = one.module_, torch.tensor([1.0, 2.0, 3.0])
    change_params(one, {"criterion__weight": given, "criterion__label_smoothing": 0.1})
    assert one.module_ is module
    assert one.criterion_.weight.tolist() == given.tolist()
    assert one.criterion_.label_smoothing == 0.1


class Recurrent(nn.Module):
    def __init__(self, hidden=3, dropout=0.0):
        super().__init__()
        self.lstm = nn.LSTM(4, hidden, batch_first=True)
        self.last = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, 3))

    def forward(self, X):
        return self.last(self.lstm(X[:, None])[0][:, -1])


def test_an_lstm_computes_with_the_weights_that_it_is_given():
    one = NeuralNetClassifier(
        Recurrent, criterion=nn.CrossEntropyLoss, max_epochs=1, verbose=0
    ).fit(X, y)
    before = one.predict_proba(X)
    change_params(one, {"module__dropout": 0.5})
    assert (one.predict_proba(X) == before).all()


def test_other_weights_are_refused():
    with pytest.raises(
        EstimatorError, match=r"Net with .*'module__hidden': 5.*\(5, 4\)"
    ):
        change_params(trained(), {"module__hidden": 5})
