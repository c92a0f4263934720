"""What is in a journal, and comes back out of it as it was."""

import json
import os
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sktune import GridSearchCV
from sktune.inspection import read_journal
from tests.helpers.estimators import Score
from tests.helpers.journals import Counted, assert_same, cut, make
from tests.helpers.searches import X, bayes, every_search, grid, halving, randomized, y

pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")


@every_search
def test_it_is_data_that_persons_can_read(search, journal):
    make(search, journal, random_state=3).fit(X, y)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    header, session, fit = lines[:3]
    assert header["record"] == "search" and header["protocol"] == 2
    assert header["search"] == type(make(search)).__name__.join(["sktune.", ""])
    assert header["root"] == header["random_state"] == 3
    assert header["arguments"]["estimator"]["params"]["a"] == 0.0
    assert set(header["versions"]) >= {"python", "sktune", "sklearn", "torch", "numpy"}
    assert set(header["data"]) == {"X", "y", "splits"}
    assert header["hardware"]["processors"] == os.cpu_count()
    assert session["record"] == "session" and session["n_workers"] == 1
    assert fit["record"] == "fit" and fit["status"] == "ok"
    assert fit["params"].items() <= {"a": fit["params"]["a"], "b": 0.5}.items()
    assert {"candidate", "split", "bracket", "iter", "n_resources", "seed"} < set(fit)
    assert {"test_scores", "fit_time", "score_time", "n_test_samples"} < set(fit)


@every_search
def test_failures_and_scores_that_are_not_finite(search, journal, fits):
    bad = Counted(bad=(0.25,), odd_at=(0.5,), odd=-np.inf)
    kwargs = {"estimator": bad, "return_train_score": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = make(search, **kwargs).fit(X, y)
        make(search, journal, **kwargs).fit(X, y)
        fits.clear()
        again = make(search, journal, **kwargs).fit(X, y)
        assert len(fits) == 1
        other = make(search, journal, error_score=-9.0, **kwargs).fit(X, y)
    assert_same(again, expected)
    frame = read_journal(journal)
    raised = frame[frame.param_a == 0.25]
    assert set(raised.status) == {"failed"}
    assert raised.fit_error.str.contains("a=0.25 is bad").all()
    assert raised.test_score.isna().all()
    assert set(frame[frame.param_a == 0.5].test_score) == {-np.inf}
    row = [p["a"] for p in other.cv_results_["params"]].index(0.25)
    assert other.cv_results_["mean_test_score"][row] == -9.0
    with pytest.raises(ValueError, match=r"a=0.25 is bad"):
        make(search, journal, error_score="raise", **kwargs).fit(X, y)


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf, 10**400, True, 0.1 + 0.2])
def test_scores_come_back_as_they_were(journal, score):
    kwargs = {"estimator": Score(odd=score, odd_at=(0.0,)), "error_score": np.nan}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = make(grid, journal, **kwargs).fit(X, y)
        again = make(grid, journal, **kwargs).fit(X, y)
    assert_same(again, first, times=True)


def test_metrics_of_a_callable(journal, fits):
    def scoring(estimator, X, y):
        if estimator.a == 0.25:
            raise ValueError("none")
        return {"m": estimator.a, "k": np.float32(1) if estimator.a else np.nan}

    kwargs = {"scoring": scoring, "refit": "m"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = make(grid, journal, **kwargs).fit(X, y)
        fits.clear()
        again = make(grid, journal, **kwargs).fit(X, y)
    assert len(fits) == 1
    assert_same(again, first, times=True)
    assert {"test_m", "test_k"} < set(read_journal(journal))


def double(X):
    return 2 * X


VALUES = {
    "estimators": ("scale", [StandardScaler(), StandardScaler(with_mean=False)]),
    "functions": ("scale__func", [np.log1p, np.negative, double]),
    "tuples": ("clf__bad", [(7.0,), (7.0, None)]),
    "None": ("scale__func", [None, np.abs]),
    "not finite": ("clf__odd", [np.nan, np.inf]),
    "numpy": ("clf__a", np.array([0.25, 0.5])),
    "arrays": ("clf__bad", [np.array([7.0]), np.array([8.0])]),
    "booleans and numbers": ("clf__a", [True, 1, 1.0, 0]),
}


@pytest.mark.parametrize("search", [grid, randomized, bayes, halving])
@pytest.mark.parametrize("name", VALUES)
def test_params_that_are_not_json(search, journal, fits, name):
    parameter, values = VALUES[name]
    transformer = FunctionTransformer(np.abs) if "func" in parameter else "passthrough"
    pipeline = Pipeline([("scale", transformer), ("clf", Counted())])
    space = {parameter: values, "clf__b": [0.0, 0.5]}
    kwargs = {"estimator": pipeline, "space": space}
    first = make(search, journal, **kwargs).fit(X, y)
    cut(journal, 5)
    fits.clear()
    again = make(search, journal, **kwargs).fit(X, y)
    n_fits = len(read_journal(journal))
    assert len(fits) == 1 + n_fits - 5
    for a, b in zip(
        again.cv_results_["params"], first.cv_results_["params"], strict=True
    ):
        assert type(a[parameter]) is type(b[parameter])
        assert repr(a) == repr(b)


def test_a_data_frame(journal):
    make(grid, journal, scoring=["accuracy"], refit="accuracy").fit(X, y)
    frame = read_journal(journal)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.candidate) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert list(frame.param_a) == [0.0, 0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75]
    assert frame.test_accuracy.between(0, 1).all()
    assert frame.ended.is_monotonic_increasing


def test_a_data_frame_needs_pandas(journal, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"read_journal needs pandas: pip install"):
        read_journal(journal)


def test_one_that_scores(journal):
    """A metric of scikit-learn's, whose scores are numpy's."""
    scoring = {"acc": lambda e, X, y: np.float64(accuracy_score(y, e.predict(X)))}
    kwargs = {"scoring": scoring, "refit": "acc"}
    first = make(GridSearchCV, journal, **kwargs).fit(X, y)
    assert_same(make(GridSearchCV, journal, **kwargs).fit(X, y), first, times=True)
