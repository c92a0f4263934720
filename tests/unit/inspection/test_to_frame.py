"""Searches as tidy data frames, of scikit-learn's own searches too."""

import sys

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from sktune import SuccessiveHalvingSearchCV
from sktune.inspection import to_frame
from tests.helpers import journals, searches
from tests.helpers.estimators import Score


def test_a_row_for_each_candidate_and_split(search):
    frame = to_frame(search)
    assert list(frame)[:4] == ["candidate", "split", "param_kernel", "param_C"]
    assert len(frame) == 3 * len(search.cv_results_["params"])
    for row in frame.itertuples():
        expected = search.cv_results_[f"split{row.split}_test_score"][row.candidate]
        assert row.test_score == expected
    assert frame["param_kernel"].tolist()[:4] == ["linear"] * 3 + ["rbf"]


def test_several_metrics(two_metrics):
    frame = to_frame(two_metrics)
    assert {"test_accuracy", "test_neg_log_loss"} <= set(frame)


def test_a_row_for_each_rung(hyperband):
    frame, results = to_frame(hyperband), hyperband.cv_results_
    assert list(frame)[:5] == ["candidate", "split", "bracket", "iter", "n_resources"]
    assert len(frame) == 2 * len(results["params"])
    assert (
        frame["n_resources"].tolist() == np.repeat(results["n_resources"], 2).tolist()
    )


def test_splits_that_were_not_run_have_no_row():
    search = journals.make(
        searches.grid,
        estimator=Score(),
        space={"a": [0.0, 0.5, 0.9]},
        racing=True,
        cv=5,
    ).fit(searches.X, searches.y)
    assert len(to_frame(search)) == search.cv_results_["n_splits_run"].sum()


@pytest.mark.parametrize("search", [searches.grid, searches.halving])
def test_a_journal_is_the_same(search, tmp_path):
    path = tmp_path / "search.jsonl"
    fitted = journals.make(search, path).fit(searches.X, searches.y)
    times = ["fit_time", "score_time"]
    of_search, of_journal = to_frame(fitted), to_frame(path)
    assert_frame_equal(
        of_search.drop(columns=times), of_journal[of_search.columns].drop(columns=times)
    )


def test_csv_and_parquet(tmp_path):
    grid = [{"C": [1, 2.5]}, {"gamma": ["scale", 0.1]}, {"kernel": [None, "rbf", len]}]
    grid[2] = {"class_weight": [None, "balanced", {0: 2}]}
    frame = to_frame(GridSearchCV(SVC(), grid, cv=2).fit(*load_iris(return_X_y=True)))
    assert frame["param_gamma"].dropna().tolist() == ["scale"] * 2 + ["0.1"] * 2
    frame.to_csv(tmp_path / "a.csv", index=False)
    read = pd.read_csv(tmp_path / "a.csv")
    assert list(read) == list(frame) and len(read) == len(frame)
    pytest.importorskip("pyarrow")
    frame.to_parquet(tmp_path / "a.parquet")
    read = pd.read_parquet(tmp_path / "a.parquet")
    assert_frame_equal(read, frame, check_dtype=False)


def test_not_fitted():
    with pytest.raises(ValueError, match="not fitted"):
        to_frame(SuccessiveHalvingSearchCV(SVC(), {"C": [1]}))


def test_without_pandas(search, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install \"sktune\[table\]\""):
        to_frame(search)
