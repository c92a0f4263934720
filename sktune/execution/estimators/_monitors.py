"""What callbacks of a net watch, and whether anything computes it.

EarlyStopping watches the loss on rows that the net's own `train_split` holds out. Where
it holds out none, every fit would fail after its first epoch.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from sktune._errors import EstimatorError, did_you_mean
from sktune._warnings import warn
from sktune.execution.estimators._callback_values import (
    NetCallback,
    callbacks_of,
)
from sktune.execution.estimators._nets import are_of_skorch

# Who overrides one of these may hold rows out, or record numbers, in another manner.
_METHODS_OF_SKORCH = ("fit_loop", "get_split_datasets", "notify", "run_single_epoch")

# What skorch records at each epoch without being told to.
_RECORDED = {"dur", "epoch", "train_loss", "train_batch_count"}
_RECORDED_IF_VALIDATED = {"valid_loss", "valid_batch_count"}


def check_monitors(net: Any, prefix: str, dicts: Sequence[Mapping[str, Any]]) -> None:
    """Refuse callbacks that watch what nobody computes; say what others cost.

    Parameters
    ----------
    net : NeuralNet
    prefix : str
        Prefix of its parameters in the estimator.
    dicts : sequence of dict
        The dicts that are searched.
    """
    try:
        callbacks = callbacks_of(net)
    except Exception:
        return  # what is wrong with them, the fits will say
    watching = {c: m for c in callbacks if (m := _monitor(c)) is not None}
    is_searched = any(_may_change(name, prefix) for d in dicts for name in d)
    if not watching or is_searched or not _is_plain(net, callbacks):
        return
    recorded = _recorded(callbacks)
    if recorded is None:
        return
    always, if_validated = recorded
    for callback, monitor in watching.items():
        kind = callback.type.__name__
        if not net.train_split and monitor in if_validated:
            raise EstimatorError(
                f"{kind} monitors {monitor!r}, which the net does not compute since "
                f"its train_split is None. Give the net a train_split (such as "
                f"skorch.dataset.ValidSplit(5)), or monitor 'train_loss'."
            )
        if monitor not in always | if_validated:
            names = sorted(always | (if_validated if net.train_split else set()))
            raise EstimatorError(
                f"{kind} monitors {monitor!r}, which no callback of the net computes."
                f"{did_you_mean(monitor, names)} There are: {names}."
            )
    waiting = [(c, m) for c, m in watching.items() if m in if_validated]
    if waiting and (share := _share_by_default(net)):
        callback, monitor = waiting[0]
        warn(
            f"{callback.type.__name__} monitors {monitor!r}: the train_split that "
            f"{type(net).__name__} has by default holds out {share} of the training "
            "part of every split, and of all rows in the refit; each net is trained "
            "on the rest only. If that is meant, pass train_split=skorch.dataset."
            "ValidSplit(5, stratified=...) to the net, and this is not said again."
        )


def _may_change(name: str, prefix: str) -> bool:
    """Whether a searched parameter may decide what is watched, or computed."""
    if prefix.startswith(f"{name}__"):
        return True  # the net itself, or what holds it
    if not name.startswith(prefix):
        return False
    name = name.removeprefix(prefix)
    is_callback = name.startswith("callbacks") and name.count("__") < 2
    ends = ("__monitor", "__name", "__on_train", "__policy", "__step_every")
    return name == "train_split" or is_callback or name.endswith(ends)


def _monitor(callback: NetCallback) -> str | None:
    """Name of the number that a callback watches; None where it does not."""
    from skorch.callbacks import Checkpoint, EarlyStopping, LRScheduler
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    if issubclass(callback.type, LRScheduler):
        is_plateau = callback.get("policy") in ("ReduceLROnPlateau", ReduceLROnPlateau)
        if not is_plateau or callback.get("step_every") != "epoch":
            return None
    elif not issubclass(callback.type, Checkpoint | EarlyStopping):
        return None
    monitor = callback.get("monitor")
    return monitor if isinstance(monitor, str) else None


def _is_plain(net: Any, callbacks: list[NetCallback]) -> bool:
    """Whether it is skorch alone that holds rows out and records numbers.

    The user's callbacks may record anything, but for those that only look on.
    """
    return are_of_skorch(type(net), _METHODS_OF_SKORCH) and not any(
        _may_record(callback.type)
        for callback in callbacks
        if not callback.is_of_skorch
    )


def _may_record(cls: Any) -> bool:
    """Whether a class has methods of the user's that skorch calls at each epoch."""
    methods = ("on_batch_end", "on_epoch_end", "on_epoch_begin", "on_train_begin")
    return not are_of_skorch(cls, methods)


def _recorded(callbacks: list[NetCallback]) -> tuple[set[str], set[str]] | None:
    """Numbers of each epoch: those always there, and those of held-out rows only.

    None where they cannot all be told.
    """
    from skorch.callbacks import EpochScoring, PassthroughScoring

    always, if_validated = set(_RECORDED), set(_RECORDED_IF_VALIDATED)
    for callback in callbacks:
        # A scoring has the name of its metric where it is given none.
        name = callback.get("name") or callback.get("scoring")
        if event := callback.get("event_name"):
            always.add(str(event))
        if not issubclass(callback.type, EpochScoring | PassthroughScoring):
            continue
        if not isinstance(name, str):
            return None
        found = always if callback.get("on_train", False) else if_validated
        found |= {name, f"{name}_best"}
    return always, if_validated - always


def _share_by_default(net: Any) -> str | None:
    """The share that a net holds out since nobody told it not to.

    None for a split that was written on purpose: what it holds out, if anything, is
    what its writer wants. A default of skorch's is told by its identity.
    """
    defaults = [
        inspect.signature(vars(cls)["__init__"]).parameters.get("train_split")
        for cls in type(net).__mro__
        if cls.__module__.startswith("skorch.") and "__init__" in vars(cls)
    ]
    if not any(d is not None and d.default is net.train_split for d in defaults):
        return None
    cv = getattr(net.train_split, "cv", None)
    return f"{100 / cv:.0f} %" if isinstance(cv, int) and cv > 1 else None
