"""Pictures of how a search found its best, of scikit-learn's own searches too."""

import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from sktune.inspection import ConvergenceDisplay, plot_convergence
from sktune.inspection._search_record import RecordedRow, SearchRecord
from sktune.inspection.displays._convergence import _best_so_far

X, y = load_iris(return_X_y=True)


def labels_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


class TestPlotConvergence:
    def test_best_so_far(self, search):
        ax = plot_convergence(search)
        [best] = [line for line in ax.lines if line.get_label() == "best so far"]
        means = search.cv_results_["mean_test_score"]
        np.testing.assert_array_equal(best.get_xdata(), [0, 1, 2, 3])
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
        np.testing.assert_array_equal(failed.get_xdata(), [0, 2])

    def test_a_bad_candidate_does_not_flatten_the_rest(self):
        C = [*np.geomspace(0.5, 50, 10), 1e-6]
        search = GridSearchCV(SVC(), {"C": C}, cv=3).fit(X[20:], y[20:])
        ax = plot_convergence(search)
        [below] = [line for line in ax.lines if "further down" in line.get_label()]
        np.testing.assert_array_equal(below.get_xdata(), [10])
        assert ax.get_ylim()[0] > search.cv_results_["mean_test_score"][-1]

    def test_the_best_begins_in_the_frame(self):
        C = [1e-6, *np.geomspace(0.5, 50, 10)]
        search = GridSearchCV(SVC(), {"C": C}, cv=3).fit(X[20:], y[20:])
        ax = plot_convergence(search)
        [best] = [line for line in ax.lines if line.get_label() == "best so far"]
        assert np.isnan(best.get_ydata()[0])
        assert np.isfinite(best.get_ydata()[1:]).all()
        means, stds = (
            search.cv_results_[k][1:] for k in ("mean_test_score", "std_test_score")
        )
        assert ax.get_ylim()[0] < (means - stds).min()  # whole bars are shown

    def test_each_resource_has_a_best_of_its_own_that_only_grows(self, hyperband):
        ax = plot_convergence(hyperband)
        results = hyperband.cv_results_
        widths = {}
        for level in (1, 3, 9):
            label = f"best at odd={level}"
            [best] = [line for line in ax.lines if line.get_label() == label]
            rows = np.flatnonzero(results["n_resources"] == level)
            x, drawn = best.get_data()
            np.testing.assert_array_equal(x[:-1], rows)
            grown = np.maximum.accumulate(results["mean_test_score"][rows])
            shown = np.isfinite(drawn[:-1])
            np.testing.assert_array_equal(drawn[:-1][shown], grown[shown])
            assert (np.diff(drawn[np.isfinite(drawn)]) >= 0).all()
            widths[level] = best.get_linewidth()
        assert widths[9] > widths[3] == widths[1]

    def test_metric(self, two_metrics):
        assert (
            plot_convergence(two_metrics, metric="accuracy").get_ylabel() == "accuracy"
        )

    def test_says_how_to_get_matplotlib(self, search, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(ImportError, match=r'pip install "sktune\[plot\]"'):
            plot_convergence(search)


class TestConvergenceDisplay:
    def test_best_so_far_of_data(self):
        mean = [0.2, np.nan, 0.5, 0.4]
        display = ConvergenceDisplay(mean=mean).plot()
        [best] = [
            line for line in display.ax_.lines if line.get_label() == "best so far"
        ]
        np.testing.assert_array_equal(best.get_ydata(), [0.2, 0.2, 0.5, 0.5])

    def test_what_ran_on_fewer_splits_is_no_best(self):
        """A race spares a candidate the hard splits; its mean is no mean of all."""
        rows = tuple(
            RecordedRow(i, {}, {"score": dict(enumerate(scores))}, 0.0)
            for i, scores in enumerate([[0.5, 0.5], [0.9], [0.6, 0.6]])
        )
        record = SearchRecord("S", ("score",), "score", rows, 2, 2, {})
        assert _best_so_far(record) == [0.5, 0.5, 0.6]

    def test_there_may_be_no_scores(self, all_failed, begun):
        display = ConvergenceDisplay.from_search(all_failed)
        assert labels_of(display.ax_) == ["candidate, failed"]
        assert display.ax_.texts[-1].get_text() == "no candidate has a score"
        display = ConvergenceDisplay.from_search(begun)
        assert display.ax_.get_legend() is None
        assert "has been scored yet" in display.ax_.texts[-1].get_text()

    def test_what_is_drawn_of_a_thousand_is_faint(self):
        mean = np.random.default_rng(0).random(1000)
        display = ConvergenceDisplay(mean=mean, std=mean / 10).plot()
        points = display.ax_.containers[1]
        assert points.lines[0].get_alpha() < 0.3
        [handle, *_] = display.ax_.get_legend().get_lines()
        assert handle.get_alpha() in (None, 1.0)
