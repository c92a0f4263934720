"""What can be known to fail is refused before the first fit."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import uniform
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from skorch import NeuralNet
from skorch.callbacks import Checkpoint, EarlyStopping, LRScheduler
from skorch.dataset import ValidSplit
from torch import nn

from sktune._errors import EstimatorError, ParamNameError, SpaceError, SpaceTypeError
from tests.helpers.estimators import Net, Score, blobs, net
from tests.helpers.searches import (
    X,
    bayes,
    every_sampling_search,
    every_search,
    randomized,
    y,
)

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

loguniform_generator = stats.loguniform  # without its arguments


def _refuses(search, estimator, space, error, match, data=(X, y), **kwargs):
    class Counting(Score):
        n_fits = 0

        def fit(self, X, y):
            type(self).n_fits += 1
            return super().fit(X, y)

    with pytest.raises(error, match=match):
        search(estimator or Counting(), space, **kwargs).fit(*data)
    assert Counting.n_fits == 0


@every_search
@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("lrr", "'lr'"),
        ("module__hiden", "'hidden'"),
        ("optimizer__weight_deca", "'weight_decay'"),
        ("iterator_train__shufle", "'shuffle'"),
        ("max_epoch", "'max_epochs'"),
        ("hidden", "'module__hidden'"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "clf__"])
def test_misspelt_names_of_nets(search, prefix, name, suggestion):
    estimator = net() if not prefix else Pipeline([("clf", net())])
    match = f"Invalid parameter {prefix + name!r}.*Did you mean.*{suggestion[1:]}"
    space = {prefix + name: [1, 2]}
    _refuses(search, estimator, space, ParamNameError, match, data=blobs())


@every_search
def test_misspelt_names(search):
    _refuses(search, SVC(), {"c": [1]}, ParamNameError, "Did you mean 'C'|Valid")
    pipe = Pipeline([("scale", StandardScaler()), ("svc", SVC())])
    _refuses(search, pipe, {"svc__gama": [1]}, ParamNameError, "mean 'svc__gamma'")
    _refuses(search, pipe, {"gamma": [1]}, ParamNameError, "mean 'svc__gamma'")
    _refuses(search, pipe, {"svd__gamma": [1]}, ParamNameError, "mean 'svc__gamma'")
    _refuses(search, net(), {"callbacks__es__patience": [1]}, ParamNameError, "es")


@every_search
@pytest.mark.parametrize("prefix", ["", "clf__"])
def test_rates_of_parameter_groups_that_no_optimizer_takes(search, prefix):
    estimator = net() if not prefix else Pipeline([("clf", net())])
    match = (
        f"^Parameter '{prefix}optimizer__param_groups__0__lr'.* can be searched with "
        rf"{prefix}optimizer=sktune.nets.ParamGroups\(SGD\)"
    )
    space = {f"{prefix}optimizer__param_groups__0__lr": [0.1, 0.2]}
    _refuses(search, estimator, space, ParamNameError, match, data=blobs())


@every_search
def test_errors_of_callbacks_are_not_hidden(search):
    scheduled = net(callbacks=[("lr", LRScheduler("OneCycleLR", max_lr=0.1))])
    space = {"callbacks__lr__max_lr": [0.1, 0.2]}
    match = "has no attribute 'OneCycleLR'"
    _refuses(search, scheduled, space, EstimatorError, match, data=blobs())


@every_search
def test_spaces_that_are_none(search):
    error = (SpaceError, SpaceTypeError, ValueError, TypeError)
    _refuses(search, None, {"a": []}, error, "'a'")
    _refuses(search, None, {"a": 3}, error, "'a'.*(3|list)")
    _refuses(search, None, {"a": "relu"}, error, "'a'.*'relu'")
    _refuses(search, None, [], SpaceError, "empty list")
    error_of_scipy = "'a'.*(lacks its arguments|got a distribution)"
    _refuses(search, None, {"a": loguniform_generator}, SpaceTypeError, error_of_scipy)
    _refuses(search, None, 3, error, "(param_grid|param_distributions|dict)")


@every_sampling_search
def test_n_iter_below_one(search):
    _refuses(search, None, {"a": [1]}, ValueError, "'n_iter'.*Got 0", n_iter=0)


def test_arguments_of_bayes():
    _refuses(bayes, None, {"a": [1]}, ValueError, "'acquisition'", acquisition="ei")
    _refuses(bayes, None, {"a": [1]}, ValueError, "'surrogate'", surrogate="trees")
    _refuses(bayes, None, {"a": [1]}, ValueError, "'n_pending'", n_pending=0)
    _refuses(bayes, None, {"a": [1]}, ValueError, "'surrogate'", surrogate="tree")
    impossible = {"surrogate": "tpe", "acquisition": "ucb"}
    _refuses(bayes, None, {"a": [1]}, ValueError, "acquisition='ucb'", **impossible)


@every_sampling_search
def test_initial_points_that_are_not_in_the_space(search):
    space = {"a": uniform(0, 1)}
    points = [{"a": 7.0}]
    _refuses(search, None, space, SpaceError, r"7\.0", initial_points=points)
    points = [{"aa": 0.5}]
    _refuses(search, None, space, SpaceError, "'aa'.*'a'", initial_points=points)


@every_search
def test_no_score(search):
    no_score = NeuralNet(Net, criterion=nn.CrossEntropyLoss)
    _refuses(search, no_score, {"lr": [0.1]}, TypeError, "no scoring|score")


@every_search
@pytest.mark.parametrize("callback", [EarlyStopping, Checkpoint])
@pytest.mark.parametrize("prefix", ["", "net__"])
def test_a_validation_loss_that_is_not_computed(search, callback, prefix):
    estimator = net(callbacks=[("watch", callback())], train_split=None)
    estimator = Pipeline([("net", estimator)]) if prefix else estimator
    match = f"{callback.__name__} monitors 'valid_loss.*train_split"
    space = {f"{prefix}lr": [0.1]}
    _refuses(search, estimator, space, EstimatorError, match, data=blobs())


@pytest.mark.parametrize(
    ("monitor", "match"),
    [
        ("valid_loss", "LRScheduler monitors 'valid_loss'.*train_split is None"),
        ("valid_acc", "LRScheduler monitors 'valid_acc'.*train_split is None"),
        ("train_los", "no callback of the net computes.*mean 'train_loss'"),
    ],
)
def test_a_schedule_that_waits_for_what_is_not_computed(monitor, match):
    plateau = LRScheduler("ReduceLROnPlateau", monitor=monitor)
    space = {"lr": [0.1]}
    for estimator in (
        net(callbacks=[plateau]),
        net(callbacks=[("lr", LRScheduler)], callbacks__lr=plateau),
        net(
            callbacks=[("lr", LRScheduler)],
            callbacks__lr__policy="ReduceLROnPlateau",
            callbacks__lr__monitor=monitor,
        ),
    ):
        _refuses(randomized, estimator, space, EstimatorError, match, data=blobs())
    disabled = net(
        callbacks=[EarlyStopping("valid_acc")],
        train_split=ValidSplit(2),
        callbacks__valid_acc=None,
    )
    match = "EarlyStopping monitors 'valid_acc', which no callback"
    _refuses(randomized, disabled, space, EstimatorError, match, data=blobs())


@every_search
@pytest.mark.parametrize("scaled", [False, True])
def test_a_dtype_that_the_first_layer_refuses(search, scaled):
    X, y = blobs()
    estimator, space = net(), {"lr": [0.1], "module__hidden": [4]}
    if scaled:
        estimator = Pipeline([("scale", StandardScaler()), ("net", net())])
        space = {f"net__{name}": values for name, values in space.items()}
    match = r"float64.*Linear.*X\.astype\(np\.float32\)"
    data = (X.astype(np.float64), y)
    # One candidate, so that nothing is to be said of the space before the first batch.
    _refuses(search, estimator, space, EstimatorError, match, data=data, n_iter=1)
