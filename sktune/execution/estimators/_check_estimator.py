"""Checks of an estimator: what every fit would fail at is said before the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import is_classifier

from sktune._compat import num_samples
from sktune._errors import EstimatorError, EstimatorTypeError
from sktune.execution.estimators._monitors import check_monitors
from sktune.execution.estimators._net_data import check_data
from sktune.execution.estimators._net_targets import check_target
from sktune.execution.estimators._nets import find_nets
from sktune.execution.estimators._parameter_names import check_names
from sktune.execution.estimators._part_values import check_part_values
from sktune.execution.estimators._reached_nets import reached_nets
from sktune.execution.estimators._schedule_lengths import check_schedules


def check_is_estimator(estimator: Any) -> None:
    """Raise `EstimatorTypeError` for what has `fit` and yet is no estimator."""
    if isinstance(estimator, type):
        name = estimator.__name__
        raise EstimatorTypeError(
            f"Expected an estimator instance ({name}()), got estimator class instead "
            f"({name})."
        )
    name = type(estimator).__name__
    remedy = "Derive its class from sklearn.base.BaseEstimator."
    for method in ("get_params", "set_params"):
        if not callable(getattr(estimator, method, None)):
            raise EstimatorTypeError(
                f"estimator={estimator!r} has no {method}, so that its parameters "
                f"cannot be searched. {remedy}"
            )
    try:
        estimator.get_params()
    except RecursionError:
        raise EstimatorTypeError(
            f"estimator: this {name} is a part of itself. Make it of parts that do not "
            "hold it."
        ) from None
    except AttributeError as error:
        raise EstimatorTypeError(
            f"estimator: get_params of {name} fails ({error}). Every argument of "
            "__init__ has to be stored under its own name."
        ) from error
    try:
        is_classifier(estimator)
    except AttributeError as error:
        raise EstimatorTypeError(
            f"estimator={estimator!r} cannot say what it is: it has no "
            f"__sklearn_tags__. {remedy}"
        ) from error


def check_estimator(
    estimator: Any,
    dicts: Sequence[Mapping[str, Any]],
    X: Any,
    y: Any = None,
    *,
    max_epochs: int | None = None,
) -> None:
    """Raise for what every fit would fail at; warn about what costs data silently.

    Modules of nets are not built for that, as it runs the user's code; what becomes
    known when the first fit builds one is told by `refused_input`.

    Parameters
    ----------
    estimator : estimator
    dicts : sequence of dict
        The dicts that are searched.
    X, y : data
    max_epochs : int or None
        Epochs of the refit, where the search says how many these are.

    Raises
    ------
    ParamNameError
        For a parameter that the estimator does not have.
    EstimatorError
        For a callback that waits for a validation loss which the net does not compute,
        for values that a part of a net cannot have, and for X or y that a net cannot be
        trained on as they reach it.
    """
    check_names(estimator, dicts)
    check_part_values(estimator, dicts)
    nets = find_nets(estimator)
    for prefix, net in nets.items():
        check_monitors(net, prefix, dicts)
    if nets:
        _check_data(estimator, dicts, X, y, max_epochs)


def _check_data(
    estimator: Any,
    dicts: Sequence[Mapping[str, Any]],
    X: Any,
    y: Any,
    max_epochs: int | None,
) -> None:
    try:
        for reached in reached_nets(estimator, dicts, X, y):
            check_data(reached)
            check_target(reached)
            if X is not None:
                check_schedules(reached, dicts, num_samples(X), max_epochs)
    except (EstimatorError, Warning):
        raise  # a warning where the user has made errors of them
    except Exception:
        return  # data like no other: what is wrong with them, the fits will say
