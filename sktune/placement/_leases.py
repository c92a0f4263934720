"""Leases: the right to run a fit on a device, for as long as it runs."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

from sktune.placement._devices import Device, Placement
from sktune.placement._locks import Lock, make_folder
from sktune.placement._memory import Measured, Memory, read_measured, write_measured
from sktune.placement._queue import POLL_SECONDS, Ticket, WaitEndedError, door

# After that long, what was measured belongs to a search that was killed.
_SECONDS_TO_KEEP = 30 * 24 * 3600

_of_thread = threading.local()
_in_process: Counter[str] = Counter()  # leases that threads of this process hold


def has_lease() -> bool:
    """Whether this thread runs a fit that has a lease.

    What such a fit runs itself, runs on that device: it could wait for ever for a slot
    that it holds.
    """
    return getattr(_of_thread, "depth", 0) > 0


class Lease:
    """A slot of a device.

    Attributes
    ----------
    device : str
    slot : int or None
        None on a device without a limit.
    """

    def __init__(self, placement: Placement, device: Device, slot: int | None) -> None:
        self.device = device.name
        self.slot = slot
        self._key = device.key
        self._start = time.time()
        self._end: float | None = None
        self._path: Path | None = None
        self._memory: Memory | None = None
        if device.n_fits == "auto":
            self._path = _measured_path(placement, device)
            self._memory = placement.memory(device.name)
            self._allowed = read_measured(self._path).n_fits
            self._memory.begin()

    @property
    def is_only(self) -> bool:
        """Whether no other thread of this process has a lease now."""
        return sum(_in_process.values()) == 1

    def measure(self) -> None:
        """Note how much memory the fit, which has succeeded, has taken."""
        # What threads take cannot be told apart.
        if self._memory is not None and _in_process[self._key] == 1:
            reading = self._memory.read()
            if reading is not None:
                self._note(lambda measured: measured.with_reading(reading))

    def ran_out(self) -> None:
        """Note that the fit ran out of memory."""
        if self._memory is not None:
            self._note(lambda measured: measured.with_too_many(self._allowed))

    def _note(self, change: Callable[[Measured], Measured]) -> None:
        assert self._path is not None
        with door(self._path.parent):
            write_measured(self._path, change(read_measured(self._path)))

    def end(self) -> None:
        """Note the time: the slot is given back after this."""
        self._end = time.time()

    def record(self) -> dict[str, Any]:
        """Device, slot and times, as plain values."""
        return {
            "device": self.device,
            "slot": self.slot,
            "start": self._start,
            "end": time.time() if self._end is None else self._end,
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }


@contextmanager
def lease(
    placement: Placement,
    *,
    exclusive_on: str | None = None,
    stopped: Event | None = None,
) -> Iterator[Lease]:
    """Wait for a slot, first come first served, and hold it.

    Parameters
    ----------
    placement : Placement
    exclusive_on : str, default=None
        Name of a device of which all slots are wanted.
    stopped : Event, default=None
        Set when nobody waits for the fit any longer; for fits in threads, which cannot
        be ended from outside.

    Raises
    ------
    DeviceError
        Where a device is not there, or no lock can be made.
    WaitEndedError
        When `stopped` is set.
    """
    devices = placement.here()
    if exclusive_on is not None:
        devices = [device for device in devices if device.name == exclusive_on]
    if devices[0].n_fits is None:
        with _held(Lease(placement, devices[0], None)) as held:
            yield held
        return
    make_folder(placement.path)
    locks, device, slot = _wait(placement, devices, exclusive_on is not None, stopped)
    try:
        with _held(Lease(placement, device, slot)) as held:
            yield held
    finally:
        for lock in locks:
            lock.release()


@contextmanager
def _held(held: Lease) -> Iterator[Lease]:
    _of_thread.depth = getattr(_of_thread, "depth", 0) + 1
    _in_process[held._key] += 1
    try:
        yield held
    finally:
        _in_process[held._key] -= 1
        _of_thread.depth -= 1
        held.end()


Taken = tuple[list[Lock], Device, int]


def _wait(
    placement: Placement,
    devices: Sequence[Device],
    exclusive: bool,
    stopped: Event | None,
) -> Taken:
    ticket = Ticket(placement.path, frozenset(device.key for device in devices))
    try:
        while True:
            start = time.thread_time()
            free, covering = ticket.ahead()
            mine = [device for device in devices if device.key in free]
            taken = _take(placement, mine, exclusive) if mine else None
            if taken is not None:
                return taken
            # A look takes no more than one percent of a processor.
            seconds = max(POLL_SECONDS, 100 * (time.thread_time() - start))
            if covering is not None:
                ticket.wait(covering, stopped)
            elif stopped is None:
                time.sleep(seconds)
            elif stopped.wait(seconds):
                raise WaitEndedError
    finally:
        ticket.close()


def _take(
    placement: Placement, devices: Sequence[Device], exclusive: bool
) -> Taken | None:
    """A slot of the device that has most of them free, or all slots of one.

    Only one process at a time looks at a device: whose ticket is first.
    """
    folder = placement.path
    allowed = {
        device: 1 if exclusive else _n_fits(placement, device) for device in devices
    }
    # Searches may give one device different numbers of fits. Who has a device
    # exclusively holds a lock beside those of all slots that anybody has ever used.
    only = {device: Lock(folder / f"{device.key}.exclusive") for device in devices}
    only = {device: lock for device, lock in only.items() if lock.try_acquire()}
    try:
        for slot in range(max(allowed.values())):
            for device in [device for device in only if slot < allowed[device]]:
                paths = {folder / f"{device.key}.slot{slot}"}
                is_exclusive = allowed[device] == 1
                if is_exclusive:
                    paths |= set(folder.glob(f"{device.key}.slot*"))
                locks = _lock_all(paths)
                if locks is not None:
                    if is_exclusive:
                        locks.append(only.pop(device))
                    return locks, device, slot
    finally:
        for lock in only.values():
            lock.release()
    return None


def _lock_all(paths: Iterable[Path]) -> list[Lock] | None:
    """Locks of all these files; None where one of them is not free."""
    locks: list[Lock] = []
    for path in paths:
        lock = Lock(path)
        if not lock.try_acquire():
            for held in locks:
                held.release()
            return None
        locks.append(lock)
    return locks


def _n_fits(placement: Placement, device: Device) -> int:
    if device.n_fits == "auto":
        return read_measured(_measured_path(placement, device)).n_fits
    assert isinstance(device.n_fits, int)
    return device.n_fits


def _measured_path(placement: Placement, device: Device) -> Path:
    return placement.path / f"{device.key}.memory-{placement.search}"


def forget_measured(placement: Placement) -> None:
    """Remove what was measured for a search that is over, or was killed."""
    for path in placement.path.glob("*.memory-*"):
        mine = path.name.endswith(f".memory-{placement.search}")
        with suppress(OSError):
            if mine or time.time() - path.stat().st_mtime > _SECONDS_TO_KEEP:
                path.unlink()
