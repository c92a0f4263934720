"""What a rule for `refit` may compare: rows that were given as much as the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sktune._errors import did_you_mean

Results = Mapping[str, Any]  # as `cv_results_`


@dataclass(frozen=True)
class ComparableRows:
    """The best row, and those that can be compared with it.

    Attributes
    ----------
    rows : ndarray of shape (k,)
        Indices into `cv_results_` of those that were given as much as the best and have
        a finite score on each of its splits, the best first. None is better.
    scores : ndarray of shape (k, n_splits)
        On the splits of the best.
    """

    rows: NDArray[np.intp]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, results: Results, metric: str) -> Self:
        """Those of a search, by one metric.

        Raises
        ------
        ValueError
            If there is no such metric.
        """
        scores = _split_scores(results, metric)
        best = int(np.argmin(results[f"rank_test_{metric}"]))
        scores = scores[:, np.isfinite(scores[best])]
        alike = np.asarray(np.isfinite(scores).all(axis=1))
        if not scores.size:  # not even the best has a score
            alike[:] = False
        for name in ("n_resources", "stopped"):
            if name in results:
                column = np.asarray(results[name])
                alike &= column == column[best]
        alike[best] = False
        others = np.flatnonzero(alike)
        behind = (scores[best] - scores[others]).sum(axis=1)
        # Of the rows that rank lower only error scores are better.
        others = others[behind >= -rounding(scores[best])]
        rows = np.concatenate([[best], others]).astype(np.intp)
        return cls(rows, scores[rows])


def rounding(scores: NDArray[np.float64]) -> float:
    """By which sums of scores may differ that are the same."""
    return 1e-12 * float(np.abs(scores).sum())


def _split_scores(results: Results, metric: str) -> NDArray[np.float64]:
    """Of each row on each split, (n, n_splits)."""
    end = f"_test_{metric}"
    names = [k for k in results if k.startswith("split") and k.endswith(end)]
    if f"rank{end}" not in results or not names:
        known = [
            key.removeprefix("rank_test_")
            for key in results
            if key.startswith("rank_test_")
        ]
        raise ValueError(
            f"metric={metric!r} was not scored; this search has {known}."
            + did_you_mean(metric, known)
        )
    return np.column_stack([np.asarray(results[name], float) for name in names])
