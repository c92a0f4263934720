"""Notes that workers leave of what they run, for when one of them is killed.

A process that is gone cannot say which fit it was at. So each unit of work has a small
file while a worker is at it, with the worker's process and the number of the fit within
the unit. Where workers do not see the folder there are no notes, and nothing else
changes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from sktune.persistence import remove_folder, temporary_folder


class Running(NamedTuple):
    """A process, and the fit of a unit that it is at, counted from 0."""

    pid: int
    position: int


@dataclass(frozen=True)
class Note:
    """The note of one unit, as the worker that runs it knows it.

    Attributes
    ----------
    path : str
    search : int
        Process of the search.
    """

    path: str
    search: int

    def write(self, position: int) -> None:
        """Note that the fit at this position begins."""
        with suppress(OSError):  # a note that nobody will read costs no fit
            text = f"{os.getpid()} {position:<9}".encode()
            flags = os.O_WRONLY | os.O_CREAT
            file = os.open(self.path, flags, 0o600)
            try:
                os.write(file, text)
            finally:
                os.close(file)

    def remove(self) -> None:
        with suppress(OSError):
            os.unlink(self.path)


class Notes:
    """The notes of one search.

    Parameters
    ----------
    folder : str or None
        Where they get a folder of their own; None for the system's folder of temporary
        files.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._path = temporary_folder(folder)

    def of(self, unit: int) -> Note:
        """The note of a unit, by its number."""
        return Note(str(self._path / str(unit)), os.getpid())

    def read(self, unit: int) -> Running | None:
        """Who was at which fit of a unit; None if it had not begun, or had ended."""
        try:
            pid, position = (self._path / str(unit)).read_text().split()
            return Running(int(pid), int(position))
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        remove_folder(self._path)
