"""Tables and pictures, of scikit-learn's own searches too: only results are read."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sktune import HyperbandSearchCV
from sktune.inspection import (
    best_candidates,
    device_use,
    plot_convergence,
    plot_leases,
    plot_rungs,
)
from tests.helpers.estimators import Score

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


# -- searches on devices -----------------------------------------------------------


def leased(*rows):
    """A search whose leases are these: device, slot, start, end, split, and more."""
    keys = ("device", "slot", "start", "end", "split")
    defaults = {"host": "here", "pid": 1, "candidate": 0, "out_of_memory": False}
    leases = [defaults | dict(zip(keys, row, strict=False)) for row in rows]
    for lease, row in zip(leases, rows, strict=True):
        lease.update(*row[len(keys) :])
    return SimpleNamespace(leases_=leases)


@pytest.fixture
def on_devices():
    return leased(
        ("cuda:0", 0, 100.0, 102.0, 0),
        ("cuda:0", 1, 100.5, 101.0, 1, {"out_of_memory": True}),
        ("cuda:1", 0, 101.0, 103.0, 2),
        ("cuda:0", 0, 102.0, 103.0, 1),
        ("cuda:0", 0, 103.0, 104.0, None),
    )


def test_use_of_devices(on_devices):
    table = device_use(on_devices)
    assert [(row["device"], row["slot"]) for row in table] == [
        ("cuda:0", 0),
        ("cuda:0", 1),
        ("cuda:1", 0),
    ]
    assert [row["fits"] for row in table] == [3, 1, 1]
    assert [row["busy"] for row in table] == [4.0, 0.5, 2.0]
    assert [row["share"] for row in table] == [1.0, 0.125, 0.5]
    assert [row["out_of_memory"] for row in table] == [0, 1, 0]
    assert "cuda:1" in repr(table)


def test_leases_are_drawn_slot_by_slot(on_devices, tmp_path):
    ax = plot_leases(on_devices)
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert ticks == ["cuda:0 #0", "cuda:0 #1", "cuda:1"]
    drawn = [path.get_extents() for bars in ax.collections for path in bars.get_paths()]
    assert sorted((box.x0, box.x1) for box in drawn) == [
        (0.0, 2.0),
        (0.5, 1.0),
        (1.0, 3.0),
        (2.0, 3.0),
        (3.0, 4.0),
    ]
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {
        "fit",
        "out of memory, tried again alone",
        "refit",
    }
    ax.figure.savefig(tmp_path / "leases.png")


def test_leases_without_slots_and_of_several_machines():
    search = leased(
        ("cpu", None, 0.0, 2.0, 0),
        ("cpu", None, 1.0, 3.0, 1),
        ("cpu", None, 2.5, 3.0, 2),
        ("cuda:0", 0, 0.0, 1.0, 3, {"host": "there"}),
    )
    ticks = [tick.get_text() for tick in plot_leases(search).get_yticklabels()]
    assert ticks == ["here cpu #0", "here cpu #1", "there cuda:0"]
    assert [row["fits"] for row in device_use(search)] == [3, 1]


def test_a_search_without_leases(search):
    for show in (device_use, plot_leases):
        with pytest.raises(ValueError, match=r"no leases to show.*devices='auto'"):
            show(search)
