"""Fitted estimators that outlive their fits, for who wants to have them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sktune._types import Fit
from sktune.execution._job import Job
from sktune.execution.checkpoint._paused_fit import PausedFit
from sktune.execution.training._task import Task

_WHAT = "estimator"


def keep_estimator(task: Task) -> None:
    """Keep what was fitted, where that is asked for and it is fitted to its end.

    A worker on another machine, which does not see the folder, keeps nothing.
    """
    job, fit = task.job, task.fit
    is_at_its_end = fit.n_resources is None or not fit.pause
    if job.kept is not None and is_at_its_end and job.kept.path.is_dir():
        kept = PausedFit(replace(fit, pause=True), job.kept, task.device)
        kept.save(task.estimator, what=_WHAT)


def kept_estimator(job: Job, fit: Fit) -> Any:
    """What was fitted; None where it was not kept."""
    return PausedFit(fit, job.kept).load(what=_WHAT)
