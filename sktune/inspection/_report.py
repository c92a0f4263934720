"""A page of a search that is fitted, or of a journal that may still grow."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from sktune.inspection._search_record import record_of
from sktune.inspection.page import page_of, summary_of, write_text

# Seconds after which a journal is looked at again, and a page in a browser renewed.
_EVERY = 3.0


def write_report(
    search: Any, path: str | os.PathLike[str], *, metric: str | None = None
) -> None:
    """Write a page of HTML that shows a search and needs nothing but itself.

    Parameters
    ----------
    search : fitted search, or path of a journal
        Any search with scikit-learn's ``cv_results_``; a journal may still grow.
    path : str or path-like
        The file to write, which is replaced where there is one.
    metric : str, default=None
        The metric to rank by, where `scoring` has several; by default the one that
        `refit` names, or the first.

    Raises
    ------
    JournalError
        Where there is no journal or it is broken.
    OSError
        Where the file cannot be written.

    See Also
    --------
    watch_report : Renews the page while a search runs.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import write_report
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> search = GridSearchCV(tree, {"max_depth": [1, 2, 3]}, cv=3)
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> with TemporaryDirectory() as folder:
    ...     write_report(search, f"{folder}/search.html")
    """
    _refuse_journal(search, path)
    write_text(page_of(record_of(search, metric)), path)


def watch_report(
    journal: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    metric: str | None = None,
) -> None:
    """Write a page, and write it anew whenever the journal has grown; Ctrl-C ends it.

    A page that is open in a browser renews itself, and keeps how its table is sorted
    and filtered.

    Parameters
    ----------
    journal : str or path-like
        What the search that runs was given as `journal`.
    path, metric
        As `write_report` takes them.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C. The page no longer renews itself then.
    JournalError, OSError
        As `write_report`.
    """
    _refuse_journal(journal, path)
    seen: Any = ()  # no state: a journal that is not there is told at once
    try:
        while True:
            if (now := _state_of(journal)) != seen:
                record = record_of(journal, metric)
                write_text(page_of(record, reload_every=_EVERY), path)
                seen = now
            time.sleep(_EVERY)
    except KeyboardInterrupt:
        write_report(journal, path, metric=metric)
        raise


def summary_html(search: Any) -> str:
    """The best of a fitted search as a few lines of HTML, for a notebook."""
    # Without the fits in its journal, which may be long.
    return summary_of(record_of(search, with_fits=False))


def _state_of(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None  # who reads it says what is wrong
    return found.st_size, found.st_mtime_ns


def _refuse_journal(search: Any, path: str | os.PathLike[str]) -> None:
    """A page must not take the place of the journal that it is made of."""
    if not isinstance(search, str | os.PathLike):
        search = getattr(search, "journal", None)
    if search is None or not (Path(search).exists() and Path(path).exists()):
        return
    if Path(search).samefile(path):
        raise ValueError(
            f"{os.fspath(path)!r} is the journal: name another file for the page"
        )
