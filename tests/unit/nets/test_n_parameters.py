"""How many parameters a net has, as a score."""

import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from torch import nn

from sktune import RandomizedSearchCV
from sktune._errors import EstimatorTypeError
from sktune.nets import neg_n_parameters
from tests.helpers.estimators import blobs, net

X, y = blobs(60)


def n_of(hidden):
    """Two layers, and a batch norm between them."""
    return (4 + 1) * hidden + 2 * hidden + (hidden + 1) * 3


@pytest.fixture(scope="module")
def fitted():
    return net(max_epochs=1, verbose=0).fit(X, y)


def test_counts_all_those_of_a_net(fitted):
    assert neg_n_parameters(fitted, X, y) == -n_of(8)
    for parameter in fitted.module_.parameters():
        parameter.requires_grad_(False)
    assert neg_n_parameters(fitted) == -n_of(8)


def test_nets_within_others():
    piped = make_pipeline(StandardScaler(), net(max_epochs=1, verbose=0))
    assert neg_n_parameters(piped.fit(X, y)) == -n_of(8)
    grid = GridSearchCV(piped, {"neuralnetclassifier__module__hidden": [5]}, cv=2)
    assert neg_n_parameters(grid.fit(X, y)) == -n_of(5)
    line = NeuralNetRegressor(
        nn.Linear,
        module__in_features=4,
        module__out_features=1,
        max_epochs=1,
        train_split=None,
        verbose=0,
    )
    target = y.astype("float32")[:, None]
    around = TransformedTargetRegressor(line, check_inverse=False)
    assert neg_n_parameters(around.fit(X, target.ravel()[:, None])) == -5


@pytest.mark.parametrize(
    "estimator",
    [net(), DummyClassifier().fit(X, y), make_pipeline(DummyClassifier()).fit(X, y)],
    ids=["not fitted", "no net", "pipeline"],
)
def test_refuses_what_has_no_net(estimator):
    with pytest.raises(EstimatorTypeError, match="counts the parameters of fitted"):
        neg_n_parameters(estimator)


def test_a_search_has_the_front_of_score_and_size():
    search = RandomizedSearchCV(
        net(max_epochs=2, verbose=0),
        {"module__hidden": [2, 4, 16]},
        n_iter=3,
        cv=2,
        scoring={"accuracy": "accuracy", "neg_n_parameters": neg_n_parameters},
        refit="accuracy",
        random_state=0,
    ).fit(X, y)
    sizes = search.cv_results_["mean_test_neg_n_parameters"]
    hidden = [params["module__hidden"] for params in search.cv_results_["params"]]
    assert sizes.tolist() == [-n_of(n) for n in hidden]
    smallest = int(sizes.argmax())
    assert search.pareto_front_[-1] == smallest
