"""What every search keeps, tested once for all. A new search joins by one line."""

import pickle
import re
import warnings
from io import BytesIO

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse, stats
from scipy.stats import loguniform, randint, uniform
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch import NeuralNet, NeuralNetClassifier
from skorch.callbacks import Checkpoint, EarlyStopping, EpochScoring
from skorch.dataset import ValidSplit
from skorch.helper import SliceDataset, SliceDict
from torch import nn

from sktune import (
    BayesSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune._errors import (
    EstimatorError,
    ParamNameError,
    SpaceError,
    SpaceTypeError,
)
from sktune.strategy import Bayes
from tests.helpers.estimators import Draws, Net, Score, SeededNet, blobs, net

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

X, y = load_iris(return_X_y=True)
loguniform_generator = stats.loguniform  # without its arguments


def grid(estimator, space, *, n_iter=None, **kwargs):
    return GridSearchCV(estimator, space, **kwargs)


def randomized(estimator, space, *, n_iter=4, **kwargs):
    return RandomizedSearchCV(
        estimator, space, **{"n_iter": n_iter, "random_state": 0, **kwargs}
    )


def bayes(estimator, space, *, n_iter=4, **kwargs):
    return BayesSearchCV(
        estimator, space, **{"n_iter": n_iter, "random_state": 0, **kwargs}
    )


def halving(estimator, space, *, n_iter=4, **kwargs):
    return SuccessiveHalvingSearchCV(
        estimator,
        space,
        **{
            "n_candidates": n_iter,
            "min_resources": "exhaust",
            "factor": 2,
            "return_train_score": False,
            "random_state": 0,
            **kwargs,
        },
    )


def hyperband(estimator, space, *, n_iter=4, **kwargs):
    return HyperbandSearchCV(
        estimator,
        space,
        **{
            "factor": 4,
            "return_train_score": False,
            "random_state": 0,
            **kwargs,
        },
    )


SEARCHES = [grid, randomized, bayes, halving, hyperband]
SAMPLING = [randomized, bayes]
SURROGATES = ["gp", "forest", "tpe"]
WITH_RUNGS = [halving, hyperband]

every_search = pytest.mark.parametrize("search", SEARCHES)
every_sampling_search = pytest.mark.parametrize("search", SAMPLING)
every_surrogate = pytest.mark.parametrize("surrogate", SURROGATES)


# -- scikit-learn's contract -------------------------------------------------------


@parametrize_with_checks(
    [
        make(estimator, space, n_iter=3, cv=2, error_score="raise")
        for make in SEARCHES
        for estimator, space in [
            (Ridge(), {"alpha": [0.1, 1.0, 2.0]}),
            (LogisticRegression(), {"C": [0.1, 1.0, 2.0]}),
        ]
    ],
    # scikit-learn's own searches do not hand on that Ridge takes several targets.
    expected_failed_checks=lambda search: (
        {"check_supervised_y_2d": "of BaseSearchCV"}
        if isinstance(search.estimator, Ridge)
        else {}
    ),
)
def test_check_estimator(estimator, check):
    # Some checks fit on data that splits badly, on purpose.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@every_search
def test_clone_pickle_and_dump(search):
    unfitted = search(SVC(), {"C": [0.1, 1.0, 10.0, 20.0]}, cv=2)
    assert repr(clone(unfitted)) == repr(unfitted)
    fitted = clone(unfitted).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    file = BytesIO()
    joblib.dump(fitted, file)
    file.seek(0)
    assert joblib.load(file).best_params_ == fitted.best_params_


@every_search
def test_nested_cross_validation(search):
    inner = search(SVC(), {"C": [0.1, 1.0, 10.0, 20.0]}, cv=2)
    scores = cross_val_score(inner, X, y, cv=3)
    np.testing.assert_array_equal(scores, cross_val_score(inner, X, y, cv=3))
    np.testing.assert_array_equal(
        scores, cross_val_score(inner.set_params(n_jobs=2), X, y, cv=3, n_jobs=2)
    )
    assert scores.min() > 0.9


@every_search
def test_nested_in_threads_does_not_wait_for_itself(search):
    X, y = blobs(60)
    inner = search(net(), {"lr": [0.01, 0.1]}, n_iter=2, cv=2, random_state=0)
    outer = GridSearchCV(inner, {"cv": [2, 3]}, cv=2, random_state=0)
    alone = outer.fit(X, y).cv_results_["mean_test_score"]
    with joblib.parallel_config("threading", n_jobs=2):
        in_threads = outer.fit(X, y).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(in_threads, alone)


@every_search
def test_threads_of_scikit_learn_around_searches(search):
    # Not with nets: skorch draws a number in `predict` too, which scikit-learn calls in
    # one thread while a search in another trains.
    inner = search(Draws(), {"a": [1, 2]}, n_iter=2, cv=2, random_state=0)
    with joblib.parallel_config("threading", n_jobs=2):
        scores = cross_val_score(inner, X, y, cv=2)
    np.testing.assert_array_equal(scores, cross_val_score(inner, X, y, cv=2))


@every_search
@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        pd.DataFrame,
        sparse.csr_matrix,
        sparse.csr_array,
        lambda X: X.tolist(),
    ],
)
def test_kinds_of_X(search, convert):
    fitted = search(SVC(), {"C": [0.1, 1.0, 10.0, 20.0]}, cv=2, n_jobs=2)
    fitted.fit(convert(X), y)
    plain = search(SVC(), {"C": [0.1, 1.0, 10.0, 20.0]}, cv=2).fit(X, y)
    np.testing.assert_allclose(
        fitted.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )


@every_search
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_only_nets_take(search, n_jobs):
    X, y = blobs(60)
    space = {"lr": [0.01, 0.1], "module__hidden": [2, 4]}
    plain = search(net(), space, cv=2, random_state=0).fit(X, y)
    dataset = torch.utils.data.TensorDataset(torch.as_tensor(X), torch.as_tensor(y))
    kinds = {
        "tensor": torch.as_tensor(X),
        "SliceDict": SliceDict(X=X),
        "SliceDataset": SliceDataset(dataset, idx=0),
    }
    for kind in kinds.values():
        fitted = search(net(), space, cv=2, random_state=0, n_jobs=n_jobs)
        fitted.fit(kind, y)
        np.testing.assert_array_equal(
            fitted.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
        )


@every_search
def test_kinds_of_y(search):
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    fitted = search(SVC(), {"C": [0.1, 1.0, 10.0, 20.0]}, cv=2).fit(X, names)
    assert fitted.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    labels = make_multilabel_classification(60, random_state=0)
    search(KNeighborsClassifier(), {"n_neighbors": [1, 3]}, n_iter=2).fit(*labels)


@every_search
def test_module_classes_and_tuples_as_values(search):
    X, y = blobs(60)
    classes = [torch.optim.SGD, torch.optim.Adam]
    space = {"optimizer": classes, "optimizer__weight_decay": [0.0, 1e-3]}
    fitted = search(net(), space, cv=2).fit(X, y)
    assert fitted.best_params_["optimizer"] in classes
    assert fitted.cv_results_["param_optimizer"].dtype == object


@every_search
def test_best_is_the_earlier_of_equals(search):
    space = {"a": [0.5], "odd": [1, 2]}  # makes no difference
    fitted = search(Score(), space, n_iter=2, cv=2)
    results = fitted.fit(X, y).cv_results_
    best = np.flatnonzero(results["rank_test_score"] == 1)
    most = np.max(results.get("n_resources", 0))
    np.testing.assert_array_equal(
        best, np.flatnonzero(results.get("n_resources", np.zeros(2)) == most)
    )
    assert fitted.best_index_ == best[0]


# -- failure -----------------------------------------------------------------------


@every_search
@pytest.mark.parametrize("error_score", [np.nan, 1e9])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_candidate_that_raises(search, error_score, n_jobs):
    space = {"a": [0.0, 0.3, 0.5, 0.7], "bad": [(0.3,)]}
    fitted = search(Score(), space, cv=2, error_score=error_score, n_jobs=n_jobs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted.fit(X, y)
    failed = [w for w in caught if w.category is FitFailedWarning]
    assert len(failed) == 1
    results = fitted.cv_results_
    n_fits = 2 * len(results["params"])
    assert f"2 fits failed out of a total of {n_fits}." in str(failed[0].message)
    row = [p["a"] for p in results["params"]].index(0.3)
    np.testing.assert_array_equal(results["mean_test_score"][row], error_score)
    assert results["rank_test_score"][row] == len(results["params"])
    assert fitted.best_params_["a"] == 0.5


@every_search
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite(search, odd):
    space = {"a": [0.0, 0.3, 0.5, 0.7], "odd": [odd], "odd_at": [(0.3,)]}
    with pytest.warns(UserWarning, match="test scores are non-finite"):
        fitted = search(Score(), space, cv=2).fit(X, y)
    results = fitted.cv_results_
    row = [p["a"] for p in results["params"]].index(0.3)
    assert np.isnan(results["mean_test_score"][row])
    assert fitted.best_params_["a"] == 0.5
    fitted = search(Score(), space, cv=2, error_score=-5).fit(X, y)
    row = [p["a"] for p in fitted.cv_results_["params"]].index(0.3)
    assert fitted.cv_results_["mean_test_score"][row] == -5


@every_search
def test_all_fail(search):
    space = {"a": [0.0, 0.3], "bad": [(0.0, 0.3)]}
    with pytest.raises(ValueError, match=r"(?s)ll.* failed.*a=0.* is bad"):
        search(Score(), space, n_iter=2, cv=2).fit(X, y)


@every_search
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_error_score_raise(search, n_jobs):
    space = {"a": [0.0, 0.3], "bad": [(0.3,)]}
    fitted = search(Score(), space, n_iter=2, cv=2, error_score="raise", n_jobs=n_jobs)
    with pytest.raises(ValueError, match=r"^a=0.3 is bad$"):
        fitted.fit(X, y)
    assert not hasattr(fitted, "cv_results_")
    # The pool can be used again.
    search(Score(), {"a": [0.0, 0.3]}, n_iter=2, cv=2, n_jobs=n_jobs).fit(X, y)


@every_search
def test_one_metric_that_fails(search):
    def metrics(estimator, X, y):
        return {
            "fine": estimator.score(X),
            "odd": np.nan if estimator.a == 0.3 else 1.0,
        }

    space = {"a": [0.0, 0.3, 0.5, 0.7]}
    with pytest.warns(UserWarning, match="non-finite"):
        fitted = search(Score(), space, cv=2, scoring=metrics, refit="fine").fit(X, y)
    assert fitted.best_params_["a"] == 0.3  # the metric that decides is fine


# -- what can be known before the first fit ----------------------------------------


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
    search(net(), space, n_iter=1, cv=2).fit(X, y)
    step = {"clf": [SVC(), DecisionTreeClassifier()], "clf__random_state": [0, 1]}
    search(Pipeline([("clf", None)]), step, scoring="accuracy").fit(X, y)


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


@every_search
def test_early_stopping_that_costs_data_says_so(search):
    stopping = net(callbacks=[EarlyStopping()], train_split=ValidSplit(5))
    with pytest.warns(UserWarning, match=r"holds out 20 % of the training part") as w:
        search(stopping, {"lr": [0.1]}, n_iter=1, cv=2).fit(*blobs())
    assert len(w) == 1
    on_train_loss = net(callbacks=[EarlyStopping(monitor="train_loss")])
    search(on_train_loss, {"lr": [0.1]}, n_iter=1, cv=2).fit(*blobs())


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
    _refuses(search, estimator, space, EstimatorError, match, data=data)


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
    search(casting, {"lr": [0.1]}, n_iter=1, cv=2).fit(X, y)
    two = TwoModules(Net, max_epochs=1, **settings)
    space = {"extra__hidden": [3], "lr": [0.1]}
    search(two, space, n_iter=1, cv=2).fit(X.astype(np.float32), y)
    to32 = FunctionTransformer(np.float32)
    one_that_fails = {"cast": [to32, "passthrough"]}
    pipeline = Pipeline([("cast", to32), ("net", net(max_epochs=1))])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(fits failed|non-finite)")
        fitted = search(pipeline, one_that_fails, n_iter=2, cv=2, random_state=1)
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
    search(decoding, {"decoder__width": [2]}, n_iter=1, cv=2).fit(*blobs(60))


@every_search
def test_callbacks_that_are_searched(search):
    stopping = net(max_epochs=1, callbacks=[("es", EarlyStopping())])
    search(stopping, {"callbacks__es": [None]}, n_iter=1, cv=2).fit(*blobs(60))
    on_train = EpochScoring("accuracy", name="valid_acc", on_train=True)
    watching = net(
        max_epochs=1, callbacks=[on_train, EarlyStopping(monitor="valid_acc")]
    )
    search(watching, {"lr": [0.1]}, n_iter=1, cv=2).fit(*blobs(60))


@every_search
def test_no_parameters_at_all(search):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The (total )?space")
        fitted = search(Score(), {}, n_iter=2, cv=2).fit(X, y)
    assert {len(params) for params in fitted.cv_results_["params"]} == {0}
    assert fitted.best_params_ == {}


@every_search
@pytest.mark.parametrize("outer", ["loky", "threading"])
def test_a_search_below_threads_of_a_fit(search, outer):
    """No thread waits for a lock that the fit around it holds."""
    inner = search(SVC(), {"C": [0.1, 1.0]}, n_iter=2, cv=2, random_state=0)
    around = GridSearchCV(
        OneVsRestClassifier(inner, n_jobs=2), {"estimator__cv": [2, 3]}, cv=2
    )
    scores = around.fit(X, y).cv_results_["mean_test_score"]
    with joblib.parallel_config(outer, n_jobs=2):
        again = around.fit(X, y).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores, again)


@every_search
def test_a_net_that_is_a_searched_value_is_silent(search, capfd):
    space = {"net": [net(verbose=1)]}
    fitted = search(
        Pipeline([("net", None)]),
        space,
        n_iter=1,
        cv=2,
        refit=False,
        scoring="accuracy",
    )
    fitted.fit(*blobs(60))
    assert capfd.readouterr().out == ""


@every_search
def test_a_scorer_of_several_metrics_that_raises(search):
    def metrics(estimator, X, y):
        if estimator.a == 0.3:
            raise RuntimeError("no score")
        return {"one": estimator.score(X), "two": 1.0}

    space = {"a": [0.0, 0.3, 0.5, 0.7]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(Scoring failed|non-finite)")
        fitted = search(Score(), space, cv=2, scoring=metrics, refit="one").fit(X, y)
    assert np.isnan(fitted.cv_results_["mean_test_two"]).sum() == 1
    assert fitted.best_params_["a"] == 0.5


@every_search
@pytest.mark.parametrize("error_score", [np.nan, 5.0])
def test_nothing_to_choose(search, error_score):
    odd = [np.inf, np.nan]
    space = {"a": [0.0, 0.3], "bad": [(0.0,)], "odd_at": [(0.3,)], "odd": odd}
    hopeless = search(Score(), space, cv=2, error_score=error_score)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(fits failed|non-finite)")
        with pytest.raises(ValueError, match=r"(?s)[Nn]o candidate .*is bad"):
            hopeless.fit(X, y)
        if search in WITH_RUNGS:  # nobody can go on, whether or not one is refitted
            return
        results = hopeless.set_params(refit=False).fit(X, y).cv_results_
    np.testing.assert_array_equal(results["mean_test_score"], error_score)


# -- sampling searches -------------------------------------------------------------


@every_sampling_search
def test_n_iter_is_exact(search):
    for n_iter in (1, 2, 7):
        fitted = search(Score(), {"a": uniform(0, 1)}, n_iter=n_iter, cv=2).fit(X, y)
        assert len(fitted.cv_results_["params"]) == n_iter


@every_sampling_search
def test_a_finite_space_is_searched_once(search):
    space = {"a": [0.1, 0.2, 0.3, 0.4], "b": [0, 1]}
    with pytest.warns(UserWarning, match="space of parameters 8 .*n_iter=20") as w:
        fitted = search(Score(), space, n_iter=20, cv=2).fit(X, y)
    assert len(w) == 1
    params = fitted.cv_results_["params"]
    assert len(params) == len({tuple(p.items()) for p in params}) == 8


@every_sampling_search
@pytest.mark.parametrize(
    "space",
    [
        {"a": stats.Uniform(a=0.2, b=0.4)},
        {"a": uniform(0.2, 0.2)},
        {"a": loguniform(0.2, 0.4)},
        {"a": [0.2, 0.4]},
        {"a": randint(2, 5)},
        {"a": stats.Binomial(n=4, p=0.5)},
    ],
)
def test_kinds_of_dimensions(search, space):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The total space")
        fitted = search(Score(), space, n_iter=5, cv=2).fit(X, y)
    for params in fitted.cv_results_["params"]:
        assert type(params["a"]) in (int, float)
        assert 0.2 <= params["a"] <= 0.4 or type(params["a"]) is int


@every_search
def test_constraint(search):
    space = {"a": [1, 2, 3], "b": [1, 2, 3]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*(fewer than|The total space)")
        fitted = search(
            Score(), space, n_iter=9, cv=2, constraint=lambda p: p["a"] < p["b"]
        ).fit(X, y)
    params = [(p["a"], p["b"]) for p in fitted.cv_results_["params"]]
    assert set(params) == {(1, 2), (1, 3), (2, 3)}
    never = search(Score(), space, constraint=lambda p: False)
    with pytest.raises(SpaceError, match=r"constraint.*refuse"):
        never.fit(X, y)


@every_sampling_search
def test_initial_points_come_first(search):
    points = [{"a": 0.4, "b": 0.1}, {"a": 0.3, "b": 0.6}]
    space = {"a": uniform(0, 1), "b": uniform(0, 1)}
    fitted = search(Score(), space, n_iter=5, cv=2, initial_points=points).fit(X, y)
    assert fitted.cv_results_["params"][:2] == points
    assert len(fitted.cv_results_["params"]) == 5
    space = {"a": [0.4, 0.2], "b": [0.1, 0.2]}
    fitted = search(Score(), space, n_iter=4, cv=2, initial_points=points[:1])
    params = fitted.fit(X, y).cv_results_["params"]
    assert len({tuple(p.items()) for p in params}) == 4


# -- Bayes -------------------------------------------------------------------------


def test_bayes_finds_what_random_search_does_not():
    space = {"a": uniform(0, 1), "b": uniform(0, 1)}
    for seed in range(3):
        scores = [
            search(Score(), space, n_iter=20, cv=2, random_state=seed).fit(X, y)
            for search in (bayes, randomized)
        ]
        assert scores[0].best_score_ > -1e-3
        assert scores[0].best_score_ > scores[1].best_score_


@every_surrogate
def test_every_surrogate_searches_with_any_number_of_workers(surrogate):
    """Failures and pending candidates among what it learns from."""
    space = [
        {
            "a": [0.1, 0.2, 0.4, 0.8],
            "bad": [(), (0.1, 0.2)],
            "odd_at": [(), (0.4, 0.8)],
        },
        {"a": uniform(0, 1), "b": uniform(0, 1)},
    ]
    tried = []
    for n_jobs in (1, 2):
        search = bayes(
            Score(odd=np.nan), space, n_iter=12, cv=2, surrogate=surrogate, n_pending=2
        )
        with (
            joblib.parallel_config("threading", n_jobs=n_jobs),
            pytest.warns(FitFailedWarning),
            pytest.warns(UserWarning, match="non-finite"),
        ):
            tried.append(search.fit(X, y).cv_results_)
    assert len(tried[0]["params"]) == 12
    assert tried[0]["params"] == tried[1]["params"]
    np.testing.assert_array_equal(*(r["mean_test_score"] for r in tried))


def test_a_forest_over_rungs():
    space = {"a": uniform(0, 1), "b": uniform(0, 1)}
    strategy = Bayes(surrogate="forest")
    options = {"factor": 4, "min_resources": 9, "max_resources": 144, "cv": 2}
    fitted = hyperband(Score(), space, strategy=strategy, **options).fit(X, y)
    params = [
        tuple(p.items())
        for p, i in zip(
            fitted.cv_results_["params"], fitted.cv_results_["iter"], strict=True
        )
        if i == 0
    ]
    assert len(set(params)) == len(params) > 12
    assert fitted.best_score_ > -0.05


def test_refit_names_the_metric_that_steers():
    def metrics(estimator, X, y):
        return {"near": estimator.score(X), "far": -estimator.score(X)}

    space = {"a": uniform(0, 1), "b": uniform(0, 1)}
    near, far = (
        bayes(Score(), space, n_iter=15, cv=2, scoring=metrics, refit=refit).fit(X, y)
        for refit in ("near", "far")
    )
    assert near.best_score_ > -0.01
    assert far.best_score_ > 0.8  # the corner (1, 0) has 0.85


def test_failures_do_not_stop_bayes_nor_mislead_it():
    class Half(Score):
        def fit(self, X, y):
            if self.a > 0.5:
                raise RuntimeError("a > 0.5")
            return super().fit(X, y)

    space = {"a": uniform(0, 1), "b": uniform(0, 1)}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(fits failed|non-finite)")
        fitted = bayes(Half(), space, n_iter=20, cv=2).fit(X, y)
    assert np.isnan(fitted.cv_results_["mean_test_score"]).any()
    assert len(fitted.cv_results_["params"]) == 20
    assert fitted.best_score_ > -0.01


def test_progress(capsys):
    bayes(Score(), {"a": uniform(0, 1)}, n_iter=3, cv=2, verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ("Fitting 2 folds for each of 3 candidates, totalling 6 fits")
    assert re.match(r"\[1/3\] score -0\.\d+, best -0\.\d+ \| .* left \| a=0", lines[1])
    bayes(Score(), {"a": uniform(0, 1)}, n_iter=3, cv=2).fit(X, y)
    assert capsys.readouterr().out == ""


def test_nets_print_nothing_in_a_search(capfd):
    X, y = blobs(60)
    loud = net(verbose=1)
    fitted = grid(loud, {"lr": [0.1]}, cv=2, refit=False, n_jobs=2).fit(X, y)
    assert capfd.readouterr().out == ""
    assert loud.verbose == 1
    fitted.set_params(refit=True).fit(X, y)
    assert fitted.best_estimator_.verbose == 1


def test_score_uses_the_metric():
    fitted = bayes(SVC(), {"C": loguniform(1e-2, 1e2)}, scoring="accuracy").fit(X, y)
    assert fitted.score(X, y) == accuracy_score(y, fitted.predict(X))
