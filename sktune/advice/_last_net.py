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
    estimator = clone(estimator)
    path, last = [], estimator
    while (name := name_of_last(last)) is not None:
        path.append(name)
        last = last_of(last, [name])
    if not is_net(last):
        raise TypeError(
            f"A net of skorch is needed, by itself or as the last step of a pipeline; "
            f"got {type(last).__name__}."
        )
    if not path:
        return silence(last), X, y, fit_params
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
