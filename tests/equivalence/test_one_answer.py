"""With a `random_state` there is one answer, whatever runs it and in whatever order."""

import random

import joblib
import numpy as np
import pytest
import torch
from scipy.stats import loguniform, uniform
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sktune import BayesSearchCV, GridSearchCV, RandomizedSearchCV
from tests.helpers.estimators import Draws, blobs, net
from tests.helpers.results import assert_same_search

pytestmark = pytest.mark.slow

X, y = blobs()
SPACE = {
    "neuralnetclassifier__lr": loguniform(1e-3, 1.0),
    "neuralnetclassifier__module__dropout": uniform(0, 0.5),
}


def bayes(**kwargs):
    pipeline = make_pipeline(StandardScaler(), net())
    kwargs = {"n_iter": 7, "cv": 2, "random_state": 0, "refit": False, **kwargs}
    return BayesSearchCV(pipeline, SPACE, **kwargs)


@pytest.fixture(scope="module")
def reference():
    return {n: bayes(n_pending=n).fit(X, y) for n in (1, 3)}


@pytest.mark.parametrize("n_pending", [1, 3])
@pytest.mark.parametrize("n_jobs", [2, 4])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_any_number_of_jobs(reference, backend, n_jobs, n_pending):
    with joblib.parallel_config(backend, n_jobs=n_jobs):
        search = bayes(n_pending=n_pending).fit(X, y)
    assert_same_search(search, reference[n_pending])


def test_pending_candidates_change_the_search(reference):
    """Or else the test above would not test much."""
    assert reference[1].cv_results_["params"] != reference[3].cv_results_["params"]


@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_estimators_that_draw_from_global_generators(search, backend):
    grid = {"a": [1, 2, 3, 4]}
    few = {} if search is GridSearchCV else {"n_iter": 4}
    alone = search(Draws(), grid, random_state=1, **few).fit(X, y)
    with joblib.parallel_config(backend, n_jobs=3):
        among_others = search(Draws(), grid, random_state=1, **few).fit(X, y)
    assert_same_search(alone, among_others)
    assert len(set(alone.cv_results_["mean_test_score"])) == 4


def test_the_refitted_net_too():
    first, second = (bayes(refit=True, n_jobs=n, n_iter=4).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_without_a_random_state_different():
    first, second = (bayes(random_state=None, n_iter=3).fit(X, y) for _ in range(2))
    assert first.cv_results_["params"] != second.cv_results_["params"]
    first, second = (GridSearchCV(Draws(), {"a": [1]}).fit(X, y) for _ in range(2))
    assert first.best_score_ != second.best_score_


def test_a_generator_differs_from_fit_to_fit():
    search = bayes(random_state=np.random.RandomState(0), n_iter=3)
    first = search.fit(X, y).cv_results_["params"]
    assert search.fit(X, y).cv_results_["params"] != first


@pytest.mark.parametrize("random_state", [0, None])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_callers_random_states_are_left_alone(random_state, n_jobs):
    before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    bayes(random_state=random_state, n_jobs=n_jobs, n_iter=5, refit=True).fit(X, y)
    GridSearchCV(Draws(), {"a": [1, 2]}, n_jobs=n_jobs).fit(X, y)
    after = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    assert before[0] == after[0]
    np.testing.assert_array_equal(before[1], after[1])
    assert torch.equal(before[2], after[2])


def test_splits_are_drawn_once():
    """A splitter that differs at each call gives all candidates the same splits."""
    from sklearn.model_selection import KFold

    tree = DecisionTreeClassifier(random_state=0)
    cv = KFold(2, shuffle=True, random_state=np.random.RandomState(0))
    # Parameters that make no difference: equal scores if and only if equal splits.
    space = {"min_impurity_decrease": uniform(0, 1e-9)}
    search = BayesSearchCV(tree, space, n_iter=6, cv=cv, random_state=0).fit(X, y)
    for split in range(2):
        assert len(set(search.cv_results_[f"split{split}_test_score"])) == 1


def test_whatever_threads_the_main_process_may_use(reference):
    """torch adds up in an order that depends on them, and nets are chaotic."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        wide = {"lr": [0.07], "module__hidden": [170], "module__n_features": [64]}
        X, y = blobs(400, 64)
        adam = net(max_epochs=5, optimizer=torch.optim.Adam)
        alone, shared = (
            GridSearchCV(
                adam, wide, random_state=0, n_jobs=n, scoring="neg_log_loss"
            ).fit(X, y)
            for n in (1, 2)
        )
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert_same_search(alone, shared)
