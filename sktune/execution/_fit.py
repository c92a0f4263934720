"""One candidate on one split: set params, train, score, catch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone

from sktune._compat import fit_and_score
from sktune._types import Fit, FitOutcome
from sktune.execution._isolation import (
    draws_globally,
    own_random_states,
    params_draw_globally,
)
from sktune.execution._nets import find_nets, silence
from sktune.execution._threads import fixed_threads, threads_of_a_net


class ErrorScore(float):
    """The score of a fit that failed, to be told from the same number as a score."""


@dataclass(frozen=True)
class Job:
    """All that the fits of one search have in common."""

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
    n_candidates: int
    caller: Any
    alone: bool
    has_net: bool
    threads_of_a_net: int | None

    @classmethod
    def of(cls, estimator: Any, *, repeatable: bool, **kwargs: Any) -> Job:
        """A job whose nets are silent.

        Its fits run alone in their process if they draw from global generators. Where
        the search is to be `repeatable`, nets are trained with a number of threads
        that does not depend on the number of workers, since the order in which torch
        adds numbers up does (docs/decisions/0003-threads-of-a-net.md).
        """
        estimator = silence(clone(estimator))
        return cls(
            estimator=estimator,
            alone=draws_globally(estimator),
            has_net=bool(find_nets(estimator)),
            threads_of_a_net=threads_of_a_net() if repeatable else None,
            **kwargs,
        )


def run_fit(job: Job, fit: Fit) -> FitOutcome:
    """Train and score one candidate on one split.

    Raises only where ``error_score="raise"`` or where scikit-learn's searches raise
    whatever `error_score` says, such as for a parameter that does not exist.
    """
    # A net may also be a value that is searched, such as a step of a pipeline.
    nets = {name: value for name, value in fit.params.items() if find_nets(value)}
    params = {**fit.params, **{n: silence(clone(v)) for n, v in nets.items()}}
    alone = job.alone or params_draw_globally(params)
    with own_random_states(fit.seed) if alone else nullcontext():
        if job.threads_of_a_net is not None and (job.has_net or nets):
            with fixed_threads(job.threads_of_a_net):
                return _run_fit(job, fit, params)
        return _run_fit(job, fit, params)


def _run_fit(job: Job, fit: Fit, params: Mapping[str, Any]) -> FitOutcome:
    train, test = job.splits[fit.split]
    error_score: Any = job.error_score
    if error_score != "raise":
        error_score = ErrorScore(error_score)
    outcome: FitOutcome = fit_and_score(
        clone(job.estimator),
        job.X,
        job.y,
        scorer=job.scorer,
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
        candidate_progress=(fit.candidate, job.n_candidates),
        error_score=error_score,
        caller=job.caller,
        callback_ctx=fit.context,
    )
    return _judge(outcome, job.error_score)


def _judge(outcome: FitOutcome, error_score: float | str) -> FitOutcome:
    """Say which metrics failed, and give those the error score.

    A score that is not finite is a failure like an exception: it could not be compared
    with others. Without an error score to take its place it is NaN.
    """
    substitute = math.nan if error_score == "raise" else float(error_score)
    scores = outcome["test_scores"]
    by_metric = scores if isinstance(scores, dict) else {"score": scores}
    failed = frozenset(
        metric
        for metric, score in by_metric.items()
        if isinstance(score, ErrorScore) or not _is_finite(score)
    )
    outcome["failed"] = failed
    if failed:
        judged = {m: substitute if m in failed else s for m, s in by_metric.items()}
        outcome["test_scores"] = judged if isinstance(scores, dict) else judged["score"]
    if "train_scores" in outcome:
        outcome["train_scores"] = _plain(outcome["train_scores"])
    return outcome


def _is_finite(score: Any) -> bool:
    try:
        return math.isfinite(score)
    except OverflowError:  # an int that no float can hold
        return False


def _plain(scores: Any) -> Any:
    """Scores without the mark of failure."""
    if isinstance(scores, dict):
        return {metric: _plain(score) for metric, score in scores.items()}
    return float(scores) if isinstance(scores, ErrorScore) else scores


def score_of(outcome: FitOutcome, metric: str) -> float | None:
    """Score in a metric, None where the fit or the metric failed."""
    scores = outcome["test_scores"]
    if outcome["fit_error"] is not None or metric in outcome["failed"]:
        return None
    if isinstance(scores, dict):
        return scores[metric]
    return scores
