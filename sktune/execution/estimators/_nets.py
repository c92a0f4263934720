"""Nets inside estimators: a skorch net may stand alone, in a pipeline or deeper."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
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


def are_of_skorch(cls: type, methods: Iterable[str]) -> bool:
    """Whether a class has none of these methods but as skorch wrote it."""
    found = (getattr(cls, method, None) for method in methods)
    return all(
        getattr(method, "__module__", "skorch.").startswith("skorch.")
        for method in found
    )


def is_by_the_book(net: Any, *methods: str) -> bool:
    """Whether these methods are skorch's own, so that one can tell what they do."""
    setting = ("get_params_for", "_get_params_for", "set_params")
    return are_of_skorch(type(net), (*methods, *setting))


def silence(estimator: Any) -> Any:
    """Turn off what each net prints of its training: fits of a search would interleave.

    That is the table of its epochs, also where it goes to a `sink` of the user's, and
    skorch's progress bars. Nothing that is trained or recorded is another for it.
    """
    for prefix, net in find_nets(estimator).items():
        estimator.set_params(**{f"{prefix}verbose": 0})
        with suppress(Exception):  # fits will say what is wrong with callbacks
            if any(map(_prints, callbacks_by_name(net).values())):
                _silence_callbacks(net)
    return estimator


def is_plain(net: Any, *methods: str) -> bool:
    """Whether nothing but skorch stands between X and the module.

    Nor between y and the loss, if that is asked for by the names of further methods.
    """
    from skorch.dataset import Dataset

    return (
        are_of_skorch(type(net), (*_METHODS_OF_SKORCH, *methods))
        and net.dataset is Dataset
        and not any("collate_fn" in name for name in net.get_params(deep=False))
        and not any("collate_fn" in name for name in vars(net))
    )


def callbacks_by_name(net: Any) -> dict[str, Any]:
    """Callbacks by the names that skorch gives them, its own first.

    Instances, classes, or None; none of them is made or initialized, which may be slow
    or leave traces.
    """
    if net.callbacks == "disable":
        return {}
    found = dict(net._uniquely_named_callbacks())
    # Those that were replaced when the net was made: `callbacks__print_log=None`.
    return {
        name: getattr(net, f"callbacks__{name}", one) for name, one in found.items()
    }


def _prints(callback: Any) -> bool:
    """Whether a callback of skorch prints, even if the net is not verbose."""
    from skorch.callbacks import PrintLog, ProgressBar

    # What a subclass does beside printing is not for us to drop.
    if callback is ProgressBar or type(callback) is ProgressBar:
        return True
    if isinstance(callback, type):
        return issubclass(callback, PrintLog)
    is_log = isinstance(callback, PrintLog)
    return is_log and callback.sink not in (print, print_nothing)


def _silence_callbacks(net: Any) -> None:
    from skorch.callbacks import PrintLog

    net.initialize_callbacks()  # which names them
    for name, callback in net.callbacks_:
        if isinstance(callback, PrintLog):
            net.set_params(**{f"callbacks__{name}__sink": print_nothing})
        elif _prints(callback):
            net.set_params(**{f"callbacks__{name}": NoProgressBar()})


def print_nothing(text: str) -> None:
    """A sink for the lines of a `PrintLog`."""


def prints_to_nobody(callback: Any, net: Any) -> bool:
    """Whether a callback makes a table that nobody sees, and does nothing else."""
    from skorch.callbacks import PrintLog

    if type(callback) is not PrintLog:
        return False
    is_plain_print = callback.sink is print and not net.verbose
    return is_plain_print or callback.sink is print_nothing


class NoProgressBar:
    """Takes the place of a progress bar, and the parameters that it was given."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("on_"):
            return _do_nothing
        raise AttributeError(name)

    def initialize(self) -> NoProgressBar:
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {}

    def set_params(self, **params: Any) -> NoProgressBar:
        return self


def _do_nothing(*args: Any, **kwargs: Any) -> None:
    """What a callback that does nothing does."""


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
