"""Dtypes that a layer refuses are named where a fit fails: nothing is built before."""

import warnings

import numpy as np
import pytest
import torch
from scipy.stats import randint, uniform
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV as SklearnGrid
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from sktune import GridSearchCV
from sktune._errors import EstimatorError, InputError
from sktune.execution.training._refused_input import refuse_alike, refused_input
from tests.helpers.estimators import Net, blobs, net
from tests.helpers.searches import SEARCHES, population

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

X, y = blobs(30)
DOUBLE = X.astype(np.float64)
OPTIONS = dict(max_epochs=1, train_split=None, verbose=0)


class Effects(nn.Module):
    """What a user's module may do when it is built, and when it is called."""

    built = 0

    def __init__(self, width=4):
        super().__init__()
        type(self).built += 1
        warnings.warn("loads pretrained weights", UserWarning, stacklevel=2)
        self.first = nn.Linear(4, width)
        self.first.weight.data.copy_(torch.zeros(width, 4))
        self.last = nn.Linear(width, 3)

    def forward(self, X):
        return self.last(self.first(X))


def effects():
    return NeuralNetClassifier(Effects, criterion=nn.CrossEntropyLoss, **OPTIONS)


# A population tries before the first fit what may change in a net, and no width may.
@pytest.mark.parametrize("search", [one for one in SEARCHES if one is not population])
def test_a_module_is_built_for_fits_only(search, monkeypatch):
    monkeypatch.setattr(Effects, "built", 0)
    space = {"lr": [0.1, 0.2], "module__width": [3, 4]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = search(effects(), space, cv=2).fit(X, y)
    # Fits that go on are built anew, and there is the refit.
    n_fits = 2 * len(fitted.cv_results_["params"]) + 1
    assert Effects.built == n_fits
    loads = [one for one in caught if "pretrained" in str(one.message)]
    assert len(loads) == n_fits


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_first_fit_ends_the_search(n_jobs, monkeypatch):
    monkeypatch.setattr(Effects, "built", 0)
    made = GridSearchCV(effects(), {"lr": [0.1, 0.2, 0.3]}, cv=3, n_jobs=n_jobs)
    match = r"X has dtype float64, but .* first \(Linear\), takes float32.*X.astype"
    with (
        warnings.catch_warnings(),
        pytest.raises(InputError, match=match) as caught,
    ):
        warnings.filterwarnings("ignore", "loads pretrained")
        made.fit(DOUBLE, y)
    assert Effects.built == (1 if n_jobs == 1 else 0)
    if n_jobs == 1:
        assert "same dtype" in str(caught.value.__cause__)


class Casting(nn.Module):
    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.layer = nn.Linear(4, 3, dtype=dtype)

    def forward(self, X):
        return self.layer(X).float()


def test_candidates_that_may_be_right_are_tried():
    estimator = net(max_epochs=1, verbose=0).set_params(module=Casting)
    space = {"module__dtype": [torch.float32, torch.float64]}
    made = GridSearchCV(estimator, space, cv=2, refit=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scores = made.fit(DOUBLE, y).cv_results_["mean_test_score"]
    assert np.isnan(scores).tolist() == [True, False]
    (said,) = [str(w.message) for w in caught if "fits failed" in str(w.message)]
    assert "Pass X.astype(np.float32)" in said
    made.set_params(param_grid={"module__dtype": [torch.float32]})
    with pytest.raises(ValueError, match=r"All the 2 fits failed") as error:
        made.fit(DOUBLE, y)
    assert type(error.value.__cause__) is EstimatorError


def test_who_refuses_alike():
    one = net()
    within = Pipeline([("scale", StandardScaler()), ("net", net())])
    for names in (
        {"lr": [1, 2], "module__hidden": [4, 8], "module__dropout": uniform(0, 1)},
        {"module__hidden": randint(1, 9), "optimizer": [torch.optim.SGD]},
    ):
        assert refuse_alike(one, [names])
        assert refuse_alike(within, [{f"net__{k}": v for k, v in names.items()}])
    for names in ({"module": [Net]}, {"module__cast": [True, False]}, {"dataset": [1]}):
        assert not refuse_alike(one, [{"lr": [1]}, names])
    assert not refuse_alike(within, [{"scale": [None]}])


def raised_by(estimator, X, y):
    with pytest.raises(Exception) as caught:
        estimator.fit(X, y)
    refusal = refused_input(caught.value, estimator, X, is_alike=True)
    return None if refusal is None else str(refusal)


def test_in_whatever_the_net_stands():
    regressor = NeuralNetRegressor(
        nn.Linear, module__in_features=4, module__out_features=1, **OPTIONS
    )
    target = y.astype(np.float32)
    for estimator in (
        TransformedTargetRegressor(regressor),
        SklearnGrid(regressor, {"lr": [0.1]}, cv=2, error_score="raise"),
        SklearnGrid(regressor, {"lr": [0.1]}, cv=2),
    ):
        said = raised_by(estimator, DOUBLE, target)
        assert "X has dtype float64" in said and "X.astype(np.float32)" in said
    scaled = make_pipeline(StandardScaler(), regressor)
    said = raised_by(scaled, DOUBLE, target[:, None])
    assert "make X of dtype float64" in said and "FunctionTransformer" in said
    said = raised_by(regressor, torch.as_tensor(DOUBLE), torch.as_tensor(target))
    assert "Pass X.to(torch.float32)" in said


def test_integers_and_embeddings():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(9, 3)

        def forward(self, X):
            return self.words(X).mean(1)

    assert "takes int64" in raised_by(net(verbose=0).set_params(module=Words), X, y)
    said = raised_by(net(verbose=0), X.astype(np.int64), y)
    assert "dtype int64" in said and "takes float32" in said


def test_other_errors_are_none():
    too_narrow = X[:, :2]
    assert raised_by(net(verbose=0), too_narrow, y) is None

    class Within(Net):
        """Its own mistake, and not one of the data."""

        def forward(self, X):
            return self.layers(X.double())

    assert raised_by(net(verbose=0).set_params(module=Within), X, y) is None
    assert raised_by(StandardScaler(), np.array([["text"]]), y) is None
