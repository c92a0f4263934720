"""Checks of an estimator: what every fit would fail at is said before the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sklearn.base import is_classifier

from sktune._errors import EstimatorError, EstimatorTypeError
from sktune._warnings import warn
from sktune.execution.estimators._nets import find_nets
from sktune.execution.estimators._parameter_names import check_names


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
    estimator: Any, dicts: Sequence[Mapping[str, Any]], X: Any, y: Any = None
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

    Raises
    ------
    ParamNameError
        For a parameter that the estimator does not have.
    EstimatorError
        For a callback that waits for a validation loss which the net does not compute.
    """
    check_names(estimator, dicts)
    nets = find_nets(estimator)
    for prefix, net in nets.items():
        _check_monitors(net, prefix, dicts)


def _check_monitors(net: Any, prefix: str, dicts: Sequence[Mapping[str, Any]]) -> None:
    if any(_may_change_monitors(name, prefix) for d in dicts for name in d):
        return  # then some candidates may be right
    found = next(_monitors_of_validation(net), None)
    if found is None:
        return
    callback, monitor = found
    if net.train_split is None:
        raise EstimatorError(
            f"{callback} monitors {monitor!r}, which the net does not compute since "
            f"its train_split is None. Give the net a train_split (such as "
            f"skorch.dataset.ValidSplit(5)), or monitor 'train_loss'."
        )
    share = _held_out(net.train_split)
    warn(
        f"{callback} monitors {monitor!r}: the net's train_split holds out {share} of "
        "the training part of every split, and each net is trained on the rest only."
    )


def _may_change_monitors(name: str, prefix: str) -> bool:
    """Whether a searched parameter may decide what is monitored, or computed."""
    if not name.startswith(prefix):
        return False
    name = name.removeprefix(prefix)
    is_callback = name.startswith("callbacks") and name.count("__") < 2
    return name == "train_split" or is_callback or name.endswith("__monitor")


def _monitors_of_validation(net: Any) -> Iterator[tuple[str, str]]:
    """Name and monitor of each callback that needs a validation set."""
    from skorch.callbacks import Checkpoint, EarlyStopping, EpochScoring

    if not isinstance(net.callbacks, list | tuple):  # None, or "disable"
        return
    made = [c[1] if isinstance(c, tuple) else c for c in net.callbacks]
    made = [c() if isinstance(c, type) else c for c in made]
    needs_validation = {"valid_loss": True, "valid_acc": True}
    for scoring in (c for c in made if isinstance(c, EpochScoring)):
        if isinstance(scoring.name, str):
            needs_validation[scoring.name] = not scoring.on_train
    for callback in (c for c in made if isinstance(c, EarlyStopping | Checkpoint)):
        monitor = callback.monitor
        if isinstance(monitor, str) and needs_validation.get(
            monitor.removesuffix("_best")
        ):
            yield type(callback).__name__, monitor


def _held_out(train_split: Any) -> str:
    cv = getattr(train_split, "cv", None)
    if isinstance(cv, int) and cv > 1:
        return f"{100 / cv:.0f} %"
    if isinstance(cv, float) and 0 < cv < 1:
        return f"{100 * cv:.0f} %"
    return "a part"
