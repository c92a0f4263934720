"""What `verbose` prints of each fit, word for word as scikit-learn does.

Its own searches with rungs have the resource among the params; so it is here.
"""

from __future__ import annotations

from typing import Any

from sktune._types import FitOutcome, Scores
from sktune.execution.training._task import Task

_WIDTH = 80


def print_start(task: Task) -> None:
    """Say that a fit begins, where so much is asked for."""
    if task.job.verbose > 9:
        message = f"[CV{_progress(task)}] START {_params(task)}"
        print(f"{message}{(_WIDTH - len(message)) * '.'}")


def print_end(task: Task, outcome: FitOutcome) -> None:
    """Say that a fit is over, with its scores where these are asked for."""
    verbose = task.job.verbose
    if verbose <= 1:
        return
    text = _params(task)
    result = text + (";" if text else "")
    if verbose > 2:
        result += _scores(outcome, task.job.error_score)
    seconds = outcome.fit_time + outcome.score_time
    result += f" total time={_duration(seconds)}"
    end = f"[CV{_progress(task)}] END "
    print(end + "." * (_WIDTH - len(end) - len(result)) + result)


def _progress(task: Task) -> str:
    fit, job = task.fit, task.job
    if job.verbose <= 2:
        return ""
    of_candidates = ""
    if job.n_candidates and job.verbose > 9:
        of_candidates = f"; {fit.candidate + 1}/{job.n_candidates}"
    return f" {fit.split + 1}/{len(job.splits)}{of_candidates}"


def _params(task: Task) -> str:
    fit, resource = task.fit, task.job.resource
    params, rung = dict(task.params), ""
    if resource is not None and fit.n_resources is not None:
        params[resource.name] = fit.n_resources
        rung = f" (bracket {fit.bracket}, iter {fit.iter})"
    return ", ".join(f"{name}={params[name]}" for name in sorted(params)) + rung


def _scores(outcome: FitOutcome, error_score: Any) -> str:
    def text(scores: Scores, metric: str) -> str:
        score = scores.get(metric)
        return f"{error_score if score is None else score:.3f}"

    test, train = outcome.test_scores, outcome.train_scores
    if not outcome.is_multimetric:
        (metric,) = test
        if train is None:
            return f", score={text(test, metric)}"
        return f", score=(train={text(train, metric)}, test={text(test, metric)})"
    return "".join(
        f" {metric}: ("
        + ("" if train is None else f"train={text(train, metric)}, ")
        + f"test={text(test, metric)})"
        for metric in sorted(test)
    )


def _duration(seconds: float) -> str:
    return f"{seconds / 60:4.1f}min" if seconds > 60 else f" {seconds:5.1f}s"
