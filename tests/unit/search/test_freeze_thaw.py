"""A search that freezes and thaws: what holds of searches with rungs holds of it."""

import warnings

import numpy as np
import pytest
import torch
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktune import FreezeThawSearchCV
from sktune.inspection import read_journal
from sktune.schedule import Slices
from tests.helpers.estimators import blobs, net
from tests.helpers.journals import assert_same, cut

X, y = blobs(60)
SPACE = {"lr": loguniform(1e-3, 1.0), "module__hidden": [2, 3, 4]}


class Curve(ClassifierMixin, BaseEstimator):
    """Scores what its parameters say, later or sooner; fails where it is told to."""

    def __init__(self, a=0.0, slow=0.0, fails_above=2.0):
        self.a = a
        self.slow = slow
        self.fails_above = fails_above

    def partial_fit(self, X, y, classes=None):
        self.classes_ = classes
        self.n_ = getattr(self, "n_", 0) + 1
        if self.a > self.fails_above:
            raise ArithmeticError("too much")
        return self

    def fit(self, X, y):
        raise AssertionError("passes are calls of partial_fit")

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return 1.0 - (self.a - 0.3) ** 2 - (0.2 + self.slow) / self.n_


A = {"a": uniform(0, 1), "slow": uniform(0, 1)}


def curve(space=A, estimator=None, **kwargs):
    defaults = {
        "n_iter": 8,
        "resource": "partial_fit",
        "max_resources": 9,
        "cv": 2,
        "random_state": 0,
        "refit": False,
    }
    return FreezeThawSearchCV(
        Curve() if estimator is None else estimator, space, **{**defaults, **kwargs}
    )


def of_nets(**kwargs):
    defaults = {"n_iter": 5, "cv": 2, "random_state": 0, "max_resources": 9}
    estimator = net(verbose=0, optimizer=torch.optim.Adam)
    return FreezeThawSearchCV(estimator, SPACE, **{**defaults, **kwargs})


def spent(results):
    most = {}
    for candidate, n in zip(results["candidate"], results["n_resources"], strict=True):
        most[candidate] = max(n, most.get(candidate, 0))
    return sum(most.values())


def test_it_finds_what_is_good_at_the_end():
    search = curve(n_iter=20).fit(X, y)
    assert abs(search.best_params_["a"] - 0.3) < 0.05
    assert search.n_resources_ == [1, 2, 3, 6, 9]
    assert search.n_candidates_[0] > 3 * search.n_candidates_[-1]
    assert search.cv_results_["n_resources"][search.best_index_] == 9


@pytest.mark.parametrize("n_iter", [1, 2, 5, 12])
def test_the_budget_is_kept(n_iter):
    search = curve(n_iter=n_iter)
    results = search.fit(X, y).cv_results_
    assert spent(results) <= 9 * n_iter
    assert spent(results) > 9 * (n_iter - 1)
    assert search.plan().total_resources == 9 * n_iter * 2


@pytest.mark.parametrize("n_pending", [1, 3])
def test_one_answer_for_any_number_of_workers(n_pending):
    one = curve(n_pending=n_pending, n_jobs=1).fit(X, y)
    two = curve(n_pending=n_pending, n_jobs=2).fit(X, y)
    assert_same(one, two)


def test_what_paused_goes_on_exactly():
    """The first candidate, slice by slice, scores what it does when trained at once."""
    first = {"lr": 0.1, "module__hidden": 4}
    results = of_nets(n_iter=1, initial_points=[first]).fit(X, y).cv_results_
    assert list(results["n_resources"]) == [1, 3, 9]
    for n, score in zip((1, 3, 9), results["mean_test_score"], strict=True):
        at_once = of_nets(n_iter=1, initial_points=[first], max_resources=n)
        at_once = at_once.set_params(min_resources=n).fit(X, y)
        assert list(at_once.cv_results_["mean_test_score"]) == [score]


def test_who_was_forgotten_is_trained_anew_to_the_same_state(tmp_path, monkeypatch):
    slices, resumed = FreezeThawSearchCV._slices, []

    class Forgetful(Slices):
        def _resume(self, *args):
            resume, after = super()._resume(*args)
            resumed.append(resume)
            return resume, after

    def forgetful(self, fidelity):
        given = slices(self, fidelity)
        return Forgetful(given.levels, given.budget, given.n_first, max_paused=1)

    monkeypatch.setattr(FreezeThawSearchCV, "_slices", forgetful)
    journal = tmp_path / "search.jsonl"
    search = curve(n_iter=12, journal=journal).fit(X, y)
    n_anew = sum(one.is_anew for one in resumed)
    assert n_anew
    results = search.cv_results_
    a, slow = (np.ma.getdata(results[f"param_{name}"]) for name in ("a", "slow"))
    score = 1.0 - (a - 0.3) ** 2 - (0.2 + slow) / results["n_resources"]
    np.testing.assert_allclose(results["mean_test_score"], score.astype(float))
    cut(journal, len(read_journal(journal)) // 2)
    assert_same(curve(n_iter=12, journal=journal).fit(X, y), search)
    # What was trained twice is paid twice.
    total = search.plan().total_resources
    assert spent(results) < 9 * 12 - n_anew
    assert_same(curve(n_iter=12, max_resources_total=total).fit(X, y), search)
    with pytest.warns(UserWarning, match="max_resources_total"):
        curve(n_iter=12, max_resources_total=2 * spent(results)).fit(X, y)


@pytest.mark.parametrize("n_fits", [3, 17, 40])
def test_a_journal_continues_it(tmp_path, n_fits):
    journal = tmp_path / "search.jsonl"
    expected = of_nets(journal=journal, n_pending=2).fit(X, y)
    fits = len(read_journal(journal))
    cut(journal, min(n_fits, fits - 1))
    assert_same(of_nets(journal=journal, n_pending=2).fit(X, y), expected)
    assert len(read_journal(journal)) == fits


def test_candidates_that_fail_are_let_go():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = curve(estimator=Curve(fails_above=0.6), n_iter=20).fit(X, y)
    results = search.cv_results_
    failed = np.array([params["a"] > 0.6 for params in results["params"]])
    assert failed.any()
    assert (results["n_resources"][failed] == 1).all()
    assert np.isnan(results["mean_test_score"][failed]).all()
    assert abs(search.best_params_["a"] - 0.3) < 0.1


def test_where_all_fail_it_says_so():
    with pytest.raises(ValueError, match="No candidate has a finite score"):
        curve(estimator=Curve(fails_above=-1.0)).fit(X, y)


def test_it_learns_from_other_searches():
    """Its first candidate is where they lead one to expect most, not where in doubt."""
    before = curve(n_iter=12).fit(X, y)
    search = curve(n_iter=3, warm_start_from=before).fit(X, y)
    first = search.cv_results_["params"][list(search.cv_results_["candidate"]).index(0)]
    assert abs(first["a"] - 0.3) < 0.15
    assert first["slow"] < 0.2
    assert clone(search).warm_start_from is before


def test_a_space_that_is_used_up():
    search = curve({"a": [0.1, 0.3, 0.9], "slow": [0.0]}, n_iter=20).fit(X, y)
    # The halving goes by factors of three, past the levels halfway.
    assert search.n_candidates_ == [3, 2, 3, 2, 3]
    assert search.best_params_["a"] == 0.3


def test_pipelines_and_samples():
    pipeline = make_pipeline(StandardScaler(), SGDClassifier(random_state=0))
    search = FreezeThawSearchCV(
        pipeline,
        {"sgdclassifier__alpha": loguniform(1e-5, 1)},
        n_iter=4,
        cv=2,
        random_state=0,
    ).fit(X, y)
    assert search.resource_ == "n_samples"
    results = search.cv_results_
    # Nothing continues, so that each slice costs all that it is given.
    assert results["n_resources"].sum() <= 4 * len(X)


@pytest.mark.parametrize("name", ["factor", "strategy", "asynchronous"])
def test_what_it_does_not_have(name):
    assert name not in FreezeThawSearchCV(Curve(), A).get_params()
    with pytest.raises(TypeError, match=name):
        FreezeThawSearchCV(Curve(), A, **{name: 1})
