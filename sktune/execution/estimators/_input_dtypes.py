"""The dtype that reaches the first layer of a net, checked before anything is trained.

``mat1 and mat2 must have the same dtype`` is what a newcomer meets first: most data is
float64, and the weights of a net are float32.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sktune._errors import EstimatorError
from sktune.execution.estimators._nets import is_net
from sktune.space import Space

# Rows that are enough to see which dtype the steps before a net make of X.
_N_PROBED = 100

# Between X and the module: who overrides one of these may cast.
_METHODS_OF_SKORCH = (
    "evaluation_step",
    "fit",
    "fit_loop",
    "get_dataset",
    "get_iterator",
    "infer",
    "initialize_module",
    "initialized_instance",
    "partial_fit",
    "train_step",
    "train_step_single",
    "validation_step",
)


def check_dtype(
    estimator: Any, dicts: Sequence[Mapping[str, Any]], X: Any, y: Any
) -> None:
    """Refuse X of a dtype that the first layer of the net would refuse in every fit.

    Nothing is trained and no memory is used for it: the module is made of torch's meta
    tensors. What cannot be found out that way is left to the fits.
    """
    if _may_differ(estimator, dicts):
        return
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
        remedy = "" if is_net(estimator) else ", or let a step before the net cast"
        raise EstimatorError(
            f"{where} dtype {_dtype_name(X)}, but the net's first layer, {layer}, "
            f"takes {wanted}. Pass X.astype(np.{wanted}){remedy}."
        )


def _may_differ(estimator: Any, dicts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether candidates differ in what stands between X and the first layer."""
    parts = {"module", "dataset", "iterator_train", "iterator_train__collate_fn"}
    if isinstance(estimator, Pipeline):
        net_name = estimator.steps[-1][0]
        parts = {f"{net_name}__{part}" for part in parts}
        before = {name for name, _ in estimator.steps[:-1]}
        if any(name.partition("__")[0] in before for d in dicts for name in d):
            return True
        parts.add(net_name)
    return any(name in parts for d in dicts for name in d)


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
    if not _is_plain(net):
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


def _is_plain(net: Any) -> bool:
    """Whether nothing but skorch stands between X and the module."""
    from skorch.dataset import Dataset

    return (
        all(
            getattr(type(net), method).__module__.startswith("skorch.")
            for method in _METHODS_OF_SKORCH
        )
        and net.dataset is Dataset
        and not any("collate_fn" in name for name in net.get_params(deep=False))
        and not any("collate_fn" in name for name in vars(net))
    )


def _dtype_name(X: Any) -> str:
    return str(X.dtype).removeprefix("torch.")
