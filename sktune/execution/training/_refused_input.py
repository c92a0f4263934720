"""X of a dtype that a layer refuses, named where a fit has failed of it.

``mat1 and mat2 must have the same dtype`` is what a newcomer meets first: most data is
float64, and the weights of a net are float32.

Which layer comes first, and of what dtype its weights are, is known once the module has
been built and called. Both run the user's code, which may load weights, write files or
count. So it is not done for the sake of a check: the first fit does it anyway, fails in
its first batch, and what the frames of its error hold says why.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np

from sktune._errors import EstimatorError, InputError
from sktune.execution.estimators._net_targets import cast
from sktune.execution.estimators._nets import find_nets, is_net

# Parts of a net that stand between X and the first layer.
_BETWEEN = {"module", "dataset", "iterator_train", "iterator_train__collate_fn"}
# What is left of an error that a search inside the estimator has caught.
_IN_WORDS = re.compile(r"mat1 and mat2 must have the same dtype, but got Double and F")


def refused_input(
    error: Exception, estimator: Any, X: Any, is_alike: bool
) -> EstimatorError | None:
    """What to say where a layer has refused the dtype of X; None for other errors.

    Parameters
    ----------
    error : Exception
        What the training raised.
    estimator : estimator
        That was trained.
    X : data
        On which it was.
    is_alike : bool
        Whether all candidates would refuse it: then it is an `InputError`.
    """
    if isinstance(error, InputError):  # of its first batch, or of a search in it
        return error
    if "torch" not in sys.modules:
        return None
    try:
        found = _refusal(error) or _refusal_in_words(error, X)
    except Exception:  # whatever the frames of strangers may hold
        return None
    if found is None:
        return None
    layer, wanted, dtype = found
    is_given = _dtype_of(X) == dtype and not _has_steps(estimator)
    where = "X has" if is_given else "The steps before the net make X of"
    refusal = (InputError if is_alike else EstimatorError)(
        f"{where} dtype {dtype}, but the net's first layer{layer} takes {wanted}. "
        f"{_remedy(X, wanted, is_given)}"
    )
    refusal.__cause__ = error
    return refusal.with_traceback(error.__traceback__)


def refuse_alike(estimator: Any, dicts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether what one candidate refuses of X, all candidates do.

    Not where what is searched may stand between X and the first layer, or change the
    dtype of that, as numbers do not: these are widths and rates.
    """
    nets = tuple(find_nets(estimator))
    return all(
        any(name.startswith(prefix) for prefix in nets)
        and _is_harmless(_own_name(name, nets), values)
        for one in dicts
        for name, values in one.items()
    )


def _own_name(name: str, prefixes: Sequence[str]) -> str:
    prefix = max((p for p in prefixes if name.startswith(p)), key=len)
    return name.removeprefix(prefix)


def _is_harmless(name: str, values: Any) -> bool:
    if name in _BETWEEN:
        return False
    if not name.startswith("module__"):
        return True
    if isinstance(values, list | tuple | np.ndarray):
        return all(isinstance(v, Number) and not isinstance(v, bool) for v in values)
    return hasattr(values, "rvs")


def _refusal(error: BaseException) -> tuple[str, str, str] | None:
    """The layer, what it takes, and what it was given, where that came from X."""
    import torch

    nets: list[tuple[Any, Any]] = []
    layers: list[tuple[Any, Any]] = []
    for one, given in _calls(error):
        if is_net(one):
            nets.append((one, given))
        elif (
            isinstance(one, torch.nn.Module)
            and isinstance(given, torch.Tensor)
            and next(one.parameters(recurse=False), None) is not None
        ):
            layers.append((one, given))
    if not nets or not layers:
        return None
    (net, X), (layer, given) = nets[0], layers[-1]
    dtype = str(given.dtype).removeprefix("torch.")
    wanted = str(next(layer.parameters(recurse=False)).dtype).removeprefix("torch.")
    if isinstance(layer, torch.nn.Embedding | torch.nn.EmbeddingBag):
        wanted = "int64"
    fits = dtype == wanted or (wanted == "int64" and dtype == "int32")
    if fits or dtype != _dtype_of(X):
        return None
    return f", {_name(net, layer)},", wanted, dtype


def _refusal_in_words(error: Exception, X: Any) -> tuple[str, str, str] | None:
    if _dtype_of(X) == "float64" and _IN_WORDS.search(str(error)):
        return "", "float32", "float64"
    return None


def _calls(error: BaseException) -> Iterator[tuple[Any, Any]]:
    """Objects whose methods an error has come through, and what these were given."""
    # Not of the frame that caught it: what is read of a frame's variables stays in the
    # frame, and one of these is the error, which holds the frame.
    caught = error.__traceback__
    traceback = None if caught is None else caught.tb_next
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_argcount > 1 and code.co_varnames[0] == "self":
            names = traceback.tb_frame.f_locals
            yield names.get("self"), names.get(code.co_varnames[1])
        traceback = traceback.tb_next


def _name(net: Any, layer: Any) -> str:
    kind = type(layer).__name__
    for part in net._modules:
        root: Any = getattr(net, part + "_", None)
        named = root.named_modules() if hasattr(root, "named_modules") else ()
        for name, module in named:
            if module is layer and name:
                return f"{name} ({kind})"
    return kind


def _dtype_of(X: Any) -> str:
    return str(getattr(X, "dtype", "")).removeprefix("torch.")


def _has_steps(estimator: Any) -> bool:
    """Whether something before a net makes another X, as a pipeline does."""
    parts = [estimator]
    if hasattr(estimator, "get_params"):
        parts += estimator.get_params(deep=True).values()
    return any(len(getattr(part, "steps", ())) > 1 for part in parts)


def _remedy(X: Any, wanted: str, is_given: bool) -> str:
    step = f"FunctionTransformer(np.{wanted}) as the last step before the net"
    dtypes = X.dtypes if hasattr(X, "columns") else ()
    if any(getattr(dtype, "kind", "O") not in "biuf" for dtype in dtypes):
        return f"Put {step}."
    cure = cast(X, wanted, "X")
    return f"Pass {cure}." if is_given else f"Pass {cure}, or put {step}."
