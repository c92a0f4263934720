"""Warnings that point at the user's line, from however deep below it they come.

``stacklevel`` counts frames, and how many there are between a warning and the script
depends on whether a search stands by itself, in a pipeline or in ``cross_val_score``.
``skip_file_prefixes`` would do, from Python 3.12 on.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# What may be between the line that calls `fit` and the one that warns.
_BETWEEN = {
    "concurrent",
    "contextlib",
    "functools",
    "joblib",
    "sklearn",
    "sktune",
    "skorch",
    "threading",
}


def warn(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the nearest caller that is of none of these packages.

    In a thread that has no such caller, the line is the one that warns.
    """
    here = frame = sys._getframe(1)
    while _package(frame.f_globals) in _BETWEEN:
        if frame.f_back is None:
            frame = here
            break
        frame = frame.f_back
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        frame.f_globals.get("__name__", "<unknown>"),
        frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _package(names: dict[str, object]) -> str:
    return str(names.get("__name__", "")).partition(".")[0]


@contextmanager
def at_the_users_line() -> Iterator[None]:
    """Let what others warn of in here point at the user's line, too."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for one in caught:
        warn(one.message, one.category)
