"""What fits have raised: brought from where they ran to the error that ends a search.

An exception holds the frames that it came through, and these the data and the net. And
not every exception can be pickled, or read again. So an outcome has the traceback as a
text, and the exception as bytes that are known to be readable, if there are such.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from typing import Any

import cloudpickle

from sktune._errors import LostError
from sktune._types import FitOutcome

# An exception may hold data; there may be one for every fit.
_MAX_BYTES = 100_000


def pickled(error: Exception) -> bytes | None:
    """An exception without its frames; None where that is not to be had."""
    content = _as_bytes(error)
    return None if content is None or len(content) > _MAX_BYTES else content


def portable(error: Exception) -> Exception | None:
    """The exception, such that any pickler can send it; None if that cannot be."""
    content = _as_bytes(error)
    if content is None:
        return None
    # For this object alone.
    vars(error)["__reduce_ex__"] = _Reduced(content)
    return error


class _Reduced:
    """How an exception is pickled.

    It can be pickled itself: who has told `copyreg` how exceptions are pickled, as dask
    does, sends it along.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __call__(self, protocol: Any) -> Any:
        return pickle.loads, (self._content,)


class _AsItsClassSays:
    """Pickles an exception so, whatever others have told `copyreg` of its class."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._error.__reduce_ex__(protocol)


class _Parts:
    """Pickles an exception whose ``__init__`` does not take what `args` holds."""

    def __init__(self, error: Exception) -> None:
        self._parts = type(error), error.args, dict(vars(error))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _joined, self._parts


def _joined(cls: type[Exception], args: Any, attributes: dict[str, Any]) -> Exception:
    error = cls.__new__(cls, *args)
    vars(error).update(attributes)
    return error


def _as_bytes(error: Exception) -> bytes | None:
    """What comes back as the error, if anything does."""
    for form in (_AsItsClassSays(error), error, _Parts(error)):
        try:
            content = bytes(cloudpickle.dumps(form))
            again = pickle.loads(content)
            if type(again) is type(error) and str(again) == str(error):
                return content
        except Exception:
            continue
    return None


def first_raised(
    outcomes: Iterable[FitOutcome],
) -> tuple[str, Exception] | tuple[None, None]:
    """The first traceback among outcomes, and the exception that it is of.

    That is a `LostError` where the exception is not to be had, as out of a journal.
    """
    for outcome in outcomes:
        text = outcome.traceback
        if text is not None:
            return text, _exception_of(outcome, text)
    return None, None


def _exception_of(outcome: FitOutcome, text: str) -> Exception:
    if outcome.raised is not None:
        try:
            error = pickle.loads(outcome.raised)
        except Exception:  # the worker knew a class that is not known here
            error = None
        if isinstance(error, Exception):
            return error
    return LostError(text)
