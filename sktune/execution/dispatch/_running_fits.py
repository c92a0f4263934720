"""What each worker is running, for when one of them is killed.

A process that is gone cannot say which unit it was at. So each batch has a small file
while a worker is at it, with the worker's process and the number of the unit within the
batch. Where workers do not see the folder there are no files, and nothing else changes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sktune.persistence import remove_folder, temporary_folder


class Running(NamedTuple):
    """A process, and the unit of a batch that it is at, counted from 0.

    `taken` is the memory that a fit of the unit had taken when that was too much, or 0.
    """

    pid: int
    position: int
    taken: int


@dataclass(frozen=True)
class Marker:
    """The file of one batch, as the worker that runs it knows it.

    Attributes
    ----------
    path : str
    search : int
        Process of the search.
    """

    path: str
    search: int

    def write(self, position: int, taken: int = 0) -> None:
        """Say that the unit at this position begins, or has taken too much memory."""
        with suppress(OSError):  # a file that nobody will read costs no fit
            text = f"{os.getpid()} {position:<9} {taken:<20}".encode()
            flags = os.O_WRONLY | os.O_CREAT
            file = os.open(self.path, flags, 0o600)
            try:
                os.write(file, text)
            finally:
                os.close(file)

    def read(self) -> Running | None:
        """Who was at which unit; None if the batch had not begun, or had ended."""
        try:
            pid, position, taken = Path(self.path).read_text().split()
            return Running(int(pid), int(position), int(taken))
        except (OSError, ValueError):
            return None

    def remove(self) -> None:
        with suppress(OSError):
            os.unlink(self.path)


class RunningFits:
    """What the workers of one search are running.

    Parameters
    ----------
    folder : str or None
        Where they get a folder of their own; None for the system's folder of temporary
        files.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._path = temporary_folder(folder)

    def marker(self, batch: int) -> Marker:
        """The file of a batch, by its number."""
        return Marker(str(self._path / str(batch)), os.getpid())

    def read(self, batch: int) -> Running | None:
        """Who was at which unit of a batch."""
        return self.marker(batch).read()

    def close(self) -> None:
        remove_folder(self._path)
