"""Scores of the candidates of a fitted search, from nothing but `cv_results_`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sktune._errors import did_you_mean


@dataclass(frozen=True)
class RankedScores:
    """One metric of every row of `cv_results_`."""

    metric: str
    mean: np.ndarray
    std: np.ndarray
    rank: np.ndarray  # 1 is best; failures come last
    n_resources: np.ndarray | None  # of a search with rungs
    candidate: np.ndarray


def scores_of(search: Any, metric: str | None) -> RankedScores:
    """Scores by one metric; by default the one that `refit` names."""
    if isinstance(search, str | os.PathLike):
        raise TypeError(
            f"A fitted search is needed, and not a path ({os.fspath(search)!r}). Of a "
            "journal, to_frame makes a table, and displays draw it."
        )
    check_is_fitted(search, "cv_results_")
    results = search.cv_results_
    metrics = [
        key.removeprefix("mean_test_")
        for key in results
        if key.startswith("mean_test_")
    ]
    if metric is None:
        metric = search.refit if isinstance(search.refit, str) else "score"
        if metric not in metrics:
            metric = metrics[0] if len(metrics) == 1 else None
    if metric is None:
        raise ValueError(
            f"This search has several metrics: set metric, one of {metrics}"
        )
    if metric not in metrics:
        raise ValueError(
            f"metric={metric!r} was not scored; this search has {metrics}."
            + did_you_mean(metric, metrics)
        )
    mean = np.array(results[f"mean_test_{metric}"], dtype=float)
    rank = np.asarray(results[f"rank_test_{metric}"])
    n_resources = results.get("n_resources")
    zeros = np.zeros(len(mean), dtype=int)
    n_run = results.get("n_splits_run", zeros)
    stopped = results.get("stopped", zeros)
    levels = np.column_stack([zeros if n_resources is None else n_resources, n_run])
    levels = np.column_stack([levels, stopped])
    for level in np.unique(levels, axis=0):
        peers = np.flatnonzero((levels == level).all(axis=1))
        # Only an error score, which is ranked last, can be above the best.
        best = peers[rank[peers].argmin()]
        mean[peers[mean[peers] > mean[best]]] = np.nan
    candidate = np.asarray(results.get("candidate", np.arange(len(mean))))
    if "iter" in results and "candidate" not in results:
        candidate, rank = _of_sklearns_halving(search, mean)
    return RankedScores(
        metric=metric,
        mean=mean,
        std=np.asarray(results[f"std_test_{metric}"], dtype=float),
        rank=rank,
        n_resources=n_resources,
        candidate=candidate,
    )


def best_row(search: Any, scores: RankedScores, metric: str | None) -> int:
    """The row that the search calls its best, unless another metric is asked for.

    It need not be the first in rank: a callable `refit` chooses as it likes.
    """
    best = getattr(search, "best_index_", None)
    if metric is not None or best is None:
        best = scores.rank.argmin()
    return int(best)


def of_fitted(search: Any, name: str) -> Any:
    """An attribute of a fitted search; None where it has none, and of a journal."""
    if isinstance(search, str | os.PathLike):
        return None
    if not hasattr(search, name):
        check_is_fitted(search, "cv_results_")
    return getattr(search, name, None)


def _of_sklearns_halving(search: Any, mean: np.ndarray) -> tuple[np.ndarray, Any]:
    """Candidates and ranks of a table that says of neither which rung it is of."""
    results, resource = search.cv_results_, getattr(search, "resource", None)
    ids: dict[str, int] = {}
    candidate = [
        ids.setdefault(repr([(k, v) for k, v in p.items() if k != resource]), len(ids))
        for p in results["params"]
    ]
    level = np.asarray(results["n_resources"], dtype=float)
    order = np.lexsort((-np.nan_to_num(mean, nan=-np.inf), -level))
    rank = np.empty(len(mean), dtype=int)
    rank[order] = np.arange(1, len(mean) + 1)
    return np.array(candidate), rank


def floor_of(means: np.ndarray) -> float:
    """Lowest score to draw to scale: a few bad candidates must not flatten the rest."""
    means = means[np.isfinite(means)]
    if not means.size:
        return 0.0
    quarter, best = np.quantile(means, 0.25), means.max()
    return float(max(means.min(), quarter - (best - quarter)))
