"""What a forward pass does, traced once for all nets of a stack."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten

_FACTORIES = {
    *(torch.arange, torch.zeros, torch.ones, torch.full, torch.empty, torch.eye),
    *(torch.linspace, torch.tensor),
}


class Untraceable(Exception):
    """A forward pass that does something that a trace would not repeat."""


class _MadeTensors(TorchFunctionMode):
    """Lets a trace have tensors made to measure, as by ``arange(x.size(1))``."""

    def __init__(self, tracer: fx.Tracer) -> None:
        super().__init__()
        self._tracer = tracer

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _FACTORIES and any(
            isinstance(leaf, fx.Proxy) for leaf in tree_flatten((args, kwargs))[0]
        ):
            return self._tracer.create_proxy("call_function", func, args, kwargs)
        return func(*args, **kwargs)


class _Kept:
    """What a module keeps in tensors, lists and dicts, which a trace may change."""

    def __init__(self, module: nn.Module) -> None:
        tensors = [*module.parameters(), *module.buffers()]
        self._tensors = [(one, _version(one), one.detach().clone()) for one in tensors]
        held = [value for part in module.modules() for value in vars(part).values()]
        self._lists = [(one, list(one)) for one in held if type(one) is list]
        self._dicts = [(one, dict(one)) for one in held if type(one) is dict]

    def restore(self) -> bool:
        """Put all back; returns whether there was anything to put back."""
        changed = False
        for tensor, version, before in self._tensors:
            if _version(tensor) != version:
                tensor.detach().copy_(before)
                changed = True
        for values, items in self._lists:
            if list(map(id, values)) != list(map(id, items)):
                values[:] = items
                changed = True
        for values_by_name, pairs in self._dicts:
            if list(map(id, values_by_name.values())) != list(map(id, pairs.values())):
                values_by_name.clear()
                values_by_name.update(pairs)
                changed = True
        return changed


def _version(tensor: Tensor) -> int | None:
    """It counts what was written into a tensor, the same values too."""
    return None if tensor.is_inference() else tensor._version


def _traced(module: nn.Module) -> tuple[fx.Graph, dict[str, Tensor]]:
    """What the module's forward pass does, in its present mode; and its constants.

    Raises
    ------
    Untraceable
        Where the forward pass depends on data, draws numbers or keeps values in the
        module.
    """
    before = [dict(vars(part)) for part in module.modules()]
    kept = _Kept(module)
    drawn = torch.get_rng_state()
    tracer = fx.Tracer()
    try:
        with _MadeTensors(tracer):
            graph = tracer.trace(module)
    except Exception as error:
        kept.restore()
        raise Untraceable(f"its forward pass cannot be traced ({error})") from error
    constants = {
        name: vars(module).pop(name)
        for name in vars(module).keys() - before[0].keys()
        if name.startswith("_tensor_constant")
    }
    for part, attributes in zip(module.modules(), before, strict=True):
        if vars(part).keys() != attributes.keys() or any(
            value is not attributes[name] for name, value in vars(part).items()
        ):
            vars(part).clear()
            vars(part).update(attributes)
            kept.restore()
            raise Untraceable("its forward pass keeps values in the module")
    if kept.restore():
        raise Untraceable("its forward pass keeps values in the module")
    if not torch.equal(drawn, torch.get_rng_state()):
        torch.set_rng_state(drawn)
        raise Untraceable("its forward pass draws random numbers by itself")
    return graph, constants


class Trace:
    """What a forward pass does, for any number of nets.

    Parameters
    ----------
    module : Module
        That of one of them.
    """

    def __init__(self, module: nn.Module) -> None:
        self.graph, self.constants = _traced(module)
        self.one_by_one: set[fx.Node] = set()  # what no rule is there for
        self.mappable: set[fx.Node] = set()  # what `torch.vmap` has been good for
