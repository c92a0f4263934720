"""Functions of torch over stacks, where a dimension has to be counted from the nets on.

What is here is also right by `torch.vmap`, which takes more time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class NoRule(Exception):
    """These arguments are not provided for."""


def inner(dim: Any) -> Any:
    """A dimension of a net's tensor, or several, in that of the stack."""
    if isinstance(dim, int):
        return dim + 1 if dim >= 0 else dim
    if isinstance(dim, tuple | list) and all(isinstance(one, int) for one in dim):
        return tuple(inner(one) for one in dim)
    raise NoRule


def _reduced(name: str) -> Callable[..., Any]:
    def of(x: Tensor, dim: Any = None, keepdim: bool = False, **options: Any) -> Any:
        function = getattr(torch, name)
        if dim is None:
            if keepdim or options:
                raise NoRule
            return function(x.flatten(1), 1)
        return function(x, inner(dim), keepdim, **options)

    return of


def _along(name: str) -> Callable[..., Any]:
    def of(x: Tensor, dim: int, **options: Any) -> Any:
        return getattr(torch, name)(x, inner(dim), **options)

    return of


def _view(x: Tensor, *shape: Any) -> Tensor:
    return x.view(len(x), *_sizes(shape))


def _reshape(x: Tensor, *shape: Any) -> Tensor:
    return x.reshape(len(x), *_sizes(shape))


def _sizes(shape: Sequence[Any]) -> Sequence[int]:
    if len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = shape[0]
    if not all(isinstance(size, int) for size in shape):
        raise NoRule
    return shape


def _flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    return x.flatten(inner(start_dim), inner(end_dim))


def _transpose(x: Tensor, dim0: int, dim1: int) -> Tensor:
    return x.transpose(inner(dim0), inner(dim1))


def _permute(x: Tensor, *dims: Any) -> Tensor:
    n = x.dim() - 1
    return x.permute(0, *(dim % n + 1 for dim in _sizes(dims)))


def _squeeze(x: Tensor, dim: Any) -> Tensor:
    return x.squeeze(inner(dim))


def _chunk(x: Tensor, chunks: int, dim: int = 0) -> Any:
    return x.chunk(chunks, inner(dim))


def _split(x: Tensor, split_size: Any, dim: int = 0) -> Any:
    return x.split(split_size, inner(dim))


def _softmax(x: Tensor, dim: int, **options: Any) -> Tensor:
    options.pop("_stacklevel", None)
    return torch.softmax(x, inner(dim), **options)


def _log_softmax(x: Tensor, dim: int, **options: Any) -> Tensor:
    options.pop("_stacklevel", None)
    return torch.log_softmax(x, inner(dim), **options)


def part_of(x: Tensor, index: Any) -> Tensor:
    """What ``x[index]`` is for each net."""
    index = index if isinstance(index, tuple) else (index,)
    if not all(isinstance(i, int | slice) or i is None or i is ... for i in index):
        raise NoRule
    return x[(slice(None), *index)]


_BY_NAME: Mapping[str, Callable[..., Any]] = {
    "view": _view,
    "reshape": _reshape,
    "flatten": _flatten,
    "transpose": _transpose,
    "permute": _permute,
    "squeeze": _squeeze,
    "unsqueeze": _along("unsqueeze"),
    "chunk": _chunk,
    "split": _split,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "cumsum": _along("cumsum"),
    **{name: _reduced(name) for name in ("sum", "mean", "amax", "amin", "logsumexp")},
}
_OF_METHODS = {name for name in _BY_NAME if hasattr(Tensor, name)}
_OF_FUNCTIONS = {
    getattr(place, name): name
    for place in (torch, F)
    for name in _BY_NAME
    if hasattr(place, name) and name not in ("view",)
}


def rule_of_method(name: str) -> Callable[..., Any] | None:
    """What a method of a tensor is for a stack; None where there is no rule."""
    return _BY_NAME[name] if name in _OF_METHODS else None


def rule_of_function(function: Any) -> Callable[..., Any] | None:
    """What a function of a tensor is for a stack; None where there is no rule."""
    name = _OF_FUNCTIONS.get(function) if callable(function) else None
    return None if name is None else _BY_NAME[name]


def joined(name: str, tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """`torch.cat` and `torch.stack` of tensors that all are stacked."""
    if name == "cat":
        return torch.cat(list(tensors), inner(dim))
    n_dims = tensors[0].dim()
    return torch.stack(list(tensors), dim % n_dims + 1)
