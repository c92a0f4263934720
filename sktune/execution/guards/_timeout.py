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
from contextvars import ContextVar
from typing import Any

from sktune._errors import FitTimeout
from sktune.execution.estimators._nets import find_nets

# When the fit that runs here has to end, a search inside a fit last, and what tells its
# time: fits that are trained side by side in one thread have each their own.
_deadlines: ContextVar[tuple[float, ...]] = ContextVar("deadlines", default=())
_clock: ContextVar[Callable[[], float]] = ContextVar("clock", default=time.monotonic)
# The event that says that nobody waits any more for what this thread does.
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
    clock = _clock.get()
    begin = clock()
    with _deadline(begin + seconds), before_modules(_check):
        try:
            yield
        except FitTimeout:
            if clock() - begin <= seconds:  # of a search around this one
                raise
            raise _timeout(estimator, seconds, clock() - begin) from None
    if clock() - begin > seconds:
        raise _timeout(estimator, seconds, clock() - begin)


def _timeout(estimator: Any, seconds: float, taken: float) -> FitTimeout:
    when = how_far(estimator) or f"after {taken:.2g} s"
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
    token = _deadlines.set((*_deadlines.get(), moment))
    try:
        yield
    finally:
        _deadlines.reset(token)


def keep_time_by(clock: Callable[[], float]) -> None:
    """Let time limits in this context count the seconds of a clock of its own."""
    _clock.set(clock)


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


def has_time_limit() -> bool:
    """Whether what runs here may have to end."""
    return bool(_deadlines.get())


def check_time() -> None:
    """Raise where what runs here has to end."""
    stopped = stop_event()
    if stopped is not None and stopped.is_set():
        raise Stopped
    deadlines = _deadlines.get()
    if deadlines and _clock.get()() > min(deadlines):
        raise FitTimeout


def _check(module: Any, args: Any) -> None:
    """Called by torch before a module is."""
    check_time()


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
