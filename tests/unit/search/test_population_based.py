"""A search that trains a population: its arguments, its table, and its failures."""

import warnings

import numpy as np
import pytest
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.svm import SVC

from sktune import HyperbandSearchCV, PopulationBasedSearchCV
from sktune._errors import JournalError, ParamNameError, SpaceError
from sktune.inspection import read_journal
from tests.helpers.estimators import blobs, net

X, y = blobs(60)


class Walk(ClassifierMixin, BaseEstimator):
    """Comes nearer to 1 with each pass, by as much as its rate says; may fail."""

    def __init__(self, rate=0.1, fails_above=2.0, fails_at=0):
        self.rate = rate
        self.fails_above = fails_above
        self.fails_at = fails_at

    def partial_fit(self, X, y, classes=None):
        self.classes_ = classes
        self.n_ = getattr(self, "n_", 0) + 1
        self.at_ = getattr(self, "at_", 0.0)
        self.at_ += self.rate * (1.0 - self.at_)
        if self.rate > self.fails_above and self.n_ > self.fails_at:
            raise ArithmeticError("too much")
        return self

    def fit(self, X, y):
        raise AssertionError("passes are calls of partial_fit")

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return self.at_


RATE = {"rate": uniform(0.0, 0.5)}


def walk(estimator=None, space=RATE, **kwargs):
    defaults = {
        "population_size": 6,
        "resource": "partial_fit",
        "max_resources": 6,
        "interval": 2,
        "cv": 2,
        "random_state": 0,
        "return_train_score": False,
    }
    return PopulationBasedSearchCV(
        Walk() if estimator is None else estimator, space, **{**defaults, **kwargs}
    )


def test_it_is_the_better_for_what_it_has_inherited():
    search = walk().fit(X, y)
    first = search.cv_results_["param_rate"][:6].max()
    best = search.best_estimator_
    at, n_done = 0.0, 0
    for stage in search.best_lineage_:
        for _ in range(n_done, stage["n_resources"]):
            at += stage["params"]["rate"] * (1.0 - at)
        n_done = stage["n_resources"]
    assert search.best_score_ == best.at_ == at > 1 - (1 - first) ** 6
    assert best.n_ == 6


def test_the_table_says_who_was_whose_parent():
    results = walk().fit(X, y).cv_results_
    first = results["iter"] == 0
    assert results["parent"].dtype.kind == "i" and set(results["parent"][first]) == {-1}
    assert results["parent"].max() >= 0
    assert results["rank_test_score"].max() == len(results["params"])
    other = HyperbandSearchCV(
        Walk(), RATE, resource="partial_fit", max_resources=3, cv=2, random_state=0
    ).fit(X, y)
    assert "parent" not in other.cv_results_


def test_a_plan_is_what_is_done(tmp_path):
    search = walk(max_resources=7, journal=tmp_path / "journal")
    plan = search.plan()
    search.fit(X, y)
    frame = read_journal(search.journal)
    assert plan.n_fits == len(frame) and plan.n_evaluations == len(frame) // 2
    assert plan.n_candidates == frame["candidate"].nunique()
    assert search.n_resources_ == [2, 4, 6, 7] and search.n_candidates_ == [6] * 4
    assert plan.total_resources == 6 * 7 * 2
    children = frame["parent"].notna()
    assert children.sum() > 0
    limited = walk(max_resources=7, max_resources_total=plan.total_resources).fit(X, y)
    assert limited.n_candidates_ == [6] * 4, "children cost what they are given"


def test_a_budget_ends_it():
    with pytest.warns(UserWarning, match="max_resources_total=50 was spent"):
        search = walk(max_resources_total=50).fit(X, y)
    assert search.n_candidates_ == [6, 6, 0]
    assert search.best_lineage_[-1]["n_resources"] == 4


def test_by_default_there_are_ten_intervals():
    search = PopulationBasedSearchCV(net(max_epochs=25), {"lr": uniform(0.1, 0.4)})
    assert [rung.n_resources for rung in search.plan().rungs] == [*range(2, 25, 2), 25]
    assert search.plan().n_replaced == 3
    rows = PopulationBasedSearchCV(SVC(), {"C": uniform(0.1, 0.4)}).plan(X, y)
    assert [rung.n_resources for rung in rows.rungs] == [40, 60], "20 are too few"
    few = clone(search).set_params(max_resources=3, population_size=1)
    assert len(few.plan().rungs) == 3 and few.plan().n_replaced == 0


@pytest.mark.parametrize("fails_at", [0, 2])
def test_who_fails_is_replaced_first(fails_at):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = walk(Walk(fails_above=0.3, fails_at=fails_at)).fit(X, y)
    results = search.cv_results_
    failed = np.isnan(results["mean_test_score"])
    assert failed.any() and search.n_candidates_ == [6, 6, 6]
    last = {c: n for c, n in zip(results["candidate"], results["iter"], strict=True)}
    for row in np.flatnonzero(failed):
        assert last[results["candidate"][row]] == results["iter"][row]
    for row in np.flatnonzero(results["parent"] >= 0):
        before = results["iter"] == results["iter"][row] - 1
        of_parent = before & (results["candidate"] == results["parent"][row])
        first = results["iter"][results["candidate"] == results["candidate"][row]].min()
        assert first < results["iter"][row] or not failed[of_parent].any()


def test_where_all_fail_it_says_so():
    with pytest.raises(ValueError, match=r"No candidate has a finite score.*all 6"):
        walk(Walk(fails_above=-1.0)).fit(X, y)


def test_of_several_metrics_the_named_one_decides():
    def metrics(estimator, X, y):
        return {"near": estimator.at_, "far": -estimator.at_}

    near, far = (
        walk(scoring=metrics, refit=refit).fit(X, y) for refit in ("near", "far")
    )
    assert near.best_lineage_[0]["params"]["rate"] > far.best_params_["rate"]
    assert near.best_score_ == near.cv_results_["mean_test_near"].max()


def test_the_best_few_are_kept():
    search = walk(keep=2).fit(X, y)
    assert [len(one.estimators) for one in search.kept_] == [2, 2]
    assert search.kept_[0].estimators[0].at_ == search.best_score_


def test_where_nothing_continues_params_are_inherited_only():
    search = PopulationBasedSearchCV(
        SVC(),
        {"C": loguniform(1e-2, 1e2), "kernel": ["rbf", "linear"]},
        population_size=4,
        interval=30,
        cv=2,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search.fit(X, y)
    assert search.continuation_ == "n_samples" and search.n_resources_ == [30, 60]
    plain = SVC(**search.best_params_).fit(X, y)
    np.testing.assert_array_equal(plain.dual_coef_, search.best_estimator_.dual_coef_)


def test_first_members_may_be_given():
    points = [{"rate": 0.4}, {"rate": 0.01}]
    results = walk(initial_points=points).fit(X, y).cv_results_
    assert results["params"][:2] == points
    drawn = walk().fit(X, y).cv_results_["params"][:4]
    assert results["params"][2:6] == drawn, "and then those that would be drawn"
    with pytest.raises(ValueError, match=r"holds 2 members .* population_size=1"):
        walk(initial_points=points, population_size=1).fit(X, y)
    with pytest.raises(SpaceError, match="rate"):
        walk(initial_points=[{"rate": 7.0}]).fit(X, y)


@pytest.mark.parametrize("method", ["fit", "plan"])
def test_mistakes_are_told_before_the_first_fit(method):
    def error_of(search):
        return getattr(search, method)(X, y)

    with pytest.raises(ValueError, match="interval=7 is more than max_resources_=6"):
        error_of(walk(interval=7))
    space = {"lr": [0.1, 0.2], "module__hidden": [2, 3], "max_epochs": [1, 2]}
    with pytest.raises(ParamNameError, match=r"max_epochs is searched|part of the"):
        error_of(PopulationBasedSearchCV(net(), space, resource="max_epochs"))
    space.pop("max_epochs")
    match = r"these may not: 'module__hidden': from 2 to 3, .*\(3, 4\) in place of \(2"
    with pytest.raises(ParamNameError, match=match):
        error_of(PopulationBasedSearchCV(net(), space))
    branches = [{"lr": [0.1, 0.2]}, {"module__hidden": [2, 3]}]
    with pytest.raises(ParamNameError, match="module__hidden"):
        error_of(PopulationBasedSearchCV(net(), branches))


def test_a_population_of_another_size_is_another_search(tmp_path):
    journal = tmp_path / "journal"
    walk(journal=journal).fit(X, y)
    with pytest.raises(JournalError, match="population_size"):
        walk(journal=journal, population_size=8).fit(X, y)


def test_there_is_no_lineage_before_it_is_fitted():
    with pytest.raises(AttributeError, match="no best_lineage_ before it is fitted"):
        _ = walk().best_lineage_
    assert not hasattr(walk(), "best_lineage_")
