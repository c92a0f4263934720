"""Training in one go: the estimator's own `fit`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sktune._errors import EstimatorError
from sktune.execution.estimators._callback_files import find_writers, write_into
from sktune.execution.estimators._last_steps import fits_a_clone, last_of
from sktune.execution.estimators._nets import is_net
from sktune.execution.estimators._parameter_paths import last_step, prefix_of_last
from sktune.execution.training._listening import (
    curve_of,
    listening,
    n_epochs,
    quick_batches,
)
from sktune.execution.training._pipelines import fit_prefix
from sktune.execution.training._stopping import Stopping
from sktune.execution.training._task import Task


def train_once(
    task: Task,
    stack: ExitStack,
    estimator: Any,
    X: Any,
    y: Any,
    fit_params: dict[str, Any],
) -> None:
    """Train as ever, with a folder for what callbacks write until it is scored."""
    give_folder(task, stack, estimator)
    may_be_stopped = task.fit.stop_rule is not None or task.job.curve_on is not None
    net, fit = last_step(estimator), estimator.fit
    path = prefix_of_last(estimator).split("__")[:-1]
    if is_net(last_of(estimator, path)) and fits_a_clone(estimator, path):
        # The clone that its `fit` makes of the net could be given no batches, and
        # nobody could listen to it.
        prefix = fit_prefix(task, estimator, path, X, y, fit_params)
        net, (X, y, fit_params) = prefix
        fit = net.fit
    give_batches(task, stack, net)
    if may_be_stopped:
        if not is_net(net):
            raise EstimatorError(
                f"A stop rule can end the training of a skorch net that stands alone "
                f"or last in a Pipeline, and not that of {type(net).__name__}."
            )
        with listening(net, Stopping(task)):
            call(fit, X, y, fit_params)
    else:
        call(fit, X, y, fit_params)
    if is_net(net):
        task.curve = curve_of(net)
    task.reached = task.fit.n_resources
    if task.reached is None and is_net(net):
        task.reached = n_epochs(net)


def call(method: Any, X: Any, y: Any, fit_params: dict[str, Any]) -> None:
    """Call `fit` or the like, without a y where there is none."""
    if y is None:
        method(X, **fit_params)
    else:
        method(X, y, **fit_params)


def give_batches(task: Task, stack: ExitStack, net: Any) -> None:
    """Let a net cut its batches from arrays until it has been scored, if it can."""
    if is_net(net):
        task.batches = stack.enter_context(quick_batches(net))


def give_folder(task: Task, stack: ExitStack, estimator: Any) -> None:
    """Let callbacks of nets write into a folder of the fit's own, if they write.

    It is kept with the states of the fit where there are any: resumed in whatever
    process, the net has to find its files. Else it goes when the stack is closed.
    """
    writers = find_writers(estimator) if task.has_net else {}
    if not writers:
        return
    if task.job.checkpoints is None:
        folder = TemporaryDirectory(prefix="sktune-", ignore_cleanup_errors=True)
        write_into(Path(stack.enter_context(folder)), writers)
    else:
        fit = task.fit
        write_into(task.job.checkpoints.folder(fit.candidate, fit.split), writers)
