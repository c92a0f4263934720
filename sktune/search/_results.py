"""The only writer of `cv_results_`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from sktune import _compat
from sktune._types import FitOutcome, Params


def format_results(
    search: Any, params: Sequence[Params], outcomes: list[FitOutcome]
) -> dict[str, Any]:
    """`cv_results_` as scikit-learn formats it, failures ranked last.

    scikit-learn ranks a candidate that failed by its error score, which may beat a
    score. Here a candidate that failed on any split ranks behind every one that did
    not, whatever number `error_score` is.

    Parameters
    ----------
    search : BaseSearchCV
    params : sequence of dict, one for each candidate
    outcomes : list, the splits of the first candidate, of the second, ...
    """
    n_splits = search.n_splits_
    results = _compat.BaseSearchCV._format_results(
        search, list(params), n_splits, outcomes
    )
    for key in [key for key in results if key.startswith("rank_test_")]:
        metric = key.removeprefix("rank_test_")
        flags = [o["fit_error"] is not None or metric in o["failed"] for o in outcomes]
        failed = np.reshape(flags, (len(params), n_splits)).any(axis=1)
        if failed.any() and not failed.all():
            means = results[f"mean_test_{metric}"]
            results[key] = _rank(means, failed)
    return results


def fill_in_metrics(outcomes: list[FitOutcome], error_score: Any) -> None:
    """Give every outcome the metrics that a callable `scoring` returned for others.

    Where a fit or the scorer itself raised, no metrics were named.
    """
    scores = (outcome["test_scores"] for outcome in outcomes)
    metrics = next((s for s in scores if isinstance(s, dict)), None)
    if metrics is None:
        return
    substitute = np.nan if error_score == "raise" else error_score
    for outcome in outcomes:
        if not isinstance(outcome["test_scores"], dict):
            outcome["test_scores"] = dict.fromkeys(metrics, substitute)
            outcome["failed"] = frozenset(metrics)
        if not isinstance(outcome.get("train_scores", {}), dict):
            outcome["train_scores"] = dict.fromkeys(metrics, substitute)


def _rank(means: Any, failed: Any) -> Any:
    """Rank 1 is best, equal means share the better rank, failures share the last."""
    ranks = np.empty(len(means), dtype=np.int32)
    ranks[~failed] = rankdata(-means[~failed], method="min")
    ranks[failed] = (~failed).sum() + 1
    return ranks
