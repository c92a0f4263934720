"""What a search with rungs is planned to do, and what it leaves."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import KFold
from sklearn.model_selection._search import BaseSearchCV
from sklearn.tree import DecisionTreeClassifier

from tests.helpers.estimators import net
from tests.helpers.with_rungs import (
    DEPTH,
    NET_SPACE,
    CountsPasses,
    Crossing,
    X,
    halving,
    hyperband,
    y,
)

pytestmark = pytest.mark.filterwarnings("ignore:The last rung trains to")


# -- results -----------------------------------------------------------------------


@pytest.mark.parametrize("search", [halving, hyperband])
def test_the_best_is_among_those_with_most(search):
    fitted = search(Crossing(), {"a": uniform(0, 1)}, **DEPTH).fit(X, y)
    results = fitted.cv_results_
    top = np.flatnonzero(results["n_resources"] == 9)
    # Scores fall with depth, so any row of a lower rung beats those of the top.
    scores = results["mean_test_score"]
    assert scores[results["n_resources"] == 1].max(initial=1) > scores[top].max()
    assert fitted.best_index_ == top[scores[top].argmax()]
    assert results["rank_test_score"][fitted.best_index_] == 1
    assert fitted.best_score_ == scores[top].max()
    assert fitted.best_estimator_.depth == 9
    order = np.lexsort((-scores, -results["n_resources"]))
    ranks = results["rank_test_score"][order]
    np.testing.assert_array_equal(ranks, range(1, len(ranks) + 1))
    pairs = list(zip(results["candidate"], results["n_resources"], strict=True))
    assert len(set(pairs)) == len(pairs)


def test_rows_are_read_bracket_by_bracket():
    fitted = hyperband(Crossing(), {"a": uniform(0, 1)}, **DEPTH).fit(X, y)
    results = fitted.cv_results_
    places = list(
        zip(*(results[k] for k in ("bracket", "iter", "candidate")), strict=True)
    )
    assert places == sorted(places)
    counts = Counter((int(b), int(i)) for b, i, _ in places)
    assert counts == {
        (0, 0): 9, (0, 1): 3, (0, 2): 1, (1, 0): 5, (1, 1): 1, (2, 0): 3
    }  # fmt: skip


def test_several_metrics_and_a_callable_refit():
    metrics = {
        "up": lambda estimator, X, y: estimator.a,
        "down": lambda estimator, X, y: -estimator.a,
    }
    best = {}
    for steer in metrics:
        fitted = halving(
            Crossing(), {"a": uniform(0, 1)}, scoring=metrics, refit=steer, **DEPTH
        ).fit(X, y)
        best[steer] = fitted.best_params_["a"]
        started = [p["a"] for p in fitted.cv_results_["params"][:9]]
        assert best[steer] == (max if steer == "up" else min)(started)
    assert best["up"] > best["down"]
    chosen = halving(
        Crossing(), {"a": uniform(0, 1)}, refit=lambda results: 2, **DEPTH
    ).fit(X, y)
    assert chosen.best_index_ == 2
    assert chosen.best_params_ == chosen.cv_results_["params"][2]


# -- plans -------------------------------------------------------------------------


def test_a_last_rung_that_is_far_from_the_largest_resource():
    search = halving(Crossing(), {"a": uniform(0, 1)}, n_candidates=4, **DEPTH)
    with pytest.warns(UserWarning, match=r"depth=3.*max_resources_=9.*exhaust"):
        search.plan()
    # A space with few candidates only: they begin with more.
    few = halving(Crossing(), {"a": [1, 2, 3, 4]}, **DEPTH)
    with pytest.warns(UserWarning, match="only 4 candidates") as caught:
        plan = few.plan()
    assert len(caught) == 1
    assert plan.rungs[-1].n_resources == 9


def test_hyperband_plans_for_the_space_that_there_is():
    search = hyperband(Crossing(), {"a": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}, **DEPTH)
    with pytest.warns(UserWarning, match="plans 17 candidates.*no more than 10"):
        plan = search.plan()
    assert [tuple(rung) for rung in plan.rungs] == [
        (0, 0, 9, 1), (0, 1, 3, 3), (0, 2, 1, 9), (1, 0, 1, 3), (1, 1, 1, 9)
    ]  # fmt: skip
    with pytest.warns(UserWarning, match="plans 17 candidates") as caught:
        search.fit(X, y)
    assert len(caught) == 1
    assert len(search.cv_results_["params"]) == plan.n_evaluations


# -- what else is trained on -------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "options", "expected"),
    [
        (RandomForestClassifier(), {"resource": "n_estimators"}, "warm_start"),
        (SGDClassifier(random_state=0), {"resource": "partial_fit"}, "partial_fit"),
        (net(), {"resource": "max_epochs"}, "epochs"),
        (net(), {}, "epochs"),
        (DecisionTreeClassifier(), {"max_resources": "auto"}, "n_samples"),
        (DecisionTreeClassifier(), {"resource": "max_depth"}, "from_scratch"),
    ],
)
def test_one_attribute_says_how_candidates_continued(estimator, options, expected):
    space = {"random_state": [0, 1, 2]} if expected != "epochs" else {"lr": [0.1, 0.2]}
    options = {"max_resources": 6, **options}
    fitted = halving(estimator, space, n_candidates=2, **options).fit(X, y)
    assert fitted.continuation_ == expected


def test_pipelines_with_samplers_continue():
    over_sampling = pytest.importorskip("imblearn.over_sampling")
    from imblearn.pipeline import make_pipeline

    space = {"net__lr": [0.1, 0.2, 0.3], "smote__k_neighbors": [2, 3]}
    pipeline = make_pipeline(over_sampling.SMOTE(random_state=0), net(max_epochs=9))
    pipeline.steps = [("smote", pipeline[0]), ("net", pipeline[1])]
    kept = y < 2 + np.arange(len(y)) % 2  # half of a class is left out
    one, two = (
        halving(pipeline, space, n_candidates=4, n_jobs=n_jobs).fit(X[kept], y[kept])
        for n_jobs in (1, 2)
    )
    assert one.continuation_ == "epochs" and one.resource_ == "net__max_epochs"
    for name in ("params", "n_resources", "mean_test_score"):
        assert list(one.cv_results_[name]) == list(two.cv_results_[name])
    # The refit is the pipeline's own fit, and predicts without its samplers.
    assert len(one.predict(X)) == len(X)


@pytest.mark.parametrize("search", [halving, hyperband])
def test_it_is_said_once_that_a_net_starts_over_at_each_rung(search):
    bagging = BaggingClassifier(net(max_epochs=2), n_estimators=2, random_state=0)
    space = {"estimator__lr": [0.1, 0.2], "estimator__batch_size": [16, 32]}
    match = "^resource='auto': BaggingClassifier cannot train 'estimator' in pieces"
    with pytest.warns(UserWarning, match=match) as caught:
        fitted = search(bagging, space, max_resources=18).fit(X, y)
    assert fitted.continuation_ == "n_samples"
    assert len([w for w in caught if "in pieces" in str(w.message)]) == 1


def test_checkpoints_go_when_the_search_ends(tmp_path):
    (tmp_path / "mine").write_text("stays")
    fitted = halving(net(max_epochs=3), NET_SPACE, checkpoints=tmp_path).fit(X, y)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert fitted.best_index_ == 3


@pytest.mark.parametrize("search", [halving, hyperband])
def test_asynchronous(search):
    unfitted = search(
        CountingNothing(), {"a": uniform(0, 1)}, asynchronous=True, **DEPTH, n_jobs=2
    )
    fitted = unfitted.fit(X, y)
    results = fitted.cv_results_
    n_started = unfitted.plan().n_candidates
    assert len(set(results["candidate"])) == n_started
    assert results["n_resources"].max() == 9
    assert fitted.best_params_["a"] > 0.5


class CountingNothing(Crossing):
    """Its score does not fall with depth."""

    def score(self, X, y):
        return self.a


# -- what is said of a search ------------------------------------------------------


def test_counts_are_those_of_the_run():
    """A space with two candidates, and failures, leave less than was planned."""
    few = halving(
        Crossing(), {"a": [1, 2, 3]}, n_candidates=3, constraint=lambda p: p["a"] > 1,
        **DEPTH
    )  # fmt: skip
    with pytest.warns(UserWarning, match="Only 2 candidates"):
        few.fit(X, y)
    assert few.n_candidates_ == [2, 1]
    assert few.n_resources_ == [1, 3]
    space = {"a": uniform(0, 1), "fails_from": [1, 1, 1, 100]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*non-finite")
        failing = hyperband(Crossing(), space, **DEPTH).fit(X, y)
    results = failing.cv_results_
    for bracket, counts in enumerate(failing.n_candidates_):
        for i, count in enumerate(counts):
            place = (results["bracket"] == bracket) & (results["iter"] == i)
            assert place.sum() == count


def test_an_iterator_of_splits_is_not_used_up():
    search = halving(net(max_epochs=3), NET_SPACE, cv=KFold(3).split(X))
    with pytest.raises(ValueError, match=r"cv=list\(cv\)"):
        search.plan(X, y)
    assert search.fit(X, y).n_splits_ == 3


def test_scikit_learns_fit_is_refused():
    search = halving(Crossing(), {"a": uniform(0, 1)}, **DEPTH)
    with pytest.raises(NotImplementedError, match="the search's own fit"):
        BaseSearchCV.fit(search, X, y)


def test_what_a_fitted_search_keeps(tmp_path):
    fitted = halving(net(max_epochs=3), NET_SPACE).fit(X, y)
    left = set(vars(fitted)) - set(fitted.get_params(deep=False)) - {"pre_dispatch"}
    assert all(name.endswith("_") and not name.startswith("_") for name in left), left


@pytest.mark.parametrize("strategy", ["random", "bayes"])
def test_a_generator_moves_on(strategy):
    generator = np.random.RandomState(0)
    search = halving(
        Crossing(), {"a": uniform(0, 1)}, strategy=strategy, random_state=generator,
        **DEPTH
    )  # fmt: skip
    first = search.fit(X, y).cv_results_["params"]
    assert search.fit(X, y).cv_results_["params"] != first


def test_no_more_states_are_kept_than_may_go_on(tmp_path):
    """Of 9 candidates 3 may go on: 3 states for each split, and the one just made."""
    most = []

    class Watching(CountsPasses):
        def partial_fit(self, X, y, classes=None):
            most.append(len(list(tmp_path.rglob("*state*"))))
            return super().partial_fit(X, y, classes)

    halving(
        Watching(file=str(tmp_path / "passes")),
        {"a": uniform(0, 1)},
        resource="partial_fit",
        max_resources=9,
        checkpoints=tmp_path / "states",
        refit=False,
    ).fit(X, y)
    assert 9 <= max(most) <= 12
