"""What nets must have in common to be trained as one, and what cannot be stacked."""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from skorch.callbacks import (
    Callback,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
)
from torch import nn
from torch.nn.utils.parametrize import type_before_parametrizations
from torch.utils._pytree import tree_flatten

from sktune.execution.estimators._nets import NoProgressBar
from sktune.execution.stacking._lockstep import Epoch
from sktune.execution.stacking._optimizers import STEPS

# Methods that are run for all nets at once, in a way of our own.
_RUN_TOGETHER = (
    "run_single_epoch",
    "train_step",
    "train_step_single",
    "validation_step",
    "infer",
    "notify",
    "on_batch_begin",
    "on_batch_end",
    "on_grad_computed",
    "get_train_step_accumulator",
    "_zero_grad_optimizer",
    "_step_optimizer",
    "get_all_learnable_params",
)
# Whose rate is read from the layer of each net.
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d)
# What every module has, such as parameters and hooks: looked at by themselves.
_OF_EVERY_MODULE = frozenset(vars(nn.Module()))
_HOOKS_OF_LAYERS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
)
_HOOKS_OF_OPTIMIZERS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
_DEPTH = 4  # of what is looked at inside of what a layer keeps
# Callbacks that are known to read of a batch no more than they are given.
_KNOWN = (EpochScoring, GradientNormClipping, LRScheduler)


class Alone(Exception):
    """Why a net is trained by itself."""


def signature(epoch: Epoch) -> Any:
    """Nets whose epochs have equal signatures can be run as one.

    Raises
    ------
    Alone
        Where the net has to be trained by itself.
    """
    net = epoch.net
    _check_net(net)
    if not hasattr(epoch.iterator, "cut_"):
        raise Alone("its batches are not cut from arrays")
    if epoch.fit_params:
        raise Alone("fit is given parameters for forward")
    net._set_training(epoch.training)  # as for its first batch
    module, optimizer = net.module_, net.optimizer_
    shapes = tuple(
        (name, tuple(p.shape), p.dtype, p.requires_grad)
        for name, p in module.named_parameters()
    )
    buffers = tuple((name, tuple(b.shape)) for name, b in module.named_buffers())
    layers = tuple(
        (name, type_before_parametrizations(part), _options(part))
        for name, part in module.named_modules()
    )
    groups = tuple(
        (
            len(group["params"]),
            tuple((k, _kind(k, v)) for k, v in group.items() if k != "params"),
        )
        for group in optimizer.param_groups
    )
    criterion = net.criterion_
    return (
        epoch.training,
        _shape_of_row(epoch.iterator),
        str(net.device),
        type(net).get_loss,
        type(net).infer,
        shapes,
        buffers,
        layers,
        type(optimizer),
        groups,
        type(criterion),
        _options(criterion),
    )


def _check_net(net: Any) -> None:
    parts = (net._modules, net._criteria, net._optimizers)
    if parts != (["module"], ["criterion"], ["optimizer"]):
        raise Alone("it has several modules, criteria or optimizers")
    own = next(c for c in type(net).__mro__ if not hasattr(c, "sktune_own_class_"))
    for name in _RUN_TOGETHER:
        defined = next(c for c in own.__mro__ if name in vars(c))
        if not defined.__module__.startswith("skorch."):
            raise Alone(f"{own.__name__} has a method {name} of its own")
    if type(net.optimizer_) not in STEPS:
        raise Alone(f"{type(net.optimizer_).__name__} has no stacked step")
    _check_hooks(net)
    for group in net.optimizer_.param_groups:
        for name in ("capturable", "differentiable", "fused"):
            if group.get(name):
                raise Alone(f"the optimizer is {name}")
    if any(True for _ in getattr(net.criterion_, "parameters", tuple)()):
        raise Alone("the criterion has parameters")
    for name, callback in net.callbacks_:
        if isinstance(callback, NoProgressBar):
            continue
        if not isinstance(callback, Callback):
            raise Alone(f"callback {name!r} is no callback of skorch's")
        for event in ("on_batch_begin", "on_batch_end", "on_grad_computed"):
            defined = next(c for c in type(callback).__mro__ if event in vars(c))
            if defined not in (Callback, *_KNOWN) or event in vars(callback):
                raise Alone(f"callback {name!r} has a method {event}")


def _check_hooks(net: Any) -> None:
    """What torch calls at each layer, gradient or step is not called for a stack."""
    for name, part in net.module_.named_modules():
        if any(getattr(part, hooks, None) for hooks in _HOOKS_OF_LAYERS):
            raise Alone(f"{name or 'module'} ({type(part).__name__}) has hooks")
    for name, p in net.module_.named_parameters():
        if p._backward_hooks or getattr(p, "_post_accumulate_grad_hooks", None):
            raise Alone(f"parameter {name} has hooks")
    if any(getattr(net.optimizer_, hooks, None) for hooks in _HOOKS_OF_OPTIMIZERS):
        raise Alone("the optimizer has hooks")


def _options(part: Any) -> Any:
    """What a layer is set to, but for the rate of a dropout.

    It is all that the forward pass may read, private or not: for all nets that of the
    first is run.
    """
    free = ("p",) if type(part) in _DROPOUTS else ()
    kept = {
        name: value
        for name, value in getattr(part, "__dict__", {}).items()
        if name not in _OF_EVERY_MODULE and name not in free
    }
    return getattr(part, "training", None), _frozen(kept)


def _shape_of_row(loader: Any) -> Any:
    leaves, spec = tree_flatten(loader.cut_(np.zeros(1, dtype=int)))
    return str(spec), *((tuple(leaf.shape), leaf.dtype) for leaf in leaves)


def _frozen(value: Any, depth: int = _DEPTH) -> Any:
    """Something that is equal where two values would be read as the same."""
    if isinstance(value, int | float | complex | str | bytes | type(None) | np.generic):
        return type(value).__name__, repr(value)
    if isinstance(value, nn.Parameter | nn.Module):
        return type(value).__name__  # stacked, or looked at where it stands
    if isinstance(value, torch.Tensor | np.ndarray):
        return type(value).__name__, str(value.dtype), tuple(value.shape), _bytes(value)
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return f"{value.__module__}.{value.__qualname__}"
    if depth == 0:
        return type(value).__name__
    parts: Any = getattr(value, "__dict__", ())
    if isinstance(value, partial):
        parts = value.func, value.args, value.keywords
    elif isinstance(value, list | tuple | set | frozenset | Mapping):
        parts = value
    if isinstance(parts, Mapping):
        parts = [item for pair in parts.items() for item in pair]
    return type(value).__name__, *(_frozen(part, depth - 1) for part in parts)


def _bytes(values: Any) -> Any:
    if isinstance(values, torch.Tensor):
        if values.layout != torch.strided or values.dtype == torch.bfloat16:
            return repr(values)
        values = values.detach().cpu().resolve_conj().resolve_neg().numpy()
    return hash(values.tobytes()) if values.dtype != object else repr(values)


def _kind(name: str, value: Any) -> Any:
    """What of an option of an optimizer has to be equal."""
    if name in ("momentum", "weight_decay", "dampening"):
        return bool(value) if name == "momentum" else None
    if isinstance(value, bool) or value is None:
        return value
    return (
        type(value).__name__ if isinstance(value, int | float | tuple) else repr(value)
    )
