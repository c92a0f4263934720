"""Layers one after the other, differentiated by hand.

Small nets spend more time in looking for what to do next than in doing it, and most in
autograd. Of a net that is a chain of layers the derivative is another chain. It is the
same computation: the operations are those that autograd would call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from sktune.execution.stacking._layers import Layer, mask_of

Backward = Callable[[Tensor, bool], Tensor | None]
"""``backward(gradient, of_input)``: by what came out, to by what went in."""

aten = torch.ops.aten


class NoChainError(Exception):
    """Nets, or rows, that are not to be computed by hand."""


class Chain:
    """The modules of several nets, as a chain.

    Parameters
    ----------
    graph : fx.Graph
        The forward pass.
    layer_of : callable
        ``layer_of(name)`` is the `Layer` of a name.
    positions : dict of int to int
        Where the gradient of a stacked parameter is put, by its id.

    Raises
    ------
    NoChainError
        Where the forward pass is none.
    """

    def __init__(
        self,
        graph: fx.Graph,
        layer_of: Callable[[str], Layer],
        positions: Mapping[int, int],
    ) -> None:
        self._links = [_link(node, layer_of) for node in _in_a_row(graph)]
        linear = [link for link in self._links if isinstance(link, _Linear)]
        self._trained: list[int] = []
        for link in linear:
            link.find(positions)
            self._trained += link.trained
        if len(set(self._trained)) < len(self._trained):
            raise NoChainError  # one parameter in two places
        # Nothing is to be known of what comes before the first trained layer.
        self._last = next((k for k, x in enumerate(self._links) if _trains(x)), 0)

    @property
    def trained(self) -> frozenset[int]:
        """The positions of the gradients that there will be."""
        return frozenset(self._trained)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Backward]]:
        """What comes out, and how to differentiate each layer."""
        backwards = []
        for link in self._links:
            x, backward = link(x)
            backwards.append(backward)
        return x, backwards

    def backward(
        self, gradient: Tensor, backwards: Sequence[Backward], out: Sequence[Any]
    ) -> None:
        """Write the gradients of parameters, by those of what came out."""
        found: Tensor | None = gradient
        for k in reversed(range(self._last, len(backwards))):
            link = self._links[k]
            if isinstance(link, _Linear):
                link.out = out
            assert found is not None
            found = backwards[k](found, k > self._last)


def _in_a_row(graph: fx.Graph) -> list[fx.Node]:
    """The nodes between the one input and the output."""
    first, *nodes, output = graph.nodes
    before = first
    for node in nodes:
        options = dict(node.kwargs)
        is_plain = not options.pop("inplace", False) and not options
        if node.op == "placeholder" or node.args != (before,) or not is_plain:
            raise NoChainError
        if len(before.users) != 1:
            raise NoChainError
        before = node
    if first.op != "placeholder" or output.args != (before,):
        raise NoChainError
    return nodes


def _link(node: fx.Node, layer_of: Callable[[str], Layer]) -> Any:
    if node.op == "call_module":
        layer = layer_of(str(node.target))
        kind = type(layer.first)
        if kind in LINKS:
            return LINKS[kind](layer)
    elif node.target in FUNCTIONS:
        return FUNCTIONS[node.target]
    raise NoChainError


def _trains(link: Any) -> bool:
    return isinstance(link, _Linear) and bool(link.trained)


class _Linear:
    def __init__(self, layer: Layer) -> None:
        weight = layer.parameters["weight"]
        assert weight is not None
        self._weight, self._bias = weight, layer.parameters["bias"]
        self._flipped = weight.detach().transpose(1, 2)
        self._row = None if self._bias is None else self._bias.detach().unsqueeze(1)
        self._of_weight: int | None = None
        self._of_bias: int | None = None
        self.out: Sequence[Any] = ()

    def find(self, positions: Mapping[int, int]) -> None:
        if self._weight.requires_grad:
            self._of_weight = positions[id(self._weight)]
        if self._bias is not None and self._bias.requires_grad:
            self._of_bias = positions[id(self._bias)]

    @property
    def trained(self) -> list[int]:
        return [k for k in (self._of_weight, self._of_bias) if k is not None]

    def __call__(self, x: Tensor) -> tuple[Tensor, Backward]:
        if x.dim() != 3:
            raise NoChainError
        if self._row is None:
            y = torch.bmm(x, self._flipped)
        else:
            y = torch.baddbmm(self._row, x, self._flipped)

        def backward(gradient: Tensor, of_input: bool) -> Tensor | None:
            if self._of_weight is not None:
                found = torch.bmm(gradient.transpose(1, 2), x)
                self.out[self._of_weight].copy_(found)
            if self._of_bias is not None:
                torch.sum(gradient, 1, out=self.out[self._of_bias])
            return torch.bmm(gradient, self._weight.detach()) if of_input else None

        return y, backward


class _Dropout:
    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def __call__(self, x: Tensor) -> tuple[Tensor, Backward]:
        rates = [module.p for module in self._layer.modules]
        mask = mask_of(self._layer, x, rates, 0)
        if mask is None:
            return x, lambda gradient, of_input: gradient
        return x * mask, lambda gradient, of_input: gradient * mask


def _flatten(layer: Layer) -> Any:
    if (layer.first.start_dim, layer.first.end_dim) != (1, -1):
        raise NoChainError
    return _flat


def _flat(x: Tensor) -> tuple[Tensor, Backward]:
    shape = x.shape
    return x.flatten(2), lambda gradient, of_input: gradient.view(shape)


def _unchanged(x: Tensor) -> tuple[Tensor, Backward]:
    return x, lambda gradient, of_input: gradient


def _relu(x: Tensor) -> tuple[Tensor, Backward]:
    y = torch.relu(x)
    return y, lambda g, of_input: aten.threshold_backward(g, y, 0)


def _tanh(x: Tensor) -> tuple[Tensor, Backward]:
    y = torch.tanh(x)
    return y, lambda g, of_input: aten.tanh_backward(g, y)


def _sigmoid(x: Tensor) -> tuple[Tensor, Backward]:
    y = torch.sigmoid(x)
    return y, lambda g, of_input: aten.sigmoid_backward(g, y)


def _silu(x: Tensor) -> tuple[Tensor, Backward]:
    return F.silu(x), lambda g, of_input: aten.silu_backward(g, x)


def _gelu(x: Tensor) -> tuple[Tensor, Backward]:
    return F.gelu(x), lambda g, of_input: aten.gelu_backward(g, x)


def _gelu_of(layer: Layer) -> Any:
    if layer.first.approximate != "none":
        raise NoChainError
    return _gelu


def _leaky(layer: Layer) -> Any:
    slope = layer.first.negative_slope

    def link(x: Tensor) -> tuple[Tensor, Backward]:
        y = F.leaky_relu(x, slope)
        return y, lambda g, of_input: aten.leaky_relu_backward(g, x, slope, False)

    return link


def _softmax(layer: Layer) -> Any:
    if layer.first.dim not in (-1, 1):
        raise NoChainError

    def link(x: Tensor) -> tuple[Tensor, Backward]:
        if x.dim() != 3:
            raise NoChainError
        y = torch.softmax(x, -1)
        return y, lambda g, of_input: aten._softmax_backward_data(g, y, -1, y.dtype)

    return link


# For each class of layer, what makes its link of it.
LINKS: Mapping[type, Callable[[Layer], Any]] = {
    nn.Linear: _Linear,
    nn.Dropout: _Dropout,
    nn.Flatten: _flatten,
    nn.GELU: _gelu_of,
    nn.Identity: lambda layer: _unchanged,
    nn.LeakyReLU: _leaky,
    nn.ReLU: lambda layer: _relu,
    nn.SiLU: lambda layer: _silu,
    nn.Sigmoid: lambda layer: _sigmoid,
    nn.Softmax: _softmax,
    nn.Tanh: lambda layer: _tanh,
}
# Those that a forward pass calls by itself, functions and methods.
FUNCTIONS: Mapping[Any, Any] = {
    **dict.fromkeys((torch.relu, F.relu, "relu"), _relu),
    **dict.fromkeys((torch.tanh, F.tanh, "tanh"), _tanh),
    **dict.fromkeys((torch.sigmoid, F.sigmoid, "sigmoid"), _sigmoid),
    F.silu: _silu,
    F.gelu: _gelu,
}
