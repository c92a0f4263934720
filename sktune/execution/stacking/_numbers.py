"""The random numbers that each net of a stack draws within an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from sktune.execution.stacking._lockstep import Runner

# Of the states that a fit has of its random numbers, those of torch: by the device that
# they are for, as `random_states` names them.
_STATES = {"cpu": "torch", "cuda": "cuda"}


class Numbers:
    """The generators of each net, as torch's global ones are for a net by itself.

    Parameters
    ----------
    runners : sequence of Runner
    """

    def __init__(self, runners: Sequence[Runner]) -> None:
        self._runners = runners
        self._generators: dict[tuple[int, str], torch.Generator] = {}
        self._before: dict[int, dict[str, Any] | None] = {}

    def generator(self, k: int, device: Any = "cpu") -> torch.Generator:
        """That of a net on a device."""
        device = torch.device(device)
        states = self._runners[k].states
        if states is None and device.type == "cpu":
            return torch.default_generator
        key = k, device.type
        if key not in self._generators:
            assert states is not None
            self._generators[key] = torch.Generator(device)
            self._read(k, device.type)
        return self._generators[key]

    def mark(self) -> None:
        """What is drawn from now on can be undone."""
        self._before = {}

    def undo(self) -> None:
        """Begin again where the mark was set."""
        for k, states in self._before.items():
            self._runners[k].states = states
            for kind in _STATES:
                self._read(k, kind)
        self._before = {}

    def _remember(self, k: int) -> None:
        if k not in self._before:
            self.keep(k)
            states = self._runners[k].states
            self._before[k] = None if states is None else dict(states)

    def draw(self, k: int, tensor: Tensor, keep: float) -> None:
        """Fill with ones, with the probability `keep`, else with zeros."""
        self._remember(k)
        if tensor.device.type in _STATES:
            generator = self.generator(k, tensor.device)
            tensor.bernoulli_(keep, generator=generator)
        else:
            with self.alone(k):
                tensor.bernoulli_(keep)

    @contextmanager
    def alone(self, k: int) -> Iterator[None]:
        """The global generators are those of one net."""
        self._remember(k)
        self.keep(k)
        with self._runners[k].own_numbers():
            yield
        for kind in _STATES:
            self._read(k, kind)

    def keep(self, k: int) -> None:
        """Let the fit of a net go on from here."""
        states = self._runners[k].states
        for kind, name in _STATES.items():
            generator = self._generators.get((k, kind))
            if states is not None and generator is not None:
                states[name] = generator.get_state().numpy()

    def _read(self, k: int, kind: str) -> None:
        generator, states = self._generators.get((k, kind)), self._runners[k].states
        if generator is not None and states is not None:
            generator.set_state(torch.from_numpy(states[_STATES[kind]]))
