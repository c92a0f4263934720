"""Tables of candidates, of scikit-learn's own searches too: only results are read."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from sktune import SuccessiveHalvingSearchCV
from sktune.inspection import Table, best_candidates

X, y = load_iris(return_X_y=True)

GRID = [{"kernel": ["linear"]}, {"kernel": ["rbf"], "C": [0.01, 1.0, 100.0]}]


class TestBestCandidates:
    def test_the_best_comes_first(self, search):
        rows = best_candidates(search, n=None)
        assert len(rows) == 4
        assert rows[0]["rank"] == 1
        assert rows[0]["score"] == search.best_score_
        assert {k: rows[0][k] for k in search.best_params_} == search.best_params_
        scores = [row["score"] for row in rows]
        assert scores == sorted(scores, reverse=True)
        for row in rows:
            params = search.cv_results_["params"][row["candidate"]]
            assert params.items() <= row.items()

    def test_n_rows(self, search):
        assert len(best_candidates(search, n=2)) == 2
        assert len(best_candidates(search, n=100)) == 4

    def test_prints_as_a_table(self, search):
        lines = str(best_candidates(search, n=None)).splitlines()
        assert lines[0].split()[:5] == ["rank", "candidate", "score", "std", "fit_time"]
        assert {len(line) for line in lines} == {len(lines[0])}
        assert lines[1].split()[0] == "1"
        assert any(line.split()[-1] == "linear" for line in lines)

    def test_classes_print_by_name(self):
        search = GridSearchCV(SVC(), {"kernel": [lambda a, b: a @ b.T]}, cv=3).fit(X, y)
        assert "<lambda>" in str(best_candidates(search)).split()

    def test_failures_come_last(self, with_failures):
        rows = best_candidates(with_failures)
        assert [row["C"] for row in rows] == [1.0, -1.0, -2.0]
        assert np.isnan(rows[1]["score"])

    def test_becomes_a_data_frame(self, search):
        import pandas as pd

        frame = pd.DataFrame(best_candidates(search, n=None))
        assert frame["C"].isna().sum() == 1  # the candidate without C

    def test_metric(self, two_metrics):
        rows = best_candidates(two_metrics, metric="neg_log_loss")
        assert rows[0]["neg_log_loss"] > rows[1]["neg_log_loss"]

    def test_metric_is_that_of_refit(self, two_metrics):
        two_metrics.set_params(refit="accuracy")
        assert "accuracy" in best_candidates(two_metrics)[0]
        two_metrics.set_params(refit=False)

    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"n": 0}, r"n must be at least 1, or None .* got n=0"),
            ({}, r"several metrics: set metric, one of \['accuracy', 'neg_log_loss'\]"),
            (
                {"metric": "acuracy"},
                r"'acuracy' was not scored.* Did you mean 'accuracy'",
            ),
        ],
    )
    def test_messages(self, two_metrics, kwargs, message):
        with pytest.raises(ValueError, match=message):
            best_candidates(two_metrics, **kwargs)

    def test_not_fitted(self):
        with pytest.raises(NotFittedError, match="GridSearchCV"):
            best_candidates(GridSearchCV(SVC(), GRID))


def test_each_candidate_is_in_the_table_once(hyperband):
    table = best_candidates(hyperband, n=None)
    numbers = [row["candidate"] for row in table]
    assert sorted(numbers) == list(range(17))
    best = hyperband.cv_results_["candidate"][hyperband.best_index_]
    assert table[0]["candidate"] == best
    resources = [row["n_resources"] for row in table]
    assert resources == sorted(resources, reverse=True)
    results = hyperband.cv_results_
    for row in table:
        mine = results["candidate"] == row["candidate"]
        assert row["n_resources"] == results["n_resources"][mine].max()


def test_ranks_are_among_candidates(hyperband, search):
    ranks = [row["rank"] for row in best_candidates(hyperband, n=None)]
    assert ranks == list(range(1, 18))
    for row in best_candidates(search, n=None):
        assert row["rank"] == search.cv_results_["rank_test_score"][row["candidate"]]


@pytest.mark.parametrize("continuation", ["epochs", "n_samples"])
def test_time_of_a_candidate_that_went_on_is_that_of_all_pieces(continuation):
    search = SuccessiveHalvingSearchCV(SVC(), {}, resource="max_epochs")
    vars(search).update(
        continuation_=continuation,
        cv_results_={
            "mean_test_score": np.array([0.1, 0.2, 0.3]),
            "std_test_score": np.zeros(3),
            "rank_test_score": np.array([3, 2, 1]),
            "mean_fit_time": np.array([1.0, 2.0, 4.0]),
            "n_resources": np.array([1, 1, 3]),
            "candidate": np.array([0, 1, 1]),
            "params": [{"lr": 1.0}, {"lr": 2.0}, {"lr": 2.0}],
        },
    )
    times = [row["fit_time"] for row in best_candidates(search)]
    assert times == ([6.0, 1.0] if continuation == "epochs" else [4.0, 1.0])


def test_names_are_printed_as_short_as_they_can_be_told_apart():
    names = ["clf__net__lr", "clf__net__module__dropout", "pre__dropout"]
    row = {"rank": 1, **dict.fromkeys(names, 0.5), "clf__rank": "y " * 200}
    text = str(Table([row]))
    header = text.splitlines()[0].split()
    assert header == ["rank", "lr", "module__dropout", "pre__dropout", "clf__rank"]
    assert len(text.splitlines()[0]) < 100
    assert "..." in text
    assert list(Table([row])[0]) == ["rank", *names, "clf__rank"]
