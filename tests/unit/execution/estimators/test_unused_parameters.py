"""Names that an estimator accepts and never uses, and that they are never used."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from skorch.dataset import Dataset, ValidSplit
from torch import nn
from torch.optim.lr_scheduler import CyclicLR, OneCycleLR, StepLR

from sktune._errors import ParamNameError
from sktune.execution.estimators._parameter_names import check_names
from sktune.nets import RelativeLRScheduler
from tests.helpers.estimators import Net, SeededNet, blobs, net

X, y = blobs(40)
CYCLE = dict(max_lr=0.3, total_steps=50)


def seeded(module=Net, callback=None, **kwargs):
    callbacks = None if callback is None else [("lr", callback)]
    settings = dict(criterion=nn.CrossEntropyLoss, max_epochs=2, verbose=0)
    settings |= dict(train_split=None, callbacks=callbacks)
    return SeededNet(module, **{**settings, **kwargs})


def weights(estimator, **params):
    fitted = clone(estimator).set_params(**params).fit(X, y)
    net = fitted.best_estimator_ if hasattr(fitted, "best_estimator_") else fitted
    return torch.cat([p.flatten() for p in net.module_.parameters()]).detach().numpy()


SILENT = [
    # estimator, name, two values that make no difference, remedy
    (seeded(optimizer__lr=0.1), "lr", (0.2, 0.3), "Search 'optimizer__lr'"),
    (
        seeded(optimizer__param_groups=[("*", {"lr": 0.1})]),
        "lr",
        (0.2, 0.3),
        "rate of its own for all parameters. Leave it out",
    ),
    (
        seeded(callback=LRScheduler),
        "lr",
        (0.2, 0.3),
        r"WarmRestartLR of callback 'lr' .* LRScheduler\(WarmRestartLR, max_lr=...\)",
    ),
    (
        seeded(callback=LRScheduler(OneCycleLR, **CYCLE)),
        "optimizer__lr",
        (0.2, 0.3),
        "OneCycleLR of callback 'lr' .* Search 'callbacks__lr__max_lr'",
    ),
    (
        seeded(callback=RelativeLRScheduler(OneCycleLR, max_lr=0.1)),
        "lr",
        (0.2, 0.3),
        "OneCycleLR of callback 'lr' .* Search 'callbacks__lr__max_lr'",
    ),
    (
        seeded(callback=LRScheduler(CyclicLR, base_lr=0.01, max_lr=0.1)),
        "lr",
        (0.2, 0.3),
        "CyclicLR of callback 'lr' .* Search 'callbacks__lr__max_lr'",
    ),
    (
        seeded(callback=LRScheduler(OneCycleLR, **CYCLE)),
        "optimizer__momentum",
        (0.2, 0.3),
        "sets the momentum itself. Search 'callbacks__lr__max_momentum'",
    ),
    (
        seeded(iterator_train__batch_size=8),
        "batch_size",
        (4, 16),
        "Search 'iterator_train__batch_size'",
    ),
    (seeded(), "compile__fullgraph", (False, True), "Set compile=True"),
    (
        GridSearchCV(seeded(), {"lr": [0.1]}, cv=2),
        "estimator__lr",
        (0.2, 0.3),
        "GridSearchCV, within the estimator, searches 'lr'. Search it in one",
    ),
]


@pytest.mark.parametrize(
    ("estimator", "name", "values", "remedy"),
    SILENT,
    ids=[f"{k}-{row[1]}" for k, row in enumerate(SILENT)],
)
def test_what_no_fit_would_use(estimator, name, values, remedy):
    first, second = (weights(estimator, **{name: value}) for value in values)
    assert np.array_equal(first, second), "it makes no difference"
    with pytest.raises(ParamNameError, match=f"no fit would use it: .*{remedy}"):
        check_names(estimator, [{name: list(values)}])
    if isinstance(estimator, NeuralNetClassifier):
        inner = Pipeline([("net", BaggingClassifier(estimator=estimator))])
        name = f"net__estimator__{name}"
        with pytest.raises(ParamNameError, match=f"^Parameter '{name}': no fit would"):
            check_names(inner, [{name: list(values)}])


def test_two_names_of_one_thing():
    both = {"lr": [0.1], "optimizer__lr": [0.2]}
    with pytest.raises(ParamNameError, match="'lr': no fit would use it"):
        check_names(seeded(), [both])
    check_names(seeded(), [{name: values} for name, values in both.items()])


USED = [
    (seeded(callback=LRScheduler(StepLR, step_size=1)), "lr", (0.2, 0.3), {}),
    (
        seeded(callback=LRScheduler(OneCycleLR, cycle_momentum=False, **CYCLE)),
        "optimizer__momentum",
        (0.2, 0.3),
        {},
    ),
    (
        seeded(callback=LRScheduler(OneCycleLR, **CYCLE)),
        "lr",
        (0.2, 0.3),
        {"callbacks__lr": [None, LRScheduler(OneCycleLR, **CYCLE)]},
    ),
    (
        seeded(optimizer__param_groups=[("layers.0*", {"lr": 0.1})]),
        "lr",
        (0.2, 0.3),
        {},
    ),
    (seeded(iterator_valid__batch_size=8), "batch_size", (4, 16), {}),
]


@pytest.mark.parametrize(
    ("estimator", "name", "values", "others"),
    USED,
    ids=[f"{k}-{row[1]}" for k, row in enumerate(USED)],
)
def test_what_looks_alike_and_is_used(estimator, name, values, others):
    check_names(estimator, [{name: list(values), **others}])
    set_too = {key: listed[0] for key, listed in others.items()}
    first, second = (weights(estimator, **{name: v}, **set_too) for v in values)
    assert not np.array_equal(first, second)


class OwnRates(NeuralNetClassifier):
    def initialize_optimizer(self):
        self.optimizer_ = self.optimizer(self.module_.parameters(), lr=self.lr)
        return self


def test_a_net_may_use_it_in_its_own_way():
    own = OwnRates(Net, criterion=nn.CrossEntropyLoss, optimizer__lr=0.1)
    check_names(own, [{"lr": [0.1]}, {"optimizer__halve_after": [3]}])


# -- what every fit would fail at -----------------------------------------------------

FAILING = [
    (
        net(),
        {"optimizer__param_groups__0__lr": [0.1]},
        r"optimizer=sktune.nets.ParamGroups\(SGD\), and with the patterns",
    ),
    (
        Pipeline([("net", net())]),
        {"net__optimizer__param_groups__0__lr": [0.1]},
        r"net__optimizer=sktune.nets.ParamGroups\(SGD\)",
    ),
    (net(), {"optimizer__params": [1]}, "SGD takes no argument 'params'"),
    (net(), {"dataset__X": [1]}, "Dataset takes no argument 'X'"),
    (net(), {"iterator_train__dataset": [1]}, "DataLoader takes no argument 'dataset'"),
    (net(), {"module__param_groups": [1]}, "Net takes no argument 'param_groups'"),
    (
        net(train_split=ValidSplit(3)),
        {"train_split__cv": [3, 5]},
        "sets no arguments of 'train_split'. Search 'train_split' itself",
    ),
    (
        net(dataset=Dataset(X, y)),
        {"dataset__length": [3]},
        "dataset of the net is an instance, .* Pass its class: dataset=Dataset",
    ),
    (
        seeded(callback=LRScheduler("StepLR", step_size=3)),
        {"callbacks__lr__policy": ["ExponentialLR"]},
        r"ExponentialLR takes no \['step_size'\], .* Search 'callbacks__lr' instead",
    ),
    (
        seeded(nn.Linear(4, 3)),
        {"module__bias": [True]},
        r"instance of Linear.*\['in_features', 'out_features'\] would be missing. Pass",
    ),
]


@pytest.mark.parametrize(
    ("estimator", "space", "message"),
    FAILING,
    ids=[next(iter(row[1])) for row in FAILING],
)
def test_what_every_fit_would_fail_at(estimator, space, message):
    with pytest.raises(ParamNameError, match=message):
        check_names(estimator, [space])
    ((name, (value, *_)),) = space.items()
    with pytest.raises((TypeError, ValueError)):
        clone(estimator).set_params(**{name: value}).fit(X, y)


def test_a_module_that_is_an_instance_is_made_anew():
    instance = seeded(Net(hidden=5))
    message = "instance of Net, .* its weights, and the arguments .* module=Net, and"
    with pytest.warns(UserWarning, match=message):
        check_names(instance, [{"module__dropout": [0.1]}])
    made = clone(instance).set_params(module__dropout=0.1).fit(X, y).module_
    assert made.layers[0].out_features == 8
    check_names(instance, [{"lr": [0.1]}])
