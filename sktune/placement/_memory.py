"""How many fits a device has memory for: measured, and corrected when it was wrong."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from sktune.placement._device_names import device_index, device_kind

# Kinds of devices whose memory torch can measure.
MEASURED = ("cuda", "xpu")

# What is left free, as a share: candidates differ, and caches are cut into pieces.
_SPARE = 0.05

# Most bytes that a process is taken to need beside its tensors. Whatever else is in use
# then belongs to others.
_MOST_CONTEXT = 2**30


@dataclass(frozen=True)
class Reading:
    """How full a device is, in bytes, as one process sees it.

    Attributes
    ----------
    total : int
        All that the device has.
    peak : int
        The most that this process has held for tensors since `Memory.begin`.
    beside : int
        In use, and not for tensors of this process: its own context, and others.
    """

    total: int
    peak: int
    beside: int


class Memory(Protocol):
    """Memory of one device."""

    def begin(self) -> None:
        """Forget the peak."""

    def read(self) -> Reading | None:
        """How full it is; None where this process has not used the device."""


class TorchMemory:
    """What torch says. Asks nothing of a device that this process has not used."""

    def __init__(self, name: str) -> None:
        self._kind, self._index = device_kind(name), device_index(name)

    def begin(self) -> None:
        if self._torch is not None:
            self._torch.reset_peak_memory_stats(self._index)

    def read(self) -> Reading | None:
        if self._torch is None:
            return None
        peak = self._torch.max_memory_reserved(self._index)
        if not peak:
            return None
        free, total = self._torch.mem_get_info(self._index)
        beside = total - free - self._torch.memory_reserved(self._index)
        return Reading(int(total), int(peak), max(0, int(beside)))

    @property
    def _torch(self) -> Any:
        module = getattr(sys.modules.get("torch"), self._kind, None)
        return module if module is not None and module.is_initialized() else None


def memory_of(name: str) -> Memory:
    """Memory of a device of the kinds that can be measured."""
    return TorchMemory(name)


@dataclass(frozen=True)
class Measured:
    """What the fits of one search have shown of one device.

    Attributes
    ----------
    total, beside : int
        When the first fit, which had the device for itself, was over.
    peak : int
        The largest of all fits so far.
    most : int or None
        Fits that may share the device at most, since more have run out of memory.
    """

    total: int = 0
    beside: int = 0
    peak: int = 0
    most: int | None = None

    @property
    def n_fits(self) -> int:
        """Fits that may share the device; 1 until one has been measured."""
        if not self.peak:
            return 1
        context = min(self.beside, _MOST_CONTEXT)
        room = (1 - _SPARE) * self.total - (self.beside - context)
        n = max(1, int(room // (self.peak + context)))
        return n if self.most is None else min(n, self.most)

    def with_reading(self, reading: Reading) -> Measured:
        """With one more fit."""
        if not self.peak:
            return replace(self, **asdict(reading))
        return replace(self, peak=max(self.peak, reading.peak))

    def with_too_many(self, n_fits: int) -> Measured:
        """With a fit that ran out of memory, where so many were allowed."""
        most = max(1, n_fits - 1)
        return replace(self, most=most if self.most is None else min(self.most, most))


def read_measured(path: Path) -> Measured:
    """What is in the file; nothing where it is not there, or was cut short."""
    try:
        return Measured(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return Measured()


def write_measured(path: Path, measured: Measured) -> None:
    """In place, since in a folder of everybody's others' files cannot be replaced."""
    path.write_text(json.dumps(asdict(measured)))
