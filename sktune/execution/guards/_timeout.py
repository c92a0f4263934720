"""Ends a net that has trained for too long, or for nobody.

A fit cannot be ended from outside. But whatever is trained with torch calls modules,
batch by batch, and torch lets one listen to all of them: a net that stands in a
pipeline, that a meta-estimator clones or that is no net of skorch's is met there too.
Nobody listens unless something may have to be ended.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from sktune._errors import FitTimeout
from sktune.execution.estimators._nets import find_nets

# What this thread is at: when that has to end, a search inside a fit last, and the
# event that says that nobody waits for it any more.
_thread = threading.local()


class Stopped(BaseException):
    """Ends a fit that nobody waits for; no failure, and nobody's to catch."""


@contextmanager
def time_limit(seconds: float, estimator: Any) -> Iterator[None]:
    """Raise `FitTimeout` where what is done in the context takes longer.

    Modules of torch end as soon as it does. Anything else runs to its own end. The
    estimator is the one that is trained, for the message.
    """
    seconds = min(seconds, threading.TIMEOUT_MAX)  # an int may be too large to add
    begin = time.monotonic()
    with _deadline(begin + seconds), before_modules(_check):
        try:
            yield
        except FitTimeout:
            if time.monotonic() - begin <= seconds:  # of a search around this one
                raise
            raise _timeout(estimator, seconds, begin) from None
    if time.monotonic() - begin > seconds:
        raise _timeout(estimator, seconds, begin)


def _timeout(estimator: Any, seconds: float, begin: float) -> FitTimeout:
    when = how_far(estimator) or f"after {time.monotonic() - begin:.2g} s"
    return FitTimeout(
        f"The fit took longer than fit_timeout={seconds:g} seconds and was ended "
        f"{when}. Give it more time, or search what needs less."
    )


def how_far(estimator: Any) -> str:
    """In which epoch the net is, where it is not a clone that was trained."""
    for net in find_nets(estimator).values():
        history = getattr(net, "history_", None)
        if history:
            return f"in epoch {len(history)} of {net.max_epochs}"
    return ""


@contextmanager
def _deadline(moment: float) -> Iterator[None]:
    around = getattr(_thread, "deadlines", ())
    _thread.deadlines = (*around, moment)
    try:
        yield
    finally:
        _thread.deadlines = around


@contextmanager
def stoppable(stopped: threading.Event | None) -> Iterator[None]:
    """Let `stopping_threads` end what this thread does, once the event is set."""
    around = getattr(_thread, "stopped", None)
    _thread.stopped = stopped
    try:
        yield
    finally:
        _thread.stopped = around


def stop_event() -> threading.Event | None:
    """The event that says that nobody waits any more for what this thread does."""
    return getattr(_thread, "stopped", None)


@contextmanager
def stopping_threads() -> Iterator[None]:
    """End the nets that threads train for nobody, at their next batch."""
    with before_modules(_check):
        yield


def _check(module: Any, args: Any) -> None:
    """Called by torch before a module is."""
    stopped = stop_event()
    if stopped is not None and stopped.is_set():
        raise Stopped
    deadlines = getattr(_thread, "deadlines", ())
    if deadlines and time.monotonic() > min(deadlines):
        raise FitTimeout


def before_modules(check: Callable[[Any, Any], None]) -> Any:
    """A context in which `check` is called before each module of torch."""
    torch = sys.modules.get("torch")
    if torch is None:  # then there is nothing to listen to
        return nullcontext()

    def listen(module: Any, args: Any) -> None:
        if not torch.compiler.is_compiling():
            check(module, args)

    # Each gets a handle of its own: with two of them the check is made twice.
    return torch.nn.modules.module.register_module_forward_pre_hook(listen)
