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
from typing import Any


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `KeyboardInterrupt` at the end if Ctrl-C came meanwhile and was swallowed.

    Signals reach the main thread only; elsewhere, and where the program handles SIGINT
    in a way of its own, nothing is changed.
    """
    handler = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or handler is not signal.default_int_handler:
        yield
        return
    came = False

    def note(number: int, frame: Any) -> None:
        nonlocal came
        came = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if came:
        raise KeyboardInterrupt
