"""Nets inside estimators: a skorch net may stand alone, in a pipeline or deeper."""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import Any

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


def is_net(estimator: Any) -> bool:
    """Whether this is a skorch net."""
    skorch = sys.modules.get("skorch")
    # Where skorch was not imported, nobody can have made a net.
    return skorch is not None and isinstance(estimator, skorch.NeuralNet)


def find_nets(estimator: Any) -> dict[str, Any]:
    """Skorch nets in an estimator, by the prefix of their parameters.

    ``{"": net}`` for a net alone, ``{"clf__": net}`` for one in a pipeline.
    """
    if is_net(estimator):
        return {"": estimator}
    if "skorch" not in sys.modules or not hasattr(estimator, "get_params"):
        return {}
    if isinstance(estimator, type):  # a value that is searched may be a class
        return {}
    return {
        f"{name}__": value
        for name, value in estimator.get_params(deep=True).items()
        if is_net(value)
    }


def is_by_the_book(net: Any, *methods: str) -> bool:
    """Whether these methods are skorch's own, so that one can tell what they do."""
    methods = (*methods, "get_params_for", "_get_params_for", "set_params")
    return all(
        getattr(type(net), method).__module__.startswith("skorch.")
        for method in methods
    )


def silence(estimator: Any) -> Any:
    """Turn off the table that each net prints: fits of a search would interleave."""
    for prefix in find_nets(estimator):
        estimator.set_params(**{f"{prefix}verbose": 0})
    return estimator


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


def bring(net: Any) -> None:
    """Bring a net that was trained, or is being trained, to the device it names."""
    if not getattr(net, "initialized_", False):
        return
    import torch

    for name in [*net._modules, *net._criteria]:
        part = getattr(net, name + "_", None)
        if isinstance(part, torch.nn.Module):
            part.to(net.device)
    for name in net._optimizers:
        _bring_optimizer(getattr(net, name + "_"), net.device)
    for _, callback in net.callbacks_:
        # Such as the best weights so far.
        held = vars(callback)
        held.update({k: _brought(v, net.device) for k, v in held.items()})


def _bring_optimizer(optimizer: Any, device: Any) -> None:
    for group in optimizer.param_groups:
        # Adam counts its steps on the CPU, unless it is told otherwise.
        everything = group.get("capturable") or group.get("fused")
        for parameter in group["params"]:
            state = optimizer.state.get(parameter, {})
            for key, value in state.items():
                on_cpu = getattr(getattr(value, "device", None), "type", None) == "cpu"
                if key != "step" or everything or not on_cpu:
                    state[key] = _brought(value, device)


def _brought(value: Any, device: Any) -> Any:
    """Tensors on a device, also those in dicts and lists."""
    torch = sys.modules["torch"]
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if type(value) in (dict, OrderedDict):
        return type(value)((k, _brought(v, device)) for k, v in value.items())
    if type(value) in (list, tuple):
        return type(value)(_brought(v, device) for v in value)
    return value
