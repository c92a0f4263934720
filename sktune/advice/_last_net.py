"""The net that an estimator trains last, and the data that it is given there."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sklearn.base import clone

from sktune.execution.estimators._last_steps import (
    Recorder,
    last_of,
    name_of_last,
    set_last,
    was_fitted_once,
)
from sktune.execution.estimators._nets import is_net, silence


def net_of(estimator: Any) -> Any:
    """The caller's own net.

    Raises
    ------
    TypeError
        Where there is no net at the end.
    """
    return _end_of(estimator)[1]


def last_net(
    estimator: Any, X: Any, y: Any, fit_params: dict[str, Any]
) -> tuple[Any, Any, Any, dict[str, Any]]:
    """A silent clone of the net, and its X, y and arguments of `fit`.

    All that comes before the net is fitted, on clones. The caller's estimator stays as
    it is.

    Raises
    ------
    TypeError
        Where there is no net at the end.
    """
    path, last = _end_of(estimator)
    if not path:
        return silence(clone(last)), X, y, fit_params
    estimator = clone(estimator)
    last = last_of(estimator, path)
    recorder = Recorder(last)
    set_last(estimator, path, recorder)
    with suppress(NotImplementedError):  # some try out what they have fitted
        estimator.fit(X, y, **fit_params)
    recorder = last_of(estimator, path, fitted=True)
    if not was_fitted_once(recorder):
        raise TypeError(
            f"{type(estimator).__name__} does not fit its last step once, on what the "
            "steps before have made: give the net itself, and its data."
        )
    return silence(last), *recorder.arguments_


def _end_of(estimator: Any) -> tuple[list[str], Any]:
    """The net, and the path to it."""
    path: list[str] = []
    last = estimator
    while (name := name_of_last(last)) is not None:
        path.append(name)
        last = last_of(last, [name])
    if is_net(last):
        return path, last
    if isinstance(last, type):
        got = f"the class {last.__name__}, of which an instance is needed"
    else:
        got = type(last).__name__
    raise TypeError(
        f"A net of skorch is needed, by itself or as the last step of a pipeline; "
        f"got {got}."
    )
