"""What a fit does in place of the estimator's own `fit`, where that is not enough."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sktune._types import Fit
from sktune.execution.checkpoint._paused_fit import Continued
from sktune.execution.estimators._callback_files import find_writers, write_into
from sktune.execution.estimators._resource import Resource
from sktune.execution.training._epochs import train_epochs
from sktune.execution.training._pipelines import fit_prefix
from sktune.execution.training._warm_start import train_partially, train_warm

_TRAIN = {
    "epochs": train_epochs,
    "warm_start": train_warm,
    "partial_fit": train_partially,
}


def take_over(estimator: Any, train: Callable[..., None]) -> None:
    """Let the next call of ``estimator.fit`` call ``train(estimator, X, y, params)``.

    So scikit-learn's own code does all that is around a fit: it slices, sets params,
    measures time, catches errors, and scores the estimator itself.
    """

    def fit(X: Any, y: Any = None, **fit_params: Any) -> Any:
        del vars(estimator)["fit"]
        train(estimator, X, y, fit_params)
        return estimator

    # Not by `setattr`, of which some estimators have one of their own.
    vars(estimator)["fit"] = fit


def train_apart(
    stack: ExitStack, estimator: Any, X: Any, y: Any, fit_params: dict[str, Any]
) -> None:
    """Train as ever, with a folder for what callbacks write until the stack closes."""
    writers = find_writers(estimator)
    if writers:
        write_into(_temporary_folder(stack), writers)
    if y is None:
        estimator.fit(X, **fit_params)
    else:
        estimator.fit(X, y, **fit_params)


def train_on(
    task: Continued,
    stack: ExitStack,
    estimator: Any,
    X: Any,
    y: Any,
    fit_params: dict[str, Any],
) -> None:
    """Train from where the candidate was paused, if it was."""
    writers = find_writers(estimator)
    if writers:
        checkpoints = task.checkpoints
        if checkpoints is None:
            folder = _temporary_folder(stack)
        else:  # resumed in whatever process, it has to find them
            folder = checkpoints.folder(task.fit.candidate, task.fit.split)
        write_into(folder, writers)
    last, arguments = fit_prefix(task, estimator, X, y, fit_params)
    _TRAIN[task.resource.way](task, last, *arguments)


def train_fully(
    estimator: Any, X: Any, y: Any, fit_params: dict[str, Any], resource: Resource
) -> None:
    """Train with all resources at once, where these are calls of ``partial_fit``."""
    n = resource.max_resources
    fit = Fit(candidate=0, split=0, params={}, seed=0, n_resources=n)
    task = Continued(fit, n, resource, checkpoints=None, alone=False, root=0, y=y)
    last, arguments = fit_prefix(task, estimator, X, y, fit_params)
    train_partially(task, last, *arguments)


def _temporary_folder(stack: ExitStack) -> Path:
    folder = TemporaryDirectory(prefix="sktune-", ignore_cleanup_errors=True)
    return Path(stack.enter_context(folder))
