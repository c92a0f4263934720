"""Pictures of rungs."""

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.linear_model import SGDClassifier

from sktune import PopulationBasedSearchCV
from sktune.inspection import RungsDisplay, plot_convergence, plot_rungs


def n_below(ax, label="candidate, further down"):
    """How many candidates are marked at the lower edge, by their x."""
    counted = {text.xy: int(text.get_text()) for text in ax.texts}
    return {
        x: counted.get((x, y), 1)
        for line in ax.lines
        if line.get_label() == label
        for x, y in zip(*line.get_data(), strict=True)
    }


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_rungs_are_drawn_candidate_by_candidate(hyperband):
    ax = plot_rungs(hyperband)
    drawn = [line for line in ax.lines if line.get_marker() == "o"]
    assert len(drawn) + sum(n_below(ax).values()) == 17
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


def test_what_is_what(hyperband, halving_with_failures):
    assert legend_of(plot_rungs(hyperband)) == [
        "the best candidate",
        "candidates of bracket 0",
        "candidates of bracket 1",
        "candidates of bracket 2",
        "candidate, further down",
    ]
    assert legend_of(plot_rungs(halving_with_failures)) == [
        "the best candidate",
        "candidates",
        "candidate, further down",
        "candidate, failed",
    ]


def test_failures_and_stragglers_are_at_the_edge_and_counted(halving_with_failures):
    ax = plot_rungs(halving_with_failures)
    assert n_below(ax, "candidate, failed") == {1.0: 2}
    assert n_below(ax) == {1.0: 3}
    results = halving_with_failures.cv_results_
    bottom = ax.get_ylim()[0]
    drawn = np.concatenate([line.get_ydata() for line in ax.lines[:-2]])
    means = results["mean_test_score"]
    assert np.nanmin(drawn) > bottom > np.nanmin(means)
    assert np.isfinite(drawn).sum() == np.isfinite(means).sum() - 3


def test_many_brackets_are_no_legend(hyperband):
    results = dict(hyperband.cv_results_)
    results["bracket"] = results["candidate"]
    many = type(hyperband)(hyperband.estimator, {}, resource="odd")
    many.cv_results_, many.n_splits_ = results, 2
    assert "candidates" in legend_of(plot_rungs(many))
    assert len(legend_of(plot_rungs(many))) == 3


def test_rungs_of_a_search_without(search):
    with pytest.raises(ValueError, match=r"no rungs to plot.*plot_convergence"):
        plot_rungs(search)


def test_lines_go_up_whatever_ended_first():
    display = RungsDisplay(
        candidate=[0, 1, 0, 0], n_resources=[9, 1, 1, 3], mean=[0.9, 0.2, 0.1, 0.5]
    ).plot()
    np.testing.assert_array_equal(display.ax_.lines[0].get_xdata(), [1, 3, 9])
    np.testing.assert_array_equal(display.ax_.lines[0].get_ydata(), [0.1, 0.5, 0.9])


def test_children_are_joined_to_their_parents():
    display = RungsDisplay(
        candidate=[0, 1, 0, 2, 0, 2],
        n_resources=[1, 1, 3, 3, 9, 9],
        mean=[0.5, 0.4, 0.6, 0.7, 0.8, 0.9],
        parent=[-1, -1, -1, 0, -1, 0],
        best=2,
    ).plot()
    joined = display.ax_.lines[-1]
    assert joined.get_xdata().tolist() == [1, 3] and joined.get_linestyle() == ":"
    assert joined.get_ydata().tolist() == [0.5, 0.7]
    assert "goes on with the weights of another" in legend_of(display.ax_)


def test_rungs_of_a_population(tmp_path):
    """As its table has it, and its journal."""
    search = PopulationBasedSearchCV(
        SGDClassifier(random_state=0),
        {"alpha": loguniform(1e-4, 1.0)},
        population_size=4,
        resource="partial_fit",
        max_resources=3,
        cv=2,
        random_state=0,
        journal=tmp_path / "journal",
    ).fit(*load_iris(return_X_y=True))
    display = RungsDisplay.from_search(search)
    from_journal = RungsDisplay.from_search(search.journal)
    assert max(display.parent) >= 0
    assert list(display.parent) == list(from_journal.parent)
    assert len(display.ax_.lines) == len(set(display.candidate)) + 2


def test_rungs_of_which_all_have_failed():
    display = RungsDisplay(candidate=[0, 1], n_resources=[1, 1], mean=[np.nan] * 2)
    display.plot().figure_.canvas.draw()
    assert legend_of(display.ax_) == ["candidate, failed"]
    assert [text.get_text() for text in display.ax_.texts] == [
        "2",
        "no candidate has a score",
    ]
