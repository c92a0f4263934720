"""What can be known to fail is said before the first fit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sktune._errors import EstimatorError
from sktune.execution._names import check_names
from sktune.execution._nets import find_nets, is_net
from sktune.space import Space

# Rows that are enough to see which dtype the steps before a net make of X.
_N_PROBED = 100


def check_estimator(
    estimator: Any, dicts: Sequence[Mapping[str, Any]], X: Any, y: Any = None
) -> None:
    """Raise for what every fit would fail at; warn about what costs data silently.

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
        For a callback that waits for a validation loss which the net does not compute,
        and for a dtype that the first layer of a net refuses.
    """
    check_names(estimator, dicts)
    nets = find_nets(estimator)
    for prefix, net in nets.items():
        _check_monitors(net, prefix, dicts)
    if nets:
        _check_dtype(estimator, dicts, X, y)


# -- callbacks that watch a validation set -------------------------------------------


def _check_monitors(net: Any, prefix: str, dicts: Sequence[Mapping[str, Any]]) -> None:
    if any(f"{prefix}train_split" in d for d in dicts):
        return
    waiting = list(_waiting_for_validation(net, prefix, dicts))
    if not waiting:
        return
    callback, monitor = waiting[0]
    if net.train_split is None:
        raise EstimatorError(
            f"{callback} monitors {monitor!r}, which the net does not compute since "
            f"its train_split is None. Give the net a train_split (such as "
            f"skorch.dataset.ValidSplit(5)), or monitor 'train_loss'."
        )
    share = _held_out(net.train_split)
    warnings.warn(
        f"{callback} monitors {monitor!r}: the net's train_split holds out {share} of "
        "the training part of every split, and each net is trained on the rest only.",
        UserWarning,
        stacklevel=2,
    )


def _waiting_for_validation(
    net: Any, prefix: str, dicts: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Name and monitor of each callback that needs a validation set."""
    from skorch.callbacks import Checkpoint, EarlyStopping, EpochScoring

    lists = [net.callbacks]
    for d in dicts:
        lists += list(d.get(f"{prefix}callbacks", ()))
    for callbacks in lists:
        if not isinstance(callbacks, list | tuple):  # None, or "disable"
            continue
        made = [c[1] if isinstance(c, tuple) else c for c in callbacks]
        made = [c() if isinstance(c, type) else c for c in made]
        scores = {
            c.name
            for c in made
            if isinstance(c, EpochScoring)
            and not c.on_train
            and isinstance(c.name, str)
        }
        for callback in made:
            monitor = getattr(callback, "monitor", None)
            if not isinstance(callback, EarlyStopping | Checkpoint):
                continue
            if not isinstance(monitor, str):
                continue
            if monitor.removesuffix("_best") in {"valid_loss", "valid_acc"} | scores:
                yield type(callback).__name__, monitor


def _held_out(train_split: Any) -> str:
    cv = getattr(train_split, "cv", None)
    if isinstance(cv, int) and cv > 1:
        return f"{100 / cv:.0f} %"
    if isinstance(cv, float) and 0 < cv < 1:
        return f"{100 * cv:.0f} %"
    return "a part"


# -- the dtype that reaches the first layer --------------------------------------------


def _check_dtype(
    estimator: Any, dicts: Sequence[Mapping[str, Any]], X: Any, y: Any
) -> None:
    """Refuse X of a dtype that the first layer of the net would refuse in every fit.

    Nothing is trained and no memory is used for it: the module is made of torch's meta
    tensors. What cannot be found out that way is left to the fits.
    """
    try:
        space = Space(list(dicts))
        params = space.decode([0.5] * space.n_dims)
        estimator = clone(estimator).set_params(**clone(params, safe=False))
        net, X, where = _as_the_net_sees(estimator, X, y)
        refusal = None if net is None else _refusal(net, X)
    except Exception:
        return  # what is wrong here, if anything, the fits will say
    if refusal is not None:
        layer, wanted = refusal
        raise EstimatorError(
            f"{where} dtype {_dtype_name(X)}, but the net's first layer, {layer}, "
            f"takes {wanted}. Pass X.astype(np.{wanted})."
        )


def _as_the_net_sees(estimator: Any, X: Any, y: Any) -> tuple[Any, Any, str]:
    if is_net(estimator):
        return estimator, X, "X has"
    if not isinstance(estimator, Pipeline) or not is_net(estimator[-1]):
        return None, X, ""
    steps = [step for _, step in estimator.steps[:-1]]
    # Only scikit-learn's own transformers are known to be harmless to try on a few
    # rows; a user's may be slow or keep count.
    if any(
        not type(step).__module__.startswith("sklearn.")
        for step in steps
        if step not in (None, "passthrough")
    ):
        return None, X, ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = slice(_N_PROBED)
        X = estimator[:-1].fit_transform(X[rows], None if y is None else y[rows])
    return estimator[-1], X, "The steps before the net make X of"


def _refusal(net: Any, X: Any) -> tuple[str, str] | None:
    """First layer with weights and the dtype it wants, if it is not that of X."""
    import torch
    from torch import nn

    if not isinstance(X, np.ndarray | torch.Tensor) or not isinstance(net.module, type):
        return None
    with torch.device("meta"):
        module = net.module(**net.get_params_for("module")).eval()
    seen: list[tuple[str, Any, torch.dtype]] = []

    def look(name: str, layer: Any) -> Any:
        def hook(_: Any, args: Any) -> None:
            if args and isinstance(args[0], torch.Tensor):
                seen.append((name, layer, args[0].dtype))

        return hook

    for name, layer in module.named_modules():
        if next(layer.parameters(recurse=False), None) is not None and not any(
            layer.children()
        ):
            layer.register_forward_pre_hook(look(name, layer))
    rows = torch.as_tensor(X[:2])
    with torch.no_grad():
        try:
            module(torch.empty(rows.shape, dtype=rows.dtype, device="meta"))
        except Exception:
            if not seen:
                return None
    if not seen:
        return None
    name, layer, dtype = seen[0]
    called = f"{name} ({type(layer).__name__})" if name else type(layer).__name__
    if isinstance(layer, nn.Embedding | nn.EmbeddingBag):
        integers = (torch.int64, torch.int32)
        return None if dtype in integers else (called, "int64")
    weights = next(layer.parameters(recurse=False)).dtype
    return None if dtype == weights else (called, str(weights).removeprefix("torch."))


def _dtype_name(X: Any) -> str:
    return str(X.dtype).removeprefix("torch.")
