"""X that a net cannot be trained on as it is, told before anything is trained.

Each message names the cure for what the user has.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sktune._errors import EstimatorError
from sktune.execution.estimators._nets import find_nets, is_plain
from sktune.execution.estimators._parameter_paths import UNKNOWN
from sktune.execution.estimators._reached_nets import ReachedNet

# Rows that are looked at.
_N_PROBED = 100

_ENCODE = (
    "Let a step before the net encode them: make_pipeline(make_column_transformer("
    "(OneHotEncoder(dtype='float32', sparse_output=False), {columns}), "
    "remainder='passthrough'), FunctionTransformer(np.float32), net)."
)


def check_sliceable(estimator: Any, X: Any, y: Any) -> None:
    """Refuse a dict, or a list of inputs, of which no split could be cut.

    Raises
    ------
    EstimatorError
        Naming what skorch has for that.
    """
    if not find_nets(estimator):
        return
    from skorch.helper import SliceDict

    if isinstance(X, Mapping) and not isinstance(X, SliceDict):
        if all(isinstance(key, int) for key in X):
            return  # which can be indexed by rows
        raise EstimatorError(
            f"X is a {type(X).__name__} of {list(X)[:5]}, which cannot be split into "
            "rows. Pass X=skorch.helper.SliceDict(**X), with arrays as its values."
        )
    n = _length(y)
    is_short = isinstance(X, list | tuple) and X and n is not None and len(X) != n
    if is_short and all(hasattr(part, "shape") and _length(part) == n for part in X):
        raise EstimatorError(
            f"X is a {type(X).__name__} of {len(X)} inputs of the net, which cannot be "
            "split into rows. Pass X=skorch.helper.SliceDict(...), with the names of "
            "the arguments of the module's forward."
        )


def check_data(reached: ReachedNet) -> None:
    """Refuse X that fails in skorch before it comes to the module."""
    net, X = reached.net, reached.X
    between = ("dataset", "iterator_train", "iterator_train__collate_fn", "module")
    if X is UNKNOWN or reached.is_searched(*between) or not is_plain(net):
        return
    if hasattr(X, "iloc"):
        _check_frame(reached, X)
    elif isinstance(X, np.ndarray):
        _check_array(X)
    elif isinstance(X, list) and X:
        _check_list(X)
    else:
        _check_dataset(X)


def _check_frame(reached: ReachedNet, X: Any) -> None:
    if not hasattr(X, "columns"):
        raise EstimatorError(
            "X is a Series, which skorch cannot cut into batches. Pass "
            "X.to_numpy(dtype='float32').reshape(-1, 1), or, if it holds text, "
            "what a step before the net makes of it, such as "
            "CountVectorizer(dtype='float32')."
        )
    kinds = [_kind(X.iloc[:_N_PROBED, j]) for j in range(X.shape[1])]
    named = list(zip(X.columns.tolist(), kinds, strict=True))
    words = [name for name, kind in named if kind == "words"]
    dates = [name for name, kind in named if kind == "dates"]
    if words:
        raise EstimatorError(
            f"X is a DataFrame whose columns {words[:5]} hold words, and a net takes "
            "numbers. " + _ENCODE.format(columns=words[:5])
        )
    if dates:
        raise EstimatorError(
            f"X is a DataFrame whose columns {dates[:5]} hold {X[dates[0]].dtype}, "
            "and a net takes numbers. Make numbers of them first, such as the days "
            "since a date."
        )
    why = "which skorch hands to the module column by column"
    if all(kind == "numbers" for kind in kinds):
        refused = _refused_argument(reached.net.module, list(X.columns))
        if refused is None:
            return
        why = f"{why}, and its forward takes no {refused!r}"
    else:
        why = "with columns that are no arrays of numbers, which skorch cannot batch"
    cure = "X.to_numpy(dtype='float32')"
    if reached.is_X_given:
        raise EstimatorError(f"X is a DataFrame, {why}. Pass {cure}.")
    raise EstimatorError(
        f"The steps before the net make X a DataFrame, {why}. Let them make arrays: "
        "call set_output(transform='default') on them, or put "
        "FunctionTransformer(np.float32) before the net."
    )


def _kind(column: Any) -> str:
    """``"numbers"`` only for those of numpy, which alone skorch makes batches of."""
    dtype = column.dtype
    kind = getattr(dtype, "kind", "O")
    if kind in "biuf":
        return "numbers" if isinstance(dtype, np.dtype) else "numbers of pandas"
    if kind in "mM":
        return "dates"
    try:
        column.to_numpy(dtype="float32")
    except (TypeError, ValueError):
        return "words"
    return "objects"


def _refused_argument(module: Any, columns: Sequence[Any]) -> Any:
    """A column that the module's `forward` takes no argument of; None if it may."""
    if not all(isinstance(name, str) for name in columns):
        return next(name for name in columns if not isinstance(name, str))
    forward = getattr(module, "forward", None)
    if forward is None:  # a function that makes the module
        return None
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    taken = {p.name for p in parameters}
    return next((name for name in columns if name not in taken), None)


def _check_array(X: Any) -> None:
    first = X.flat[0] if X.size else None
    if X.dtype.kind not in "OUS" or (X.ndim == 1 and not isinstance(first, str)):
        return
    try:
        X[:2].astype(np.float32)
    except (TypeError, ValueError):
        where = f"X has dtype {X.dtype} and holds words, and a net takes numbers. "
        if X.ndim == 1:
            raise EstimatorError(
                where + "Let a step before the net make numbers of the text, such as "
                "CountVectorizer(dtype='float32')."
            ) from None
        words = [j for j in range(X.shape[1]) if isinstance(X[0, j], str)]
        raise EstimatorError(where + _ENCODE.format(columns=words[:5])) from None
    raise EstimatorError(
        f"X has dtype {X.dtype}, of which skorch cannot make batches. Pass "
        "X.astype(np.float32)."
    )


def _check_list(X: list[Any]) -> None:
    why = "X is a list, which skorch takes for a list of inputs and not of rows."
    try:
        np.asarray(X[:_N_PROBED], dtype=np.float32)
    except (TypeError, ValueError):
        lengths = {_length(row) for row in X[:_N_PROBED]}
        if len(lengths) > 1 and None not in lengths:
            raise EstimatorError(
                f"{why} Its rows have different lengths: pad them, such as by torch."
                "nn.utils.rnn.pad_sequence([torch.as_tensor(x) for x in X], "
                "batch_first=True)."
            ) from None
        raise EstimatorError(f"{why} Pass an array of numbers.") from None
    raise EstimatorError(f"{why} Pass np.asarray(X, dtype=np.float32).")


def _check_dataset(X: Any) -> None:
    """Refuse a torch Dataset, of which a split is cut as a list of its items."""
    from torch.utils.data import Dataset

    if isinstance(X, Dataset) and not hasattr(X, "shape"):
        raise EstimatorError(
            f"X is a {type(X).__name__}, which cannot be split into rows that are a "
            "dataset again. Pass X=skorch.helper.SliceDataset(ds, idx=0) and "
            "y=np.asarray(SliceDataset(ds, idx=1))."
        )


def _length(rows: Any) -> int | None:
    try:
        return len(rows)
    except TypeError:
        return None
