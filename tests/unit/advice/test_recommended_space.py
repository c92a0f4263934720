"""What is recommended to search: taken by nets and searches, and fit for the data."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.dataset import Dataset
from torch import nn

from sktune import BayesSearchCV, HyperbandSearchCV, RandomizedSearchCV
from sktune.advice import lr_range_test, recommended_space
from tests.helpers.estimators import blobs, net

X, y = blobs(160)


@pytest.mark.parametrize(
    "searches",
    [
        lambda space: RandomizedSearchCV(net(), space, n_iter=1, cv=2),
        lambda space: BayesSearchCV(net(), space, n_iter=1, cv=2),
        lambda space: HyperbandSearchCV(net(), space, max_resources=3, cv=2),
    ],
)
def test_searches_take_it(searches):
    search = searches(recommended_space(net(), X, y))
    search.set_params(random_state=0, refit=False).fit(X, y)
    assert set(search.best_params_) == set(recommended_space(net(), X, y))


def test_names_have_the_prefixes_of_pipelines():
    alone = recommended_space(net())
    piped = make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), net()))
    prefix = "pipeline__neuralnetclassifier__"
    assert list(recommended_space(piped)) == [prefix + name for name in alone]
    regressor = NeuralNetRegressor(nn.Linear)
    model = make_pipeline(TransformedTargetRegressor(regressor))
    assert "transformedtargetregressor__regressor__lr" in recommended_space(model)


@pytest.mark.parametrize("n", [1, 19, 20, 40, 63, 64, 200, 600, 2000, 10**5, 10**7])
def test_batches_are_smaller_than_a_split(n):
    sizes = recommended_space(net(), np.empty((n, 0))).get("batch_size", [])
    assert all(size <= 0.4 * n for size in sizes)
    assert all(size & (size - 1) == 0 for size in sizes)
    assert len(sizes) in (0, 2, 3, 4, 5) and (len(sizes) > 0) == (n >= 40)


@pytest.mark.parametrize(
    "data",
    [
        (X, y),
        (X.tolist(),),
        ({"a": X, "b": X},),
        ((X, X),),
        (Dataset(X, y),),
        (Dataset(X, y), None),
    ],
)
def test_rows_of_all_kinds_of_data(data):
    assert recommended_space(net(), *data)["batch_size"] == [8, 16]


def test_without_data_batches_are_modest():
    assert recommended_space(net())["batch_size"] == [32, 64, 128]


def test_another_says_what_a_batch_is():
    assert "batch_size" not in recommended_space(net(batch_size=-1))
    space = recommended_space(net(iterator_train__batch_size=8))
    assert "batch_size" not in space and "iterator_train__batch_size" in space
    sampler = net(iterator_train__batch_sampler=[[0, 1]])
    assert not any("batch_size" in name for name in recommended_space(sampler))


def test_rates_can_be_those_of_a_range_test():
    space = recommended_space(net(), X, y)
    found = lr_range_test(net(), X, y, n_steps=40, n_seeds=1, random_state=0)
    space["lr"] = found.to_distribution()
    search = RandomizedSearchCV(net(), space, n_iter=1, cv=2, refit=False)
    assert "lr" in search.fit(X, y).best_params_


@pytest.mark.parametrize(
    "estimator, message",
    [
        (LogisticRegression(), "A net of skorch is needed.*got LogisticRegression"),
        (make_pipeline(LogisticRegression()), "last step of a pipeline; got Logistic"),
        (NeuralNetClassifier, "the class NeuralNetClassifier, of which an instance"),
        (3, "got int"),
    ],
)
def test_what_is_no_net(estimator, message):
    with pytest.raises(TypeError, match=message):
        recommended_space(estimator)


def test_other_arguments_that_are_refused():
    with pytest.raises(TypeError, match="fine_tuning='yes' must be True or False"):
        recommended_space(net(), fine_tuning="yes")
    with pytest.raises(TypeError, match=r"X is of type int.*Leave it out"):
        recommended_space(net(), 7)
    with pytest.raises(TypeError, match="y is of type object"):
        recommended_space(net(), X, object())
