"""Layers that are made of layers: attention and the encoder of transformers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sktune.execution.stacking._functions import NoRule
from sktune.execution.stacking._layers import (
    ELEMENTWISE,
    LAYERS,
    Layer,
    drop,
    product,
)

Child = Callable[[str], Layer]
"""A layer within one, by its name there."""


def attention(
    x: tuple[Tensor, Tensor, Tensor],
    mask: Tensor | None,
    layer: Layer | None,
    rates: list[float],
    is_causal: bool = False,
    scale: float | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Attention of all nets, and its weights where they are computed by themselves.

    ``layer`` draws the masks of dropout; None where nothing is dropped.
    """
    query, key, value = x
    if layer is None or not any(rates):
        out = F.scaled_dot_product_attention(
            query, key, value, mask, is_causal=is_causal, scale=scale
        )
        return out, None
    if is_causal:
        raise NoRule
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = (query * factor) @ key.transpose(-2, -1)
    if mask is not None:
        scores = scores + _added(mask, scores.dtype)
    weights = drop(layer, torch.softmax(scores, -1), rates, 0)
    return weights @ value, weights


def _added(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask of what to look at or not to, as numbers that are added."""
    if mask.dtype != torch.bool:
        return mask.to(dtype)
    return torch.zeros_like(mask, dtype=dtype).masked_fill_(~mask, -math.inf)


def _multihead(
    layer: Layer,
    child: Child,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    one = layer.first
    weight, bias = layer.parameters["in_proj_weight"], layer.parameters["in_proj_bias"]
    if (
        weight is None
        or one.bias_k is not None
        or one.add_zero_attn
        or not (query.dim() == key.dim() == value.dim() == 4)
        or need_weights
        or key_padding_mask is not None
        or (attn_mask is not None and attn_mask.dim() != 2)
    ):
        raise NoRule
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = ~attn_mask  # what is not looked at, in this layer alone
    inputs = [query, key, value]
    if not one.batch_first:
        inputs = [tensor.transpose(1, 2) for tensor in inputs]
    heads = []
    for k, tensor in enumerate(inputs):
        rows = slice(k * one.embed_dim, (k + 1) * one.embed_dim)
        projected = product(
            tensor, weight[:, rows], None if bias is None else bias[:, rows]
        )
        heads.append(projected.unflatten(-1, (one.num_heads, -1)).transpose(2, 3))
    draws = layer if one.training else None
    rates = [module.dropout for module in layer.modules]
    q, k_, v = heads
    out, _ = attention((q, k_, v), attn_mask, draws, rates)
    last = child("out_proj").parameters
    assert last["weight"] is not None
    # In memory as torch has it, since dropout draws in the order of memory.
    out = out.permute(0, 3, 1, 2, 4).flatten(-2)
    out = product(out, last["weight"], last["bias"])
    return (out.transpose(1, 2) if one.batch_first else out), None


def _encoder_layer(
    layer: Layer,
    child: Child,
    src: Tensor,
    src_mask: Any = None,
    src_key_padding_mask: Any = None,
    is_causal: bool = False,
) -> Tensor:
    one = layer.first
    if src_key_padding_mask is not None or src.dim() != 4:
        raise NoRule

    def run(name: str, x: Tensor) -> Tensor:
        part = child(name)
        return LAYERS[type(part.first)](part, x)

    def within_attention(name: str) -> Layer:
        return child(f"self_attn.{name}")

    def attend(x: Tensor) -> Tensor:
        mine = child("self_attn")
        out, _ = _multihead(
            mine, within_attention, x, x, x, need_weights=False, attn_mask=src_mask
        )
        return run("dropout1", out)

    def feed(x: Tensor) -> Tensor:
        hidden = run("linear1", x)
        return run("dropout2", run("linear2", run("dropout", one.activation(hidden))))

    is_known = one.activation in ELEMENTWISE or (
        isinstance(one.activation, nn.Module) and type(one.activation) in LAYERS
    )
    if not is_known:
        raise NoRule
    if one.norm_first:
        src = src + attend(run("norm1", src))
        return src + feed(run("norm2", src))
    src = run("norm1", src + attend(src))
    return run("norm2", src + feed(src))


def _encoder(
    layer: Layer,
    child: Child,
    src: Tensor,
    mask: Any = None,
    src_key_padding_mask: Any = None,
    is_causal: Any = None,
) -> Tensor:
    if src_key_padding_mask is not None:
        raise NoRule
    for k in range(layer.first.num_layers):

        def within(name: str, first: str = f"layers.{k}.") -> Layer:
            return child(first + name)

        src = _encoder_layer(child(f"layers.{k}"), within, src, mask)
    if layer.first.norm is None:
        return src
    norm = child("norm")
    return LAYERS[type(norm.first)](norm, src)


COMPOSED: Mapping[type, Callable[..., Any]] = {
    nn.MultiheadAttention: _multihead,
    nn.TransformerEncoderLayer: _encoder_layer,
    nn.TransformerEncoder: _encoder,
}
