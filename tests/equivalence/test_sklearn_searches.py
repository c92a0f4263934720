"""Grid and random search equal scikit-learn's, and Bayes too where it must."""

import warnings

import numpy as np
import pytest
import sklearn.model_selection as theirs
import torch
from scipy.stats import loguniform, randint, uniform
from sklearn import config_context
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from skorch import NeuralNetRegressor
from torch import nn

import sktune
from sktune import _compat
from tests.helpers.estimators import Net, Score, SeededNet, blobs
from tests.helpers.results import assert_same_results, assert_same_search

X, y = load_iris(return_X_y=True)
rng = np.random.RandomState(0)
order = rng.permutation(len(y))
X, y = X[order], y[order]
groups = np.arange(len(y)) % 7
GRID = {"C": [0.1, 1, 10.0], "kernel": ["linear", "rbf"]}
DRAWS = {"C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-3, 1e1)}


class SeededRegressor(NeuralNetRegressor):
    """As `SeededNet`, for numbers."""

    def fit(self, X, y=None, **fit_params):
        torch.manual_seed(0)
        return super().fit(X, y, **fit_params)


def two_metrics(estimator, X, y):
    predicted = estimator.predict(X)
    return {
        "acc": accuracy_score(y, predicted),
        "f1": f1_score(y, predicted, average="macro"),
    }


def second_best(results):
    return int(np.argsort(-results["mean_test_score"], kind="stable")[1])


SETTINGS = {
    "defaults": {},
    "train scores": {"return_train_score": True},
    "scoring name": {"scoring": "f1_macro"},
    "scorer": {"scoring": make_scorer(accuracy_score)},
    "list": {"scoring": ["accuracy", "f1_macro"], "refit": "f1_macro"},
    "dict": {"scoring": {"a": "accuracy", "f": "f1_macro"}, "refit": False},
    "callable dict": {"scoring": two_metrics, "refit": "acc"},
    "callable refit": {"refit": second_best},
    "no refit": {"refit": False},
    "cv object": {"cv": KFold(3, shuffle=True, random_state=0)},
    "cv list": {"cv": list(KFold(4).split(X))},
    "one split": {"cv": ShuffleSplit(1, random_state=0)},
    "two jobs": {"n_jobs": 2},
    "two jobs, all sent": {"n_jobs": 2, "pre_dispatch": "all"},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_grid(settings):
    ours = sktune.GridSearchCV(SVC(), GRID, **settings).fit(X, y)
    assert_same_search(ours, theirs.GridSearchCV(SVC(), GRID, **settings).fit(X, y))


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_random(settings):
    kwargs = {"n_iter": 6, "random_state": 3, **settings}
    ours = sktune.RandomizedSearchCV(SVC(), DRAWS, **kwargs).fit(X, y)
    theirs_ = theirs.RandomizedSearchCV(SVC(), DRAWS, **kwargs).fit(X, y)
    assert_same_search(ours, theirs_)


SPACES = {
    "lists": {"C": [0.1, 1, 10], "kernel": ["linear", "rbf"]},
    "numpy": {"C": np.logspace(-2, 2, 9), "degree": np.arange(2, 5)},
    "mixed": {"C": uniform(0.1, 5), "degree": randint(2, 5), "kernel": ["rbf"]},
    "dicts": [{"kernel": ["linear"], "C": uniform(0.1, 1)}, {"gamma": [0.1, 1.0]}],
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.parametrize("seed", [0, 1])
def test_random_spaces(space, seed):
    kwargs = {"n_iter": 4, "random_state": seed, "cv": 3}
    ours = sktune.RandomizedSearchCV(SVC(), space, **kwargs).fit(X, y)
    theirs_ = theirs.RandomizedSearchCV(SVC(), space, **kwargs).fit(X, y)
    assert_same_search(ours, theirs_)


def test_a_random_state_that_is_a_generator_moves_on():
    ours, theirs_ = (
        module.RandomizedSearchCV(
            SVC(), DRAWS, n_iter=3, cv=2, random_state=np.random.RandomState(5)
        )
        for module in (sktune, theirs)
    )
    for _ in range(2):
        assert_same_search(ours.fit(X, y), theirs_.fit(X, y))


def test_a_generator_that_the_splitter_shares():
    fitted = []
    for module in (sktune, theirs):
        shared = np.random.RandomState(0)
        search = module.RandomizedSearchCV(
            SVC(),
            DRAWS,
            n_iter=2,
            cv=KFold(2, shuffle=True, random_state=shared),
            random_state=shared,
        )
        fitted.append(search.fit(X, y))
    assert_same_search(*fitted)


def test_a_splitter_without_a_seed_draws_from_numpys_own_state():
    scores = []
    for module in (sktune, theirs):
        np.random.seed(3)
        search = module.GridSearchCV(SVC(), {"C": [1.0]}, cv=KFold(3, shuffle=True))
        for _ in range(2):
            search.fit(X, y)
            scores.append([search.cv_results_[f"split{k}_test_score"] for k in (0, 1)])
    ours, ours_again, as_theirs, _ = scores  # their fits draw from it as well
    assert ours == as_theirs
    assert ours != ours_again


def test_values_are_pythons_own():
    space = {"C": np.logspace(-1, 1, 3), "degree": np.arange(2, 4)}
    search = sktune.RandomizedSearchCV(SVC(), space, n_iter=4, random_state=0)
    for params in search.fit(X, y).cv_results_["params"]:
        assert type(params["C"]) is float
        assert type(params["degree"]) is int


def test_values_that_are_no_numbers():
    """Lists, tuples, None, functions and classes arrive as the very objects."""
    space = {"a": [0.1], "bad": [(), (5, 6)], "odd": [None, len, dict, [1, 2]]}
    ours = sktune.GridSearchCV(Score(), space, cv=2).fit(X, y)
    assert_same_search(ours, theirs.GridSearchCV(Score(), space, cv=2).fit(X, y))
    assert ours.cv_results_["params"][3]["odd"] is space["odd"][3]


def test_groups_and_fit_params():
    grid = {"max_depth": [1, 2, 3]}
    weights = np.random.RandomState(0).uniform(0.5, 2, len(y))
    ours, theirs_ = (
        module.GridSearchCV(
            DecisionTreeClassifier(random_state=0), grid, cv=GroupKFold(4)
        ).fit(X, y, groups=groups, sample_weight=weights)
        for module in (sktune, theirs)
    )
    assert_same_search(ours, theirs_)


def test_weights_of_one_change_nothing():
    tree, grid = DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2]}
    for search in (sktune.GridSearchCV, sktune.BayesSearchCV):
        plain = search(tree, grid, **_seed(search)).fit(X, y)
        weighted = search(tree, grid, **_seed(search)).fit(
            X, y, sample_weight=np.ones(len(y))
        )
        assert_same_search(plain, weighted)


def _seed(search):
    small = {"n_iter": 2} if "n_iter" in search._parameter_constraints else {}
    return {"random_state": 0, **small}


def test_metadata_routing():
    with config_context(enable_metadata_routing=True):
        ours, theirs_ = (
            module.RandomizedSearchCV(
                LogisticRegression(max_iter=1000).set_fit_request(sample_weight=True),
                {"C": loguniform(1e-2, 1e2)},
                n_iter=3,
                cv=GroupKFold(3),
                scoring=make_scorer(accuracy_score).set_score_request(
                    sample_weight=True
                ),
                random_state=0,
            ).fit(X, y, groups=groups, sample_weight=1.0 + (y == 1))
            for module in (sktune, theirs)
        )
    assert_same_search(ours, theirs_)


@pytest.mark.parametrize("error_score", [np.nan, 0.0, -1])
def test_failing_fits(error_score):
    grid = {"a": [0.0, 0.3, 0.6], "bad": [(0.0,)]}
    # scikit-learn would choose, and refit, the candidate that fails.
    kwargs = {"cv": 2, "error_score": error_score, "refit": False}
    with warnings.catch_warnings(record=True) as our_warnings:
        warnings.simplefilter("always")
        ours = sktune.GridSearchCV(Score(b=0.6), grid, **kwargs).fit(X, y)
    with warnings.catch_warnings(record=True) as their_warnings:
        warnings.simplefilter("always")
        theirs_ = theirs.GridSearchCV(Score(b=0.6), grid, **kwargs).fit(X, y)
    assert [w.category for w in our_warnings] == [w.category for w in their_warnings]
    ranks = ours.cv_results_.pop("rank_test_score")
    theirs_.cv_results_.pop("rank_test_score")
    assert_same_results(ours.cv_results_, theirs_.cv_results_)
    # 0 would beat all scores; a candidate that failed is last all the same.
    assert ranks.tolist() == [3, 1, 2]
    assert ours.best_params_["a"] == 0.3


def test_nets_that_seed_themselves():
    X, y = blobs(60)
    seeded = SeededNet(
        Net, criterion=nn.CrossEntropyLoss, max_epochs=2, train_split=None, verbose=0
    )
    pipeline = make_pipeline(StandardScaler(), seeded)
    grid = {"seedednet__lr": [0.01, 0.1], "seedednet__module__hidden": [2, 4]}
    ours = sktune.GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    theirs_ = theirs.GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert_same_search(ours, theirs_)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs_.predict_proba(X))


def test_a_net_whose_target_is_transformed():
    """Its batches are cut from arrays, as those of a net alone are."""
    data = np.random.default_rng(0).normal(size=(90, 4)).astype("f4")
    targets = np.exp(data[:, :1] / 2)
    net = SeededRegressor(nn.Linear, module__in_features=4, module__out_features=1)
    net.set_params(train_split=None, verbose=0, max_epochs=3)
    model = TransformedTargetRegressor(net, func=np.log, inverse_func=np.exp)
    ours, theirs_ = (
        module.GridSearchCV(
            make_pipeline(StandardScaler(), model),
            {"transformedtargetregressor__regressor__lr": [0.01, 0.1]},
            cv=3,
        ).fit(data, targets)
        for module in (sktune, theirs)
    )
    assert_same_search(ours, theirs_)
    assert {path["batches"] for path in ours.paths_} == {"arrays"}
    np.testing.assert_array_equal(ours.predict(data), theirs_.predict(data))


def test_multilabel():
    X, Y = make_multilabel_classification(60, random_state=0)
    grid = {"n_neighbors": [1, 3]}
    ours = sktune.GridSearchCV(KNeighborsClassifier(), grid).fit(X, Y)
    theirs_ = theirs.GridSearchCV(KNeighborsClassifier(), grid).fit(X, Y)
    assert_same_search(ours, theirs_)


def test_a_subclass_with_a_search_of_its_own():
    class Both(sktune.GridSearchCV):
        def _run_search(self, evaluate_candidates, **kwargs):
            results = evaluate_candidates([{"C": 1.0}])
            assert len(results["params"]) == 1
            evaluate_candidates([{"C": 2.0}])

    search = Both(SVC(), {}).fit(X, y)
    assert [p["C"] for p in search.cv_results_["params"]] == [1.0, 2.0]


class Notes:
    """A callback that notes what the search has at each task."""

    requires_fit_info = ()

    def __init__(self):
        self.seen = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **kwargs):
        self._note("begin", estimator, context)

    def on_fit_task_end(self, estimator, context, **kwargs):
        self._note("end", estimator, context)

    def _note(self, when, estimator, context):
        has = [hasattr(estimator, a) for a in ("best_estimator_", "refit_time_")]
        self.seen.append((when, context.task_name, *has))


@pytest.mark.skipif(not _compat._HAS_CALLBACKS, reason="scikit-learn 1.8 has none")
def test_what_callbacks_find_on_the_search():
    seen = []
    for package in (sktune, theirs):
        notes = Notes()
        search = package.GridSearchCV(SVC(), {"C": [1.0, 2.0]}, cv=2)
        search.set_callbacks(notes).fit(X, y)
        seen.append([one for one in notes.seen if "refit" in one[1]])
    assert seen[0] == seen[1] and len(seen[0]) == 2


def test_metrics_that_only_the_training_part_has():
    """A callable that names its metrics, and raises on one test part or on all."""

    def scoring(estimator, X, y):
        if len(X) < n_test:
            raise ValueError("too few")
        return {"a": 0.5, "b": 0.25}

    rows = np.arange(len(X))
    cv = [(rows[5:], rows[:5]), (rows[:-30], rows[-30:])]
    for n_test in (6, 31):
        options = dict(scoring=scoring, refit="a", cv=cv, return_train_score=True)
        search = sktune.GridSearchCV(SVC(), {"C": [1.0]}, error_score=-1.0, **options)
        with pytest.warns(UserWarning, match="Scoring failed"):
            search.fit(X, y)
        results = search.cv_results_
        assert results["mean_train_a"] == 0.5 and results["split0_test_b"] == -1.0
        assert results["split1_test_a"] == (0.5 if n_test == 6 else -1.0)
