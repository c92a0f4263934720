"""Whether nets that are run as one give what each gives by itself.

A trace sees what is done to tensors, and not all that a forward pass is: code that
switches gradients off, functions with a derivative of their own, values that are kept.
So what comes out of it is compared before it is used: outputs, and in training their
derivatives and what is left in buffers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from skorch.dataset import unpack_data
from skorch.utils import to_tensor
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten

from sktune.execution.stacking._lockstep import Runner
from sktune.execution.stacking._losses import part
from sktune.execution.stacking._model import StackedModel
from sktune.execution.stacking._numbers import Numbers
from sktune.execution.stacking._row_blocks import stacked_rows
from sktune.execution.stacking._trace import Untraceable

_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout)


def compare_with_own(model: StackedModel, runners: Sequence[Runner]) -> None:
    """Compare what comes out for the first and the last net with their own.

    Nothing is left of it, neither in the nets nor in their random numbers.

    Raises
    ------
    Untraceable
        Where they differ by more than rounding.
    """
    numbers, epochs = Numbers(runners), [runner.due for runner in runners]
    device = epochs[0].net.device
    loaders = [epoch.iterator for epoch in epochs]
    rows = np.arange(min(min(len(o.dataset), o.batch_size) for o in loaders))
    inputs = [
        to_tensor(unpack_data(loader.cut_(rows))[0], device=device)
        for loader in loaders
    ]
    last = len(inputs) - 1
    differentiates = epochs[0].training
    with _without_masks(model.modules, device), torch.set_grad_enabled(differentiates):
        with _undone(model.buffers, numbers):
            outs = model.run(numbers, stacked_rows(inputs))
            found = _derivatives(outs, model.parameters, differentiates)
            by_own = {
                k: _derivatives(outs, _own(model.modules[k]), model.runs_own)
                for k in (0, last)
            }
            kept = {name: value.clone() for name, value in model.buffers.items()}
        for k in (0, last):
            module = model.modules[k]
            with _undone(model.buffers, numbers):
                with numbers.alone(k):
                    own = _call(module, inputs[k])
                own_found = _derivatives(own, _own(module), differentiates)
                own_kept = dict(module.named_buffers(remove_duplicate=False))
                is_same = (
                    _are_close(part(outs, k), own)
                    and _are_close(_sum(part(found, k), by_own[k]), own_found)
                    and _are_close(part(kept, k), own_kept)
                )
            if not is_same:
                raise Untraceable("its forward pass gives something else when stacked")


@contextmanager
def _undone(buffers: Mapping[str, Tensor], numbers: Numbers) -> Iterator[None]:
    """Take back what a forward pass leaves in buffers and random numbers."""
    numbers.mark()
    before = {name: value.clone() for name, value in buffers.items()}
    try:
        yield
    finally:
        for name, value in before.items():
            buffers[name].copy_(value)
        numbers.undo()


@contextmanager
def _without_masks(modules: Sequence[nn.Module], device: Any) -> Iterator[None]:
    """On a device a stack draws other masks of dropout than torch: for now, none."""
    rates = []
    if device is not None and torch.device(device).type != "cpu":
        for module in modules:
            rates += [(p, p.p) for p in module.modules() if isinstance(p, _DROPOUTS)]
    for layer, _ in rates:
        layer.p = 0.0
    try:
        yield
    finally:
        for layer, rate in rates:
            layer.p = rate


def _derivatives(
    outs: Any, parameters: Mapping[str, Tensor], differentiates: bool
) -> dict[str, Tensor]:
    """Of a mixture of what came out, by the parameters that it depends on."""
    wanted = {name: p for name, p in parameters.items() if p.requires_grad}
    leaves = [leaf for leaf in tree_flatten(outs)[0] if isinstance(leaf, Tensor)]
    leaves = [leaf for leaf in leaves if leaf.requires_grad]
    if not differentiates or not wanted or not leaves:
        return {}
    mixed = torch.stack([_mixture(leaf) for leaf in leaves]).sum()
    found = torch.autograd.grad(
        mixed, list(wanted.values()), allow_unused=True, retain_graph=True
    )
    return {
        name: torch.zeros_like(p) if one is None else one
        for (name, p), one in zip(wanted.items(), found, strict=True)
    }


def _own(module: nn.Module) -> dict[str, Tensor]:
    return dict(module.named_parameters(remove_duplicate=False))


def _sum(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: a[name] + b[name] if name in b else a[name] for name in a}


def _mixture(values: Tensor) -> Tensor:
    """A sum with weights that are the same for each net."""
    last = values.shape[-1] if values.dim() else 1
    weights = torch.cos(torch.arange(last, device=values.device, dtype=values.dtype))
    return (values * weights).sum()


def _call(model: Any, X: Any) -> Any:
    return model(**X) if isinstance(X, Mapping) else model(X)


def _are_close(a: Any, b: Any) -> bool:
    """Equal within rounding, in all parts, beside the largest number in any."""
    one, other = tree_flatten(a)[0], tree_flatten(b)[0]
    floats = [x for x in other if isinstance(x, Tensor) and x.is_floating_point()]
    scale = max((_largest(x) for x in floats), default=0.0)
    return len(one) == len(other) and all(
        _is_close(x, y, scale) for x, y in zip(one, other, strict=True)
    )


def _largest(values: Tensor) -> float:
    finite = values.detach()[values.isfinite()]
    return float(finite.abs().max()) if finite.numel() else 0.0


def _is_close(a: Any, b: Any, scale: float) -> bool:
    if not isinstance(b, Tensor):
        return True
    if not isinstance(a, Tensor) or (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    if not b.is_floating_point():
        return torch.equal(a, b)
    return torch.allclose(a, b, rtol=1e-3, atol=1e-4 * scale, equal_nan=True)
