"""Estimators that go on by ``partial_fit``."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import get_tags
from sklearn.utils.multiclass import type_of_target, unique_labels

from sktune.execution.training._once import call
from sktune.execution.training._task import Task
from sktune.execution.training._warm_start import continue_from_state


def train_partially(
    task: Task, estimator: Any, X: Any, y: Any, fit_params: dict[str, Any]
) -> None:
    """Call ``partial_fit`` so many times."""
    if task.job.y is not None and _takes_classes(estimator):
        # A training part may lack one.
        fit_params = {"classes": _classes(estimator, task.job.y), **fit_params}

    def go_on(n_done: int, n_resources: int) -> None:
        for _ in range(n_resources - n_done):
            call(estimator.partial_fit, X, y, fit_params)

    continue_from_state(task, estimator, go_on)


def _takes_classes(estimator: Any) -> bool:
    parameters = signature(estimator.partial_fit).parameters
    if "classes" in parameters:
        return True
    # A classifier that hands on whatever it is given.
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return anything and is_classifier(estimator)


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
