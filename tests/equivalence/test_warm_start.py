"""A search that has learnt is the same search, whatever it has learnt from."""

from __future__ import annotations

import io
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.model_selection import RandomizedSearchCV, cross_validate

from sktune import BayesSearchCV
from sktune._errors import JournalError, WarmStartError
from tests.helpers.estimators import Score, blobs

X, y = blobs(30)
SPACE = {"a": uniform(0, 1), "b": uniform(0, 1)}


@pytest.fixture(scope="module")
def old():
    # No candidate near the top (0.3, 0.6) has failed.
    estimator = Score(odd_at=(0.9,))
    search = RandomizedSearchCV(estimator, SPACE, n_iter=12, cv=2, random_state=1)
    search.fit(X, y)
    results = search.cv_results_
    results["mean_test_score"][3] = results["split1_test_score"][3] = np.nan
    return search


def bayes(warm_start_from, estimator=None, **kwargs):
    arguments = {"n_iter": 5, "cv": 2, "random_state": 0, **kwargs}
    return BayesSearchCV(
        estimator or Score(), SPACE, warm_start_from=warm_start_from, **arguments
    )


def scores(search):
    return search.cv_results_["mean_test_score"]


def test_all_forms_lead_to_the_same_candidates(old):
    first = bayes(old).fit(X, y)
    frame = pd.DataFrame(old.cv_results_)
    from_file = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    for form in (old.cv_results_, frame, from_file, [old]):
        again = bayes(form).fit(X, y)
        assert again.cv_results_["params"] == first.cv_results_["params"]


def test_it_is_learnt_from_and_nothing_else(old):
    class Counting(Score):
        n_fits = 0

        def fit(self, X, y, sample_weight=None):
            Counting.n_fits += 1
            return super().fit(X, y)

    search = bayes(old, Counting(), refit=False).fit(X, y)
    assert Counting.n_fits == 5 * 2
    assert len(scores(search)) == 5
    assert scores(search)[0] > -0.05, "it begins where the best is expected"
    cold = bayes(None).fit(X, y)
    assert scores(cold)[0] < scores(search)[0]


def test_initial_points_are_the_first_rows(old):
    points = [{"a": 0.9, "b": 0.1}, {"a": 0.8, "b": 0.2}]
    search = bayes(old, initial_points=points).fit(X, y)
    assert search.cv_results_["params"][:2] == points
    assert scores(search)[2:].max() > -0.02


def test_what_was_tried_may_be_tried_again():
    space = {"a": [0.1, 0.2, 0.3, 0.4], "b": [0.6]}
    old = BayesSearchCV(Score(), space, n_iter=4, cv=2, random_state=0).fit(X, y)
    again = clone(old).set_params(warm_start_from=old).fit(X, y)
    assert len(scores(again)) == 4
    assert again.cv_results_["params"][0] == {"a": 0.3, "b": 0.6}


@pytest.mark.parametrize("n_pending", [1, 3])
def test_any_number_of_workers(old, n_pending):
    one = bayes(old, n_pending=n_pending).fit(X, y)
    with joblib.parallel_config("threading"):
        two = bayes(old, n_pending=n_pending, n_jobs=2).fit(X, y)
    assert one.cv_results_["params"] == two.cv_results_["params"]


def test_a_clone_knows_as_much(old):
    search = bayes(old)
    for copy in (
        clone(search),
        clone(clone(search)),
        pickle.loads(pickle.dumps(search)),
    ):
        copy.fit(X, y)
        assert copy.cv_results_["params"] == search.fit(X, y).cv_results_["params"]
    assert clone(search).warm_start_from is old
    assert search.get_params()["warm_start_from"] is old
    results = cross_validate(search, X, y, cv=2, error_score="raise")
    assert len(results["test_score"]) == 2
    listed = bayes([old, old.cv_results_])
    assert clone(listed).warm_start_from is listed.warm_start_from


def test_a_search_learns_from_itself(old):
    """Fits one after the other, each of which knows those before."""
    found = []
    for seed in range(3):
        search = bayes(list(found), random_state=seed).fit(X, y)
        found.append(search)
    assert max(scores(found[2])) > -0.02
    again = bayes(found[:2], random_state=2).fit(X, y)
    assert again.cv_results_["params"] == found[2].cv_results_["params"]


def test_of_several_metrics_the_one_that_steers(old):
    def metrics(estimator, X, y):
        return {"near": estimator.score(X), "far": -estimator.score(X)}

    both = RandomizedSearchCV(
        Score(), SPACE, n_iter=20, cv=2, random_state=1, scoring=metrics, refit="near"
    ).fit(X, y)
    near, far = (
        bayes(both, scoring=metrics, refit=refit, n_iter=1).fit(X, y)
        for refit in ("near", "far")
    )
    assert near.best_score_ > -0.05 and far.best_score_ > 0.4
    with pytest.raises(
        WarmStartError, match=r"'mean_test_near'.*\['mean_test_score'\]"
    ):
        bayes(old, scoring=metrics, refit="near").fit(X, y)


def test_a_journal_is_of_what_was_learnt(old, tmp_path):
    path = tmp_path / "journal"
    first = bayes(old, journal=path).fit(X, y)
    again = bayes(pd.DataFrame(old.cv_results_), journal=path, n_jobs=2).fit(X, y)
    assert again.cv_results_["params"] == first.cv_results_["params"]
    other = {
        **old.cv_results_,
        "mean_test_score": old.cv_results_["mean_test_score"][::-1],
    }
    for given in (None, other, [old, old]):
        with pytest.raises(JournalError, match="differs in: warm_start_from"):
            bayes(given, journal=path).fit(X, y)


def test_a_journal_without_a_warm_start_is_of_another_search(old, tmp_path):
    bayes(None, journal=tmp_path / "journal").fit(X, y)
    with pytest.raises(JournalError, match="differs in: warm_start_from"):
        bayes(old, journal=tmp_path / "journal").fit(X, y)
