"""What a program takes of the machine: itself, its workers, and files it leaves."""

from __future__ import annotations

import gc
import os
import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SHM = Path("/dev/shm")


@dataclass
class Footprint:
    """Of this process and of those below it.

    Attributes
    ----------
    memory : int
        Private bytes of this process.
    workers : dict of int to int
        Private bytes of each process below, by its number.
    files : Counter
        What each open file of this process is, but for sockets: only clusters open
        these, and keep some.
    worker_files, worker_threads : int
        Of the process below that has most of them.
    threads : Counter
        Names of this process's threads.
    left : Counter
        In the folder of temporary files, and in shared memory.
    """

    memory: int
    workers: dict[int, int]
    files: Counter[str]
    worker_files: int
    threads: Counter[str]
    worker_threads: int
    left: Counter[str]


def footprint(temporary: Path) -> Footprint:
    gc.collect()
    below = [pid for pid in _below(os.getpid()) if _memory(pid)]
    return Footprint(
        memory=_memory(os.getpid()),
        workers={pid: _memory(pid) for pid in below},
        files=_files(os.getpid()),
        worker_files=max((_files(pid).total() for pid in below), default=0),
        threads=_threads(os.getpid()),
        worker_threads=max((_threads(pid).total() for pid in below), default=0),
        left=Counter(str(p.relative_to(temporary)) for p in temporary.rglob("*"))
        + _shared(),
    )


def settled(temporary: Path, like: Footprint, seconds: float = 10.0) -> Footprint:
    """The footprint, once what ends late has ended, or the seconds are over."""
    end = time.monotonic() + seconds
    while True:
        now = footprint(temporary)
        if not more_than(like, now) or time.monotonic() > end:
            return now
        time.sleep(0.2)


def more_than(before: Footprint, now: Footprint) -> dict[str, object]:
    """What there is now and was not before, but for memory."""
    more: dict[str, object] = {
        "files": now.files - before.files,
        "threads": now.threads - before.threads,
        "processes": max(0, len(now.workers) - len(before.workers)),
        "files of a worker": max(0, now.worker_files - before.worker_files),
        "threads of a worker": max(0, now.worker_threads - before.worker_threads),
        "left": now.left - before.left,
    }
    return {name: value for name, value in more.items() if value}


def _below(pid: int) -> list[int]:
    """Processes that this one has started, and those that these have."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, after = path.read_text().rpartition(")")
        except OSError:
            continue
        parents[int(path.parent.name)] = int(after.split()[1])
    found, level = [], {pid}
    while level:
        level = {one for one, parent in parents.items() if parent in level}
        found += sorted(level)
    return found


def _memory(pid: int) -> int:
    """Private bytes; 0 of a process that is gone, or is a zombie."""
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * _PAGE


def _files(pid: int) -> Counter[str]:
    def target(path: Path) -> str:
        return os.readlink(path)

    names = _names(Path(f"/proc/{pid}/fd"), target)
    return Counter({name: n for name, n in names.items() if "socket" not in name})


def _threads(pid: int) -> Counter[str]:
    def name(path: Path) -> str:
        return (path / "comm").read_text().strip()

    return _names(Path(f"/proc/{pid}/task"), name)


def _names(folder: Path, name: Callable[[Path], str]) -> Counter[str]:
    """What is in a folder of /proc, but for numbers; of what is there long enough."""
    names: Counter[str] = Counter()
    with suppress(OSError):  # the process is gone
        for path in folder.iterdir():
            with suppress(OSError):
                names[re.sub(r"\d+", "N", name(path))] += 1
    return names


def _shared() -> Counter[str]:
    """In shared memory; what bears this process's number is its own."""
    own = re.compile(rf"(?<!\d){os.getpid()}(?!\d)")
    matches = (own.split(path.name) for path in _SHM.glob("*"))
    return Counter(parts[0] for parts in matches if len(parts) > 1)
