"""What a resource is found to be, and what is refused before anything is trained."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from skorch.callbacks import EarlyStopping
from torch import nn

from sktune._errors import EstimatorError, ParamNameError
from sktune.execution.estimators._resource import (
    Resource,
    find_resource,
    smallest_resources,
    warn_where_nothing_continues,
)
from tests.helpers.estimators import Net, net
from tests.helpers.resources import Rounds, Transformer, found, label, pipe


class OwnPipeline(Pipeline):
    """Has a `fit` of its own."""

    n_fits = 0

    def fit(self, X, y=None, **params):
        OwnPipeline.n_fits += 1
        return super().fit(X, y, **params)


class TwicePipeline(Pipeline):
    def fit(self, X, y=None, **params):
        return super().fit(X, y, **params).fit_again(X, y)

    def fit_again(self, X, y):
        self.steps[-1][1].fit(X, y)
        return self


class SizingPipeline(Pipeline):
    def fit(self, X, y=None, **params):
        self.steps[-1][1].set_params(module__n_features=X.shape[1])
        return super().fit(X, y, **params)


class ScoringPipeline(Pipeline):
    def fit(self, X, y=None, **params):
        super().fit(X, y, **params)
        self.seen_ = self.predict(X)
        return self


class KeepingPipeline(Pipeline):
    def fit(self, X, y=None, **params):
        self.fitted_ = clone(self.steps[-1][1]).fit(X, y)
        return self


class TargetOfOurOwn(TransformedTargetRegressor):
    def fit(self, X, y, **params):
        return super().fit(X, y, **params)


ODD = [TwicePipeline, SizingPipeline, ScoringPipeline, KeepingPipeline]


# -- rows of X ----------------------------------------------------------------------


def test_n_samples():
    assert found(net(), "n_samples", "auto") == Resource("n_samples", "n_samples", 100)
    assert found(net(), "n_samples", 60).max_resources == 60
    assert found(net(), "n_samples", 100).max_resources == 100
    assert not found(net(), "n_samples", 60).continues


def test_no_more_samples_than_there_are():
    message = (
        r"^max_resources=101 is more than the 100 samples of X. Pass max_resources=100 "
        r"or less, or 'auto'.$"
    )
    with pytest.raises(EstimatorError, match=message):
        found(net(), "n_samples", 101)


@pytest.mark.parametrize(
    ("estimator", "resource"),
    [
        (net(), "n_samples"),
        (LogisticRegression(), "auto"),
        (HistGradientBoostingClassifier(), "max_iter"),
    ],
    ids=["n_samples", "auto", "early stopping"],
)
def test_number_of_samples_is_asked_for_where_it_counts(estimator, resource):
    message = "^The resource depends on the number of samples in X. Call plan"
    with pytest.raises(EstimatorError, match=message):
        find_resource(estimator, resource, "auto", [{}], None)


def test_smallest_resources_are_those_of_scikit_learn():
    samples, epochs = Resource("n_samples", "n_samples", 9), Resource("e", "epochs", 9)
    assert smallest_resources(samples, 5, 3) == 30
    assert smallest_resources(samples, 5, None) == 10
    assert smallest_resources(epochs, 5, 3) == 1


# -- epochs of a net ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (net(max_epochs=12), "max_epochs"),
        (pipe(max_epochs=12), "net__max_epochs"),
        (pipe(pipe(max_epochs=12), "inner"), "inner__net__max_epochs"),
    ],
    ids=["net", "pipeline", "nested"],
)
@pytest.mark.parametrize("resource", ["auto", "name"])
def test_epochs(estimator, name, resource):
    resource = name if resource == "name" else resource
    assert found(estimator, resource, "auto") == Resource(name, "epochs", 12)
    assert found(estimator, resource, 81) == Resource(name, "epochs", 81)
    assert find_resource(estimator, resource, "auto", [{}], None).continues


@pytest.mark.parametrize(
    "dicts",
    [
        [{"net": [net(), net(lr=0.2)]}],
        [{"net": [net(), net(lr=0.2)], "net__lr": [0.1]}, {"net__module__hidden": [3]}],
        [{"steps": [[("net", net())], [("s", StandardScaler()), ("net", net())]]}],
        [{"steps": [[("net", None)]], "net": [net()]}],
        [{"scale": ["passthrough"], "scale__with_mean": [True]}],
        [],
    ],
    ids=["nets", "some nets", "steps", "steps and nets", "another step", "nothing"],
)
@pytest.mark.parametrize("resource", ["auto", "net__max_epochs"])
def test_epochs_where_every_value_is_a_net(dicts, resource):
    resource = found(pipe(), resource, "auto", *dicts)
    assert resource == Resource("net__max_epochs", "epochs", 3)


def test_epochs_of_nets_that_take_the_place_of_nothing():
    estimator = Pipeline([("net", "passthrough")])
    dicts = {"net": [net(max_epochs=8), net(max_epochs=8)]}
    expected = Resource("net__max_epochs", "epochs", 8)
    assert found(estimator, "net__max_epochs", "auto", dicts) == expected
    assert found(estimator, "auto", "auto", dicts) == expected


@pytest.mark.parametrize(
    "dicts",
    [
        {"net": [net(), LogisticRegression()]},
        {"net": [net(), "passthrough"]},
        {"net": stats.randint(0, 3)},
        {"steps": [[("net", Transformer(Net)), ("last", LogisticRegression())]]},
    ],
    ids=["estimator", "passthrough", "distribution", "steps"],
)
def test_auto_is_samples_where_some_value_is_no_last_net(dicts):
    assert found(pipe(), "auto", "auto", dicts).name == "n_samples"


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (TransformedTargetRegressor(NeuralNetRegressor(Net)), "regressor__max_epochs"),
        (
            pipe(TransformedTargetRegressor(NeuralNetRegressor(Net)), "t"),
            "t__regressor__max_epochs",
        ),
        (
            TransformedTargetRegressor(pipe(NeuralNetRegressor(Net))),
            "regressor__net__max_epochs",
        ),
        (OwnPipeline([("net", net(max_epochs=10))]), "net__max_epochs"),
    ],
    ids=["target", "target in pipe", "pipe in target", "own"],
)
@pytest.mark.parametrize("resource", ["auto", "name"])
def test_epochs_of_what_is_fitted_once_and_last(estimator, name, resource):
    resource = name if resource == "name" else resource
    assert found(estimator, resource, "auto") == Resource(name, "epochs", 10)
    assert silent(estimator, resource)


def test_a_class_of_pipelines_is_tried_once():
    found(OwnPipeline([("net", net())]), "auto")
    before = OwnPipeline.n_fits
    found(OwnPipeline([("scale", StandardScaler()), ("net", net())]), "auto")
    assert OwnPipeline.n_fits == before


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (GridSearchCV(net(max_epochs=10), {"lr": [0.1]}), "estimator__max_epochs"),
        (
            GridSearchCV(pipe(max_epochs=10), {"net__lr": [0.1]}),
            "estimator__net__max_epochs",
        ),
        (
            pipe(Pipeline([("t", Transformer(Net)), ("c", SGDClassifier())]), "inner"),
            "inner__t__max_epochs",
        ),
        (Pipeline([("t", Transformer(Net)), ("c", SGDClassifier())]), "t__max_epochs"),
        *((odd([("net", net(max_epochs=10))]), "net__max_epochs") for odd in ODD),
        (TargetOfOurOwn(NeuralNetRegressor(Net)), "regressor__max_epochs"),
    ],
    ids=label,
)
def test_a_net_elsewhere_starts_over(estimator, name):
    assert found(estimator, name, 27) == Resource(name, "from_scratch", 27)
    assert found(estimator, name, "auto").max_resources == 10
    assert found(estimator, "auto", "auto").name == "n_samples"


def test_auto_asks_which_of_two_nets():
    estimator = Pipeline([("embed", Transformer(Net)), ("net", net())])
    message = (
        r"^resource='auto' may be any of \['embed__max_epochs', 'net__max_epochs'\], "
        r"since there are 2 nets in Pipeline. Name one of them, or pass "
        r"resource='n_samples'.$"
    )
    with pytest.raises(EstimatorError, match=message):
        found(estimator, "auto")
    assert found(estimator, "net__max_epochs").continuation == "epochs"
    assert found(estimator, "embed__max_epochs").continuation == "from_scratch"
    voting = VotingClassifier([("a", net()), ("b", net())])
    with pytest.raises(EstimatorError, match="since there are 2 nets in Voting"):
        found(voting, "auto")


# -- what is said where nothing goes on ------------------------------------------------


def warned(estimator, resource, *dicts):
    what = found(estimator, resource, 27, *dicts)
    warn_where_nothing_continues(estimator, resource, what, dicts)


def silent(estimator, resource, *dicts):
    warned(estimator, resource, *dicts)  # a warning would be an error
    return True


@pytest.mark.parametrize(
    ("estimator", "name", "who"),
    [
        (BaggingClassifier(net()), "estimator__max_epochs", "BaggingClassifier"),
        (GridSearchCV(pipe(), {}), "estimator__net__max_epochs", "GridSearchCV"),
        (pipe(BaggingClassifier(net()), "b"), "b__estimator__max_epochs", "Bagging"),
        *((odd([("net", net())]), "net__max_epochs", odd.__name__) for odd in ODD),
        (TargetOfOurOwn(net()), "regressor__max_epochs", "TargetOfOurOwn"),
    ],
    ids=label,
)
def test_it_is_said_that_a_net_starts_over(estimator, name, who):
    part = name.removesuffix("__max_epochs")
    end = "in pieces, so that every rung trains it from scratch, with more"
    match = f"^resource='auto': {who}.* cannot train '{part}' {end} n_samples. Pass res"
    with pytest.warns(UserWarning, match=match):
        warned(estimator, "auto")
    match = f"^resource='{name}': {who}.* cannot train '{part}' {end} {name}. Let it"
    with pytest.warns(UserWarning, match=match) as caught:
        warned(estimator, name)
    assert len(caught) == 1
    assert silent(estimator, "n_samples")


def test_it_is_said_that_another_last_step_starts_over():
    forest = RandomForestClassifier(random_state=0)
    match = "TwicePipeline cannot train 'rf' in pieces.*more rf__n_estimators"
    with pytest.warns(UserWarning, match=match):
        warned(TwicePipeline([("rf", forest)]), "rf__n_estimators")
    assert silent(TwicePipeline([("rf", forest)]), "rf__max_depth")


def test_it_is_said_that_a_net_is_not_always_the_last():
    steps = [[("net", Transformer(Net)), ("last", LogisticRegression())]]
    with pytest.warns(UserWarning, match="Pipeline cannot train 'net' in pieces"):
        warned(pipe(), "net__max_epochs", {"steps": steps})


@pytest.mark.parametrize(
    ("estimator", "resource"),
    [
        (net(), "auto"),
        (net(), "batch_size"),
        (pipe(), "net__module__hidden"),
        (LogisticRegression(), "auto"),
        (LogisticRegression(), "max_iter"),
        (RandomForestClassifier(), "max_depth"),
        (BaggingClassifier(RandomForestClassifier()), "estimator__n_estimators"),
        (BaggingClassifier(net()), "estimator__batch_size"),
        (Pipeline([("t", Transformer(Net)), ("c", SGDClassifier())]), "auto"),
    ],
    ids=label,
)
def test_nothing_is_said_of_what_is_meant_to_start_over(estimator, resource):
    assert silent(estimator, resource)


# -- any other parameter ------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "name", "most"),
    [
        (net(), "batch_size", 32),
        (net(warm_start=True), "batch_size", 32),
        (net(module__hidden=7), "module__hidden", 7),
        (pipe(module__hidden=7), "net__module__hidden", 7),
        (net(callbacks=[("c", EarlyStopping())]), "callbacks__c__patience", 0),
        (LogisticRegression(max_iter=7), "max_iter", 7),
        (LogisticRegression(max_iter=np.int64(7)), "max_iter", 7),
        (RandomForestClassifier(max_depth=4), "max_depth", 4),
        (RandomForestClassifier(max_depth=4, warm_start=True), "max_depth", 4),
        (make_pipeline(RandomForestClassifier()), "randomforestclassifier__verbose", 0),
        (Rounds(), "n_rounds", 5),
        (pipe(Rounds(), "rounds"), "rounds__depth", 2),
        (GridSearchCV(SGDClassifier(warm_start=True), {}), "estimator__max_iter", 1000),
        (VotingClassifier([("a", Rounds(warm_start=True))]), "a__n_rounds", 5),
    ],
    ids=label,
)
def test_from_scratch(estimator, name, most):
    assert found(estimator, name, 27) == Resource(name, "from_scratch", 27)
    if most:  # else it is 0, or cannot be seen
        assert found(estimator, name, "auto") == Resource(name, "from_scratch", most)


@pytest.mark.parametrize("name", ["module__hidden", "iterator_train__num_workers"])
def test_deep_names_that_a_net_takes_and_does_not_tell(name):
    assert found(net(), name, 27) == Resource(name, "from_scratch", 27)
    message = (
        f"^max_resources='auto' cannot be found out: '{name}' is not set on the "
        "estimator. Pass max_resources=<int>.$"
    )
    with pytest.raises(EstimatorError, match=message):
        found(net(), name, "auto")


@pytest.mark.parametrize(
    ("estimator", "name", "dicts", "why"),
    [
        (RandomForestClassifier(), "max_depth", {}, "is None on the estimator, and"),
        (RandomForestClassifier(), "max_samples", {}, "is None on the estimator, and"),
        (net(lr=2.0), "lr", {}, "is 2.0 on the estimator, and not a positive integer"),
        (net(max_epochs=0), "max_epochs", {}, "is 0 on the estimator, and not a"),
        (SGDClassifier(), "partial_fit", {}, "counts passes over the training part"),
        (
            pipe(),
            "net__max_epochs",
            {"net": [net(max_epochs=5), net(max_epochs=6)]},
            "differs between the estimators that are searched",
        ),
    ],
    ids=["none", "none too", "float", "zero", "partial_fit", "two values"],
)
def test_auto_needs_an_integer(estimator, name, dicts, why):
    message = f"^max_resources='auto' cannot be found out: {name!r} {why}.*=<int>.$"
    with pytest.raises(EstimatorError, match=message):
        found(estimator, name, "auto", dicts)
    assert found(estimator, name, 9, dicts).max_resources == 9


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "net",
            "^Cannot use resource=net, which is NeuralNetClassifier and not a number. "
            "Name an integer parameter, such as net__max_epochs.$",
        ),
        ("scale", "which is StandardScaler and not a number. Name an integer param"),
        ("net__warm_start", "which is False and not a number. Name an integer parame"),
    ],
)
def test_a_resource_is_a_number(name, message):
    with pytest.raises(EstimatorError, match=message):
        found(pipe(), name)


# -- names --------------------------------------------------------------------------


@pytest.mark.parametrize("dicts", [[{"b": [1]}, {"net__max_epochs": [1]}]])
@pytest.mark.parametrize("resource", ["auto", "net__max_epochs"])
def test_the_resource_is_not_searched(dicts, resource):
    message = (
        "^Cannot use parameter net__max_epochs as the resource since it is part of the "
        "searched parameters. Take 'net__max_epochs' out of them, or name another "
        "resource.$"
    )
    with pytest.raises(ParamNameError, match=message):
        found(pipe(), resource, 27, *dicts)


@pytest.mark.parametrize(
    ("estimator", "name", "dicts", "message"),
    [
        (
            net(),
            "max_epoch",
            {},
            "^Cannot use resource=max_epoch which is not supported by estimator "
            "NeuralNetClassifier. Invalid parameter 'max_epoch': NeuralNetClassifier "
            r"has no parameter 'max_epoch'. Did you mean 'max_epochs'\?",
        ),
        (pipe(), "max_epochs", {}, r"Did you mean 'net__max_epochs'\?"),
        (pipe(), "nett__max_epochs", {}, r"Did you mean 'net__max_epochs'\?"),
        (net(), "module__hiden", {}, r"Did you mean 'module__hidden'\?"),
        (
            pipe(),
            "net__module__hiden",
            {"net__module": [Net]},
            "mean 'net__module__hidden'",
        ),
        (
            SGDClassifier(),
            "n_sample",
            {},
            "^Cannot use resource=n_sample which is not supported by estimator "
            r"SGDClassifier. Did you mean 'n_samples'\?$",
        ),
        (LogisticRegression(), "C__x", {}, "has no parameter 'C__x'"),
        (
            pipe(),
            "net__max_epochs",
            {"net": [net(), LogisticRegression()]},
            "^Cannot use resource=net__max_epochs which is not supported by estimator "
            "Pipeline. 'net' may be LogisticRegression, which has no parameter "
            "'max_epochs'. Search only what has one, or pass resource='n_samples'.$",
        ),
        (
            pipe(),
            "net__max_epochs",
            {"net": [net(), "passthrough"]},
            "'net' may be 'passthrough', which has no parameter 'max_epochs'",
        ),
        (
            pipe(),
            "net__max_epochs",
            {"steps": [[("net", net())], [("net", LogisticRegression())]]},
            "'net' may be LogisticRegression, which has no parameter 'max_epochs'",
        ),
        (
            pipe(pipe(), "inner"),
            "inner__net__module__hidden",
            {"inner": [pipe()], "inner__net__module": [nn.Linear]},
            "'inner__net' may be NeuralNetClassifier, which has no parameter 'module_",
        ),
    ],
)
def test_unknown_names(estimator, name, dicts, message):
    with pytest.raises(ParamNameError, match=message):
        found(estimator, name, 27, dicts)


def test_names_below_what_is_searched():
    dicts = {"inner": [pipe()], "inner__net__module": [Net]}
    resource = found(pipe(pipe(), "inner"), "inner__net__module__hidden", 9, dicts)
    assert resource.continuation == "from_scratch"
    estimator, dicts = NeuralNetRegressor(nn.Linear), {"module": [Net]}
    assert found(estimator, "module__hidden", 9, dicts).continuation == "from_scratch"
