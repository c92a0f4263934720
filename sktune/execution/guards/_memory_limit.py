"""Ends a fit that takes more memory than it may.

Three things do it, each for what the one before cannot (docs/decisions/0012):
a thread looks at the memory of the process, and what calls modules of torch ends at the
next call; the system refuses what is far too much at once; and a process that is there
for fits only ends itself when all that was of no use.
"""

from __future__ import annotations

import errno
import gc
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sktune._errors import FitMemoryError
from sktune.execution.estimators._device_parameters import find_placeable
from sktune.execution.guards._device_memory import chain
from sktune.execution.guards._process_memory import (
    Ceiling,
    can_measure,
    private_memory,
)
from sktune.execution.guards._timeout import before_modules, how_far
from sktune.placement import device_kind

_SECONDS_BETWEEN_LOOKS = 0.02

# What is allowed beyond a limit before memory is refused, so that small steps are told
# of by the thread, and not by an error in the middle of an import or by a pool of
# threads that ends the process since it cannot start. A thread's stack counts as memory
# before it is used; workers are told how many they may have.
_N_THREADS = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
_N_CORES = int(_N_THREADS) if _N_THREADS.isdigit() else os.cpu_count() or 1
_SPARE = (64 + 10 * _N_CORES) * 2**20

_UNITS = {
    "": 1,
    **{letter: 1000 ** (k + 1) for k, letter in enumerate("KMGT")},
    **{letter + "I": 1024 ** (k + 1) for k, letter in enumerate("KMGT")},
}
_AMOUNT = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([KMGT]I?|)B\s*", re.IGNORECASE)

# How libraries say that the system refused memory, beside MemoryError.
_REFUSED = re.compile(
    r"can(?:'t|not) allocate memory|bad_?alloc|not enough memory|start new thread",
    re.IGNORECASE,
)

# The limits of what this thread is at, a search inside a fit last; and what is called
# when one is passed, where the process may be ended for it.
_thread = threading.local()

Given = float | str
"""Bytes, or a text such as "2GB"."""


def as_bytes(given: Given) -> int:
    """Bytes of a number, or of a text such as "2GB" or "1.5GiB"."""
    n_bytes = 0
    if isinstance(given, str):
        match = _AMOUNT.fullmatch(given)
        if match is not None:
            n_bytes = int(float(match[1]) * _UNITS[match[2].upper()])
    else:
        n_bytes = int(min(given, sys.maxsize // 2))  # infinity is no int
    if n_bytes < 1:
        raise ValueError(
            f"fit_memory={given!r} is no amount of memory. Give a number of bytes, or "
            "a string such as '500MB', '2GB' or '1.5GiB'."
        )
    return n_bytes


def check_limit(given: Given | None) -> None:
    """Refuse what is no limit, or cannot be held here."""
    if given is not None and as_bytes(given) and not can_measure():
        raise ValueError(
            f"fit_memory={given!r} cannot be held: how much memory a process has "
            f"cannot be seen on {sys.platform} without psutil. Install psutil, or "
            "leave fit_memory out."
        )


@contextmanager
def expendable(note: Callable[[int], None] | None) -> Iterator[None]:
    """Let this process be ended by a fit of this thread that takes too much memory.

    `note` is called with the bytes that it has taken, before that.
    """
    around = getattr(_thread, "note", None)
    _thread.note = note
    try:
        yield
    finally:
        _thread.note = around


class MemoryLimit:
    """What one fit may take.

    Parameters
    ----------
    given : float or str
        Bytes, or a text such as "2GB"; beyond what the process has when it begins.

    Attributes
    ----------
    taken : int
        How much it had taken when that was found to be too much; else 0.
    refuses : bool
        Whether the system is to refuse what is too much at once.
    """

    def __init__(self, given: Given) -> None:
        self._given = given
        self._n_bytes = as_bytes(given)
        self._note: Callable[[int], None] | None = getattr(_thread, "note", None)
        self._begin = 0
        self._ceiling = 0
        self.taken = 0
        self.refuses = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Hold the limit for what this thread does in the context."""
        self._begin = private_memory()
        around = getattr(_thread, "limits", ())
        _thread.limits = (*around, self)
        _watch.add(self)
        try:
            with before_modules(_check):
                yield
        finally:
            _watch.remove(self)
            _thread.limits = around
            if self.taken:  # what is left of it must not count for the next fit
                gc.collect()

    @contextmanager
    def training(self, estimator: Any) -> Iterator[None]:
        """Raise `FitMemoryError` where the training takes too much."""
        # CUDA takes far more addresses than memory, and could not begin.
        self.refuses = _is_on_cpu(estimator)
        _watch.look()
        try:
            yield
        except Exception as error:
            self.check(error, how_far(estimator))
            raise
        _watch.look()
        if self.taken:
            raise self._error()

    def check(self, error: Exception, when: str = "while it was scored") -> None:
        """Raise `FitMemoryError` where that is what led to an error."""
        if self.taken:
            is_ours = type(error) is FitMemoryError
            raise self._error(when) from (None if is_ours else error)
        if self.refuses and _is_refused(error):
            raise FitMemoryError(
                f"The fit wanted more memory at once than fit_memory={self._given!r} "
                f"leaves to it, and was refused it{when and ' ' + when}. Give it more, "
                "or search what needs less."
            ) from error

    def _error(self, when: str = "") -> FitMemoryError:
        return too_much(self._given, self.taken, when and f" and was ended {when}")

    def look(self, memory: int, ceiling: Ceiling) -> int | None:
        """See what the fit has taken; returns beyond what memory is to be refused.

        Called by whatever thread.
        """
        taken = memory - self._begin
        if taken > self._n_bytes and not self.taken:
            self.taken = taken
            if self._note is not None:
                self._note(taken)
        # Refused memory comes first, where it is.
        if self._note is not None and taken > self._n_bytes + 2 * _SPARE:
            os._exit(1)
        if not self.refuses:
            return None
        if not (self.taken and self._ceiling):
            left = max(0, self._n_bytes - taken)
            self._ceiling = ceiling.n_bytes() + left + _SPARE
        return self._ceiling


def too_much(given: Given | None, taken: int, how: str) -> FitMemoryError:
    """What a fit fails with that has taken too much."""
    return FitMemoryError(
        f"The fit took more memory than fit_memory={given!r}: {taken / 1e6:.0f} MB "
        f"when that was seen{how}. Give it more, or search what needs less."
    )


def _is_on_cpu(estimator: Any) -> bool:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return False
    parts = find_placeable(estimator).values()
    devices = [part.get_params(deep=False).get("device") for part in parts]
    return all(one is None or device_kind(one) == "cpu" for one in devices)


def _is_refused(error: Exception) -> bool:
    return any(
        isinstance(one, MemoryError)
        or (isinstance(one, OSError) and one.errno == errno.ENOMEM)
        or _REFUSED.search(str(one)) is not None
        for one in chain(error)
    )


def _check(module: Any, args: Any) -> None:
    """Called by torch before a module is."""
    if any(limit.taken for limit in getattr(_thread, "limits", ())):
        raise FitMemoryError


class _Watch:
    """A thread that looks at this process for as long as there are limits."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Be as in a new process."""
        self._lock = threading.Lock()
        self._limits: list[MemoryLimit] = []
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._ceiling = Ceiling()

    def after_fork(self) -> None:
        """A copy of this process has none of its threads, and nothing to hold."""
        self._ceiling.take_off()
        self.reset()

    def add(self, limit: MemoryLimit) -> None:
        with self._lock:
            self._limits.append(limit)
            if self._thread is None:
                self._ended = threading.Event()
                args = (self._ended,)
                self._thread = threading.Thread(target=self._run, args=args)
                self._thread.daemon = True
                self._thread.start()

    def remove(self, limit: MemoryLimit) -> None:
        ended = None
        with self._lock:
            self._limits.remove(limit)
            if not self._limits:
                self._ended.set()
                ended, self._thread = self._thread, None
            self._look()
        if ended is not None:
            ended.join()

    def look(self) -> None:
        with self._lock:
            self._look()

    def _look(self) -> None:
        if self._limits:
            memory = private_memory()
            looks = [limit.look(memory, self._ceiling) for limit in self._limits]
        else:
            looks = []
        ceilings = [one for one in looks if one is not None]
        if ceilings and self._ceiling.n_bytes():
            self._ceiling.put(min(ceilings))
        else:
            self._ceiling.take_off()

    def _run(self, ended: threading.Event) -> None:
        while not ended.wait(_SECONDS_BETWEEN_LOOKS):
            self.look()


_watch = _Watch()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _watch.after_fork())
