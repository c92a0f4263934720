"""What is wrong with the first batch of a net ends the search, and says what to do."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNet, NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from sktune._errors import EstimatorError, InputError
from sktune.execution.estimators._nets import find_nets
from tests.helpers.searches import SEARCHES, randomized

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

N = 40
X = np.linspace(0, 1, 2 * N, dtype=np.float32).reshape(N, 2)
y = X.sum(axis=1)


class Column(nn.Module):
    """Its output has shape (n, 1)."""

    n_calls = 0

    def __init__(self, squeeze=False):
        super().__init__()
        self.layer, self.squeeze = nn.Linear(2, 1), squeeze

    def forward(self, X):
        type(self).n_calls += X.device.type == "cpu"  # in fits, and not in checks
        out = self.layer(X)
        return out.squeeze(-1) if self.squeeze else out


class Flat(Column):
    def __init__(self):
        super().__init__(squeeze=True)


def net(module=Column, **kwargs):
    defaults = dict(max_epochs=2, lr=0.01, train_split=None, verbose=0)
    return NeuralNetRegressor(module, **{**defaults, **kwargs})


def _fit(estimator, X=X, y=y, search=randomized, space=None, **kwargs):
    if space is None:
        (prefix,) = find_nets(estimator)
        space = {f"{prefix}lr": [0.01, 0.1, 0.2]}
    kwargs = {"n_iter": 3, "cv": 2, **kwargs}
    return search(estimator, space, **kwargs).fit(X, y)


@pytest.mark.parametrize("search", SEARCHES)
def test_one_column_and_a_flat_y_end_the_search(search):
    """At the first batch: nothing has been trained by then."""
    Column.n_calls = 0
    match = (
        r"output has shape \(20, 1\) and y has \(20,\): MSELoss.*wrong model.*"
        r"pass y.reshape\(-1, 1\), or end the module's forward with .squeeze\(-1\)"
    )
    with pytest.raises(InputError, match=match):
        _fit(net(), search=search)
    assert Column.n_calls == 1
    _fit(net(), y=y.reshape(-1, 1), search=search)
    _fit(net(Flat), search=search)


@pytest.mark.slow
def test_with_workers():
    with pytest.raises(InputError, match="which trains a wrong model"):
        _fit(net(), n_jobs=2)


def test_the_other_way_round():
    match = r"pass y.ravel\(\), or end the module's forward with .unsqueeze\(-1\)"
    with pytest.raises(InputError, match=match):
        _fit(net(Flat), y=y[:, None])
    with pytest.raises(InputError, match=r"pass y.to_numpy\(\).reshape"):
        _fit(net(), y=pd.Series(y))


@pytest.mark.parametrize(
    "loss",
    [
        nn.BCEWithLogitsLoss,
        nn.HuberLoss,
        nn.L1Loss,
        nn.MSELoss,
        nn.PoissonNLLLoss,
        nn.SmoothL1Loss,
    ],
)
@pytest.mark.parametrize(
    "around",
    [
        lambda net: make_pipeline(StandardScaler(), net),
        lambda net: make_pipeline(make_pipeline(StandardScaler(), net)),
    ],
)
def test_every_loss_that_compares_number_by_number(loss, around):
    with pytest.raises(InputError, match=rf"{loss.__name__}.*pass y.reshape"):
        _fit(around(net(criterion=loss)))


@pytest.mark.parametrize(
    "around",
    [
        TransformedTargetRegressor,
        lambda net: TransformedTargetRegressor(net, transformer=StandardScaler()),
        lambda net: TransformedTargetRegressor(make_pipeline(StandardScaler(), net)),
        lambda net: VotingRegressor([("ridge", Ridge()), ("net", net)]),
        lambda net: randomized(net, {"max_epochs": [1]}, n_iter=1, cv=2),
        lambda net: GridSearchCV(net, {"max_epochs": [1]}, cv=2, error_score="raise"),
    ],
)
def test_nets_that_others_clone(around):
    """y does not reach them as it is, so that only the module can be changed."""
    with pytest.raises(InputError, match=r"agree, (pass y.*or )?end the module"):
        _fit(around(net()))
    _fit(around(net(Flat)))


def test_a_module_that_is_searched_fails_by_itself():
    space = {"module": [Column, Flat]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = _fit(net(), space=space, n_iter=2)
    (said,) = [str(w.message) for w in caught if "fits failed" in str(w.message)]
    assert "2 fits failed" in said and "To have the shapes agree" in said
    assert fitted.best_params_ == {"module": Flat}


class Rows(nn.MSELoss):
    """The user's own, which is to be broadcast."""

    def forward(self, output, target):
        return super().forward(output, target.reshape(output.shape))


class Reshaping(NeuralNetRegressor):
    def get_loss(self, y_pred, y_true, *args, **kwargs):
        return super().get_loss(y_pred.squeeze(-1), y_true, *args, **kwargs)


def test_what_is_meant_is_let_be():
    """Losses of the user's own, nets that reshape, and single rows."""
    _fit(net(criterion=Rows))
    own = Reshaping(Column, max_epochs=1, train_split=None, verbose=0)
    _fit(own)
    call = nn.modules.loss._Loss.__call__
    assert call is nn.Module.__call__, "torch's own is back"
    # What torch warns of, for one row nothing is wrong with.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using a target size")
        _fit(net(batch_size=1, max_epochs=1), y=y)


class Three(nn.Linear):
    def __init__(self):
        super().__init__(2, 3)


CLASSES = np.arange(N) % 3


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (CLASSES[:, None], r"y has shape \(20, 1\).*Pass y.ravel\(\)"),
        (CLASSES.astype(float), r"dtype float64.*classes as int64.*y.astype\(np.int64"),
    ],
)
def test_targets_that_a_loss_of_classes_refuses(y, match):
    plain = NeuralNet(
        Three, nn.CrossEntropyLoss, max_epochs=1, train_split=None, verbose=0
    )
    with pytest.raises(InputError, match=match):
        _fit(plain, y=y, scoring=lambda *_: 0.0)


def test_numbers_that_a_loss_refuses():
    match = (
        r"float64, and the net's HuberLoss takes dtype float32.*y.astype\(np.float32"
    )
    with pytest.raises(InputError, match=match):
        _fit(net(criterion=nn.HuberLoss), y=y.astype(float)[:, None])
    tensors = dict(X=torch.as_tensor(X), y=torch.as_tensor(y).double()[:, None])
    with pytest.raises(InputError, match=r"Pass y.to\(torch.float32\)"):
        _fit(net(criterion=nn.HuberLoss), **tensors)


def test_classes_that_the_module_has_no_output_for():
    """Another candidate may have more of them: each fails by itself."""
    few = NeuralNetClassifier(
        Three, criterion=nn.CrossEntropyLoss, max_epochs=1, train_split=None, verbose=0
    )
    match = r"(?s)All the 6 fits failed.*has 3 columns.*LabelEncoder"
    with pytest.raises(ValueError, match=match):
        _fit(few, y=CLASSES + 1)


def test_a_dtype_that_no_layer_could_be_asked_about():
    made = net(_make)
    with pytest.raises(InputError, match=r"float64.*Pass X.astype\(np.float32"):
        _fit(made, X=X.astype(float), y=y[:, None])


def _make():
    return nn.Linear(2, 1)


def test_other_errors_are_what_they_are():
    class Failing(Column):
        def forward(self, X):
            raise RuntimeError("of my own")

    with pytest.raises(ValueError, match=r"(?s)All the 6.*of my own") as e:
        _fit(net(Failing))
    assert not isinstance(e.value, EstimatorError)
