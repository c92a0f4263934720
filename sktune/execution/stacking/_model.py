"""The forward pass of many nets of one shape, as one.

The forward pass of the first net is traced (`torch.fx`) into layers and functions, and
these are run one after the other over stacks: by a rule of `_layers.py` where there is
one, else by `torch.vmap`, and where neither holds (recurrent layers), net by net.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.func import functional_call
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from sktune.execution.stacking._attention import COMPOSED, attention
from sktune.execution.stacking._chain import Chain, NoChainError
from sktune.execution.stacking._functions import (
    NoRule,
    joined,
    part_of,
    rule_of_function,
    rule_of_method,
)
from sktune.execution.stacking._layers import (
    ELEMENTWISE,
    ELEMENTWISE_METHODS,
    LAYERS,
    Layer,
    drop,
    fits,
)
from sktune.execution.stacking._trace import Trace

_ABOUT_SHAPE = {"size", "dim", "ndimension", "numel", "__len__", "stride"}
_BROADCAST = {
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.pow),
    *(torch.add, torch.sub, torch.mul, torch.div),
}


class Stacked:
    """A tensor with the nets along its first dimension."""

    __slots__ = ("value",)

    def __init__(self, value: Tensor) -> None:
        self.value = value


class StackedModel:
    """The modules of several nets as one.

    Parameters
    ----------
    trace : Trace
    modules : list of Module
        Of one shape, all in one mode.
    parameters, buffers : dict of Tensor
        Stacked, by name; every name of one that is shared.
    first : int
        The number of the first net in its stack.
    """

    def __init__(
        self,
        trace: Trace,
        modules: Sequence[nn.Module],
        parameters: dict[str, Tensor],
        buffers: dict[str, Tensor],
        first: int = 0,
    ) -> None:
        self.modules = modules
        self.n = len(modules)
        self.parameters = parameters
        self.buffers = buffers
        self._graph, self._one_by_one = trace.graph, trace.one_by_one
        self._constants, self._mappable = trace.constants, trace.mappable
        self.runs_own = False
        self._first = first
        self._layers: dict[str, Layer] = {}
        self._numbers: Any = None

    def as_chain(self, positions: Mapping[int, int]) -> Chain | None:
        """The same to be differentiated by hand, where that can be done."""
        try:
            return Chain(self._graph, self._layer, positions)
        except NoChainError:
            return None

    def draw_from(self, numbers: Any) -> None:
        """Draw what is drawn from these."""
        self._numbers = numbers

    def run(self, numbers: Any, X: Any) -> Any:
        """Run all on stacked inputs, as skorch gives them to a module."""
        self.draw_from(numbers)
        return self(**X) if isinstance(X, Mapping) else self(X)

    def _draw(self, k: int, tensor: Tensor, keep: float) -> None:
        self._numbers.draw(self._first + k, tensor, keep)

    def _alone(self, k: int) -> Any:
        return self._numbers.alone(self._first + k)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run all; inputs and outputs are stacked tensors."""
        values: dict[fx.Node, Any] = {}
        args_left = list(args)
        for node in self._graph.nodes:
            if node.op == "placeholder":
                if node.target in kwargs:
                    values[node] = tree_map(_stack_leaf, kwargs[node.target])
                elif args_left:
                    values[node] = tree_map(_stack_leaf, args_left.pop(0))
                else:
                    values[node] = node.args[0] if node.args else None
            elif node.op == "get_attr":
                values[node] = self._attribute(node.target)
            elif node.op == "output":
                return tree_map(self._plain, fx.map_arg(node.args[0], values.get))
            else:
                given = fx.map_arg((node.args, node.kwargs), values.get)
                values[node] = self._run(node, *given)
        raise AssertionError("a graph without an output")

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Stacked):
            return value.value
        if isinstance(value, Tensor):  # the same in all nets
            return value.expand(self.n, *value.shape)
        return value

    def _attribute(self, name: str) -> Any:
        if name in self.parameters:
            return Stacked(self.parameters[name])
        if name in self.buffers:
            return Stacked(self.buffers[name])
        if name in self._constants:
            return self._constants[name]
        value: Any = self.modules[0]
        for part in name.split("."):
            value = getattr(value, part)
        return value

    def _run(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        if node.op == "call_module":
            return self._run_layer(node, args, kwargs)
        if node.op == "call_method":
            return self._run_method(node, args, kwargs)
        function: Any = node.target
        if function is getattr and isinstance(args[0], Stacked):
            return getattr(args[0].value[0], args[1])
        if function is operator.getitem and not isinstance(args[0], Stacked):
            if not isinstance(args[0], Tensor):
                return args[0][args[1]]
        elif function in (F.dropout, torch.dropout) and isinstance(args[0], Stacked):
            return self._dropped(args, kwargs)
        elif function in ELEMENTWISE and _only_first(args, kwargs):
            return Stacked(function(args[0].value, *args[1:], **kwargs))
        elif function in _BROADCAST and not kwargs and len(args) == 2:
            aligned = _aligned(*args)
            if aligned is not None:
                return Stacked(function(*aligned))
        else:
            with suppress(NoRule, TypeError):
                found = _by_rule(function, args, kwargs)
                if found is not None:
                    return found
        return self._mapped(node, function, args, kwargs)

    def _run_method(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        method = str(node.target)
        if isinstance(args[0], Stacked):
            if method in _ABOUT_SHAPE:
                return getattr(args[0].value[0], method)(*args[1:], **kwargs)
            if _only_first(args, kwargs):
                x = args[0].value
                if method in ELEMENTWISE_METHODS:
                    return Stacked(getattr(x, method)(*args[1:], **kwargs))
                rule = rule_of_method(method)
                with suppress(NoRule, TypeError):
                    if rule is not None:
                        found = rule(x, *args[1:], **kwargs)
                        return tree_map(_stack_leaf, found)
        return self._mapped(
            node, lambda x, *a, **k: getattr(x, method)(*a, **k), args, kwargs
        )

    def _dropped(self, args: Any, kwargs: Any) -> Any:
        x, given = args[0], dict(zip(("p", "training"), args[1:], strict=False))
        given.update(kwargs)
        rate, training = given.get("p", 0.5), given.get("training", True)
        if not training:
            return x
        layer = Layer([nn.Dropout()], {}, {}, self._draw)
        return Stacked(drop(layer, x.value, [rate] * self.n, 0))

    def _run_layer(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        name = str(node.target)
        layer = self._layer(name)
        if len(args) == 1 and not kwargs and isinstance(args[0], Stacked):
            (x,) = args
            if fits(layer.first, x.value):
                return Stacked(LAYERS[type(layer.first)](layer, x.value))
        if type(layer.first) in COMPOSED:
            with suppress(NoRule, TypeError):
                return self._composed(name, layer, args, kwargs)
        leaves, spec = tree_flatten((args, kwargs))
        states = {**layer.parameters, **layer.buffers}
        states = {k: v for k, v in states.items() if v is not None}

        def one(states: Any, *leaves: Any) -> Any:
            args, kwargs = tree_unflatten(leaves, spec)
            return functional_call(layer.first, states, args, kwargs)

        draws = any(_draws(part) for part in layer.first.modules())
        if draws and layer.first.training:
            self._one_by_one.add(node)
        stacked = {k: Stacked(v) for k, v in states.items()}
        return self._mapped(
            node, one, (stacked, *leaves), {}, (layer.modules, args, kwargs)
        )

    def _composed(self, name: str, layer: Layer, args: Any, kwargs: Any) -> Any:
        def child(within: str) -> Layer:
            return self._layer(f"{name}.{within}")

        if not all(isinstance(arg, Stacked) for arg in args):
            raise NoRule
        if any(isinstance(arg, Stacked) for arg in tree_flatten(kwargs)[0]):
            raise NoRule
        given = [arg.value for arg in args]
        found = COMPOSED[type(layer.first)](layer, child, *given, **kwargs)
        return tree_map(_stack_leaf, found)

    def _layer(self, name: str) -> Layer:
        if name not in self._layers:
            modules = [module.get_submodule(name) for module in self.modules]
            prefix = f"{name}."
            parameters: dict[str, Any] = dict.fromkeys(modules[0]._parameters)
            buffers: dict[str, Any] = dict.fromkeys(modules[0]._buffers)
            for found, of in (
                (parameters, self.parameters),
                (buffers, self.buffers),
            ):
                found.update(
                    {k[len(prefix) :]: v for k, v in of.items() if k.startswith(prefix)}
                )
            self._layers[name] = Layer(modules, parameters, buffers, self._draw)
        return self._layers[name]

    def _mapped(
        self, node: fx.Node, function: Any, args: Any, kwargs: Any, own: Any = None
    ) -> Any:
        """Anything else: by `torch.vmap` if it can, else net by net.

        ``own`` is the module of each net, with its arguments, where it is one.
        """
        leaves, spec = tree_flatten((args, kwargs))
        if not any(isinstance(leaf, Stacked) for leaf in leaves):
            return function(*args, **kwargs)
        dims = tuple(0 if isinstance(leaf, Stacked) else None for leaf in leaves)
        plain = [leaf.value if isinstance(leaf, Stacked) else leaf for leaf in leaves]

        def call(*leaves: Any) -> Any:
            args, kwargs = tree_unflatten(leaves, spec)
            return function(*args, **kwargs)

        if node not in self._one_by_one:
            try:
                with nullcontext() if node in self._mappable else _no_warnings():
                    found = torch.vmap(call, in_dims=dims)(*plain)
                self._mappable.add(node)
                return tree_map(_stack_leaf, found)
            except Exception:  # no rule, or numbers are drawn: see below
                self._one_by_one.add(node)
        if own is not None:
            return self._by_own_modules(*own)
        outs = []
        for k in range(self.n):
            part = [
                leaf if dim is None else leaf[k]
                for leaf, dim in zip(plain, dims, strict=True)
            ]
            with self._alone(k):
                outs.append(call(*part))
        return tree_map(_stacked_if_tensors, *outs)

    def _by_own_modules(self, modules: Sequence[Any], args: Any, kwargs: Any) -> Any:
        """Each net's own module; its gradients are those of its own parameters."""
        self.runs_own = True
        outs = []
        for k, module in enumerate(modules):
            given, options = tree_map(
                lambda leaf, k=k: leaf.value[k] if isinstance(leaf, Stacked) else leaf,
                (args, kwargs),
            )
            with self._alone(k):
                outs.append(module(*given, **options))
        return tree_map(_stacked_if_tensors, *outs)


@contextmanager
def _no_warnings() -> Iterator[None]:
    """As errors: torch warns where it goes through the nets one after the other."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def _stack_leaf(value: Any) -> Any:
    return Stacked(value) if isinstance(value, Tensor) else value


def _stacked_if_tensors(*values: Any) -> Any:
    return Stacked(torch.stack(values)) if isinstance(values[0], Tensor) else values[0]


def _only_first(args: Any, kwargs: Any) -> bool:
    rest = tree_flatten((args[1:], kwargs))[0]
    is_stacked = bool(args) and isinstance(args[0], Stacked)
    return is_stacked and not any(isinstance(v, Stacked | Tensor) for v in rest)


def _aligned(a: Any, b: Any) -> Sequence[Any] | None:
    """Two operands, shaped so that they are broadcast net by net."""
    if not all(isinstance(v, Stacked | int | float) for v in (a, b)):
        return None
    if not (isinstance(a, Stacked) and isinstance(b, Stacked)):
        return [v.value if isinstance(v, Stacked) else v for v in (a, b)]
    x, y = a.value, b.value
    n_dims = max(x.dim(), y.dim())
    return _widened(x, n_dims), _widened(y, n_dims)


def _widened(x: Tensor, n_dims: int) -> Tensor:
    return (
        x.view(len(x), *[1] * (n_dims - x.dim()), *x.shape[1:])
        if x.dim() < n_dims
        else x
    )


def _draws(module: nn.Module) -> bool:
    rates = [getattr(module, name, 0) for name in ("p", "dropout")]
    rates = [rate for rate in rates if isinstance(rate, int | float)]
    return any(rates) or isinstance(module, nn.RReLU)


def _by_rule(function: Any, args: Any, kwargs: Any) -> Any:
    """A function by a rule for it; None where there is none."""
    if function is operator.getitem and isinstance(args[0], Stacked):
        return Stacked(part_of(args[0].value, args[1]))
    if function in (torch.cat, torch.stack):
        tensors, *rest = args
        if not all(isinstance(one, Stacked) for one in tensors):
            raise NoRule
        values = [one.value for one in tensors]
        return Stacked(joined(function.__name__, values, *rest, **kwargs))
    if function is F.scaled_dot_product_attention:
        return _attention(*args, **kwargs)
    rule = rule_of_function(function)
    if rule is None or not _only_first(args, kwargs):
        raise NoRule
    return tree_map(_stack_leaf, rule(args[0].value, *args[1:], **kwargs))


def _attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **options: Any,
) -> Stacked:
    inputs = (query, key, value)
    if dropout_p or options or not all(isinstance(one, Stacked) for one in inputs):
        raise NoRule
    if len({one.value.dim() for one in inputs}) > 1 or isinstance(attn_mask, Stacked):
        raise NoRule
    out, _ = attention(
        (query.value, key.value, value.value), attn_mask, None, [], is_causal
    )
    return Stacked(out)
