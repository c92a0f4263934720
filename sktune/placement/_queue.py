"""Who comes first: a queue of tickets in a folder, one for each fit that waits.

A ticket is a file that its holder has locked, so that a dead holder's ticket is one
whose lock is free. Whoever waits sleeps in the system on the lock of a ticket before
their own, and wakes when that one has gone or its holder has died.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from sktune.placement._locks import Lock

# Seconds between two looks of the one at the head of the queue at the slots, and of a
# thread, which has to notice that its search is over, at the ticket before its own.
POLL_SECONDS = 0.015
POLL_THREAD_SECONDS = 0.05

_PREFIX = "ticket-"


class WaitEndedError(Exception):
    """Nobody waits any longer for the fit that was to run."""


class Ticket:
    """A place in the queue, for any of some devices.

    A device belongs to the first of those who want it: nobody else may take a slot of
    it, so that one who needs all of its slots will get them.
    """

    def __init__(self, folder: Path, wants: frozenset[str]) -> None:
        self._folder = folder
        self._wants = wants
        self._lock, self.number = self._draw()

    def _draw(self) -> tuple[Lock, int]:
        with door(self._folder):
            while True:
                number = max(self._numbers(), default=0) + 1
                path = self._path(number)
                # First: a ticket that is seen says what it wants.
                _wants_path(path).write_text(json.dumps(sorted(self._wants)))
                lock = Lock(path)
                lock.acquire()
                # Else someone took it for a dead one's, before it was locked.
                if lock.is_at(path):
                    return lock, number
                lock.release()

    def close(self) -> None:
        """Leave the queue."""
        # Not after the release: the number may be another's by then.
        self._forget(self.number)
        self._lock.release()

    def ahead(self) -> tuple[frozenset[str], int | None]:
        """The devices that are mine to take, and whom to sleep on if none is.

        That is a ticket that wants all that this one wants; None where there is no
        such, though several together may want it all.
        """
        free, covering = self._wants, None
        for number in sorted(n for n in self._numbers() if n < self.number):
            if self._is_dead(number):
                continue
            wants = self._wants_of(number)
            if wants >= self._wants:
                covering = number
            free -= wants
        return free, covering

    def wait(self, number: int, stopped: Event | None) -> None:
        """Sleep until that ticket is gone."""
        lock = Lock(self._path(number), make=False)
        try:
            if stopped is None:
                lock.acquire()
            else:
                while not lock.try_acquire():
                    if stopped.wait(POLL_THREAD_SECONDS):
                        raise WaitEndedError
        except FileNotFoundError:
            return
        self._bury(number, lock)

    def _is_dead(self, number: int) -> bool:
        lock = Lock(self._path(number), make=False)
        try:
            if not lock.try_acquire():
                return False
        except FileNotFoundError:
            return True
        self._bury(number, lock)
        return True

    def _bury(self, number: int, lock: Lock) -> None:
        """Remove a ticket that nobody holds; nobody draws its number while I wait."""
        self._forget(number)
        lock.release()
        self._forget(number)  # where an open file cannot be removed

    def _numbers(self) -> list[int]:
        names = (name.removeprefix(_PREFIX) for name in os.listdir(self._folder))
        return [int(name) for name in names if name.isdigit()]

    def _path(self, number: int) -> Path:
        return self._folder / f"{_PREFIX}{number}"

    def _wants_of(self, number: int) -> frozenset[str]:
        try:
            return frozenset(json.loads(_wants_path(self._path(number)).read_text()))
        except (OSError, ValueError):
            return self._wants  # not written yet; until then, the same as I

    def _forget(self, number: int) -> None:
        for path in (_wants_path(self._path(number)), self._path(number)):
            try:
                path.unlink(missing_ok=True)
            except OSError:  # open, on Windows; whoever comes next removes it
                return


def _wants_path(path: Path) -> Path:
    return path.with_suffix(".wants")


@contextmanager
def door(folder: Path) -> Iterator[None]:
    """One at a time, for moments."""
    lock = Lock(folder / "door")
    lock.acquire()
    try:
        yield
    finally:
        lock.release()
