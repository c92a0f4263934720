"""The parameters, buffers and optimiser states of several nets in one piece of memory.

For the time of an epoch each tensor of a net is a view of its part: what is done to the
net and what is done to all is done to the same numbers. Before and after, each
net has its own memory: it can be read, written, pickled and left alone as ever.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from sktune.execution.stacking._flat_parameters import FlatParameters


class SharedMemory:
    """What the training changes in several nets, stacked.

    Parameters
    ----------
    nets : list of NeuralNet
        Initialised, and of one shape.
    """

    def __init__(self, nets: Sequence[Any]) -> None:
        self.nets = list(nets)
        own = [list(net.module_.parameters()) for net in nets]
        self.flats = [
            FlatParameters(nets, [[mine[k] for k in positions] for mine in own], group)
            for group, positions in _alike(nets[0].optimizer_, own[0])
        ]
        self.positions = [k for _, ks in _alike(nets[0].optimizer_, own[0]) for k in ks]
        self.buffers = _Stacked([list(net.module_.buffers()) for net in nets])
        self._parts: dict[range, MemoryPart] = {}

    def take(self, training: bool) -> None:
        """Let the nets compute in the shared memory, with what they hold now."""
        self._parts = {}
        for flat in self.flats:
            flat.take(training)
        self.buffers.take()

    def give_back(self, training: bool) -> None:
        """Let each net have memory of its own again, with what was made of it."""
        for flat in self.flats:
            flat.give_back(training)
        self.buffers.give_back()
        self._parts = {}

    def part(self, members: range) -> MemoryPart:
        """That of nets that lie side by side."""
        if members not in self._parts:
            self._parts[members] = MemoryPart(self, members)
        return self._parts[members]

    def forget_options(self) -> None:
        """The options of optimisers may have been changed."""
        for flat in self.flats:
            flat.forget_options()


class MemoryPart:
    """What some nets have of a shared memory.

    Attributes
    ----------
    leaves : list of Tensor
        The parameters, each once.
    parameters, buffers : dict of Tensor
        Stacked, by name; of a tensor with several names, under each.
    """

    def __init__(self, memory: SharedMemory, members: range) -> None:
        self._flats, self._members = memory.flats, members
        self._nets = memory.nets[members.start : members.stop]
        self.leaves = [
            leaf for flat in memory.flats for leaf in flat.leaves(self._members)
        ]
        module = memory.nets[0].module_
        in_order = list(zip(memory.positions, self.leaves, strict=True))
        in_order.sort(key=lambda one: one[0])
        self.parameters = _by_name(
            module.parameters(),
            module.named_parameters(remove_duplicate=False),
            [leaf for _, leaf in in_order],
        )
        rows = slice(members.start, members.stop)
        self._buffers = [buffer[rows] for buffer in memory.buffers.stacked]
        self.buffers = _by_name(
            module.buffers(),
            module.named_buffers(remove_duplicate=False),
            self._buffers,
        )

    def take_gradients(self, loss: Tensor, by_own: bool) -> None:
        """Differentiate the losses of all, added up.

        With ``by_own``, also by the nets' own parameters, which a loss may have read.
        """
        wanted = [leaf for leaf in self.leaves if leaf.requires_grad]
        own = self._own_parameters() if by_own else []
        found = torch.autograd.grad(loss, [*wanted, *own], allow_unused=True)
        following = iter(found)
        gradients = [next(following) if p.requires_grad else None for p in self.leaves]
        if by_own:
            gradients = self._with_own(gradients, list(following))
        first = 0
        for flat in self._flats:
            last = first + flat.n_leaves
            flat.put_gradients(self._members, gradients[first:last])
            first = last

    def room_for_gradients(self, trained: Container[int]) -> list[Tensor | None]:
        """Where to write the gradients of leaves, by their positions."""
        out: list[Tensor | None] = []
        for flat in self._flats:
            found = [len(out) + j in trained for j in range(flat.n_leaves)]
            out += flat.room_for_gradients(self._members, found)
        return out

    def _with_own(
        self, gradients: Sequence[Tensor | None], own: Sequence[Tensor | None]
    ) -> list[Tensor | None]:
        """Add what was found by the nets' own parameters, net after net."""
        added = list(gradients)
        trained = [j for j, leaf in enumerate(self.leaves) if leaf.requires_grad]
        for place, j in enumerate(trained):
            each = own[place :: len(trained)]
            if all(one is None for one in each):
                continue
            zeros = torch.zeros_like(self.leaves[j][0])
            beside = torch.stack([zeros if one is None else one for one in each])
            before = added[j]
            added[j] = beside if before is None else before + beside
        return added

    def _own_parameters(self) -> list[Tensor]:
        return [
            p
            for k in self._members
            for flat in self._flats
            for p in flat.own[k]
            if p.requires_grad
        ]

    def copies_of_buffers(self) -> list[Tensor]:
        """What the buffers hold, to be put back by `restore_buffers`."""
        return [buffer.clone() for buffer in self._buffers]

    def restore_buffers(self, copies: Sequence[Tensor]) -> None:
        """Undo what a forward pass did."""
        for buffer, copy in zip(self._buffers, copies, strict=True):
            buffer.copy_(copy)

    def step(self) -> None:
        """One step of every optimiser."""
        for flat in self._flats:
            flat.step(self._members)
        for net in self._nets:
            net.optimizer_._opt_called = True  # schedulers of torch look at it

    def show_gradients(self, k: int) -> None:
        """Let net k see its gradients, which it may change."""
        for flat in self._flats:
            flat.show_gradients(self._members, k)


class _Stacked:
    """Tensors of several nets, which are parts of stacked ones for a time."""

    def __init__(self, own: list[list[Tensor]]) -> None:
        self._own = own
        self.stacked = [
            torch.empty((len(own), *t.shape), dtype=t.dtype, device=t.device)
            for t in own[0]
        ]
        self._data: list[list[Tensor]] = []

    def take(self) -> None:
        self._data = [[tensor.data for tensor in own] for own in self._own]
        for i, own in enumerate(self._own):
            for tensor, stacked in zip(own, self.stacked, strict=True):
                part = stacked[i]
                part.copy_(tensor.data)
                tensor.data = part

    def give_back(self) -> None:
        for own, data in zip(self._own, self._data, strict=True):
            for tensor, mine in zip(own, data, strict=True):
                mine.copy_(tensor.data)
                tensor.data = mine


def _alike(optimizer: Any, own: Sequence[Tensor]) -> list[tuple[int | None, list[int]]]:
    """Parameters by their group in the optimiser (None: in none) and their dtype."""
    groups = {
        id(p): k for k, one in enumerate(optimizer.param_groups) for p in one["params"]
    }
    found: dict[Any, list[int]] = {}
    for position, p in enumerate(own):
        found.setdefault((groups.get(id(p)), p.dtype), []).append(position)
    return [(group, positions) for (group, _), positions in found.items()]


def _by_name(
    own: Iterable[Tensor], named: Iterable[Any], stacked: Sequence[Tensor]
) -> dict[str, Tensor]:
    of = {id(tensor): one for tensor, one in zip(own, stacked, strict=True)}
    return {name: of[id(tensor)] for name, tensor in named}
