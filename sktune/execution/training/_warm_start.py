"""Estimators with ``warm_start`` that go on where they stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sktune._compat import CALLBACK_ATTRIBUTES
from sktune._errors import EstimatorError
from sktune.execution.estimators._continuation import counts_in_all
from sktune.execution.estimators._device_parameters import write_device
from sktune.execution.guards._random_states import random_states, set_random_states
from sktune.execution.training._once import call
from sktune.execution.training._task import Task


def train_warm(
    task: Task, estimator: Any, X: Any, y: Any, fit_params: dict[str, Any]
) -> None:
    """Fit with ``warm_start``, up to a value of the parameter that is the resource."""
    assert task.job.resource is not None and task.fit.n_resources is not None
    name = task.job.resource.name.rpartition("__")[2]
    n_resources = task.fit.n_resources
    in_all = counts_in_all(estimator, name)
    users = estimator.get_params(deep=False)["warm_start"]

    def go_on(n_done: int) -> None:
        n = n_resources - (0 if in_all else n_done)
        estimator.set_params(warm_start=True, **{name: n})
        call(estimator.fit, X, y, fit_params)
        estimator.set_params(warm_start=users, **{name: n_resources})

    continue_from_state(task, estimator, go_on)


def continue_from_state(
    task: Task, estimator: Any, go_on: Callable[[int], None]
) -> None:
    """Call ``go_on(n_done)`` from the state that was kept, and keep the new one."""
    fit, states = task.fit, task.states
    for what, is_asked in (("a stop rule", fit.stop_rule), ("a parent", fit.parent)):
        if is_asked is not None:
            raise EstimatorError(
                f"{type(estimator).__name__} cannot be trained with {what}, which is "
                "for skorch nets only."
            )
    n_done = 0
    paused = states.load()
    if paused is not None and paused["n_resources"] <= fit.n_resources:
        n_done = paused["n_resources"]
        vars(estimator).update(vars(paused["estimator"]))
        if task.device is not None:
            write_device(estimator, task.device)
        if paused["random"] is not None:
            set_random_states(paused["random"])
    task.reached = fit.n_resources
    if n_done == fit.n_resources:
        return
    go_on(n_done)
    state = {
        "estimator": estimator,
        "random": random_states() if task.draws_globally else None,
        "n_resources": fit.n_resources,
    }
    attributes = vars(estimator)
    not_kept = {k: attributes.pop(k) for k in CALLBACK_ATTRIBUTES if k in attributes}
    try:
        states.save(state)
    finally:
        attributes.update(not_kept)
