"""A fitted search and its journal are shown as the same."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.stats import Uniform, loguniform, randint, uniform
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sktune import (
    BayesSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune.inspection._search_record import _leases_of, _scale, record_of

X, Y = load_iris(return_X_y=True)
SPACE = {
    "alpha": loguniform(1e-5, 1),
    "penalty": ["l1", "l2", None],
    "eta0": uniform(0.001, 1),
}
SEARCHES = {
    "flat": lambda **kw: RandomizedSearchCV(
        SGDClassifier(random_state=0), SPACE, n_iter=5, **kw
    ),
    "bayes": lambda **kw: BayesSearchCV(
        SGDClassifier(random_state=0), SPACE, n_iter=4, **kw
    ),
    "racing": lambda **kw: GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3, 4], "max_features": [0.2, 1.0]},
        racing=True,
        **kw | {"cv": 6},
    ),
    "rungs": lambda **kw: HyperbandSearchCV(
        SGDClassifier(random_state=0, tol=None),
        SPACE,
        resource="max_iter",
        max_resources=9,
        **kw,
    ),
    "few splits": lambda **kw: SuccessiveHalvingSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": randint(1, 9)},
        n_candidates=6,
        resource="n_samples",
        min_resources=30,
        min_splits=1,
        **kw | {"cv": 3},
    ),
    "several metrics": lambda **kw: RandomizedSearchCV(
        SGDClassifier(random_state=0),
        SPACE,
        n_iter=3,
        scoring=["accuracy", "f1_macro"],
        refit="f1_macro",
        **kw,
    ),
}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """By name, a search that was fitted once and has a journal."""

    @cache
    def fit(name):
        path = tmp_path_factory.mktemp(name.replace(" ", "_")) / "journal.jsonl"
        return SEARCHES[name](cv=2, random_state=0, journal=path).fit(X, Y)

    return fit


def by_place(record):
    return {
        (row.candidate, row.n_resources): (
            row.params,
            row.scores,
            row.failed,
            row.stopped,
            row.bracket,
            row.iter,
        )
        for row in record.rows
    }


@pytest.mark.parametrize("name", [name for name in SEARCHES if name != "racing"])
def test_search_and_journal(name, fitted):
    search = fitted(name)
    a, b = record_of(search), record_of(search.journal)
    assert by_place(a) == by_place(b)
    assert list(by_place(a)) == list(by_place(b))
    assert a.rows[a.best].candidate == b.rows[b.best].candidate
    for same in ("search", "metrics", "metric", "n_splits", "scales", "resource"):
        assert getattr(a, same) == getattr(b, same)
    assert a.n_candidates == b.n_candidates


@pytest.mark.parametrize("name", SEARCHES)
def test_rows_are_those_of_cv_results(name, fitted):
    search = fitted(name)
    record, results = record_of(search), search.cv_results_
    means = [row.mean(record.metric) for row in record.rows]
    stds = [row.std(record.metric) for row in record.rows]
    np.testing.assert_allclose(means, results[f"mean_test_{record.metric}"])
    np.testing.assert_allclose(stds, results[f"std_test_{record.metric}"], atol=1e-12)
    assert record.best == search.best_index_ == record.ranked[0]
    runs = results.get("n_splits_run", [search.n_splits_] * len(means))
    assert [row.n_run for row in record.rows] == list(runs)


def test_candidates_that_failed(tmp_path):
    search = GridSearchCV(
        SGDClassifier(random_state=0),
        {"alpha": [1e-3, -1.0]},
        cv=2,
        error_score=2.0,  # above any accuracy
        journal=tmp_path / "journal.jsonl",
    )
    with pytest.warns(FitFailedWarning):
        search.fit(X, Y)
    for record in map(record_of, (search, search.journal)):
        assert [row.failed for row in record.rows] == [False, True]
        assert record.ranked == [0]
    assert "alpha" in record.fits[-1]["fit_error"]


def test_classes_and_estimators_as_params(tmp_path):
    steps = [("scale", StandardScaler()), ("sgd", SGDClassifier(random_state=0))]
    space = {"scale": [StandardScaler(), MinMaxScaler(), None], "sgd__alpha": [0.1]}
    search = GridSearchCV(
        Pipeline(steps), space, cv=2, journal=tmp_path / "journal.jsonl"
    ).fit(X, Y)
    for record in map(record_of, (search, search.journal)):
        assert [row.params["scale"] for row in record.rows] == [
            "StandardScaler(copy=True, with_mean=True, with_std=True)",
            "MinMaxScaler(clip=False, copy=True, feature_range=(0, 1))",
            None,
        ]
        assert record.scales["scale"] == "category"


def test_of_several_metrics_the_first_where_none_is_named(tmp_path):
    search = GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2]},
        cv=2,
        scoring=["f1_macro", "accuracy"],
        refit=False,
        journal=tmp_path / "journal.jsonl",
    ).fit(X, Y)
    a, b = record_of(search), record_of(search.journal)
    assert a.metric == b.metric == "f1_macro"
    assert (a.best, a.rows[1].scores) == (b.best, b.rows[1].scores) and a.best == 1


def test_fits_are_left_in_a_journal(fitted):
    record = record_of(fitted("flat"), with_fits=False)
    assert record.fits == [] and len(record.rows) == 5


@pytest.mark.parametrize("n_lines", [1, 2, 3, 5])
def test_a_journal_that_is_being_written(n_lines, fitted, tmp_path):
    lines = fitted("flat").journal.read_text().splitlines(keepends=True)
    journal = tmp_path / "journal.jsonl"
    journal.write_text("".join(lines[:n_lines]) + lines[n_lines][:40])
    record = record_of(journal)
    assert sum(row.n_run for row in record.rows) == max(0, n_lines - 2)
    assert (record.best is None) == (n_lines < 3)


def test_what_cannot_be_read(fitted):
    with pytest.raises(NotFittedError):
        record_of(SEARCHES["flat"]())
    search = fitted("several metrics")
    assert record_of(search, "accuracy").metric == "accuracy"
    for given in (search, search.journal):
        with pytest.raises(ValueError, match="Did you mean 'accuracy'"):
            record_of(given, "acuracy")


RECORDED = {"args": {"tuple": [1e-3, 1]}, "kwds": {}}


@pytest.mark.parametrize(
    "given, scale",
    [
        (loguniform(1e-5, 1), "log"),
        (uniform(1e-3, 1), "linear"),
        (randint(1, 1000), "linear"),
        (RECORDED | {"distribution": "reciprocal"}, "log"),
        (RECORDED | {"distribution": "uniform"}, "linear"),
        (RECORDED | {"distribution": "no such"}, "linear"),
        (Uniform(a=0.001, b=1.0), "linear"),
        ([1e-4, 1e-3, 1e-2, 1e-1], "log"),
        ([1, 2, 3], "linear"),
        (["a", 3], "linear"),
    ],
)
def test_scales(given, scale):
    assert _scale([0.1, 0.2, 0.3], [given]) == scale


def test_scales_of_what_is_no_number():
    assert _scale(["relu", "tanh"], []) == "category"
    assert _scale([True, False], []) == "category"
    assert _scale([None, None], []) == "category"
    assert _scale([1e-4, None, 1e-2, 1.0], []) == "log"
    assert math.isnan(record_of_nothing().mean("score"))


def test_leases_of_a_journal():
    """What ran out of memory was tried again under another lease."""
    fit = {"candidate": 3, "split": 1, "n_resources": None}
    lease = {"lease_device": "cuda:0", "lease_start": 5.0, "lease_end": 7.0}
    retry = {"lease_retry_of": {"device": "cuda:1", "start": 1.0, "end": 4.0}}
    rows = _leases_of([fit | lease | retry, fit | {"status": "ok"}])
    assert [(r["device"], r["start"], r["out_of_memory"]) for r in rows] == [
        ("cuda:1", 1.0, True),
        ("cuda:0", 5.0, False),
    ]
    assert {r["candidate"] for r in rows} == {3}


def record_of_nothing():
    from sktune.inspection._search_record import RecordedRow

    return RecordedRow(0, {}, {}, 0.0)
