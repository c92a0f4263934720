"""Operations that cells are made of, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from sktune._errors import SpaceError, did_you_mean

Factory = Callable[[int], nn.Module]


class Zero(nn.Module):
    """The operation "none": no edge. It gives zeros, whatever comes in."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Zeros of the shape of `inputs`, also where these are not finite."""
        return inputs.new_zeros(inputs.shape)


def _none(channels: int) -> nn.Module:
    return Zero()


def _skip(channels: int) -> nn.Module:
    return nn.Identity()


def _convolution(size: int) -> Factory:
    """Rectifier, convolution, batch norm: the order of NAS-Bench-201."""

    def make(channels: int) -> nn.Module:
        return nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, channels, size, padding=size // 2, bias=False),
            nn.BatchNorm2d(channels),
        )

    return make


def _average_pool(channels: int) -> nn.Module:
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


def _linear(activation: Callable[[], nn.Module]) -> Factory:
    """Layer norm and not batch norm: the last batch of an epoch may have one row."""

    def make(channels: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(channels, channels), nn.LayerNorm(channels), activation()
        )

    return make


OPERATIONS: dict[str, dict[str, Factory]] = {
    "images": {
        "none": _none,
        "skip": _skip,
        "conv1x1": _convolution(1),
        "conv3x3": _convolution(3),
        "avg_pool3x3": _average_pool,
    },
    "rows": {
        "none": _none,
        "skip": _skip,
        "linear_relu": _linear(nn.ReLU),
        "linear_tanh": _linear(nn.Tanh),
        "linear_gelu": _linear(nn.GELU),
    },
}


def made_operation(
    name: str, channels: int, kind: str, own: Mapping[str, Factory] | None
) -> nn.Module:
    """An operation of a user's own, or one of the kind of data.

    Raises
    ------
    SpaceError
        For a name that is not known.
    """
    known = {**OPERATIONS[checked_kind(kind)], **(own or {})}
    if name not in known:
        raise SpaceError(
            f"operation {name!r} is not known for kind={kind!r}."
            f"{did_you_mean(str(name), known)} There are {sorted(known)}; others are "
            f"given by operations={{{name!r}: factory}}, where factory(channels) makes "
            "a module."
        )
    return known[name](channels)


def checked_kind(kind: Any) -> str:
    if kind not in OPERATIONS:
        raise SpaceError(
            f"kind={kind!r} is not known. It is one of {sorted(OPERATIONS)}."
        )
    return str(kind)


def edges_of(n_nodes: int) -> tuple[tuple[int, int], ...]:
    """Pairs of nodes, by target, then by source."""
    return tuple((s, t) for t in range(1, n_nodes) for s in range(t))


def n_nodes_of(n_edges: int) -> int | None:
    """Nodes of a cell with that many edges; None where there is no such cell."""
    n_nodes = (1 + math.isqrt(1 + 8 * n_edges)) // 2
    return n_nodes if n_edges and n_nodes * (n_nodes - 1) // 2 == n_edges else None
