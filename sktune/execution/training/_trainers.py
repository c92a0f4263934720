"""Trainers, and the table that says which one trains a fit."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from sktune._types import Fit, StackKey
from sktune.execution._job import Job
from sktune.execution.training._epochs import train_epochs
from sktune.execution.training._once import give_batches, give_folder, train_once
from sktune.execution.training._partial_fit import train_partially
from sktune.execution.training._pipelines import fit_prefix
from sktune.execution.training._task import Task, Trainer
from sktune.execution.training._warm_start import train_warm


@dataclass(frozen=True)
class OneByOne:
    """Trains every fit of a unit by itself.

    Attributes
    ----------
    train_one : callable
        ``train_one(task, stack, estimator, X, y, fit_params)``; what it enters into the
        stack stays until the fit has been scored.
    """

    train_one: Callable[..., None]

    def stack_key(self, job: Job, fit: Fit) -> StackKey:
        """None: no two are trained as one."""
        return None

    def train(self, tasks: list[Task]) -> Generator[Task]:
        """Train one after the other."""
        for task in tasks:
            with task.guarded() as stack:
                task.prepare()
                task.train_by(partial(self.train_one, task, stack))
                yield task


def continued(train_last: Callable[..., None]) -> Callable[..., None]:
    """Train on from where a fit was paused, which `train_last` does for the last step.

    What stands before that in a pipeline is fitted once.
    """

    def train(
        task: Task,
        stack: ExitStack,
        estimator: Any,
        X: Any,
        y: Any,
        fit_params: dict[str, Any],
    ) -> None:
        give_folder(task, stack, estimator)
        last, arguments = fit_prefix(task, estimator, X, y, fit_params)
        give_batches(task, stack, last)
        train_last(task, last, *arguments)

    return train


ONCE: Trainer = OneByOne(train_once)
# By the continuation; see `Resource`.
CONTINUED: Mapping[str, Trainer] = {
    "epochs": OneByOne(continued(train_epochs)),
    "warm_start": OneByOne(continued(train_warm)),
    "partial_fit": OneByOne(continued(train_partially)),
}


def trainer_of(job: Job, fit: Fit) -> Trainer:
    """The trainer of a fit."""
    if fit.n_resources is None or job.resource is None or not job.resource.continues:
        return ONCE
    return CONTINUED[job.resource.continuation]


def stack_key(job: Job, fit: Fit) -> StackKey:
    """What fits have in common that are trained as one; None of a fit by itself."""
    return trainer_of(job, fit).stack_key(job, fit)
