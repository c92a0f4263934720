"""Estimators with ``warm_start`` that go on where they stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.base import clone

from sktune._compat import CALLBACK_ATTRIBUTES
from sktune._errors import EstimatorError
from sktune.execution.estimators._continuation import counts_in_all
from sktune.execution.estimators._device_parameters import write_device
from sktune.execution.guards._random_states import random_states, set_random_states
from sktune.execution.training._once import call
from sktune.execution.training._stages import own_params
from sktune.execution.training._task import Task


def train_warm(
    task: Task, estimator: Any, X: Any, y: Any, fit_params: dict[str, Any]
) -> None:
    """Fit with ``warm_start``, up to a value of the parameter that is the resource."""
    assert task.job.resource is not None and task.fit.n_resources is not None
    name = task.job.resource.name.rpartition("__")[2]
    in_all = counts_in_all(estimator, name)
    users = estimator.get_params(deep=False)["warm_start"]

    def go_on(n_done: int, n_resources: int) -> None:
        n = n_resources - (0 if in_all else n_done)
        estimator.set_params(warm_start=True, **{name: n})
        call(estimator.fit, X, y, fit_params)
        estimator.set_params(warm_start=users, **{name: n_resources})

    continue_from_state(task, estimator, go_on)


def continue_from_state(
    task: Task, estimator: Any, go_on: Callable[[int, int], None]
) -> None:
    """Call ``go_on(n_done, n)`` from the state that was kept, and keep the new one.

    Where a parent's is lost, the training of its ancestors is run again.
    """
    fit, resource = task.fit, task.job.resource
    assert resource is not None and fit.n_resources is not None
    if fit.stop_rule is not None:
        raise EstimatorError(
            f"{type(estimator).__name__} cannot be trained with a stop rule, which is "
            "for skorch nets only."
        )
    paused = _paused(task)
    n_done = 0
    if paused is not None:
        n_done = paused["n_resources"]
        vars(estimator).update(vars(paused["estimator"]))
        if task.device is not None:
            write_device(estimator, task.device)
        if paused["random"] is not None:
            set_random_states(paused["random"])
    task.reached = fit.n_resources
    if n_done == fit.n_resources:
        return
    for stage in fit.all_stages:
        assert stage.n_resources is not None
        if stage.n_resources > n_done:
            if fit.stages:
                # Parameters may be estimators themselves: cloned, they stay unfitted.
                params = clone(own_params(stage, resource), safe=False)
                estimator.set_params(**params)
            go_on(n_done, stage.n_resources)
            n_done = stage.n_resources
    state = {
        "estimator": estimator,
        "random": random_states() if task.draws_globally else None,
        "n_resources": fit.n_resources,
    }
    attributes = vars(estimator)
    not_kept = {k: attributes.pop(k) for k in CALLBACK_ATTRIBUTES if k in attributes}
    try:
        task.states.save(state)
    finally:
        attributes.update(not_kept)


def _paused(task: Task) -> Any:
    """The state that is kept of the fit, or else of its parent; None: of neither."""
    fit, states = task.fit, task.states
    assert fit.n_resources is not None
    paused = states.load()
    if paused is not None and paused["n_resources"] <= fit.n_resources:
        return paused
    if fit.parent is not None:
        paused = states.of_parent().load()
        if paused is not None and paused["n_resources"] == fit.stages[-1].n_resources:
            return paused
    return None
