"""Pictures of what each split said."""

import numpy as np
import pytest
from scipy import stats

from sktune.inspection import SplitsDisplay


def test_scores_are_those_of_the_best(search):
    display = SplitsDisplay.from_search(search, n=3)
    results = search.cv_results_
    best = np.argsort(results["rank_test_score"], kind="stable")[:3]
    table = np.column_stack([results[f"split{k}_test_score"] for k in range(3)])
    np.testing.assert_array_equal(display.scores, table[best])
    assert display.names == [f"#{i}" for i in best]
    assert len(SplitsDisplay.from_search(search).scores) == 4


def test_differences_and_their_intervals():
    scores = np.random.default_rng(0).normal(size=(3, 6))
    display = SplitsDisplay(scores=scores).plot()
    [bars] = display.axes_[1].containers
    x = bars.lines[0].get_xdata()
    differences = scores[1:] - scores[0]
    np.testing.assert_allclose(x, differences.mean(axis=1))
    ends = np.array([path[:, 0] for path in bars.lines[2][0].get_segments()])
    corrected = differences.var(axis=1, ddof=1) * (1 / 6 + 1 / 5)
    expected = stats.t.interval(0.95, 5, differences.mean(axis=1), np.sqrt(corrected))
    np.testing.assert_allclose(ends.T, expected)


def test_splits_that_were_not_run():
    scores = [[0.9, 0.8, 0.85], [0.7, np.nan, np.nan], [0.8, 0.7, np.nan]]
    display = SplitsDisplay(scores=scores, names=["a", "b", "c"]).plot()
    [bars] = display.axes_[1].containers
    np.testing.assert_allclose(bars.lines[0].get_xdata(), [-0.2, -0.1])
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == list("abc")
    display.figure_.canvas.draw()


def test_many_splits_and_a_single_one():
    for n_splits in (1, 12):
        display = SplitsDisplay(scores=np.ones((2, n_splits))).plot()
        display.figure_.canvas.draw()


def test_of_rungs_only_those_that_came_as_far(with_rungs):
    display = SplitsDisplay.from_search(with_rungs, n=50)
    results = with_rungs.cv_results_
    whole = results["n_resources"] == 9
    assert len(display.scores) == np.isfinite(results["mean_test_score"][whole]).sum()


def test_bad_input(search, all_failed):
    with pytest.raises(ValueError, match=r"n=0 must be at least 1"):
        SplitsDisplay.from_search(search, n=0)
    with pytest.raises(ValueError, match="no candidate with a score yet"):
        SplitsDisplay.from_search(all_failed)
