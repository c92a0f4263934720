"""How the cells that shared weights choose compare with cells drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from scipy.stats import kendalltau, spearmanr


@dataclass(frozen=True)
class Comparison:
    """Scores of cells after training from scratch, by who chose them.

    Attributes
    ----------
    first : float
        The cell that the method itself puts first.
    best : float
        The best of those that it proposed and that were trained.
    random_median, random_best : float
        Of cells drawn at random, of which as many were trained.
    random_shared_weights : float
        The first cell of random search with shared weights, whose supernet was trained
        for as many epochs.
    n_random : int
        Cells drawn at random.
    n_random_at_equal_cost : int
        Cells of which random search could have trained each from scratch in the seconds
        that the search took before and with its first cell; by the clock.
    random_at_equal_cost : float
        The best that random search is to be expected to find with so many, by the
        scores of those that were drawn; with more than there are, their best.
    """

    first: float
    best: float
    random_median: float
    random_best: float
    random_shared_weights: float
    n_random: int
    n_random_at_equal_cost: int
    random_at_equal_cost: float

    @property
    def is_worse_than_random(self) -> bool:
        """Whether the first cell is worse than the median cell drawn at random."""
        return bool(self.first < self.random_median)


def expected_best(scores: Sequence[float], n: int) -> float:
    """The mean of the best of `n` of the scores, drawn without replacement."""
    ordered = np.sort(scores)
    n = min(n, len(ordered))
    # Of all choices of n, those of which the k-th is the best.
    ways = np.array([comb(k, n - 1) for k in range(n - 1, len(ordered))], dtype=float)
    return float((ordered[n - 1 :] * ways).sum() / ways.sum())


def rank_correlation(
    shared: Sequence[float], separate: Sequence[float]
) -> dict[str, Any]:
    """Kendall's tau and Spearman's rho of two scores of the same cells.

    NaN where there are fewer than three, and where all are equal in one of both.
    """
    pairs = np.array([shared, separate], dtype=float).reshape(2, -1)
    pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
    found = {"kendall": np.nan, "spearman": np.nan, "n": pairs.shape[1]}
    if pairs.shape[1] >= 3 and (np.ptp(pairs, axis=1) > 0).all():
        found["kendall"] = float(kendalltau(*pairs).statistic)
        found["spearman"] = float(spearmanr(*pairs).statistic)
    return found
