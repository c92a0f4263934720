"""The losses of nets that are trained as one."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from sktune import GridSearchCV
from tests.helpers.estimators import net
from tests.helpers.stacked import (
    RATES,
    SPLITS,
    Smooth,
    X,
    assert_same,
    close,
    states,
    trained,
    y,
)

pytestmark = [
    pytest.mark.usefixtures("double_precision"),
    pytest.mark.one_end,  # of torch there is one version
]

LOSSES = {
    nn.CrossEntropyLoss: [{}, {"label_smoothing": 0.1}, {"reduction": "sum"},
        {"weight": torch.tensor([1.0, 2.0, 0.5])}, {"ignore_index": 1},
        {"label_smoothing": 0.2, "weight": torch.tensor([1.0, 2.0, 0.5])}],
    nn.MultiMarginLoss: [{}],
    nn.NLLLoss: [{"weight": torch.tensor([1.0, 2.0, 0.5]), "ignore_index": 2}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("loss", "options"), [(k, o) for k, several in LOSSES.items() for o in several],
    ids=lambda v: v.__name__ if isinstance(v, type) else "-".join(v) or "plain",
)  # fmt: skip
def test_losses_of_classes(loss, options):
    estimator = net(criterion=loss).set_params(module=Smooth, lr=0.01)
    options = {
        k: v.double() if isinstance(v, torch.Tensor) else v for k, v in options.items()
    }
    estimator.set_params(**{f"criterion__{k}": v for k, v in options.items()})
    if loss is nn.NLLLoss:
        estimator.set_params(module=Probabilities)
    assert_same(estimator)


def test_weights_of_classes_that_differ():
    """Each net has its own, or none."""
    weights = [None, torch.tensor([1.0, 5.0, 0.1]), torch.tensor([2.0, 0.1, 1.0])]
    params = [{"criterion__weight": None if w is None else w.double()} for w in weights]
    assert_same(net(criterion=nn.CrossEntropyLoss).set_params(module=Smooth), params)


def test_a_batch_of_nothing_but_ignored_rows():
    """Its loss is NaN, as torch has it, and changes no weight."""
    few = y.copy()
    few[SPLITS[0][0]] = np.where(np.arange(44) < 11, y[SPLITS[0][0]], -100)
    estimator = net(batch_size=11, iterator_train__shuffle=False, max_epochs=2)
    estimator.set_params(module=Smooth, criterion=nn.CrossEntropyLoss)
    alone, _ = trained(estimator, RATES, False, y=few)
    together, _ = trained(estimator, RATES, True, y=few)
    lost = [np.isnan(one.history[-1, "train_loss"]) for one in together]
    assert lost == [np.isnan(one.history[-1, "train_loss"]) for one in alone]
    assert any(lost)
    for one, other in zip(alone, together, strict=True):
        close(states(one)[:2], states(other)[:2])


class Probabilities(Smooth):
    def forward(self, X):
        return torch.softmax(super().forward(X), -1)


class One(nn.Module):
    def __init__(self, flat=False):
        super().__init__()
        self.layer, self.flat = nn.Linear(4, 1), flat

    def forward(self, X):
        return self.layer(X).squeeze(-1) if self.flat else self.layer(X)


def test_losses_of_other_nets():
    common = dict(max_epochs=3, batch_size=16, train_split=None, verbose=0)
    assert_same(NeuralNetClassifier(Probabilities, **common))
    targets = np.random.default_rng(0).normal(size=(66, 1))
    for loss in (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss):
        assert_same(NeuralNetRegressor(One, criterion=loss, **common), y=targets)
    for options in ({"pos_weight": torch.tensor([3.0])}, {"weight": torch.ones(1)}):
        weighted = {f"criterion__{k}": v.double() for k, v in options.items()}
        weighted["criterion"] = nn.BCEWithLogitsLoss
        assert_same(
            NeuralNetRegressor(One, **common, **weighted), y=(targets > 0) * 1.0
        )
    for loss in (nn.SoftMarginLoss, nn.PoissonNLLLoss):
        assert_same(NeuralNetRegressor(One, criterion=loss, **common), y=targets)
    for loss in (nn.BCEWithLogitsLoss, nn.BCELoss):
        module = (
            One
            if loss is nn.BCEWithLogitsLoss
            else nn.Sequential(One(True), nn.Sigmoid())
        )
        binary = NeuralNetBinaryClassifier(module, criterion=loss, **common)
        if loss is nn.BCEWithLogitsLoss:
            binary.set_params(module__flat=True)
        assert_same(binary, y=(y > 0).astype(float))


class OneAndMore(One):
    def forward(self, X):
        return self.layer(X), X


class OfTheFirst(NeuralNetBinaryClassifier):
    def get_loss(self, y_pred, *args, **kwargs):
        return super().get_loss(y_pred[0], *args, **kwargs)


def test_binary_classifiers_flatten_what_their_modules_say():
    """skorch does, where the output has a row for each target."""
    common = dict(max_epochs=3, batch_size=16, train_split=None, verbose=0)
    target = (y > 0).astype(float)
    assert_same(NeuralNetBinaryClassifier(One, **common), y=target)
    estimator = OfTheFirst(OneAndMore, **common)
    scores = []
    for stacked in (False, True):
        given = {"cv": 2, "scoring": "neg_log_loss", "random_state": 0}
        search = GridSearchCV(estimator, {"lr": [0.01, 0.3]}, stacked=stacked, **given)
        scores.append(search.fit(X, target).cv_results_["mean_test_score"])
        sizes = {row["stacked"] for row in search.paths_ if row["split"] is not None}
        assert sizes == ({4} if stacked else {1})
    np.testing.assert_allclose(*scores, rtol=1e-9)


def test_outputs_that_no_binary_classifier_takes():
    common = dict(max_epochs=1, train_split=None, verbose=0)
    wide = NeuralNetBinaryClassifier(Smooth, **common)
    search = GridSearchCV(wide, {"lr": [0.1, 0.2]}, cv=2, stacked=True)
    with pytest.raises(ValueError, match=r"shape \(n,\) or \(n, 1\), got \(.*, 3\)"):
        search.fit(X, (y > 0).astype(float))
