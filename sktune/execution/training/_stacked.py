"""Nets of one shape, trained as one: the fits of a unit side by side."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

from sktune._types import Fit, NetShape, StackKey
from sktune.execution._job import Job
from sktune.execution.estimators._nets import is_net
from sktune.execution.estimators._parameter_paths import last_step
from sktune.execution.training._first_batch import watch_loss
from sktune.execution.training._listening import epochs_by
from sktune.execution.training._task import Parts, Task


def _stacks() -> Any:
    from sktune.execution.stacking._stacks import Stacks

    return Stacks()


@dataclass(frozen=True)
class SideBySide:
    """Trains the fits of a unit together, as far as their nets are of one shape.

    Attributes
    ----------
    train_one : callable
        ``train_one(task, stack, estimator, X, y, fit_params)`` trains one by itself; it
        runs for each, and its epochs are run with those of the others.
    make_stacks : callable
        ``make_stacks()`` is who runs these epochs.
    """

    train_one: Callable[..., None]
    make_stacks: Callable[[], Any] = _stacks

    def stack_key(self, job: Job, fit: Fit) -> StackKey:
        """What nets have in common that may be of one shape, as far as params tell."""
        return _key(job, fit)

    def train(self, tasks: list[Task]) -> Generator[Task]:
        """Train all, then give out one after the other."""
        from sktune.execution.stacking._lockstep import Runner, run_side_by_side

        stacks, runners, kept = self.make_stacks(), [], []
        cut: dict[Any, Parts] = {}
        with ExitStack() as outer:
            outer.enter_context(tasks[0].guarded())
            for task in tasks:
                task.prepare(cut)
                stack = outer.enter_context(ExitStack())
                seed = task.fit.seed if task.draws_globally else None
                train = partial(self._train_one, task, stack, stacks)
                runners.append(Runner(seed, train, _device_of(task), watch_loss))
                kept.append(stack)
            seconds = [task.fit_time for task in tasks]
            run_side_by_side(runners, stacks.run)
            for k, (task, runner) in enumerate(zip(tasks, runners, strict=True)):
                # Others were trained meanwhile.
                task.fit_time = seconds[k] + runner.seconds
                task.stacked = stacks.size_of(runner)
                task.reason = stacks.reason_of(runner)
                with kept[k], runner.own_numbers():
                    yield task

    def _train_one(self, task: Task, stack: ExitStack, stacks: Any) -> None:
        def train(estimator: Any, *args: Any) -> None:
            net = last_step(estimator)
            if is_net(net):
                stack.enter_context(epochs_by(net, stacks.due))
            self.train_one(task, stack, estimator, *args)

        task.train_by(train)


def _device_of(task: Task) -> Any:
    """Where its net draws random numbers, beside the processor."""
    if task.device is not None:
        return task.device
    device = getattr(last_step(task.estimator), "device", None)
    return None if device is None else str(device)


# What may differ between nets of one shape: numbers that are read while they train.
_FREE = ("lr", "optimizer__", "callbacks__", "max_epochs", "iterator_train__balance")


def _key(job: Job, fit: Fit) -> StackKey:
    prefix = _prefix_of_last(job.estimator)
    key = []
    for name, value in sorted(fit.params.items()):
        own = name.removeprefix(prefix)
        if prefix and own == name and name != prefix.removesuffix("__"):
            continue  # of a step before the net
        if own.startswith(_FREE) and _is_of_numbers(value):
            continue
        if own.startswith("module__") and isinstance(value, float):
            continue  # no shape, such as the rate of a dropout
        key.append((own, repr(value)))
    return NetShape(fit.n_resources, fit.pause, tuple(key))


def _is_of_numbers(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_of_numbers, value))
    return isinstance(value, Real) and not isinstance(value, bool)


def _prefix_of_last(estimator: Any) -> str:
    """What names of the last step's parameters begin with."""
    prefix = ""
    while hasattr(estimator, "steps"):
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return prefix
