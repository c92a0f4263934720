"""Searches with rungs against other paths: scikit-learn, full trainings, plans."""

from __future__ import annotations

import joblib
import numpy as np
import pytest
from scipy.stats import randint, uniform
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sktune import GridSearchCV, SuccessiveHalvingSearchCV
from sktune.strategy import Listed
from tests.helpers.estimators import net
from tests.helpers.results import assert_same_search
from tests.helpers.with_rungs import NET_SPACE, CountsPasses, X, halving, hyperband, y

pytestmark = pytest.mark.filterwarnings("ignore:The last rung trains to")


# -- scikit-learn's own halving ----------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"n_candidates": 9, "max_resources": 9},
        {"n_candidates": 7, "max_resources": 20, "factor": 2},
        {"n_candidates": 12, "max_resources": 8, "min_resources": 4},
        {"n_candidates": 10, "max_resources": 30, "min_resources": "exhaust"},
        {"n_candidates": 20, "max_resources": 6, "aggressive_elimination": True},
        {"max_resources": 9},
    ],
)
@pytest.mark.parametrize("resource", ["n_estimators", "max_depth"])
def test_same_as_scikit_learn(resource, options):
    """Which trains from scratch in every rung, be it continued here or not."""
    boosting = GradientBoostingRegressor(random_state=0, n_estimators=3)
    space = {"learning_rate": uniform(0.05, 1.0), "min_samples_leaf": randint(1, 9)}
    theirs, ours = (
        search(boosting, space, resource=resource, cv=3, random_state=5, **options).fit(
            X, X[:, 0] * X[:, 1]
        )
        for search in (HalvingRandomSearchCV, SuccessiveHalvingSearchCV)
    )
    rows = []
    for results in (theirs.cv_results_, ours.cv_results_):
        for params in results["params"]:
            params.pop(resource, None)
        keys = [key for key in results if key.endswith(("_test_score", "_train_score"))]
        keys = ["iter", "n_resources", *sorted(keys)]
        keys.remove("rank_test_score")
        # Of a rung scikit-learn lists the worst first.
        table = zip(
            *(results[key].tolist() for key in keys), results["params"], strict=True
        )
        rows.append(sorted(table, key=lambda row: (row[0], *row[-1].values())))
    assert rows[0] == rows[1]
    for name in vars(theirs):
        if name.startswith(("n_", "m")) and name.endswith("_"):
            assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.best_score_ == theirs.best_score_
    expected = {"n_estimators": "warm_start", "max_depth": "from_scratch"}
    assert ours.continuation_ == expected[resource]


# -- continuing --------------------------------------------------------------------


@pytest.mark.parametrize("search", [halving, hyperband])
def test_scores_of_every_rung_are_those_of_training_in_one_go(search):
    fitted = search(net(max_epochs=9), NET_SPACE, refit=False).fit(X, y)
    assert fitted.continuation_ == "epochs"
    results = fitted.cv_results_
    params = dict(zip(results["candidate"], results["params"], strict=True))
    same = Listed([params[candidate] for candidate in sorted(params)])
    for n_resources in (1, 3, 9):
        at_once = halving(
            net(),
            NET_SPACE,
            strategy=same,
            n_candidates=len(params),
            min_resources=n_resources,
            max_resources=n_resources,
            refit=False,
        ).fit(X, y)
        rows = np.flatnonzero(results["n_resources"] == n_resources)
        for split in range(3):
            scores = f"split{split}_test_score"
            np.testing.assert_array_equal(
                results[scores][rows],
                at_once.cv_results_[scores][results["candidate"][rows]],
            )


def test_one_rung_is_a_grid_search():
    space = {"lr": [0.01, 0.1, 0.3]}
    rung = halving(net(max_epochs=4), space, n_candidates=3, min_resources=4)
    rung.set_params(return_train_score=True).fit(X, y)
    order = [p["lr"] for p in rung.cv_results_["params"]]
    grid = GridSearchCV(
        net(max_epochs=4),
        {"lr": order},
        cv=3,
        random_state=0,
        return_train_score=True,
    ).fit(X, y)
    for key in ("mean_test_score", "mean_train_score", "std_test_score"):
        np.testing.assert_array_equal(rung.cv_results_[key], grid.cv_results_[key])


@pytest.mark.parametrize("search", [halving, hyperband])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_run_spends_exactly_what_was_planned(search, n_jobs, tmp_path):
    counting = CountsPasses(file=str(tmp_path / "passes"))
    unfitted = search(
        counting,
        {"a": uniform(0, 1)},
        resource="partial_fit",
        max_resources=9,
        n_jobs=n_jobs,
        refit=False,
    )
    plan = unfitted.plan()
    fitted = unfitted.fit(X, y)
    assert (tmp_path / "passes").stat().st_size == plan.total_resources
    assert len(fitted.cv_results_["params"]) == plan.n_evaluations
    assert plan.n_fits == 3 * plan.n_evaluations
    assert str(plan.total_resources) in str(plan)
    refitted = unfitted.set_params(refit=True).fit(X, y).best_estimator_
    assert refitted.n_passes_ == 9


def test_the_refitted_net_has_the_largest_resource_and_all_data():
    fitted = halving(net(max_epochs=9), NET_SPACE).fit(X, y)
    assert len(fitted.best_estimator_.history) == 9
    batches = fitted.best_estimator_.history[-1]["batches"]
    assert sum(batch["train_batch_size"] for batch in batches) == len(X)
    assert fitted.best_estimator_.max_epochs == 9
    assert set(fitted.best_params_) == set(NET_SPACE)


# -- one answer --------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["random", "bayes"])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_any_number_of_jobs(strategy, backend):
    pipeline = Pipeline([("scale", StandardScaler()), ("net", net(max_epochs=4))])
    space = {f"net__{name}": values for name, values in NET_SPACE.items()}
    searches = []
    for n_jobs in (1, 3):
        with joblib.parallel_config(backend, n_jobs=n_jobs):
            unfitted = hyperband(pipeline, space, factor=2, strategy=strategy)
            searches.append(unfitted.fit(X, y))
    assert_same_search(*searches)
