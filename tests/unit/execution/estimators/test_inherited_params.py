"""Params that a child may not change are refused by name, before any fit."""

import pytest
import torch
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import LRScheduler
from torch import nn

from sktune._errors import ParamNameError
from sktune.execution.estimators._inherited_params import check_inherited
from sktune.execution.estimators._resource import Resource
from tests.helpers.estimators import Net, net

EPOCHS = Resource("max_epochs", "epochs", 9)
MAY = {
    "lr": [0.1, 0.2],
    "batch_size": [8, 16],
    "module__dropout": [0.1, 0.5],
    "optimizer__momentum": [0.0, 0.9],
    "criterion__label_smoothing": [0.0, 0.1],
    "iterator_train__shuffle": [True, False],
}
MAY_NOT = {
    "module__hidden": ([4, 8], r"from 4 to 8, .*other weights.*\(8, 4\)"),
    "max_epochs": ([1, 2], "only as the training begins"),
    "optimizer": ([torch.optim.SGD, torch.optim.Adam], "only as the training begins"),
    "callbacks__stop__patience": ([1, 2], "only as the training begins"),
    "train_split": ([None, 3], "only as the training begins"),
}


def test_what_may_change():
    check_inherited(net(), EPOCHS, MAY)


def test_what_has_one_value_never_changes():
    check_inherited(
        net(), EPOCHS, {name: values[:1] for name, (values, _) in MAY_NOT.items()}
    )


@pytest.mark.parametrize("name", MAY_NOT)
def test_what_may_not(name):
    values, why = MAY_NOT[name]
    with pytest.raises(ParamNameError, match=f"{name}.*{why}.*HyperbandSearchCV"):
        check_inherited(net(), EPOCHS, {"lr": [0.1, 0.2], name: values})


def test_what_the_optimizer_has_no_state_for():
    rms = net(optimizer=torch.optim.RMSprop)
    check_inherited(rms, EPOCHS, {"optimizer__momentum": [0.5, 0.9]})
    with pytest.raises(ParamNameError, match=r"momentum': from 0\.0 to 0\.9"):
        check_inherited(rms, EPOCHS, {"optimizer__momentum": [0.0, 0.9]})


def test_a_rate_that_a_schedule_sets():
    scheduled = net(callbacks=[("cosine", LRScheduler("CosineAnnealingLR", T_max=9))])
    with pytest.raises(ParamNameError, match="'lr': the callback 'cosine' sets"):
        check_inherited(scheduled, EPOCHS, {"lr": [0.1, 0.2]})
    check_inherited(scheduled, EPOCHS, {"module__dropout": [0.1, 0.2]})


def test_modules_of_a_net_of_ones_own():
    class Two(type(net())):
        def initialize_module(self):
            super().initialize_module()
            self.extra_ = Net(**self.get_params_for("extra"))
            return self

    two = net()
    two.__class__ = Two
    check_inherited(two, EPOCHS, {"extra__dropout": [0.1, 0.2]})
    with pytest.raises(ParamNameError, match=r"'extra__hidden': from 3 to 4"):
        check_inherited(two, EPOCHS, {"extra__hidden": [3, 4]})
    with pytest.raises(ParamNameError, match=r"'callbacks__a__lr': it takes effect"):
        check_inherited(two, EPOCHS, {"callbacks__a__lr": [0.1, 0.2]})


def test_steps_before_the_last():
    pipeline = make_pipeline(StandardScaler(), net())
    resource = Resource("neuralnetclassifier__max_epochs", "epochs", 9)
    check_inherited(pipeline, resource, {"neuralnetclassifier__lr": [0.1, 0.2]})
    searched = {"standardscaler__with_mean": [True, False]}
    with pytest.raises(ParamNameError, match=r"'standardscaler__with_mean': .* before"):
        check_inherited(pipeline, resource, searched)
    rows = Resource("n_samples", "n_samples", 90)
    check_inherited(pipeline, rows, searched)  # all is trained anew


def test_lazy_modules_and_others_are_not_tried_in_vain():
    class Lazy(nn.Module):
        def __init__(self, dropout=0.1):
            super().__init__()
            self.layers = nn.Sequential(nn.LazyLinear(3), nn.Dropout(dropout))

    lazy = net().set_params(module=Lazy)
    check_inherited(lazy, EPOCHS, {"module__dropout": [0.1, 0.2]})
    passes = Resource("partial_fit", "partial_fit", 9)
    check_inherited(SGDClassifier(), passes, {"alpha": [0.1, 0.2]})
