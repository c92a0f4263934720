"""The table `cv_results_`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from sktune import _compat
from sktune._pareto import non_dominated
from sktune._types import NAMELESS, Evaluation, FitOutcome, Scores
from sktune._warnings import at_the_users_line

Outcomes = list[FitOutcome]
"""Those of all splits that were run of the first row, of the second, ..."""

Flags = NDArray[np.bool_]


def outcomes_of(rows: Sequence[Evaluation]) -> Outcomes:
    """Outcomes of all splits that were run, row by row."""
    return [one.outcomes[k] for one in rows for k in one.splits]


def format_results(
    search: Any, rows: Sequence[Evaluation], outcomes: Outcomes
) -> dict[str, Any]:
    """`cv_results_` as scikit-learn formats it, what cannot be compared ranked apart.

    scikit-learn ranks a candidate that failed by its error score, which may beat a
    score. Here a candidate that failed on any split ranks behind every one that did
    not, whatever number `error_score` is. And scores of different resources are not
    compared: whoever got more ranks before whoever got less, be it resources, splits
    or epochs. So rank 1 is the best among those with the most.

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
        if hasattr(search, "population_size"):
            parents = [one.candidate.parent for one in rows]
            more_results["parent"] = [-1 if one is None else one for one in parents]
    params = [one.candidate.params for one in rows]
    n_splits, told = search.n_splits_, _as_sklearn_has_them(outcomes, search)
    was_run = _was_run(rows, n_splits)
    with at_the_users_line():
        results = _compat.BaseSearchCV._format_results(
            search, params, n_splits, _filled(told, was_run), more_results
        )
    if not was_run.all():
        _leave_out_what_was_not_run(results, rows, was_run)
    stops = getattr(search, "early_stopping", None) is not None
    has_few = getattr(search, "min_splits", None) is not None
    may_be_spared = stops or has_few or bool(getattr(search, "racing", False))
    if may_be_spared:
        results["n_splits_run"] = was_run.sum(axis=1)
    if stops:
        results["stopped"] = _any_of(rows, lambda outcome: outcome.stopped)
    how_far = _how_far(rows)
    for key in [key for key in results if key.startswith("rank_test_")]:
        metric = key.removeprefix("rank_test_")
        failed = _any_of(rows, _failed_in(metric))
        if (failed.any() and not failed.all()) or more_results or may_be_spared:
            means = results[f"mean_test_{metric}"]
            results[key] = _rank(means, how_far, failed)
    return results


def front_of(
    results: dict[str, Any], rows: Sequence[Evaluation], metrics: Sequence[str]
) -> NDArray[np.int64]:
    """Rows of `cv_results_` that no other beats, the best in the first metric first.

    Of those that came furthest, as of the best; who failed in one of them is not there.
    """
    how_far = _how_far(rows)
    whole = how_far == how_far.max()
    for metric in metrics:
        whole &= ~_any_of(rows, _failed_in(metric))
    means = np.column_stack([results[f"mean_test_{metric}"] for metric in metrics])
    front = np.flatnonzero(non_dominated(np.where(whole[:, None], means, np.nan)))
    return front[np.lexsort(-means[front].T[::-1])]


def metrics_of(outcomes: Outcomes) -> Scores | None:
    """Scores that name the metrics; None where these have no names."""
    # Where a callable `scoring` raised itself, or the fit before it, none were named.
    told = [
        scores
        for outcome in outcomes
        if outcome.is_multimetric
        for scores in (outcome.test_scores, outcome.train_scores)
        if scores is not None
    ]
    named = (scores for scores in told if dict(scores) != {NAMELESS: None})
    return next(named, told[0] if told else None)


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


def _filled(told: list[dict[str, Any]], was_run: Flags) -> list[dict[str, Any]]:
    """One for each split: what was not run is as the first split that was."""
    rest, filled = iter(told), []
    for row in was_run:
        of_row = [next(rest) for _ in range(row.sum())]
        of_split = iter(of_row)
        filled += [next(of_split) if run else of_row[0] for run in row]
    return filled


def _leave_out_what_was_not_run(
    results: dict[str, Any], rows: Sequence[Evaluation], was_run: Flags
) -> None:
    """NaN for splits that were not run; means and deviations of those that were."""
    partly = np.flatnonzero(~was_run.all(axis=1)).tolist()
    for key in [key for key in results if key.startswith("split0_")]:
        name = key.removeprefix("split0_")
        columns = [results[f"split{k}_{name}"] for k in range(was_run.shape[1])]
        for i in partly:
            run = [float(columns[k][i]) for k in rows[i].splits]
            results[f"mean_{name}"][i] = np.mean(run)
            results[f"std_{name}"][i] = np.std(run)
        for column, run_here in zip(columns, was_run.T, strict=True):
            column[~run_here] = np.nan
    for name in ("fit_time", "score_time"):
        for i in partly:
            seconds = [getattr(one, name) for one in rows[i].outcomes.values()]
            results[f"mean_{name}"][i] = np.mean(seconds)
            results[f"std_{name}"][i] = np.std(seconds)


def _was_run(rows: Sequence[Evaluation], n_splits: int) -> Flags:
    """Which splits each row was run on, (n_rows, n_splits)."""
    run = [k in one.outcomes for one in rows for k in range(n_splits)]
    return np.reshape(np.array(run, dtype=bool), (len(rows), n_splits))


def _any_of(rows: Sequence[Evaluation], has: Callable[[FitOutcome], bool]) -> Flags:
    """Of which rows any outcome has something, (n_rows,)."""
    return np.array([any(map(has, one.outcomes.values())) for one in rows], dtype=bool)


def _failed_in(metric: str) -> Callable[[FitOutcome], bool]:
    return lambda outcome: outcome.score(metric) is None


def _how_far(rows: Sequence[Evaluation]) -> Any:
    """A number for each row, greater where it came further, (n_rows,)."""
    reached = [
        (
            one.n_resources or 0,
            sum(not outcome.stopped for outcome in one.outcomes.values()),
            len(one.outcomes),
        )
        for one in rows
    ]
    order = {how_far: i for i, how_far in enumerate(sorted(set(reached)))}
    return np.array([order[how_far] for how_far in reached], dtype=int)


def _rank(means: Any, how_far: Any, failed: Any) -> Any:
    """Rank 1 is best, equals share the better rank, failures share the last."""
    ranks = np.full(len(means), (~failed).sum() + 1, dtype=np.int32)
    better = 0
    for most in np.unique(how_far)[::-1]:
        peers = ~failed & (how_far == most)
        ranks[peers] = better + rankdata(-means[peers], method="min")
        better += peers.sum()
    return ranks
