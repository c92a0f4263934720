"""What trackers log of each candidate, wherever they log it."""

import sys

import pytest
from sklearn.exceptions import FitFailedWarning

from sktune.listeners import MLflow, TensorBoard, WeightsAndBiases
from sktune.listeners._tracker import Tracker, plain
from tests.helpers.estimators import Score
from tests.helpers.journals import cut


class Logged(Tracker):
    """Keeps what it logs."""

    def __init__(self):
        self.points, self.ended, self.searches = [], [], []

    def _log(self, log, points):
        self.points += [(log.candidate.id, *point) for point in points]

    def _end(self, log):
        self.ended.append((log.candidate.id, log.failed))

    def _end_search(self, search, error):
        self.searches.append(error)

    def of(self, name, candidate=0):
        return [(s, v) for c, n, v, s in self.points if (c, n) == (candidate, name)]


def without_times(points):
    return sorted(point for point in points if "time" not in point[1])


def test_scores_are_those_of_the_table(fitted, grid):
    logged = Logged()
    results = fitted(grid, logged, return_train_score=True).cv_results_
    for candidate in range(4):
        for name in ("split0_test_score", "mean_test_score", "std_train_score"):
            ((step, value),) = logged.of(name, candidate)
            assert step == 3 and value == pytest.approx(results[name][candidate])
    assert logged.ended == [(k, False) for k in range(4)]
    assert logged.searches == [None]


def test_curves_are_logged_once(fitted, halving):
    logged = Logged()
    search = fitted(halving, logged)
    best = int(search.cv_results_["candidate"][search.best_index_])
    curves = {
        c["split"]: c["scores"]
        for c in search.curves_
        if c["candidate"] == best and c["n_resources"] == 4
    }
    for split, curve in curves.items():
        points = logged.of(f"split{split}_curve", best)
        assert points == list(zip((1, 2, 3, 4), curve, strict=True))
    assert [step for step, _ in logged.of("mean_curve", best)] == [1, 2, 3, 4]
    assert [step for step, _ in logged.of("mean_test_score", best)] == [1, 2, 4]
    assert sorted(logged.ended) == [(k, False) for k in range(4)]


def test_races_are_logged_split_by_split(fitted, grid):
    logged = Logged()
    search = fitted(grid, logged, racing=True)
    n_run = search.cv_results_["n_splits_run"]
    for candidate, n in enumerate(n_run):
        assert len(logged.of("mean_test_score", candidate)) >= 1
        assert len(logged.of(f"split{n - 1}_curve", candidate)) == 3
        assert len(logged.of("mean_curve", candidate)) == 3
    assert sorted(k for k, _ in logged.ended) == [0, 1, 2, 3]


@pytest.mark.parametrize("n_fits", [1, 3, 8, 11])
def test_a_continued_search_logs_what_was_not(fitted, halving, tmp_path, n_fits):
    whole, first, rest, none = Logged(), Logged(), Logged(), Logged()
    fitted(halving, whole)
    journal = tmp_path / "search.jsonl"
    fitted(halving, first, journal=journal)
    assert without_times(first.points) == without_times(whole.points)
    cut(journal, n_fits)
    fitted(halving, rest, journal=journal)
    logged = without_times(rest.points)
    assert 0 < len(logged) < len(without_times(whole.points)) or n_fits == 1
    assert set(logged) <= set(without_times(whole.points))
    assert len(set(logged)) == len(logged)
    fitted(halving, none, journal=journal)
    assert none.points == none.ended == none.searches == []


def test_candidates_that_failed(fitted, grid):
    logged = Logged()
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        fitted(grid, logged, estimator=Score(bad=(7.0,)), space={"a": [0.5, 7.0]})
    assert logged.ended == [(0, False), (1, True)]
    assert logged.of("mean_test_score", 1) == []
    assert logged.of("split0_test_score", 0)[0] == (0, pytest.approx(-0.04, abs=1))


def test_a_copy_for_each_search(grid):
    tracker = Logged()
    info = type("Info", (), {"search": grid(), "id": "0" * 32})
    one, other = tracker.of_search(info), tracker.of_search(info)
    assert one is not other and one._logs is not other._logs
    assert vars(tracker).keys() == {"points", "ended", "searches"}


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (1, 1),
        (True, True),
        (None, None),
        ("a", "a"),
        (float("inf"), "inf"),
        (len, "len"),
        ([1, 2], "[1, 2]"),
        ("x" * 9, "x" * 9),
        (list(range(1000)), f"{str(list(range(1000)))[:247]}..."),
    ],
)
def test_values_that_are_stored(value, stored):
    assert plain(value) == stored


@pytest.mark.parametrize(
    ("tracker", "package", "extra"),
    [
        (TensorBoard, "tensorboard", "tensorboard"),
        (MLflow, "mlflow", "mlflow"),
        (WeightsAndBiases, "wandb", "wandb"),
    ],
)
def test_a_package_that_is_missing(tracker, package, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"pip install \"sktune\[{extra}\]\""):
        tracker()
