"""Ctrl-C, whatever a search is doing in this process.

skorch ends training by raising `KeyboardInterrupt`, in its EarlyStopping too, and
swallows it. So by its type an interrupt cannot be told from a net that is done, and one
during training would end in a half-trained net with a score. A signal can be told.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


def is_ctrl_c(error: BaseException) -> bool:
    """Whether it is a signal's interrupt that was noted, and not a callback's."""
    return getattr(error, "is_sktunes_signal", False)


class Interrupts:
    """Notes Ctrl-C while it is entered, so that it can be raised again.

    Python loses an interrupt that comes while it calls a destructor or closes a
    generator, and skorch swallows it. And one that comes as a context is being left, or
    has just been entered, would keep it from being cleaned up: that is put off.

    What it raises is `KeyboardInterrupt` itself and no class of its own: only then does
    a program that it ends end by the signal, so that a shell's loop ends with it.

    Signals reach the main thread only; elsewhere, and where the program handles SIGINT
    in a way of its own, nothing is changed. Within another one, such as that of a whole
    search, it is the other that notes.
    """

    def __init__(self) -> None:
        self._came = False
        self._outer: Interrupts | None = None
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        handler: Any = signal.getsignal(signal.SIGINT)
        if _in_main_thread():
            if is_noting(handler):
                self._outer = handler.__self__
            elif handler is signal.default_int_handler:
                self._before = handler
                signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *error: object) -> None:
        if self._before is None:
            return
        signal.signal(signal.SIGINT, self._before)
        self._before = None
        # Cleaning up may make another error of it, such as a file that is closed twice.
        if exc_type is None or not issubclass(exc_type, KeyboardInterrupt):
            self.raise_again()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        if not _enters_or_leaves(frame):
            interrupt: Any = KeyboardInterrupt()
            interrupt.is_sktunes_signal = True
            raise interrupt

    def raise_again(self) -> None:
        """Raise `KeyboardInterrupt` if Ctrl-C came and nobody has heard of it."""
        if self._came:
            raise KeyboardInterrupt
        if self._outer is not None:
            self._outer.raise_again()


def raise_if_interrupted() -> None:
    """Raise `KeyboardInterrupt` if Ctrl-C came here and nobody has heard of it."""
    handler: Any = signal.getsignal(signal.SIGINT)
    if _in_main_thread() and is_noting(handler):
        handler.__self__.raise_again()


def is_noting(handler: Any) -> bool:
    """Whether a handler of signals is that of `Interrupts`."""
    return getattr(handler, "__func__", None) is Interrupts._note


def _enters_or_leaves(frame: FrameType | None) -> bool:
    """Whether sktune enters a context just now, or what it calls to leave one runs."""
    name = "__enter__"
    while frame is not None:
        is_ours = _is_of_sktune(frame) or _is_of_sktune(frame.f_back)
        if is_ours and frame.f_code.co_name in (name, "__exit__"):
            return True
        name, frame = "__exit__", frame.f_back
    return False


def _is_of_sktune(frame: FrameType | None) -> bool:
    return frame is not None and str(frame.f_globals.get("__name__")).startswith(
        "sktune."
    )


class Interrupted:
    """Whether Ctrl-C came meanwhile."""

    came = False


@contextmanager
def uninterrupted() -> Iterator[Interrupted]:
    """Put Ctrl-C off until this is over, so that nothing is left half-done."""
    interrupted = Interrupted()

    def note(number: int, frame: Any) -> None:
        interrupted.came = True

    before: Any = signal.getsignal(signal.SIGINT)
    # Where a program handles SIGINT in a way of its own, that goes on.
    is_plain = is_noting(before) or before is signal.default_int_handler
    puts_off = _in_main_thread() and is_plain
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
