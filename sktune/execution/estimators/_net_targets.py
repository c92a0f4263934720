"""Targets that the loss of a net refuses, told before anything is trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from sktune._errors import EstimatorError
from sktune.execution.estimators._nets import is_plain
from sktune.execution.estimators._parameter_paths import UNKNOWN
from sktune.execution.estimators._reached_nets import ReachedNet

# Losses that take one class for each row, as a number from 0 on.
OF_CLASSES = ("CrossEntropyLoss", "MultiMarginLoss", "NLLLoss")
# Losses that take floating point only.
OF_FLOATS = ("BCELoss", "BCEWithLogitsLoss", "HuberLoss", "KLDivLoss")


def check_target(reached: ReachedNet) -> None:
    """Refuse y that skorch, or the loss, refuses in every fit."""
    net, y = reached.net, reached.y
    between = ("dataset", "iterator_train", "iterator_train__collate_fn")
    if y is UNKNOWN or y is None or reached.is_searched(*between):
        return
    if not is_plain(net, "check_data", "get_loss"):
        return
    _check_kind(reached, y)
    dtype = _dtype(y)
    if dtype is None or reached.is_searched("criterion", "criterion__ignore_index"):
        return
    _check_dtype(reached, dtype)
    if net_name(net) == "NeuralNetBinaryClassifier" and np.ndim(y) != 1:
        raise EstimatorError(
            f"y has shape {np.shape(y)}, and NeuralNetBinaryClassifier takes one "
            "number for each row. Pass y.ravel()."
        )


def net_name(net: Any) -> str:
    """Name of the class of skorch's that a net is, or is derived from."""
    return next(
        (c.__name__ for c in type(net).__mro__ if c.__module__.startswith("skorch.")),
        "",
    )


def loss_name(criterion: Any) -> str | None:
    """Name of a criterion that is one of torch's own; None of any other."""
    cls = criterion if isinstance(criterion, type) else type(criterion)
    return cls.__name__ if cls.__module__ == "torch.nn.modules.loss" else None


def _check_kind(reached: ReachedNet, y: Any) -> None:
    """Refuse words, data frames and lists."""
    if hasattr(y, "columns"):
        as_floats = (
            "" if loss_name(reached.net.criterion) in OF_CLASSES else "'float32'"
        )
        raise EstimatorError(
            "y is a DataFrame, of which skorch cannot make batches. Pass "
            f"y.to_numpy({as_floats and f'dtype={as_floats}'})"
            f"{'' if as_floats else '.ravel()'}."
        )
    first: Any = y[:1] if isinstance(y, list) else []
    if isinstance(y, np.ndarray) or hasattr(y, "iloc"):
        first = np.asarray(y[:1], dtype=object).ravel()
    if len(first) and isinstance(first[0], str):
        raise EstimatorError(
            f"y holds words, such as {str(first[0])!r}, and a net takes numbers. Pass "
            "sklearn.preprocessing.LabelEncoder().fit_transform(y)."
        )
    if isinstance(y, list) and net_name(reached.net) == "NeuralNetClassifier":
        raise EstimatorError(
            "y is a list, and NeuralNetClassifier takes an array. Pass np.asarray(y)."
        )


def _check_dtype(reached: ReachedNet, dtype: str) -> None:
    net = reached.net
    loss = loss_name(net.criterion)
    is_float = dtype.startswith(("float", "bfloat"))
    cure = None
    if loss in OF_CLASSES:
        takes = "classes as int64"
        # A loss of one class for each row takes shares of all classes, too, but not
        # from a classifier's y, which has one dimension.
        is_shares = np.ndim(reached.y) > 1 or net_name(net) != "NeuralNetClassifier"
        byte = {"uint8"} if loss != "MultiMarginLoss" else set()
        if dtype not in {"int64"} | byte and not (is_float and is_shares):
            cure = "int64"
    elif loss in OF_FLOATS and not is_float:
        takes, cure = "float32", "float32"
    if cure is None:
        return
    said = "y has" if reached.is_y_given else "What is before the net makes y of"
    raise EstimatorError(
        f"{said} dtype {dtype}, and the net's {loss} takes {takes}. Pass "
        f"{cast(reached.y, cure)}."
    )


def cast(y: Any, dtype: str, name: str = "y") -> str:
    """How data of this kind are given another dtype."""
    is_tensor = type(y).__module__.startswith("torch")
    return f"{name}.to(torch.{dtype})" if is_tensor else f"{name}.astype(np.{dtype})"


def _dtype(y: Any) -> str | None:
    """Name of the dtype that a batch of y will have; None where that is not sure."""
    dtype = getattr(y, "dtype", None)
    if dtype is None or (hasattr(y, "iloc") and not isinstance(dtype, np.dtype)):
        return None
    name = str(dtype).removeprefix("torch.")
    return name if name.rstrip("0123456789") in _NAMED else None


_NAMED = {"bool", "int", "uint", "float", "bfloat"}
