from itertools import combinations

import numpy as np
import pytest

from sktune.architectures._comparison import expected_best, rank_correlation


@pytest.mark.parametrize("n", [1, 2, 4, 5, 9])
def test_the_best_of_some_is_the_mean_over_all_choices(n):
    scores = [0.3, 0.1, 0.7, 0.2, 0.5]
    best = [max(some) for some in combinations(scores, min(n, 5))]
    assert expected_best(scores, n) == pytest.approx(np.mean(best))


def test_failed_cells_count_as_the_worst():
    assert expected_best([-np.inf, 0.5], 2) == 0.5


@pytest.mark.parametrize(
    ("shared", "separate", "kendall", "n"),
    [
        ([1, 2, 3, 4], [10, 20, 30, 40], 1.0, 4),
        ([1, 2, 3, np.nan], [3, 2, 1, 0], -1.0, 3),
        ([1, 2], [1, 2], np.nan, 2),
        ([1, 1, 1], [1, 2, 3], np.nan, 3),
        ([], [], np.nan, 0),
    ],
)
def test_correlation_of_what_has_both_scores(shared, separate, kendall, n):
    found = rank_correlation(shared, separate)
    assert found["n"] == n
    assert found["kendall"] == pytest.approx(kendall, nan_ok=True)
    assert found["spearman"] == pytest.approx(kendall, nan_ok=True)
