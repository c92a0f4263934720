"""Parameters of one optimiser group of many nets, as the rows of one matrix.

Each row holds the numbers of one net, parameter after parameter. What the optimiser
keeps of them lies in matrices of the same shape: a step is a few operations for all
parameters of all nets. The nets of a range of rows can be stepped by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sktune.execution.stacking._optimizers import STEPS, Values, new_state

Gradients = Sequence[Tensor | None]


class FlatParameters:
    """Parameters of one group and dtype.

    Parameters
    ----------
    nets : list of NeuralNet
    own : list of list of Parameter
        For each net, those that are meant.
    group : int or None
        The position of their group in the optimiser; None where no group has them.
    """

    def __init__(
        self, nets: Sequence[Any], own: list[list[Tensor]], group: int | None
    ) -> None:
        self._optimizers = [net.optimizer_ for net in nets]
        self._class = type(self._optimizers[0])
        self.own, self._group = own, group
        self.n_leaves = len(own[0])
        sizes = [p.numel() for p in own[0]]
        self._ends = list(np.cumsum([0, *sizes]).tolist())
        first = own[0][0]
        shape = (len(own), self._ends[-1])
        self._values = torch.empty(shape, dtype=first.dtype, device=first.device)
        self._views = [
            [self._view(row, j) for j in range(self.n_leaves)] for row in self._values
        ]
        self._data: list[list[Tensor]] = []
        self._states: dict[str, Tensor] = {}
        self._steps = np.zeros((len(own), self.n_leaves))
        self._begun = np.zeros((len(own), self.n_leaves), dtype=bool)
        self._found: dict[range, tuple[Tensor, tuple[bool, ...]]] = {}
        self._gradients: list[tuple[Tensor, tuple[bool, ...]] | None] = []
        self._sections_of: dict[Any, list[tuple[int, int]]] = {}
        self._values_of: dict[range, Values] = {}
        self._rooms: dict[range, tuple[Tensor, list[Tensor | None]]] = {}

    def _view(self, row: Tensor, j: int) -> Tensor:
        """Parameter j in a row, or in several."""
        part = row[..., self._ends[j] : self._ends[j + 1]]
        return part.view((*row.shape[:-1], *self.own[0][j].shape))

    def leaves(self, members: range) -> list[Tensor]:
        """The parameters of nets side by side, stacked, to differentiate by."""
        rows = self._values[members.start : members.stop]
        leaves = [self._view(rows, j).detach() for j in range(self.n_leaves)]
        for leaf, own in zip(leaves, self.own[0], strict=True):
            leaf.requires_grad_(own.requires_grad)
        return leaves

    def take(self, training: bool) -> None:
        """Let the nets compute here, with what they hold now."""
        self._data = [[p.data for p in own] for own in self.own]
        for own, views, data in zip(self.own, self._views, self._data, strict=True):
            for p, view, mine in zip(own, views, data, strict=True):
                view.copy_(mine)
                p.data = view
        self._sections_of, self._found, self._rooms = {}, {}, {}
        self._gradients = [None] * len(self.own)
        self.forget_options()
        if training and self._group is not None:
            self._read_states()

    def give_back(self, training: bool) -> None:
        """Let each net have memory of its own again, with what was made of it."""
        for own, data in zip(self.own, self._data, strict=True):
            for p, mine in zip(own, data, strict=True):
                mine.copy_(p.data)
                p.data = mine
        if not training:
            return
        if self._group is not None:
            self._write_states()
        for k, found in enumerate(self._gradients):
            if found is not None:
                self._set_gradients(k, *found)
                for p in self.own[k]:
                    p.grad = None if p.grad is None else p.grad.clone()
        self._gradients = []

    def _read_states(self) -> None:
        """Stack what the optimisers keep; of a net that has nothing yet, zeros."""
        self._states = {}
        self._steps[:], self._begun[:] = 0, False
        option = self._optimizers[0].param_groups[self._group]
        for k, (optimizer, own) in enumerate(
            zip(self._optimizers, self.own, strict=True)
        ):
            for j, p in enumerate(own):
                state = optimizer.state.get(p)
                if not state:
                    continue
                if not self._states:
                    self._states = self._new_states(option)
                self._begun[k, j] = True
                is_kept = any(isinstance(value, Tensor) for value in state.values())
                self._steps[k, j] = float(state.get("step", is_kept))
                for name, value in state.items():
                    if name != "step" and isinstance(value, Tensor):
                        self._place(name, k, j).copy_(value)

    def _new_states(self, option: Any) -> dict[str, Tensor]:
        return new_state(self._class, option, self._values, self.n_leaves)

    def _place(self, name: str, k: int, j: int) -> Tensor:
        """Where a state of a parameter lies."""
        if name not in self._states:
            self._states[name] = torch.zeros_like(self._values)
        kept = self._states[name]
        if kept.shape != self._values.shape:  # one number for each parameter
            return kept[k, j]
        return self._view(kept[k], j)

    def _write_states(self) -> None:
        has_steps = self._class is not torch.optim.SGD
        double = torch.get_default_dtype() == torch.float64
        dtype = torch.float64 if double else torch.float32
        for k, j in np.argwhere(self._begun).tolist():
            state = self._optimizers[k].state[self.own[k][j]]
            if has_steps:
                state["step"] = torch.tensor(self._steps[k, j].item(), dtype=dtype)
            for name in self._states:
                value = self._place(name, k, j)
                mine = state.get(name)
                if mine is None:
                    state[name] = value.clone()
                else:
                    mine.copy_(value)

    def put_gradients(self, members: range, gradients: Gradients) -> None:
        """Bring the gradients of stacked parameters into rows."""
        found = tuple(gradient is not None for gradient in gradients)
        n = len(members)
        parts = [
            self._values.new_zeros(n, self._ends[j + 1] - self._ends[j])
            if gradient is None
            else gradient.reshape(n, -1)
            for j, gradient in enumerate(gradients)
        ]
        flat = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
        self._keep(members, flat, found)

    def room_for_gradients(
        self, members: range, found: Sequence[bool]
    ) -> list[Tensor | None]:
        """Where to write the gradients that will be found, instead of bringing them.

        It is the same memory at each step of these nets.
        """
        if members not in self._rooms:
            flat = self._values.new_zeros(len(members), self._ends[-1])
            views = [
                self._view(flat, j) if is_there else None
                for j, is_there in enumerate(found)
            ]
            self._rooms[members] = flat, views
        flat, views = self._rooms[members]
        self._keep(members, flat, tuple(found))
        return views

    def _keep(self, members: range, flat: Tensor, found: tuple[bool, ...]) -> None:
        self._found[members] = flat, found
        for k, row in zip(members, flat, strict=True):
            self._gradients[k] = row, found

    def show_gradients(self, members: range, k: int) -> None:
        """Let net k see its gradients, which it may change."""
        flat, found = self._found[members]
        self._set_gradients(k, flat[k - members.start], found)

    def _set_gradients(self, k: int, row: Tensor, found: tuple[bool, ...]) -> None:
        for j, p in enumerate(self.own[k]):
            p.grad = self._view(row, j) if found[j] else None

    def step(self, members: range) -> None:
        """One step of the optimisers of some nets."""
        flat, found = self._found.pop(members)
        if self._group is None or not any(found):
            return
        rows = slice(members.start, members.stop)
        values = self._values_of.get(members)
        if values is None:
            options = [o.param_groups[self._group] for o in self._optimizers[rows]]
            values = self._values_of[members] = Values(options, self._values)
        if not self._states:
            self._states = self._new_states(values.options[0])
        if values.options[0].get("maximize"):
            flat = -flat
        self._steps[rows, list(found)] += 1
        self._begun[rows, list(found)] = bool(self._states)
        for first, last in self._sections(members, found):
            start, stop = self._ends[first], self._ends[last]
            state = {
                name: kept[rows, start:stop]
                if kept.shape == self._values.shape
                else kept[rows, first:last]
                for name, kept in self._states.items()
            }
            steps = self._steps[rows, first].tolist()
            p = self._values[rows, start:stop]
            STEPS[self._class](p, flat[:, start:stop], state, steps, values)

    def _sections(
        self, members: range, found: tuple[bool, ...]
    ) -> list[tuple[int, int]]:
        """Parameters side by side that have made equally many steps, from and to."""
        key = members, found
        if key not in self._sections_of:
            steps = self._steps[members.start : members.stop]
            sections: list[tuple[int, int]] = []
            for j in np.flatnonzero(found).tolist():
                if (
                    sections
                    and sections[-1][1] == j
                    and (steps[:, j] == steps[:, j - 1]).all()
                ):
                    sections[-1] = sections[-1][0], j + 1
                else:
                    sections.append((j, j + 1))
            self._sections_of[key] = sections
        return self._sections_of[key]

    def forget_options(self) -> None:
        """The options of the optimisers may have been changed."""
        self._values_of = {}
