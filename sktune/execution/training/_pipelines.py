"""Pipelines whose last step goes on: what is before it is fitted only once.

Once for each split in the whole search where no searched parameter reaches it, else
once for each candidate and split.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.base import clone

from sktune._compat import CALLBACK_ATTRIBUTES
from sktune._errors import EstimatorError
from sktune._random import derive_seed
from sktune.execution.estimators._device_parameters import write_device
from sktune.execution.estimators._last_steps import (
    Arguments,
    Recorder,
    fits_a_clone,
    last_of,
    set_last,
    was_fitted_once,
)
from sktune.execution.guards._random_states import seed_everything
from sktune.execution.training._task import Task


def fit_prefix(
    task: Task,
    pipeline: Any,
    path: Sequence[str],
    X: Any,
    y: Any,
    fit_params: dict[str, Any],
) -> tuple[Any, Arguments]:
    """Fit a pipeline but for its last step; returns that and what it is fitted with.

    `path` are the names of the steps that lead to it, none where there is no pipeline.
    Pipelines may be nested, and samplers among their steps: what these make of X and y
    is kept, and drawn no second time. Afterwards the random numbers are those of the
    fit.
    """
    states = task.states
    last = last_of(pipeline, path)
    if not path:
        return last, (X, y, fit_params)

    def make() -> dict[str, Any]:
        if task.draws_globally:
            seed = derive_seed(task.fit.seed, "prefix")
            if is_shared:
                seed = derive_seed(task.job.root, "prefix", task.fit.split)
            seed_everything(seed)
        # The pipeline itself passes everything on as it should, to the last step too.
        set_last(pipeline, path, Recorder(last))
        pipeline.fit(X, y, **fit_params)
        recorder = last_of(pipeline, path, fitted=True)
        if not was_fitted_once(recorder):
            raise _cannot_continue(pipeline)
        recorder.estimator = None
        set_last(pipeline, path, None if is_cloned else recorder)
        return {k: v for k, v in vars(pipeline).items() if k not in CALLBACK_ATTRIBUTES}

    is_cloned = fits_a_clone(pipeline, path)
    is_shared = not any(_reaches_prefix(name, path) for name in task.fit.params)
    if is_shared:
        fitted = states.share("prefix", make)
    else:
        fitted = states.load(what="prefix")
        if fitted is None:
            fitted = make()
            states.save(fitted, what="prefix")
    vars(pipeline).update(fitted)
    if task.device is not None:  # nets before the last step, fitted somewhere else
        write_device(pipeline, task.device)
    arguments = last_of(pipeline, path, fitted=True).arguments_
    set_last(pipeline, path, last)
    if is_cloned:
        last = clone(last)
        set_last(pipeline, path, last, fitted=True)
    if task.draws_globally:
        # As if there were nothing before it: whether it was fitted now or read makes no
        # difference.
        seed_everything(task.fit.seed)
    return last, arguments


def _reaches_prefix(name: str, path: Sequence[str]) -> bool:
    """Whether a parameter is one of the steps before the last."""
    return name.split("__")[: len(path)] != list(path)


def _cannot_continue(pipeline: Any) -> EstimatorError:
    return EstimatorError(
        f"{type(pipeline).__name__}.fit does not fit its last step just once, so that "
        "this step cannot be trained in pieces. Pass resource='n_samples', or use a "
        "Pipeline whose `fit` does."
    )
