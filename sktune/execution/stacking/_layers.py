"""Layers over stacks: for each known layer, what it does to all nets at once.

A stacked tensor has the nets along its first dimension, before the rows of the batch.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sktune.execution.stacking._functions import inner


class Layer:
    """One layer in all nets.

    Attributes
    ----------
    modules : list of Module
        The layer in each net.
    parameters, buffers : dict
        By name in the layer, stacked; None where there is none.
    draw : callable
        ``draw(k, tensor, keep)`` fills a part of net k with draws of its own.
    """

    def __init__(
        self,
        modules: Sequence[nn.Module],
        parameters: Mapping[str, Tensor | None],
        buffers: Mapping[str, Tensor | None],
        draw: Callable[[int, Tensor, float], None],
    ) -> None:
        self.modules = modules
        self.parameters = parameters
        self.buffers = buffers
        self.draw = draw

    @property
    def first(self) -> Any:
        """The layer of the first net, for options that are equal in all."""
        return self.modules[0]


class _Linear(torch.autograd.Function):
    """Rows times weights, differentiated by products that are quick for few columns."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        if bias is None:
            return torch.bmm(x, weight.transpose(1, 2))
        return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,), (x, weight) = gradients, ctx.saved_tensors
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            torch.bmm(gradient, weight) if of_x else None,
            torch.bmm(gradient.transpose(1, 2), x) if of_weight else None,
            gradient.sum(1) if of_bias else None,
        )


def linear(layer: Layer, x: Tensor) -> Tensor:
    weight = layer.parameters["weight"]
    assert weight is not None
    return product(x, weight, layer.parameters["bias"])


def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """What a linear layer is, for all nets."""
    shape = x.shape
    if x.dim() == 2:  # one row without a batch
        x = x.unsqueeze(1)
    elif x.dim() > 3:
        x = x.reshape(shape[0], -1, shape[-1])
    out = _Linear.apply(x, weight, bias)
    return out.view(*shape[:-1], out.shape[-1])


def convolution(layer: Layer, x: Tensor) -> Tensor:
    """As one convolution whose groups are the nets."""
    conv, n = layer.first, len(layer.modules)
    weight, bias = layer.parameters["weight"], layer.parameters["bias"]
    assert weight is not None
    merged = x.transpose(0, 1).flatten(1, 2)
    if conv.padding_mode != "zeros":
        padding = conv._reversed_padding_repeated_twice
        merged, padded = F.pad(merged, padding, mode=conv.padding_mode), 0
    else:
        padded = conv.padding
    function = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[x.dim() - 1]
    out = function(
        merged,
        weight.flatten(0, 1),
        None if bias is None else bias.flatten(),
        conv.stride,
        padded,
        conv.dilation,
        conv.groups * n,
    )
    return out.unflatten(1, (n, -1)).transpose(0, 1)


def batch_norm(layer: Layer, x: Tensor) -> Tensor:
    """As one normalisation over the channels of all nets."""
    norm, n = layer.first, len(layer.modules)
    merged = x.transpose(0, 1).flatten(1, 2)
    mean, variance = layer.buffers["running_mean"], layer.buffers["running_var"]
    count = layer.buffers["num_batches_tracked"]
    if norm.training and count is not None:
        count.add_(1)
    weight, bias = layer.parameters["weight"], layer.parameters["bias"]
    out = F.batch_norm(
        merged,
        None if mean is None else mean.view(-1),
        None if variance is None else variance.view(-1),
        None if weight is None else weight.flatten(),
        None if bias is None else bias.flatten(),
        norm.training or mean is None,
        norm.momentum,
        norm.eps,
    )
    return out.unflatten(1, (n, -1)).transpose(0, 1)


def layer_norm(layer: Layer, x: Tensor) -> Tensor:
    norm = layer.first
    out = F.layer_norm(x, norm.normalized_shape, eps=norm.eps)
    weight, bias = layer.parameters["weight"], layer.parameters["bias"]
    if weight is not None:
        out = out * _beside(weight, x)
    if bias is not None:
        out = out + _beside(bias, x)
    return out


def embedding(layer: Layer, x: Tensor) -> Tensor:
    """As one table, in which each net has rows of its own."""
    weight, table = layer.parameters["weight"], layer.first
    assert weight is not None
    n, size = len(layer.modules), table.num_embeddings
    if table.padding_idx is not None:  # its row takes no gradient
        rows = torch.arange(size, device=weight.device).view(1, -1, 1)
        weight = torch.where(rows == table.padding_idx, weight.detach(), weight)
    first = torch.arange(n, device=x.device).view(-1, *[1] * (x.dim() - 1)) * size
    return F.embedding(x + first, weight.flatten(0, 1))


def dropout(layer: Layer, x: Tensor) -> Tensor:
    return drop(layer, x, [module.p for module in layer.modules], 0)


def dropout_of_channels(layer: Layer, x: Tensor) -> Tensor:
    return drop(layer, x, [module.p for module in layer.modules], x.dim() - 3)


def drop(layer: Layer, x: Tensor, rates: Sequence[float], n_shared: int) -> Tensor:
    """Drop with a mask of each net's own."""
    mask = mask_of(layer, x, rates, n_shared)
    return x if mask is None else x * mask


def mask_of(
    layer: Layer, x: Tensor, rates: Sequence[float], n_shared: int
) -> Tensor | None:
    """What each number is multiplied with, as torch draws it for one net.

    ``n_shared`` dimensions at the end have one draw together. None: nothing is dropped.
    """
    if not layer.first.training or x.numel() == 0 or not any(rates):
        return None
    if n_shared:
        shape = [*x.shape[: x.dim() - n_shared], *[1] * n_shared]
        noise = torch.empty(shape, dtype=x.dtype, device=x.device)
    else:
        noise = torch.empty_like(x)  # of the same order in memory: so it is drawn
    for k, rate in enumerate(rates):
        part = noise[k]
        if rate in (0, 1):
            part.fill_(1 - rate)
        else:
            layer.draw(k, part, 1 - rate)
            part.div_(1 - rate)
    return noise


def flatten(layer: Layer, x: Tensor) -> Tensor:
    first = layer.first
    return x.flatten(inner(first.start_dim), inner(first.end_dim))


def unflatten(layer: Layer, x: Tensor) -> Tensor:
    return x.unflatten(inner(layer.first.dim), layer.first.unflattened_size)


def by_dim(layer: Layer, x: Tensor) -> Tensor:
    """Softmax and the like."""
    function = {
        nn.Softmax: torch.softmax,
        nn.LogSoftmax: torch.log_softmax,
        nn.Softmin: F.softmin,
    }[type(layer.first)]
    return function(x, inner(layer.first.dim))


def by_row(layer: Layer, x: Tensor) -> Tensor:
    """Layers that treat each row by itself, whosever it is."""
    return layer.first(x.flatten(0, 1)).unflatten(0, x.shape[:2])


def elementwise(layer: Layer, x: Tensor) -> Tensor:
    return layer.first(x)


def _beside(parameter: Tensor, x: Tensor) -> Tensor:
    """Shaped so that it is broadcast over the rows of each net."""
    n_between = x.dim() - parameter.dim()
    return parameter.view(len(parameter), *[1] * n_between, *parameter.shape[1:])


LAYERS: Mapping[type, Callable[[Layer, Tensor], Tensor]] = {
    nn.Linear: linear,
    nn.Conv1d: convolution,
    nn.Conv2d: convolution,
    nn.BatchNorm1d: batch_norm,
    nn.BatchNorm2d: batch_norm,
    nn.LayerNorm: layer_norm,
    nn.Embedding: embedding,
    nn.Dropout: dropout,
    nn.Dropout1d: dropout_of_channels,
    nn.Dropout2d: dropout_of_channels,
    nn.Flatten: flatten,
    nn.Unflatten: unflatten,
    **dict.fromkeys((nn.Softmax, nn.LogSoftmax, nn.Softmin), by_dim),
    **dict.fromkeys(
        (
            nn.MaxPool1d,
            nn.MaxPool2d,
            nn.AvgPool1d,
            nn.AvgPool2d,
            nn.AdaptiveAvgPool1d,
            nn.AdaptiveAvgPool2d,
            nn.AdaptiveMaxPool1d,
            nn.AdaptiveMaxPool2d,
            nn.Upsample,
            nn.ZeroPad2d,
            nn.PixelShuffle,
        ),
        by_row,
    ),
    **dict.fromkeys(
        (
            nn.Identity,
            nn.ReLU,
            nn.ReLU6,
            nn.LeakyReLU,
            nn.ELU,
            nn.SELU,
            nn.CELU,
            nn.GELU,
            nn.SiLU,
            nn.Mish,
            nn.Tanh,
            nn.Sigmoid,
            nn.LogSigmoid,
            nn.Softplus,
            nn.Softsign,
            nn.Hardtanh,
            nn.Hardswish,
            nn.Hardsigmoid,
        ),
        elementwise,
    ),
}


def fits(module: nn.Module, x: Any) -> bool:
    """Whether the rule of a layer's class holds for this one, with this input."""
    if not isinstance(x, Tensor) or type(module) not in LAYERS:
        return False
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        has_average = module.momentum is not None or not module.track_running_stats
        return (
            has_average
            and x.dim() == (5 if isinstance(module, nn.BatchNorm2d) else x.dim())
            and x.dim() >= 3
        )
    if isinstance(module, nn.Embedding):
        return module.max_norm is None and not (
            module.sparse or module.scale_grad_by_freq
        )
    if isinstance(module, nn.Unflatten):
        return isinstance(module.dim, int)
    if isinstance(module, nn.Conv1d):
        return x.dim() == 4
    if isinstance(module, nn.Conv2d):
        return x.dim() == 5
    if isinstance(module, nn.Dropout1d):
        return x.dim() == 4
    if isinstance(module, nn.Dropout2d):
        return x.dim() == 5
    if isinstance(module, nn.Softmax | nn.LogSoftmax | nn.Softmin):
        return module.dim is not None
    if LAYERS[type(module)] is by_row:
        return not getattr(module, "return_indices", False) and x.dim() >= 4
    return True


# Of functions, those that treat each number by itself.
ELEMENTWISE = {
    *(torch.relu, torch.tanh, torch.sigmoid, torch.exp, torch.log, torch.sqrt),
    *(torch.abs, torch.square, torch.sin, torch.cos, torch.log1p, torch.neg),
    *(F.relu, F.relu6, F.leaky_relu, F.elu, F.selu, F.gelu, F.silu, F.mish),
    *(F.sigmoid, F.tanh, F.logsigmoid, F.softplus, F.hardtanh, F.hardswish),
    operator.neg,
}
ELEMENTWISE_METHODS = {"relu", "tanh", "sigmoid", "exp", "log", "sqrt", "abs", "float"}
ELEMENTWISE_METHODS |= {"square", "neg", "contiguous", "clone", "detach", "relu_"}
