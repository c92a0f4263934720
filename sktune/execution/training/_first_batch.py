"""The first batch of a fit: what can be wrong with it is said then, and plainly.

torch broadcasts y of shape (n,) and an output of shape (n, 1) to (n, n) and trains a
wrong model, which no search may choose. And what a loss says of a dtype does not say
what to do. A net's output is not known before it is trained, so one looks on when the
loss is called for the first time.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sktune._errors import EstimatorError, InputError
from sktune.execution.estimators._net_targets import OF_CLASSES, cast
from sktune.execution.estimators._nets import find_nets, is_net
from sktune.execution.estimators._parameter_paths import last_step

# Losses that compare an output with a target, number by number.
_BY_NUMBER = {
    "BCELoss",
    "BCEWithLogitsLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
}

# Parts of a net that decide what it computes, as long as they are the same for all.
_DECISIVE = ("module", "criterion", "dataset", "iterator_train")

_watch: ContextVar[_Watch | None] = ContextVar("watch", default=None)
_lock = threading.Lock()
_n_watching = 0


# What torch says of dtypes and shapes that a loss does not take.
_REFUSED = re.compile(
    "dtype|scalar type|result type|bool tensor|Integral inputs|multi-target|1-D with"
)


@dataclass(frozen=True)
class _Call:
    """How a loss was called."""

    loss: str
    output: tuple[int, ...]
    target: tuple[int, ...]
    output_dtype: str
    target_dtype: str


class _Watch:
    """What is seen of one fit.

    Parameters
    ----------
    estimator : estimator
    y : data
        What it is fitted with.
    n_nets : int
        So many losses are looked at, one for each net.
    """

    def __init__(self, estimator: Any, y: Any, n_nets: int) -> None:
        self.y = y
        self.n_left = n_nets
        self.refused: str | None = None
        # Whether y reaches the net as it is.
        self._is_last = is_net(last_step(estimator))
        self._call: _Call | None = None

    def look(self, loss: Any, output: Any, target: Any) -> None:
        """Called before a loss is computed; raises where it would be broadcast."""
        kind = type(loss)
        if kind.__module__ != "torch.nn.modules.loss":
            return  # the user's
        dtypes = (str(t.dtype).removeprefix("torch.") for t in (output, target))
        shapes = tuple(output.shape), tuple(target.shape)
        self._call = _Call(kind.__name__, *shapes, *dtypes)
        if kind.__name__ in _BY_NUMBER and _is_broadcast(*shapes):
            self.refused = self._broadcast(kind.__name__, *shapes)
            raise EstimatorError(self.refused)
        if shapes[1][:1] != (1,):  # of one row nothing can be seen
            self.n_left -= 1

    def _broadcast(self, loss: str, output: Any, target: Any) -> str:
        is_flat = len(target) == 1
        in_module = ".squeeze(-1)" if is_flat else ".unsqueeze(-1)"
        cure = f"end the module's forward with {in_module}"
        if self._is_last:
            of_y = _as_column(self.y) if is_flat else "y.ravel()"
            cure = f"pass {of_y}, or {cure}"
        n = output[0]
        return (
            f"The net's output has shape {output} and y has {target}: {loss} takes "
            f"each output with each target, ({n}, {n}), which trains a wrong model. To "
            f"have the shapes agree, {cure}."
        )

    def explain(self, error: str) -> str | None:
        """What to do about an error of the first batch; None where that is not sure."""
        call = self._call
        if call is None:  # of X; see `refused_input`
            return None
        if "out of bounds" in error and call.loss in OF_CLASSES:
            return (
                f"{error} The net's output has {call.output[-1]} columns, and classes "
                "are counted from 0. Pass sklearn.preprocessing.LabelEncoder()."
                "fit_transform(y), or give the module as many outputs as there are "
                "classes."
            )
        if _REFUSED.search(error) is None:
            return None
        wrong, wanted = f"dtype {call.target_dtype}", f"dtype {call.output_dtype}"
        cure = cast(self.y, call.output_dtype)
        if call.loss in OF_CLASSES and call.target[1:] == (1,):
            wrong, wanted = f"shape {call.target}", "one class for each row"
            cure = "y.ravel()"
        elif call.loss in OF_CLASSES and len(call.target) == 1:
            wanted, cure = "classes as int64", cast(self.y, "int64")
        elif call.loss not in _BY_NUMBER or call.output_dtype == call.target_dtype:
            return None
        return f"y has {wrong}, and the net's {call.loss} takes {wanted}. Pass {cure}."


@contextmanager
def first_batch_watched(
    estimator: Any, params: Mapping[str, Any], y: Any
) -> Iterator[None]:
    """Look at the first batch of the nets that are trained here in the context.

    Raises
    ------
    EstimatorError
        Where the shapes of an output and of y do not agree, or the loss does not take
        y; `InputError` where this is so for all candidates.
    """
    nets = find_nets(estimator)
    if not nets or any(getattr(net, "compile", False) for net in nets.values()):
        yield
        return
    watch = _Watch(estimator, y, len(nets))
    token = _watch.set(watch)
    try:
        with _losses_watched():
            yield
    except (EstimatorError, IndexError, RuntimeError, TypeError) as error:
        told = watch.refused or watch.explain(str(error))
        if told is None or isinstance(error, InputError):
            raise
        is_same = _is_same_for_all(nets, params) and not isinstance(error, IndexError)
        raise (InputError if is_same else EstimatorError)(told) from error
    finally:
        _watch.reset(token)


@contextmanager
def _losses_watched() -> Iterator[None]:
    """Let torch's losses tell the watch of their fit that they are called.

    The only place where something is put on torch's classes, and taken off again.
    """
    global _n_watching
    loss: Any = sys.modules["torch"].nn.modules.loss._Loss
    with _lock:
        if _n_watching == 0:
            loss.__call__ = _watched_call(loss.__call__)
        _n_watching += 1
    try:
        yield
    finally:
        with _lock:
            _n_watching -= 1
            if _n_watching == 0:
                del loss.__call__


def _watched_call(call: Any) -> Any:
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not sys.modules["torch"].compiler.is_compiling():
            watch_loss(self, *args)
        return call(self, *args, **kwargs)

    return __call__


def watch_loss(loss: Any, *args: Any) -> None:
    """Let the watch of the fit that runs here see how its loss is called."""
    watch = _watch.get()
    if watch is not None and watch.n_left > 0 and _are_tensors(args):
        watch.look(loss, *args)


def _are_tensors(args: Any) -> bool:
    tensor = sys.modules["torch"].Tensor
    return len(args) == 2 and all(isinstance(arg, tensor) for arg in args)


def _is_broadcast(output: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether one is a column of n numbers and the other has n in one dimension."""
    flat, column = sorted((output, target), key=len)
    return len(flat) == 1 and column == (flat[0], 1) and flat[0] > 1


def _as_column(y: Any) -> str:
    if hasattr(y, "iloc"):
        return "y.to_numpy().reshape(-1, 1)"
    return "np.reshape(y, (-1, 1))" if isinstance(y, list) else "y.reshape(-1, 1)"


def _is_same_for_all(nets: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Whether no candidate has another module or loss, or other data before them."""

    def is_harmless(name: str) -> bool:
        own = [name[len(p) :] for p in nets if name.startswith(p) and name != p]
        return bool(own) and not any(
            rest in _DECISIVE or rest.endswith("collate_fn") for rest in own
        )

    return all(is_harmless(name) for name in params)
