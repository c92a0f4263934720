"""The only writer of what a search has found: `cv_results_` and `best_`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sktune import _compat
from sktune._random import derive_seed
from sktune._types import NAMELESS, Evaluation
from sktune._warnings import warn
from sktune.execution import Refit, first_raised, uninterrupted
from sktune.placement import Placement
from sktune.run import (
    Proposal,
    SearchRun,
    curves_of,
    lease_rows,
    leases_of,
    path_rows,
    paths_of,
)
from sktune.search._failures import warn_or_raise_about_failures
from sktune.search._results_table import (
    Outcomes,
    format_results,
    front_of,
    metrics_of,
    outcomes_of,
)

_OF_THE_BEST = (
    "best_estimator_",
    "best_index_",
    "best_params_",
    "best_score_",
    "refit_time_",
)


def write_results(search: Any, run: SearchRun, scorers: Any) -> None:
    """Set all attributes but those of the refit."""
    rows = run.rows
    if not run.is_over_budget:
        search._check_n_candidates(len({one.candidate.id for one in rows}))
    search._count(rows)
    _write_fits(search, run)
    outcomes = outcomes_of(rows)
    _check_outcomes(search, run, outcomes)
    refit_metric = _check_metrics(search, outcomes)
    # Before anything may raise or be interrupted: these have cost the most.
    search.cv_results_ = format_results(search, rows, outcomes)
    _write_front(search, rows)
    joined = isinstance(scorers, _compat.MultimetricScorer)
    search.scorer_ = scorers._scorers if joined else scorers
    if run.is_over_budget:
        _warn_of_end(search, run)
    elif run.proposal.all_failed is not None:
        run.proposal.all_failed.check()
    _choose(search, refit_metric)
    _warn_of_best(search)


class ResultsKeeper:
    """Sets the results of a search that ends too early.

    Attributes
    ----------
    run : SearchRun or None
        None as long as there is none.
    """

    def __init__(self, search: Any) -> None:
        self.run: SearchRun | None = None
        self._search = search
        self._has_kept = False

    def keep(self, reason: BaseException) -> None:
        """Set the results, unless that is done; Ctrl-C does not come in between."""
        with uninterrupted():
            if self.run is not None and not self._has_kept:
                self._has_kept = True
                _keep_results(self._search, self.run, reason)


@contextmanager
def keeping_results(search: Any) -> Iterator[ResultsKeeper]:
    """Set the results if Ctrl-C comes before all of them are in place."""
    keeper = ResultsKeeper(search)
    try:
        yield keeper
    except KeyboardInterrupt as reason:
        # Also while workers are ended, files are closed, and results are formatted.
        keeper.keep(reason)
        raise


def _keep_results(search: Any, run: SearchRun, reason: BaseException) -> None:
    rows = run.rows
    if rows:
        # Neither a warning nor an error may hide why the search ends.
        with warnings.catch_warnings(), suppress(Exception):
            warnings.simplefilter("ignore")
            forget(search, *_OF_THE_BEST)  # of a `fit` before
            outcomes = outcomes_of(rows)
            refit_metric = _check_metrics(search, outcomes)
            search.cv_results_ = format_results(search, rows, outcomes)
            _write_front(search, rows)
            search._count(rows)
            if any(run.metric.score(one) is not None for one in outcomes):
                _choose(search, refit_metric)
    _write_fits(search, run)
    run.progress.close()
    if isinstance(reason, KeyboardInterrupt):
        _say_interrupted(search, len(rows), run.proposal)
    elif rows:
        reason.add_note(
            f"{type(search).__name__} ended early: {run.proposal.share(len(rows))} are "
            "in cv_results_."
        )


def _check_outcomes(search: Any, run: SearchRun, outcomes: Outcomes) -> None:
    """Warn of failures; raise where nothing is left to be chosen."""
    warn_or_raise_about_failures(outcomes, search.error_score)
    any_failed = any(one.fit_error is not None for one in outcomes)
    all_failed = all(run.metric.score(one) is None for one in outcomes)
    if search.refit and any_failed and all_failed:
        traceback, cause = first_raised(outcomes)
        raise ValueError(
            "There is no candidate to refit: every fit failed or scored something "
            "that is not finite. To see all scores, set refit=False. The first "
            f"traceback:\n{traceback}"
        ) from cause


def _check_metrics(search: Any, outcomes: Outcomes) -> Any:
    """Whether there are several metrics, and which of them the refit goes by."""
    metrics = metrics_of(outcomes)
    search.multimetric_ = metrics is not None
    if metrics is None:
        return NAMELESS
    if callable(search.scoring):
        search._check_refit_for_multimetric(metrics)
    return search.refit


def _write_front(search: Any, rows: list[Evaluation]) -> None:
    """Set the Pareto front, where there are several metrics."""
    if search.multimetric_:
        prefix = "mean_test_"
        named = [key for key in search.cv_results_ if key.startswith(prefix)]
        every = [key.removeprefix(prefix) for key in named]
        metrics = getattr(search, "objectives", None) or every
        search.pareto_front_ = front_of(search.cv_results_, rows, metrics)


def _choose(search: Any, refit_metric: Any) -> None:
    if not search.refit and search.multimetric_:
        return
    results = search.cv_results_
    try:
        index = search._select_best_index(search.refit, refit_metric, results)
    except Exception as error:
        if callable(search.refit):
            error.add_note(
                f"Choosing the best candidate by refit={search.refit!r} failed. The "
                "search itself is complete: cv_results_ is there."
            )
        raise
    search.best_index_ = index
    if not callable(search.refit):
        search.best_score_ = results[f"mean_test_{refit_metric}"][search.best_index_]
    search.best_params_ = results["params"][search.best_index_]


def write_refit(
    search: Any, run: SearchRun, placement: Placement | None, callbacks: Any
) -> None:
    """Fit the best candidate on all data."""

    def publish(best: Any, seconds: float | None) -> None:
        search.best_estimator_ = best
        if seconds is None:
            return
        search.refit_time_ = seconds
        if hasattr(best, "feature_names_in_"):
            search.feature_names_in_ = best.feature_names_in_

    refit = Refit(
        run.job,
        search.estimator,
        search.best_params_,
        derive_seed(run.root, "refit"),
        placement,
        callbacks.subcontext(task_name="refit-with-best-params"),
        publish,
        run.rows[int(search.best_index_)].candidate.stages,
    )
    run.progress.begin_refit(_compat.num_samples(run.job.X))
    try:
        outcome = refit.run()
    except BaseException as error:
        forget(search, "best_estimator_")  # half-trained at best
        if isinstance(error, Exception):
            # Not an error of our own: as in scikit-learn, callers get what was raised.
            error.add_note(
                "The refit of the best candidate on all rows failed. The search itself "
                "is complete: cv_results_ and best_params_ are there."
            )
        raise
    candidates = search.cv_results_.get("candidate")
    index = int(search.best_index_)  # a callable may have returned True
    best = index if candidates is None else int(candidates[index])
    if rows := path_rows(outcome, candidate=best):
        search.paths_ = [*getattr(search, "paths_", []), *rows]
    if placement is not None:
        search.leases_ += lease_rows(outcome, candidate=best)


def _write_fits(search: Any, run: SearchRun) -> None:
    """Set what tells of single fits."""
    if rows := paths_of(run.evaluations):  # where nets were trained
        search.paths_ = rows
    if rows := curves_of(run.evaluations):  # where these record validation scores
        search.curves_ = rows
    if run.job.placement is not None:
        search.leases_ = leases_of(run.evaluations)


def _say_interrupted(search: Any, n_done: int, proposal: Proposal) -> None:
    rest = "a journal would let it continue"
    if search.journal is not None:
        rest = f"the next fit with journal={str(search.journal)!r} continues it"
    print(
        f"{type(search).__name__} was interrupted: {proposal.share(n_done)} are in "
        f"cv_results_; {rest}.",
        file=sys.stderr,
        flush=True,
    )


def _warn_of_end(search: Any, run: SearchRun) -> None:
    rest = "Allow for more to run the rest."
    if search.journal is not None:
        rest = "Allow for more and call fit again: the journal continues."
    warn(
        f"{run.budget} was spent after {run.proposal.share(len(run.rows))}; the best "
        f"of these is the result. {rest}"
    )


def _warn_of_best(search: Any) -> None:
    """Where nobody came to the end, the best is one that was spared something.

    With rungs somebody does, unless the search was cut short, which is told by itself.
    """
    results, best = search.cv_results_, getattr(search, "best_index_", None)
    if "n_resources" in results:
        return
    if best is None or callable(search.refit) or "n_splits_run" not in results:
        return
    n_run = int(results["n_splits_run"][best])
    was_stopped = "stopped" in results and bool(results["stopped"][best])
    if n_run < search.n_splits_ or was_stopped:
        how = "was stopped early on" if was_stopped else "was run on"
        warn(
            f"No candidate was trained to its end on all splits. best_params_ are of "
            f"one that {how} {n_run} of {search.n_splits_} splits, and it may be far "
            "from the best. Give a more cautious early_stopping or racing, or more "
            "time."
        )


def forget(search: Any, *attributes: str) -> None:
    """Remove attributes that are there."""
    for name in attributes:
        if hasattr(search, name):
            delattr(search, name)
