"""Estimators with ``warm_start`` or ``partial_fit`` that go on where they stopped."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import get_tags
from sklearn.utils.multiclass import type_of_target, unique_labels

from sktune._compat import CALLBACK_ATTRIBUTES
from sktune.execution.checkpoint._paused_fit import Continued
from sktune.execution.estimators._continuation import counts_in_all
from sktune.execution.estimators._device_parameters import write_device
from sktune.execution.guards._random_states import random_states, set_random_states


def train_warm(
    task: Continued, estimator: Any, X: Any, y: Any, fit_params: dict[str, Any]
) -> None:
    """Fit with ``warm_start``, up to a value of the parameter that is the resource."""
    name = task.resource.name.rpartition("__")[2]
    in_all = counts_in_all(estimator, name)
    users = estimator.get_params(deep=False)["warm_start"]

    def go_on(n_done: int) -> None:
        n = task.n_resources - (0 if in_all else n_done)
        estimator.set_params(warm_start=True, **{name: n})
        _call(estimator.fit, X, y, fit_params)
        estimator.set_params(warm_start=users, **{name: task.n_resources})

    _continue(task, estimator, go_on)


def _takes_classes(estimator: Any) -> bool:
    parameters = signature(estimator.partial_fit).parameters
    if "classes" in parameters:
        return True
    # A classifier that hands on whatever it is given.
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return anything and is_classifier(estimator)


def train_partially(
    task: Continued, estimator: Any, X: Any, y: Any, fit_params: dict[str, Any]
) -> None:
    """Call ``partial_fit`` so many times."""
    if task.y is not None and _takes_classes(estimator):
        # A training part may lack one.
        fit_params = {"classes": _classes(estimator, task.y), **fit_params}

    def go_on(n_done: int) -> None:
        for _ in range(task.n_resources - n_done):
            _call(estimator.partial_fit, X, y, fit_params)

    _continue(task, estimator, go_on)


def _classes(estimator: Any, y: Any) -> Any:
    """All classes, in the form in which ``partial_fit`` takes them."""
    if np.ndim(y) > 1:
        kind = type_of_target(y)
        tags = get_tags(estimator).classifier_tags
        if kind == "multilabel-indicator" and tags is not None and tags.multi_label:
            return unique_labels(y)  # numbers of the columns
        if kind in ("multilabel-indicator", "multiclass-multioutput"):
            # As of MultiOutputClassifier, to which each column is a target of its own.
            return [np.unique(column) for column in np.asarray(y).T]
    return np.unique(np.asarray(y))


def _call(method: Any, X: Any, y: Any, fit_params: dict[str, Any]) -> None:
    if y is None:
        method(X, **fit_params)
    else:
        method(X, y, **fit_params)


def _continue(task: Continued, estimator: Any, go_on: Callable[[int], None]) -> None:
    """Call ``go_on(n_done)`` from the state that was kept, and keep the new one."""
    n_done = 0
    paused = task.load()
    if paused is not None and paused["n_resources"] <= task.n_resources:
        n_done = paused["n_resources"]
        vars(estimator).update(vars(paused["estimator"]))
        if task.device is not None:
            write_device(estimator, task.device)
        if paused["random"] is not None:
            set_random_states(paused["random"])
    if n_done == task.n_resources:
        return
    go_on(n_done)
    state = {
        "estimator": estimator,
        "random": random_states() if task.alone else None,
        "n_resources": task.n_resources,
    }
    attributes = vars(estimator)
    live = {k: attributes.pop(k) for k in CALLBACK_ATTRIBUTES if k in attributes}
    try:
        task.save(state)
    finally:
        attributes.update(live)
