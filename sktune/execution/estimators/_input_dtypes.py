"""The dtype that reaches the first layer of a net, checked before anything is trained.

``mat1 and mat2 must have the same dtype`` is what a newcomer meets first: most data is
float64, and the weights of a net are float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone

from sktune._errors import EstimatorError
from sktune.execution.estimators._parameter_paths import UNKNOWN
from sktune.execution.estimators._reached_nets import ReachedNet
from sktune.space import Space

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
    reached: ReachedNet, dicts: Sequence[Mapping[str, Any]], given: Any
) -> None:
    """Refuse X of a dtype that the first layer of the net would refuse in every fit.

    Nothing is trained and no memory is used for it: the module is made of torch's meta
    tensors. What cannot be found out that way is left to the fits.

    Parameters
    ----------
    reached : ReachedNet
    dicts : sequence of dict
        The dicts that are searched.
    given : data
        X as it was handed to `fit`.
    """
    between = ("module", "dataset", "iterator_train", "iterator_train__collate_fn")
    X, prefix = reached.X, reached.prefix
    if reached.is_searched(*between) or X is UNKNOWN:
        return
    try:
        space = Space(list(dicts))
        params = space.decode([0.5] * space.n_dims)
        own = {k[len(prefix) :]: v for k, v in params.items() if k.startswith(prefix)}
        net = clone(reached.net).set_params(**clone(own, safe=False))
        refusal = _refusal(net, X[:2].toarray() if issparse(X) else X)
    except Exception:
        return  # what is wrong here, if anything, the fits will say
    if refusal is None:
        return
    layer, wanted = refusal
    where = "X has" if reached.is_X_given else "The steps before the net make X of"
    raise EstimatorError(
        f"{where} dtype {_dtype_name(X)}, but the net's first layer, {layer}, "
        f"takes {wanted}. {cast_of_X(given, wanted, is_whole=reached.is_X_given)}"
    )


def cast_of_X(given: Any, wanted: str, *, is_whole: bool) -> str:
    """What to do about X of a wrong dtype.

    Parameters
    ----------
    given : data
        X as it was handed to `fit`.
    wanted : str
        A dtype.
    is_whole : bool
        Whether it is X as it was given that reaches the net.
    """
    before = f"FunctionTransformer(np.{wanted}) as the last step before the net"
    if hasattr(given, "columns") and any(
        getattr(dtype, "kind", "O") not in "biuf" for dtype in given.dtypes
    ):
        return f"Put {before}."
    if type(given).__module__.startswith("torch"):
        cast = f"X.to(torch.{wanted})"
    else:
        cast = f"X.astype(np.{wanted})"
    return f"Pass {cast}." if is_whole else f"Pass {cast}, or put {before}."


def _refusal(net: Any, X: Any) -> tuple[str, str] | None:
    """First layer with weights and the dtype it wants, if it is not that of X."""
    import torch
    from torch import nn

    if not isinstance(X, np.ndarray | torch.Tensor) or not isinstance(net.module, type):
        return None
    if not is_plain(net):
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


def is_plain(net: Any, *methods: str) -> bool:
    """Whether nothing but skorch stands between X and the module.

    Nor between y and the loss, if that is asked for by the names of further methods.
    """
    from skorch.dataset import Dataset

    return (
        all(
            getattr(
                getattr(type(net), method, None), "__module__", "skorch."
            ).startswith("skorch.")
            for method in (*_METHODS_OF_SKORCH, *methods)
        )
        and net.dataset is Dataset
        and not any("collate_fn" in name for name in net.get_params(deep=False))
        and not any("collate_fn" in name for name in vars(net))
    )


def _dtype_name(X: Any) -> str:
    return str(X.dtype).removeprefix("torch.")
