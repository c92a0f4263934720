"""The only writer of `cv_results_`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from sktune import _compat
from sktune._types import Evaluation, FitOutcome


def format_results(
    search: Any, evaluations: Sequence[Evaluation], outcomes: list[FitOutcome]
) -> dict[str, Any]:
    """`cv_results_` as scikit-learn formats it, what cannot be compared ranked apart.

    scikit-learn ranks a candidate that failed by its error score, which may beat a
    score. Here a candidate that failed on any split ranks behind every one that did
    not, whatever number `error_score` is. And scores of different resources are not
    compared: whoever got more ranks before whoever got less. So rank 1 is the best
    among those with the most.

    Parameters
    ----------
    search : BaseSearchCV
    evaluations : sequence of Evaluation, the rows
    outcomes : list, the splits of the first row, of the second, ...
    """
    n_splits, more_results = search.n_splits_, None
    if any(one.n_resources is not None for one in evaluations):
        more_results = {
            "iter": [one.iter for one in evaluations],
            "n_resources": [one.n_resources for one in evaluations],
            "bracket": [one.candidate.bracket for one in evaluations],
            "candidate": [one.candidate.id for one in evaluations],
        }
    params = [one.candidate.params for one in evaluations]
    results = _compat.BaseSearchCV._format_results(
        search, params, n_splits, outcomes, more_results
    )
    resources = np.array([one.n_resources or 0 for one in evaluations])
    for key in [key for key in results if key.startswith("rank_test_")]:
        metric = key.removeprefix("rank_test_")
        flags = [o["fit_error"] is not None or metric in o["failed"] for o in outcomes]
        failed = np.reshape(flags, (len(params), n_splits)).any(axis=1)
        if (failed.any() and not failed.all()) or more_results:
            means = results[f"mean_test_{metric}"]
            results[key] = _rank(means, resources, failed)
    return results


def judge(outcomes: list[FitOutcome], error_score: Any) -> list[FitOutcome]:
    """The outcomes, with the error score for whatever failed.

    Without an error score to take its place, such as where the search is to raise, it
    is NaN.
    """
    substitute = np.nan if error_score == "raise" else float(error_score)
    judged = [_judged(outcome, substitute) for outcome in outcomes]
    fill_in_metrics(judged, error_score)
    return judged


def _judged(outcome: FitOutcome, substitute: float) -> FitOutcome:
    failed = outcome["failed"]
    scores = outcome["test_scores"]
    if isinstance(scores, dict):
        scores = {m: substitute if m in failed else s for m, s in scores.items()}
    elif failed:
        scores = substitute
    judged = FitOutcome(**{**outcome, "test_scores": scores})
    # scikit-learn wants the same keys in all; a fit that never came back has no lease.
    judged.pop("lease", None)
    if "train_scores" in outcome:
        # What is not finite is told as it is: nothing is chosen by it.
        scores = outcome["train_scores"]
        if isinstance(scores, dict):
            scores = {m: substitute if s is None else s for m, s in scores.items()}
        judged["train_scores"] = substitute if scores is None else scores
    return judged


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


def _rank(means: Any, resources: Any, failed: Any) -> Any:
    """Rank 1 is best, equals share the better rank, failures share the last."""
    ranks = np.full(len(means), (~failed).sum() + 1, dtype=np.int32)
    better = 0
    for most in np.unique(resources)[::-1]:
        peers = ~failed & (resources == most)
        ranks[peers] = better + rankdata(-means[peers], method="min")
        better += peers.sum()
    return ranks
