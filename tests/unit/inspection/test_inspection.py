"""Tables and pictures, of scikit-learn's own searches too: only results are read."""

import sys

import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sktune import HyperbandSearchCV
from sktune.inspection import best_candidates, plot_convergence, plot_rungs
from tests.estimators import Score

X, y = load_iris(return_X_y=True)
GRID = [{"kernel": ["linear"]}, {"kernel": ["rbf"], "C": [0.01, 1.0, 100.0]}]


@pytest.fixture(autouse=True)
def no_screen():
    import matplotlib
    from matplotlib import pyplot

    matplotlib.use("agg")
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def search():
    return GridSearchCV(SVC(), GRID, cv=3).fit(X, y)


@pytest.fixture(scope="module")
def two_metrics():
    scoring = ["accuracy", "neg_log_loss"]
    trees = {"max_depth": [1, 2]}
    search = GridSearchCV(DecisionTreeClassifier(), trees, scoring=scoring, refit=False)
    return search.fit(X, y)


@pytest.fixture(scope="module")
def with_failures():
    search = GridSearchCV(SVC(), {"C": [-1.0, 1.0, -2.0]}, cv=3)
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        return search.fit(X, y)


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


class TestPlotConvergence:
    def test_best_so_far(self, search):
        ax = plot_convergence(search)
        [best] = [line for line in ax.lines if line.get_label() == "best so far"]
        means = search.cv_results_["mean_test_score"]
        np.testing.assert_array_equal(best.get_xdata(), [1, 2, 3, 4])
        np.testing.assert_array_equal(best.get_ydata(), np.maximum.accumulate(means))
        assert ax.get_ylabel() == "score"

    def test_draws_where_it_is_told_to(self, search, tmp_path):
        from matplotlib import pyplot

        figure, axes = pyplot.subplots()
        assert plot_convergence(search, axes) is axes
        figure.savefig(tmp_path / "convergence.png")
        assert (tmp_path / "convergence.png").stat().st_size > 1000

    def test_failures_and_stragglers_are_marked(self, with_failures):
        ax = plot_convergence(with_failures)
        [failed] = [
            line for line in ax.lines if line.get_label() == "candidate, failed"
        ]
        np.testing.assert_array_equal(failed.get_xdata(), [1, 3])

    def test_a_bad_candidate_does_not_flatten_the_rest(self):
        C = [*np.geomspace(0.5, 50, 10), 1e-6]
        search = GridSearchCV(SVC(), {"C": C}, cv=3).fit(X[20:], y[20:])
        ax = plot_convergence(search)
        [below] = [line for line in ax.lines if "further down" in line.get_label()]
        np.testing.assert_array_equal(below.get_xdata(), [11])
        assert ax.get_ylim()[0] > search.cv_results_["mean_test_score"][-1]

    def test_metric(self, two_metrics):
        assert (
            plot_convergence(two_metrics, metric="accuracy").get_ylabel() == "accuracy"
        )

    def test_says_how_to_get_matplotlib(self, search, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(ImportError, match=r'pip install "sktune\[plot\]"'):
            plot_convergence(search)


# -- searches with rungs -----------------------------------------------------------


@pytest.fixture(scope="module")
def hyperband():
    search = HyperbandSearchCV(
        Score(),
        {"a": uniform(0, 1)},
        resource="odd",  # plays no part
        max_resources=9,
        cv=2,
        random_state=0,
    )
    return search.fit(*load_iris(return_X_y=True))


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


def test_rungs_are_drawn_candidate_by_candidate(hyperband):
    ax = plot_rungs(hyperband)
    assert len(ax.lines) == 17
    thick = [line for line in ax.lines if line.get_linewidth() > 2]
    results = hyperband.cv_results_
    mine = results["candidate"] == results["candidate"][hyperband.best_index_]
    np.testing.assert_array_equal(thick[0].get_xdata(), results["n_resources"][mine])
    np.testing.assert_array_equal(
        thick[0].get_ydata(), results["mean_test_score"][mine]
    )
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "3", "9"]
    assert ax.get_xlabel() == "odd"
    assert plot_convergence(hyperband).get_xlabel() == "candidate and rung"


def test_rungs_of_a_search_without(search):
    with pytest.raises(ValueError, match=r"no rungs to plot.*plot_convergence"):
        plot_rungs(search)
