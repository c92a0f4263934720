"""Pictures of rungs."""

import numpy as np
import pytest

from sktune.inspection import plot_convergence, plot_rungs


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
