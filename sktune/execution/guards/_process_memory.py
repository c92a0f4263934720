"""The memory of this process: how much it has, and how much more it may get."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import resource

_STATM = Path("/proc/self/statm")
_CHILDREN = "/proc/self/task"
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096

# By this many bytes beyond a page a ceiling is known as ours; the kernel counts pages.
_MARK = 1613


def can_measure() -> bool:
    """Whether it can be told how much memory this process has."""
    try:
        private_memory()
    except ImportError:
        return False
    return True


def private_memory() -> int:
    """Bytes that this process has in memory, without files that it has mapped.

    Data that workers share are such a file, and count for nobody.
    """
    if _STATM.exists():
        _, resident, shared, *_ = _statm()
        return (resident - shared) * _PAGE
    import psutil

    return int(psutil.Process().memory_info().rss)


def _statm() -> list[int]:
    return [int(n) for n in _STATM.read_text().split()]


class Ceiling:
    """Lets the system refuse memory to this process, on Linux.

    What it counts is memory that may be written to, used or not.
    """

    def __init__(self) -> None:
        self._before: tuple[int, int] | None = None

    def n_bytes(self) -> int:
        """What counts now; 0 where nothing is counted."""
        return _statm()[5] * _PAGE if _STATM.exists() else 0

    def put(self, n_bytes: int) -> None:
        """Refuse what goes beyond so many bytes, in place of a ceiling before."""
        if self._before is None:
            self._before = resource.getrlimit(resource.RLIMIT_DATA)
        soft, hard = self._before
        wanted = n_bytes // _PAGE * _PAGE + _MARK
        for limit in (soft, hard):
            if limit != resource.RLIM_INFINITY:
                wanted = min(wanted, limit)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))

    def take_off(self) -> None:
        """As it was before, in processes too that were started under it.

        They would keep it for as long as they are there, and for whatever they do.
        """
        if self._before is None:
            return
        before, self._before = self._before, None
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, before)
        for pid in _children():
            with suppress(OSError, ValueError):
                soft, _ = resource.prlimit(pid, resource.RLIMIT_DATA)
                if soft % _PAGE == _MARK:
                    resource.prlimit(pid, resource.RLIMIT_DATA, before)


def _children() -> list[int]:
    found: list[int] = []
    for path in Path(_CHILDREN).glob("*/children"):
        with suppress(OSError):  # a thread that has ended meanwhile
            found += map(int, path.read_text().split())
    return found
