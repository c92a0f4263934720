"""One candidate on one split: set params, train, score, catch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

import numpy as np
from sklearn.base import clone

from sktune._compat import fit_and_score, scorer_of
from sktune._errors import ScoreError
from sktune._types import Fit, FitOutcome
from sktune.execution.checkpoint._paused_fit import Continued
from sktune.execution.estimators._nets import find_nets, silence
from sktune.execution.estimators._resource import Resource
from sktune.execution.fitting._leased import Attempt, run_leased
from sktune.execution.guards._random_states import (
    draws_globally,
    own_random_states,
    params_draw_globally,
)
from sktune.execution.guards._threads import fixed_threads, threads_of_a_net
from sktune.execution.guards._timeout import train_in_time
from sktune.execution.training._trainers import take_over, train_apart, train_on
from sktune.persistence import Checkpoints
from sktune.placement import Placement


class ErrorScore(float):
    """The score of a fit that failed, to be told from the same number as a score."""


@dataclass(frozen=True)
class Job:
    """All that the fits of one search have in common.

    What has a default is for searches whose candidates get more and more of a resource:
    a `seed` for what candidates share, and for ``n_samples`` the subsets of each split,
    whose ``rows(n_resources)`` are indices into X. `fit_timeout` is in seconds. With a
    `placement`, each fit leases a device.
    """

    estimator: Any
    X: Any
    y: Any
    splits: Sequence[tuple[Any, Any]]
    scorer: Callable[..., Any]
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    error_score: float | str
    return_train_score: bool
    verbose: int
    n_candidates: int | None
    caller: Any
    alone: bool
    has_net: bool
    threads_of_a_net: int | None
    resource: Resource | None = None
    checkpoints: Checkpoints | None = None
    subsets: Sequence[Any] | None = None
    seed: int = 0
    fit_timeout: float | None = None
    placement: Placement | None = None

    @classmethod
    def of(cls, estimator: Any, *, scorer: Any, repeatable: bool, **kwargs: Any) -> Job:
        """A job whose nets are silent.

        Its fits run alone in their process if they draw from global generators. Where
        the search is to be `repeatable`, nets are trained with a number of threads
        that does not depend on the number of workers, since the order in which torch
        adds numbers up does (docs/decisions/0003-threads-of-a-net.md).
        """
        estimator = silence(clone(estimator))
        return cls(
            estimator=estimator,
            scorer=scorer_of(scorer, estimator),
            alone=draws_globally(estimator),
            has_net=bool(find_nets(estimator)),
            threads_of_a_net=threads_of_a_net() if repeatable else None,
            **kwargs,
        )

    def forget(self, candidate: int) -> None:
        """Drop what was kept for a candidate that will not be resumed."""
        if self.checkpoints is not None:
            self.checkpoints.drop(candidate)

    def forget_all(self) -> None:
        """Let go of what was kept for a search that might have been continued."""
        if self.checkpoints is not None:
            self.checkpoints.may_go()


def run_fit(job: Job, fit: Fit, stopped: Event | None = None) -> FitOutcome:
    """Train and score one candidate on one split, on a leased device if there are any.

    When `stopped` is set, nobody waits any longer for a fit that waits for a device.

    Raises only where ``error_score="raise"`` or where scikit-learn's searches raise
    whatever `error_score` says, such as for a parameter that does not exist.
    """
    if job.placement is None:
        return _run_alone(job, fit)
    return run_leased(job.placement, partial(_run_alone, job, fit), stopped)


def _run_alone(job: Job, fit: Fit, attempt: Attempt | None = None) -> FitOutcome:
    # A net may also be a value that is searched, such as a step of a pipeline.
    nets = {name: value for name, value in fit.params.items() if find_nets(value)}
    params = {**fit.params, **{n: silence(clone(v)) for n, v in nets.items()}}
    has_net = job.has_net or bool(nets)
    alone = job.alone or params_draw_globally(params)
    with own_random_states(fit.seed) if alone else nullcontext(), ExitStack() as stack:
        if job.threads_of_a_net is not None and has_net:
            stack.enter_context(fixed_threads(job.threads_of_a_net))
        return _run_fit(job, fit, params, alone, has_net, stack, attempt)


def fail_fit(job: Job, fit: Fit, error: Exception) -> FitOutcome:
    """Outcome of a fit that never came back, as if its training had raised `error`."""

    def fail(*args: Any) -> None:
        raise error

    with ExitStack() as stack:
        return _run_fit(job, fit, fit.params, False, False, stack, train_by=fail)


def _run_fit(
    job: Job,
    fit: Fit,
    params: Mapping[str, Any],
    alone: bool,
    has_net: bool,
    stack: ExitStack,
    attempt: Attempt | None = None,
    train_by: Callable[..., None] | None = None,
) -> FitOutcome:
    train, test = job.splits[fit.split]
    resource = None if fit.n_resources is None else job.resource
    estimator = clone(job.estimator)
    if train_by is None:
        train_by = _training(job, fit, alone, has_net, stack, attempt)
    if train_by is not None:
        take_over(estimator, train_by)
    if resource is not None and resource.way == "n_samples":
        assert job.subsets is not None
        train = job.subsets[fit.split].rows(fit.n_resources)
    elif resource is not None and not resource.continues:
        params = {**params, resource.name: fit.n_resources}
    error_score: Any = job.error_score
    if error_score != "raise":
        error_score = ErrorScore(error_score)
    n_candidates = job.n_candidates
    outcome: FitOutcome = fit_and_score(
        estimator,
        job.X,
        job.y,
        scorer=attempt.scoring(job.scorer) if attempt else job.scorer,
        train=train,
        test=test,
        verbose=job.verbose,
        parameters=params,
        fit_params=job.fit_params,
        score_params=job.score_params,
        return_train_score=job.return_train_score,
        return_n_test_samples=True,
        return_times=True,
        return_parameters=False,
        split_progress=(fit.split, len(job.splits)),
        candidate_progress=n_candidates and (fit.candidate, n_candidates),
        error_score=error_score,
        caller=job.caller,
        # Callbacks are told of the first attempt.
        callback_ctx=None if attempt and attempt.is_last else fit.context,
    )
    if job.checkpoints is not None and (not fit.pause or outcome["fit_error"]):
        job.checkpoints.drop(fit.candidate, fit.split)
    return _raw(outcome)


def _training(
    job: Job,
    fit: Fit,
    alone: bool,
    has_net: bool,
    stack: ExitStack,
    attempt: Attempt | None,
) -> Callable[..., None] | None:
    """What trains in place of the estimator's `fit`; None if nothing has to."""
    train_by: Callable[..., None] | None = None
    if fit.n_resources is not None and job.resource and job.resource.continues:
        train_by = partial(train_on, _continued(job, fit, alone, attempt), stack)
    elif has_net or attempt is not None or job.fit_timeout is not None:
        train_by = partial(train_apart, stack)
    if train_by is not None and job.fit_timeout is not None:
        train_by = partial(train_in_time, job.fit_timeout, train_by)
    if train_by is not None and attempt is not None:
        train_by = attempt.training(train_by)
    return train_by


def _continued(job: Job, fit: Fit, alone: bool, attempt: Attempt | None) -> Continued:
    assert job.resource is not None and fit.n_resources is not None
    return Continued(
        fit=fit,
        n_resources=fit.n_resources,
        resource=job.resource,
        checkpoints=job.checkpoints,
        alone=alone,
        root=job.seed,
        y=job.y,
        device=attempt.device if attempt else None,
    )


def _raw(outcome: FitOutcome) -> FitOutcome:
    """The outcome as it was, without an error score; says which metrics failed.

    A score that is not finite is a failure like an exception: it could not be compared
    with others.
    """
    scores = outcome["test_scores"] = _plain(outcome["test_scores"])
    if scores == {}:
        raise ScoreError(
            "scoring returned an empty dict. Return a number, or a dict of metrics and "
            "their numbers."
        )
    by_metric = scores if isinstance(scores, dict) else {"score": scores}
    outcome["failed"] = frozenset(
        metric for metric, score in by_metric.items() if not _is_finite(score)
    )
    if "train_scores" in outcome:
        outcome["train_scores"] = _plain(outcome["train_scores"])
    return outcome


def _is_finite(score: Any) -> bool:
    try:
        return score is not None and math.isfinite(score)
    except OverflowError:  # an int that no float can hold
        return False


def _plain(scores: Any) -> Any:
    """Scores, None in place of what stands for a failure."""
    if isinstance(scores, dict):
        return {metric: _plain(score) for metric, score in scores.items()}
    if scores is None or isinstance(scores, ErrorScore):
        return None
    if isinstance(scores, float | int | np.floating | np.integer):
        return scores
    try:
        return float(scores)  # a number of another kind, such as a Fraction
    except (TypeError, ValueError) as error:
        raise ScoreError(
            f"scoring must return a number, got {scores!r} ({type(scores)}), which "
            "cannot be compared with others. Return a real number."
        ) from error


def score_of(outcome: FitOutcome, metric: str) -> float | None:
    """Score in a metric, None where the fit or the metric failed."""
    scores = outcome["test_scores"]
    if outcome["fit_error"] is not None or metric in outcome["failed"]:
        return None
    if isinstance(scores, dict):
        return scores[metric]
    return scores
