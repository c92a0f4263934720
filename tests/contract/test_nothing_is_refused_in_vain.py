"""What cannot be known to fail before the first fit is searched."""

import warnings
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, LRScheduler
from skorch.dataset import Dataset, ValidSplit
from skorch.helper import predefined_split
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import Subset

from sktune.nets import ParamGroups
from tests.helpers.estimators import Net, Score, SeededNet, blobs, net
from tests.helpers.searches import X, every_search, population, randomized, y

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")


@every_search
def test_names_that_are_right(search):
    """None of these is in `get_params`, and all of them work."""
    X, y = blobs(60)
    space = {
        "module__hidden": [3],
        "optimizer": [torch.optim.SGD],
        "optimizer__momentum": [0.9],
        "iterator_train__drop_last": [True],
        "criterion__label_smoothing": [0.1],
        "callbacks__print_log__floatfmt": [".2f"],
    }
    best = search(net(), space, n_iter=1, cv=2).fit(X, y).best_estimator_
    assert best.module_.layers[0].out_features == 3
    assert type(best.optimizer_) is torch.optim.SGD
    assert best.optimizer_.param_groups[0]["momentum"] == 0.9
    assert best.get_iterator(best.get_dataset(X, y), training=True).drop_last
    assert best.criterion_.label_smoothing == 0.1
    assert dict(best.callbacks_)["print_log"].floatfmt == ".2f"
    step = {"clf": [SVC(), DecisionTreeClassifier()], "clf__random_state": [0, 1]}
    fitted = search(Pipeline([("clf", None)]), step, scoring="accuracy").fit(X, y)
    assert np.isfinite(fitted.cv_results_["mean_test_score"]).all()
    best, params = fitted.best_estimator_["clf"], fitted.best_params_
    assert type(best) is type(params["clf"])
    assert best.random_state == params["clf__random_state"]


def _unsaid(search, estimator, space, *data, **kwargs):
    """Fit, and hold that nothing is said of rows that are held out."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = search(estimator, space, n_iter=1, cv=2, **kwargs).fit(*data)
    assert not [w for w in caught if "holds out" in str(w.message)]
    return fitted


def _stopping(**kwargs):
    return NeuralNetClassifier(
        Net, criterion=nn.CrossEntropyLoss, max_epochs=2, verbose=0, **kwargs
    )


@every_search
def test_early_stopping_that_costs_data_says_so(search):
    """Which is a split that nobody wrote: skorch holds out a fifth by default."""
    stopping = _stopping(callbacks=[EarlyStopping()])
    with pytest.warns(UserWarning, match=r"holds out 20 % of the training part") as w:
        fitted = search(stopping, {"lr": [0.1]}, n_iter=1, cv=2).fit(*blobs())
    assert len(w) == 1
    n_trained = fitted.best_estimator_.history[-1, "batches", :, "train_batch_size"]
    assert sum(n_trained) == 72, "a fifth of 90, as it says"
    on_train_loss = _stopping(callbacks=[EarlyStopping(monitor="train_loss")])
    _unsaid(search, on_train_loss, {"lr": [0.1]}, *blobs())


def _first_tenth(dataset, y=None):
    n = len(dataset) // 10
    return Subset(dataset, range(n, len(dataset))), Subset(dataset, range(n))


@pytest.mark.parametrize(
    "train_split",
    [
        ValidSplit(5),
        ValidSplit(5, stratified=True),
        ValidSplit(0.1),
        ValidSplit(3, stratified=True),
        ValidSplit(KFold(4)),
        predefined_split(Dataset(*blobs(30))),
        partial(_first_tenth),
        _first_tenth,
    ],
)
def test_a_split_that_was_written_on_purpose_is_not_spoken_of(train_split):
    """Only its writer knows what it holds out; a predefined one, nothing."""
    stopping = _stopping(callbacks=[EarlyStopping()], train_split=train_split)
    fitted = _unsaid(randomized, stopping, {"lr": [0.1]}, *blobs())
    assert "valid_loss" in fitted.best_estimator_.history[-1]
    piped = Pipeline([("net", stopping)])
    _unsaid(randomized, piped, {"net__lr": [0.1]}, *blobs())


class HoldsOutByItself(NeuralNetClassifier):
    def get_split_datasets(self, X, y=None, **params):
        dataset = self.get_dataset(X, y)
        return dataset, dataset


class RecordsByItself(Callback):
    def on_epoch_end(self, net, **kwargs):
        net.history.record("valid_loss", 1.0)


def test_a_validation_loss_of_the_users_own():
    """Whatever train_split says, somebody computes it."""
    own = HoldsOutByItself(
        Net,
        criterion=nn.CrossEntropyLoss,
        max_epochs=1,
        verbose=0,
        train_split=None,
        callbacks=[EarlyStopping()],
    )
    _unsaid(randomized, own, {"lr": [0.1]}, *blobs())
    callbacks = [RecordsByItself(), EarlyStopping()]
    _unsaid(randomized, net(callbacks=callbacks, max_epochs=1), {"lr": [0.1]}, *blobs())
    without = net(callbacks=[EarlyStopping()], max_epochs=1)
    instead = {"net": [_stopping(callbacks=[EarlyStopping()])]}
    _unsaid(randomized, Pipeline([("net", without)]), instead, *blobs())
    on_train = net(callbacks=[("stop", EarlyStopping())], max_epochs=1)
    on_train.set_params(callbacks__stop__monitor="train_loss")
    _unsaid(randomized, on_train, {"lr": [0.1]}, *blobs())


@pytest.mark.filterwarnings("ignore:OneCycleLR of the callback 'lr' is laid out")
@every_search
def test_names_of_callbacks_and_parameter_groups(search):
    X, y = blobs(60)
    stop = ("stop", EarlyStopping(monitor="train_loss"))
    cycle = LRScheduler(OneCycleLR, max_lr=0.1, total_steps=99, step_every="batch")
    groups = [("layers.0*", {"name": "first"})]
    estimator = net(
        callbacks=[stop, ("lr", cycle)],
        optimizer=ParamGroups(torch.optim.SGD),
        optimizer__param_groups=groups,
        compile=False,
    )
    space = {
        "callbacks__stop__patience": [7],
        "callbacks__lr__max_lr": [0.3],
        "optimizer__param_groups__0__momentum": [0.8],
        "optimizer__param_groups__1__weight_decay": [0.01],
        "optimizer__param_groups__first__weight_decay": [0.02],
    }
    best = search(estimator, space, n_iter=1, cv=2).fit(X, y).best_estimator_
    assert dict(best.callbacks_)["stop"].patience == 7
    assert dict(best.callbacks_)["lr"].max_lr == 0.3
    first, rest = best.optimizer_.param_groups
    assert (first["weight_decay"], rest["weight_decay"]) == (0.02, 0.01)


@every_search
def test_a_module_that_is_an_instance(search):
    X, y = blobs(60)
    instance = NeuralNetClassifier(
        Net(), criterion=nn.CrossEntropyLoss, max_epochs=1, train_split=None, verbose=0
    )
    searched = search(instance, {"module__hidden": [3]}, n_iter=1, cv=2)
    with pytest.warns(UserWarning, match="is an instance of Net"):
        best = searched.fit(X, y).best_estimator_
    assert best.module_.layers[0].out_features == 3


class CastingNet(SeededNet):
    def infer(self, x, **fit_params):
        return super().infer(x.float(), **fit_params)


class TwoModules(NeuralNetClassifier):
    def __init__(self, *args, extra=Net, **kwargs):
        self.extra = extra
        super().__init__(*args, **kwargs)

    def initialize_module(self):
        super().initialize_module()
        self.extra_ = self.initialized_instance(
            self.extra, self.get_params_for("extra")
        )
        return self


@every_search
def test_nets_that_are_right_in_their_own_way(search):
    """What cannot be known to fail is not refused."""
    X, y = blobs()
    X = X.astype(np.float64)
    settings = {"criterion": nn.CrossEntropyLoss, "train_split": None, "verbose": 0}
    casting = CastingNet(Net, max_epochs=1, **settings)
    fitted = search(casting, {"lr": [0.1]}, n_iter=1, cv=2).fit(X, y)
    assert fitted.best_score_ == fitted.cv_results_["mean_test_score"][0] > 0
    two = TwoModules(Net, max_epochs=1, **settings)
    space = {"extra__hidden": [3], "lr": [0.1]}
    fitted = search(two, space, n_iter=1, cv=2).fit(X.astype(np.float32), y)
    assert fitted.best_estimator_.extra_.layers[0].out_features == 3
    to32 = FunctionTransformer(np.float32)
    one_that_fails = {"cast": [to32, "passthrough"]}
    pipeline = Pipeline([("cast", to32), ("net", net(max_epochs=1))])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(fits failed|non-finite)")
        rows = {"resource": "n_samples"} if search is population else {}
        fitted = search(
            pipeline, one_that_fails, n_iter=2, cv=2, random_state=1, **rows
        )
        fitted.fit(X, y)
    assert isinstance(fitted.best_params_["cast"], FunctionTransformer)


class Permissive(Score):
    """Takes any parameter, as estimators of other libraries do."""

    def set_params(self, **params):
        for name, value in params.items():
            setattr(self, name, value)
        return self


@every_search
def test_parameters_that_only_set_params_knows(search):
    fitted = search(Permissive(), {"lambda_l1": [0.0, 1.0]}, n_iter=2, cv=2)
    params = fitted.fit(X, y).cv_results_["params"]
    assert {p["lambda_l1"] for p in params} == {0.0, 1.0}


class Decoding(NeuralNetClassifier):
    def initialize_module(self):
        super().initialize_module()
        width = self.get_params_for("decoder").get("width", 2)
        self.decoder_ = nn.Linear(2, width)
        return self


@every_search
def test_prefixes_that_only_a_subclass_knows(search):
    decoding = Decoding(
        Net, criterion=nn.CrossEntropyLoss, max_epochs=1, train_split=None, verbose=0
    )
    fitted = search(decoding, {"decoder__width": [3]}, n_iter=1, cv=2).fit(*blobs(60))
    assert fitted.best_estimator_.decoder_.out_features == 3


@every_search
def test_callbacks_that_are_searched(search):
    stopping = net(max_epochs=1, callbacks=[("es", EarlyStopping())])
    fitted = search(stopping, {"callbacks__es": [None]}, n_iter=1, cv=2)
    assert "es" not in dict(fitted.fit(*blobs(60)).best_estimator_.callbacks_)
    on_train = EpochScoring("accuracy", name="valid_acc", on_train=True)
    watching = net(
        max_epochs=1, callbacks=[on_train, EarlyStopping(monitor="valid_acc")]
    )
    fitted = search(watching, {"lr": [0.1]}, n_iter=1, cv=2).fit(*blobs(60))
    best = dict(fitted.best_estimator_.callbacks_)["EarlyStopping"]
    assert np.isfinite(best.dynamic_threshold_), "it has seen a value"
