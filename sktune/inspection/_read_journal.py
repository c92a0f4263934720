"""A journal as a table."""

from __future__ import annotations

import os
from typing import Any

from sktune.journal import read_fits


def read_journal(path: str | os.PathLike[str]) -> Any:
    """Read the journal of a search, which may still be running, into a data frame.

    Needs pandas: ``pip install "sktune[table]"``.

    Parameters
    ----------
    path : str or path-like
        What the search was given as `journal`.

    Returns
    -------
    frame : pandas.DataFrame
        A row for each fit, in the order in which they ended: ``candidate``, ``split``,
        ``bracket``, ``iter``, ``n_resources``, the ``parent`` of a candidate that has
        begun with the weights of another, a column ``param_<name>`` for each
        parameter, ``test_<metric>`` and ``train_<metric>``, ``fit_time`` and
        ``score_time`` in seconds, ``status`` ("ok" or "failed"), ``seed``,
        ``fit_error`` and, where a scorer raised, ``score_error`` with the traceback,
        where it ran (``lease_<name>``), when it
        ended, the number of the ``unit`` of fits that it was trained in, the resource
        that it ``reached``, and the ``curve`` of what a net recorded of its validation
        part at each epoch, greater is better (or, where it has none and a rule looks at
        it, scores on the test part after the epochs in ``curve_epochs``), and whether a
        rule has ``stopped`` the training. Scores are those of the metric itself;
        where it raised there is none.

    Raises
    ------
    JournalError
        Where there is no journal or it is broken.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import read_journal
    >>> with TemporaryDirectory() as folder:
    ...     path = f"{folder}/search.jsonl"
    ...     search = GridSearchCV(SVC(), {"C": [1, 10]}, cv=2, journal=path)
    ...     frame = read_journal(search.fit(*load_iris(return_X_y=True)).journal)
    >>> frame[["candidate", "split", "param_C"]].values.tolist()
    [[0, 0, 1], [0, 1, 1], [1, 0, 10], [1, 1, 10]]
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'read_journal needs pandas: pip install "sktune[table]"'
        ) from error
    return pandas.DataFrame(read_fits(path))
