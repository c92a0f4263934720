"""Pipelines whose last step goes on: what is before it is fitted only once.

Once for each split in the whole search where no searched parameter reaches it, else
once for each candidate and split.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object

from sktune._compat import CALLBACK_ATTRIBUTES
from sktune._random import derive_seed
from sktune.execution.estimators._device_parameters import write_device
from sktune.execution.guards._random_states import seed_everything
from sktune.execution.training._task import Task

Arguments = tuple[Any, Any, dict[str, Any]]


def fit_prefix(
    task: Task, pipeline: Any, X: Any, y: Any, fit_params: dict[str, Any]
) -> tuple[Any, Arguments]:
    """Fit a pipeline but for its last step; returns that and what it is fitted with.

    Pipelines may be nested. Afterwards the random numbers are those of the fit.
    """
    assert task.job.resource is not None
    *path, _ = task.job.resource.name.split("__")
    states = task.states
    last = _last_step(pipeline, path)
    if not path:
        return last, (X, y, fit_params)

    def make() -> dict[str, Any]:
        if task.draws_globally:
            seed = derive_seed(task.fit.seed, "prefix")
            if is_shared:
                seed = derive_seed(task.job.root, "prefix", task.fit.split)
            seed_everything(seed)
        # The pipeline itself passes everything on as it should, to the last step too.
        _set_last_step(pipeline, path, _Recorder(last))
        pipeline.fit(X, y, **fit_params)
        _last_step(pipeline, path).estimator = None
        return {k: v for k, v in vars(pipeline).items() if k not in CALLBACK_ATTRIBUTES}

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
    arguments = _last_step(pipeline, path).arguments_
    _set_last_step(pipeline, path, last)
    if task.draws_globally:
        # As if there were nothing before it: whether it was fitted now or read makes no
        # difference.
        seed_everything(task.fit.seed)
    return last, arguments


def _reaches_prefix(name: str, path: Sequence[str]) -> bool:
    """Whether a parameter is one of the steps before the last."""
    return name.split("__")[: len(path)] != list(path)


def _last_step(pipeline: Any, path: Sequence[str]) -> Any:
    for _ in path:
        pipeline = pipeline.steps[-1][1]
    return pipeline


def _set_last_step(pipeline: Any, path: Sequence[str], step: Any) -> None:
    pipeline = _last_step(pipeline, path[:-1])
    pipeline.steps = [*pipeline.steps[:-1], (pipeline.steps[-1][0], step)]


class _Recorder(BaseEstimator):
    """Stands in for the last step and keeps what it is asked to be fitted with."""

    def __init__(self, estimator: Any = None) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> _Recorder:
        self.arguments_: Arguments = (X, y, fit_params)
        return self

    def get_metadata_routing(self) -> Any:
        return get_routing_for_object(self.estimator)

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)
