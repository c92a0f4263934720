"""Ctrl-C during a fit of this process.

skorch ends training by raising `KeyboardInterrupt`, in its EarlyStopping too, and
swallows it. So by its type an interrupt cannot be told from a net that is done, and one
during training would end in a half-trained net with a score. A signal can be told.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any


class CtrlC(KeyboardInterrupt):
    """A signal's interrupt, and not a callback's."""


class Interrupts:
    """Notes Ctrl-C while it is entered, so that it can be raised again.

    Signals reach the main thread only; elsewhere, and where the program handles SIGINT
    in a way of its own, nothing is changed.
    """

    def __init__(self) -> None:
        self._came = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        handler = signal.getsignal(signal.SIGINT)
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and handler is signal.default_int_handler:
            self._before = handler
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._before is None:
            return
        signal.signal(signal.SIGINT, self._before)
        self._before = None
        if isinstance(exc, CtrlC):
            # As Python raises it: a program that it ends must end by the signal, so
            # that a shell's loop ends with it.
            raise KeyboardInterrupt().with_traceback(traceback) from None

    def _note(self, number: int, frame: Any) -> None:
        self._came = True
        raise CtrlC

    def raise_again(self) -> None:
        """Raise `KeyboardInterrupt` if Ctrl-C came and was swallowed."""
        if self._came:
            raise KeyboardInterrupt


class Interrupted:
    """Whether Ctrl-C came meanwhile."""

    came = False


@contextmanager
def uninterrupted() -> Iterator[Interrupted]:
    """Put Ctrl-C off until this is over, so that nothing is left half-done."""
    interrupted = Interrupted()

    def note(number: int, frame: Any) -> None:
        interrupted.came = True

    before = signal.getsignal(signal.SIGINT)
    # Where a program handles SIGINT in a way of its own, that goes on.
    puts_off = _in_main_thread() and before is signal.default_int_handler
    if puts_off:
        signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        if puts_off:
            signal.signal(signal.SIGINT, before)
    if interrupted.came:
        raise KeyboardInterrupt


@contextmanager
def ignored_interrupts() -> Iterator[None]:
    """Let Ctrl-C be the matter of another process, of which this one is a worker."""
    before = signal.getsignal(signal.SIGINT)
    ignores = _in_main_thread() and before is not None
    if ignores:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        if ignores:
            signal.signal(signal.SIGINT, before)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
