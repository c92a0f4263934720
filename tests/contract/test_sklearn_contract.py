"""What scikit-learn expects of an estimator, and what data it may be given."""

import pickle
import warnings
from io import BytesIO

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch.helper import SliceDataset, SliceDict

from sktune import GridSearchCV
from tests.helpers.estimators import Draws, Score, blobs, net
from tests.helpers.searches import SEARCHES, X, bayes, every_search, population, y

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")


@pytest.mark.slow
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


@pytest.mark.slow
@every_search
def test_nested_cross_validation(search):
    inner = search(SVC(), {"C": [0.1, 1.0, 10.0, 20.0]}, cv=2)
    scores = cross_val_score(inner, X, y, cv=3)
    np.testing.assert_array_equal(scores, cross_val_score(inner, X, y, cv=3))
    np.testing.assert_array_equal(
        scores, cross_val_score(inner.set_params(n_jobs=2), X, y, cv=3, n_jobs=2)
    )
    assert scores.min() > 0.9


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@every_search
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_only_nets_take(search, n_jobs):
    X, y = blobs(60)
    space = {"lr": [0.01, 0.1], "module__dropout": [0.0, 0.4]}
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
    fitted = search(KNeighborsClassifier(), {"n_neighbors": [1, 3]}, n_iter=2)
    assert fitted.fit(*labels).predict(labels[0]).shape == labels[1].shape


@every_search
def test_module_classes_and_tuples_as_values(search):
    X, y = blobs(60)
    classes = [torch.optim.SGD, torch.optim.Adam]
    space = {"optimizer": classes, "optimizer__weight_decay": [0.0, 1e-3]}
    fitted = search(net(), space, cv=2)
    if search is population:
        with pytest.raises(ValueError, match="'optimizer': it takes effect only as"):
            fitted.fit(X, y)
        return
    fitted.fit(X, y)
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


@every_search
def test_no_parameters_at_all(search):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The (total )?space")
        fitted = search(Score(), {}, n_iter=2, cv=2).fit(X, y)
    assert {len(params) for params in fitted.cv_results_["params"]} == {0}
    assert fitted.best_params_ == {}


@pytest.mark.slow
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


def test_score_uses_the_metric():
    fitted = bayes(SVC(), {"C": loguniform(1e-2, 1e2)}, scoring="accuracy").fit(X, y)
    assert fitted.score(X, y) == accuracy_score(y, fitted.predict(X))
