"""Locks between processes that the system frees when their holder dies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sktune._errors import DeviceError

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# Locks belong to open files, which a forked child would hold on to: the workers of a
# DataLoader live for seconds after the process that made them was killed.
_open: dict[int, Lock] = {}


def make_folder(folder: Path) -> None:
    """The folder of all locks of this machine, for all of its users."""
    try:
        folder.mkdir(parents=True)
        folder.chmod(0o1777)
    except FileExistsError:
        pass
    except OSError as error:
        raise DeviceError(
            f"Devices are shared by locks in {folder}, which cannot be made: {error}. "
            "Name a folder that can, in the environment variable SKTUNE_DEVICE_LOCKS."
        ) from error


class Lock:
    """A lock on one file, for one holder at a time in whatever process or thread.

    Unless told to `make` the file, both ways to acquire it raise FileNotFoundError
    where there is none.
    """

    def __init__(self, path: Path, *, make: bool = True) -> None:
        self.path = path
        self._make = make
        self._file: Any = None  # number of the open file, or a FileLock

    def acquire(self) -> None:
        """Wait, asleep in the system, until the lock is free."""
        self._acquire(wait=True)

    def try_acquire(self) -> bool:
        """Whether the lock was free; then it is held."""
        return self._acquire(wait=False)

    def release(self) -> None:
        """Free the lock, if it is held."""
        file, self._file = self._file, None
        if file is None:
            return
        if fcntl is None:
            file.release()
            return
        _open.pop(file, None)
        # Explicitly: a child that was forked in a way of its own may share the file.
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)

    def is_at(self, path: Path) -> bool:
        """Whether the file that is locked is still the one of that name."""
        if fcntl is None:
            return path.exists()
        try:
            return os.path.samestat(os.fstat(self._file), path.stat())
        except FileNotFoundError:
            return False

    def _acquire(self, wait: bool) -> bool:
        if fcntl is None:
            if not self._make and not self.path.exists():
                raise FileNotFoundError(self.path)
            file = FileLock(self.path, thread_local=False)
            try:
                file.acquire(timeout=-1 if wait else 0)
            except Timeout:
                return False
            self._file = file
            return True
        number = _open_file(self.path, self._make)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BaseException as error:
            os.close(number)
            if isinstance(error, BlockingIOError):
                return False
            raise
        self._file = number
        _open[number] = self
        return True


def _open_file(path: Path, make: bool) -> int:
    """Open for all users to lock."""
    while True:
        try:
            # Not to be made in the same call: the system refuses that for a file of
            # somebody else in a folder that is everybody's.
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            if not make:
                raise
            try:
                number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                continue
            os.fchmod(number, 0o666)
            return number


def _close_in_child() -> None:
    for number, lock in _open.items():
        lock._file = None
        os.close(number)
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)
