"""Trainers, and the table that says which one trains a fit."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from sktune._types import Fit, StackKey
from sktune.execution._job import Job
from sktune.execution.estimators._nets import is_net
from sktune.execution.estimators._parameter_paths import last_step
from sktune.execution.training._epochs import train_epochs
from sktune.execution.training._once import give_batches, give_folder, train_once
from sktune.execution.training._partial_fit import train_partially
from sktune.execution.training._pipelines import fit_prefix
from sktune.execution.training._stacked import SideBySide
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
        assert task.job.resource is not None
        path = task.job.resource.path
        last, arguments = fit_prefix(task, estimator, path, X, y, fit_params)
        give_batches(task, stack, last)
        train_last(task, last, *arguments)

    return train


# By the continuation, see `Resource`; None where all is given at once.
STEP_BY_STEP: Mapping[str, Callable[..., None]] = {
    "epochs": train_epochs,
    "warm_start": train_warm,
    "partial_fit": train_partially,
}
BY_ITSELF: Mapping[str | None, Trainer] = {
    None: OneByOne(train_once),
    **{name: OneByOne(continued(train)) for name, train in STEP_BY_STEP.items()},
}
TOGETHER: Mapping[str | None, Trainer] = {
    None: SideBySide(train_once),
    "epochs": SideBySide(continued(train_epochs)),
}


def trainer_of(job: Job, unit: Sequence[Fit]) -> Trainer:
    """The trainer of a unit."""
    trainers = TOGETHER if job.stacked and len(unit) > 1 else BY_ITSELF
    return trainers[_continuation(job, unit[0])]


def stack_key(job: Job, fit: Fit) -> StackKey:
    """What fits have in common that may be trained as one; None of one by itself."""
    if not job.stacked or cannot_stack(job, fit) is not None:
        return None
    return TOGETHER[_continuation(job, fit)].stack_key(job, fit)


def cannot_stack(job: Job, fit: Fit) -> str | None:
    """Why a fit is trained by itself, as far as it is known without its net."""
    continuation = _continuation(job, fit)
    if continuation not in TOGETHER:
        return f"it goes on by {continuation}, which trains one net at a time"
    if job.fit_memory is not None:
        return "fit_memory is a limit for a process, which trains one net at a time"
    if not is_net(last_step(job.estimator)):
        return "the estimator is neither a net nor a pipeline that ends in one"
    return None


def why_alone(job: Job, fit: Fit) -> str | None:
    """Why a unit is this fit alone; None of a search that stacks nothing."""
    if not job.stacked:
        return None
    lonely = "no other fit of its shape was decided on together with it"
    if job.stacked == "auto":
        lonely = f"tried as one, nets of its shape were slower, or {lonely}"
    return cannot_stack(job, fit) or lonely


def _continuation(job: Job, fit: Fit) -> str | None:
    if fit.n_resources is None or job.resource is None or not job.resource.continues:
        return None
    return job.resource.continuation
