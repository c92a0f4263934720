"""The only writer of `cv_results_`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from sktune import _compat
from sktune._types import Evaluation, FitOutcome, Scores

Outcomes = list[FitOutcome]
"""Those of all splits of the first row, of the second, ..."""


def outcomes_of(rows: Sequence[Evaluation]) -> Outcomes:
    """Outcomes of all splits, row by row."""
    return [one.outcomes[k] for one in rows for k in one.splits]


def format_results(
    search: Any, rows: Sequence[Evaluation], outcomes: Outcomes
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
    rows : sequence of Evaluation
    outcomes : list of FitOutcome
        Those of the rows.
    """
    more_results = None
    if any(one.n_resources is not None for one in rows):
        more_results = {
            "iter": [one.iter for one in rows],
            "n_resources": [one.n_resources for one in rows],
            "bracket": [one.candidate.bracket for one in rows],
            "candidate": [one.candidate.id for one in rows],
        }
    params = [one.candidate.params for one in rows]
    n_splits, told = search.n_splits_, _as_sklearn_has_them(outcomes, search)
    results = _compat.BaseSearchCV._format_results(
        search, params, n_splits, told, more_results
    )
    resources = np.array([one.n_resources or 0 for one in rows])
    for key in [key for key in results if key.startswith("rank_test_")]:
        metric = key.removeprefix("rank_test_")
        flags = [outcome.score(metric) is None for outcome in outcomes]
        failed = np.reshape(flags, (len(params), n_splits)).any(axis=1)
        if (failed.any() and not failed.all()) or more_results:
            means = results[f"mean_test_{metric}"]
            results[key] = _rank(means, resources, failed)
    return results


def metrics_of(outcomes: Outcomes) -> Scores | None:
    """Scores that name the metrics; None where these have no names."""
    # Where a callable `scoring` raised itself, or the fit before it, none were named.
    named = (o.test_scores for o in outcomes if o.is_multimetric)
    return max(named, key=len, default=None)


def warn_or_raise_about_failures(outcomes: Outcomes, error_score: Any) -> None:
    """Say how many fits failed, and of what; raise where all of them did."""
    told = [{"fit_error": outcome.fit_error} for outcome in outcomes]
    _compat.warn_or_raise_about_fit_failures(told, error_score)


def _as_sklearn_has_them(outcomes: Outcomes, search: Any) -> list[dict[str, Any]]:
    """Dicts with the error score for whatever failed.

    Without an error score to take its place, such as where the search is to raise, it
    is NaN.
    """
    error_score: Any = search.error_score
    substitute = np.nan if error_score == "raise" else float(error_score)
    metrics = metrics_of(outcomes)

    def told(scores: Scores, one: FitOutcome, finite: bool) -> Any:
        failed = one.failed if finite else ()
        found = {
            m: substitute if s is None or m in failed else s for m, s in scores.items()
        }
        if metrics is None:
            (score,) = found.values()
            return score
        return {m: found.get(m, substitute) for m in metrics}

    judged = []
    for one in outcomes:
        row = {"test_scores": told(one.test_scores, one, True)}
        if one.train_scores is not None:
            # What is not finite is told as it is: nothing is chosen by it.
            row["train_scores"] = told(one.train_scores, one, False)
        times = {"fit_time": one.fit_time, "score_time": one.score_time}
        judged.append({**row, **times})
    return judged


def _rank(means: Any, resources: Any, failed: Any) -> Any:
    """Rank 1 is best, equals share the better rank, failures share the last."""
    ranks = np.full(len(means), (~failed).sum() + 1, dtype=np.int32)
    better = 0
    for most in np.unique(resources)[::-1]:
        peers = ~failed & (resources == most)
        ranks[peers] = better + rankdata(-means[peers], method="min")
        better += peers.sum()
    return ranks
