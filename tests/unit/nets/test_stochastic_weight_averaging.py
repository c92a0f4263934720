import numpy as np
import pytest
import torch
from skorch.dataset import ValidSplit
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn
from torch.utils.data import DataLoader

from sktune._errors import EstimatorError
from sktune.nets import BalancedLoader, StochasticWeightAveraging
from tests.helpers.estimators import Net, blobs, net

X, y = blobs(60)


def averaging(start=0.75, every=1, **kwargs):
    callbacks = [("swa", StochasticWeightAveraging(start, every))]
    return net(callbacks=callbacks, verbose=0, **{"max_epochs": 8, **kwargs})


def fitted(one, X=X, y=y):
    torch.manual_seed(0)
    return one.fit(X, y)


@pytest.mark.parametrize(
    ("start", "every", "n_epochs", "n_averaged"),
    [
        (0.75, 1, 20, 6),  # 15 to 20
        (0.75, 1, 8, 3),  # 6 to 8
        (6, 1, 8, 3),
        (6, 2, 8, 2),  # 6 and 8
        (1, 3, 8, 3),  # 1, 4 and 7
        (1.0, 1, 8, 1),
        (0.01, 1, 8, 8),
        (9, 1, 8, 0),
    ],
)
def test_which_epochs_count(start, every, n_epochs, n_averaged):
    one = averaging(start, every, max_epochs=n_epochs).set_params(module=Linear)
    assert dict(fitted(one).callbacks_)["swa"].n_averaged_ == n_averaged


class Linear(nn.Linear):
    def __init__(self):
        super().__init__(4, 3)


def test_torchs_own_recipe():
    """A plain loop with `AveragedModel` and `update_bn`."""
    options = dict(dropout=0.0)
    one = averaging(
        0.5, max_epochs=4, module__dropout=0.0, iterator_train__shuffle=False
    )
    fitted(one)
    torch.manual_seed(0)
    module, loss = Net(**options), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    rows = list(zip(torch.as_tensor(X), torch.as_tensor(y), strict=True))
    mean = AveragedModel(module)
    for epoch in range(4):
        for inputs, labels in DataLoader(rows, batch_size=32):
            optimizer.zero_grad()
            loss(module(inputs), labels).backward()
            optimizer.step()
        if epoch >= 1:
            mean.update_parameters(module)
    update_bn(DataLoader(rows, batch_size=32), mean)
    expected = mean.module.state_dict()
    assert "layers.1.running_mean" in expected
    for name, found in one.module_.state_dict().items():
        torch.testing.assert_close(found, expected[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("split", [None, ValidSplit(3, stratified=True)])
def test_the_training_itself_is_not_changed(split):
    """Dropout and the order of rows draw the same numbers as without."""
    plain = fitted(net(verbose=0, max_epochs=8, train_split=split))
    ours = fitted(averaging(0.25, train_split=split))
    assert plain.history[:, "train_loss"] == ours.history[:, "train_loss"]
    moments = [one.optimizer_.state_dict() for one in (plain, ours)]
    assert str(moments[0]["param_groups"]) == str(moments[1]["param_groups"])
    assert not torch.equal(*(one.module_.layers[0].weight for one in (plain, ours)))
    if split:
        assert plain.history[:, "valid_loss"] == ours.history[:, "valid_loss"]


def test_the_mean_is_that_of_the_epochs():
    seen = []

    class Looks(StochasticWeightAveraging):
        def on_epoch_end(self, net, **kwargs):
            seen.append(net.module_.layers[0].weight.detach().clone())
            super().on_epoch_end(net, **kwargs)

    one = fitted(net(callbacks=[Looks(5, 2)], max_epochs=8, verbose=0))
    expected = (seen[4] + seen[6]) / 2
    torch.testing.assert_close(one.module_.layers[0].weight.detach(), expected)


def test_batch_norm_counts_the_rows_of_the_training_as_they_were_drawn():
    split = ValidSplit(2, stratified=False)  # the first half
    one = averaging(
        1, max_epochs=1, train_split=split, batch_size=30, module__dropout=0
    )
    one = fitted(one)
    layer, norm = one.module_.layers[0], one.module_.layers[1]
    hidden = layer(torch.as_tensor(X[30:]))
    torch.testing.assert_close(norm.running_mean, hidden.mean(0).detach())
    torch.testing.assert_close(norm.running_var, hidden.var(0).detach())
    rare = np.r_[np.arange(30), np.flatnonzero(y[30:] == 0)[:3] + 30]
    one = averaging(1, max_epochs=1, batch_size=-1, module__dropout=0)
    one.set_params(iterator_train=BalancedLoader, iterator_train__length="under")
    means = [fitted(one, X[rare], y[rare]).module_.layers[1].running_mean.clone()]
    means += [one.module_.layers[0](torch.as_tensor(X[rare])).mean(0).detach()]
    assert not torch.allclose(*means, atol=1e-3)


def test_dicts_and_trained_on():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = Net().layers

        def forward(self, a, b):
            return self.layers(torch.cat([a, b], 1))

    data = {"a": X[:, :1], "b": X[:, 1:]}
    one = fitted(averaging().set_params(module=Sum), data)
    before = one.module_.layers[0].weight.detach().clone()
    one.partial_fit(data, y)
    assert len(one.history) == 16
    assert dict(one.callbacks_)["swa"].n_averaged_ == 3
    assert not before.equal(one.module_.layers[0].weight)


@pytest.mark.parametrize(
    ("start", "every"), [(0.0, 1), (1.5, 1), (-1, 1), (0, 1), (0.5, 0)]
)
def test_what_cannot_be(start, every):
    with pytest.raises(EstimatorError, match=r"(start|every)=\S+ cannot be"):
        fitted(averaging(start, every))
