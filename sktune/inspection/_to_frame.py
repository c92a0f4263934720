"""A search as a tidy data frame: a row for each candidate, split and rung."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sktune.journal import read_fits

_PLACE = ("bracket", "iter", "candidate", "n_resources")


def to_frame(search: Any) -> Any:
    """Return a search as a tidy data frame: a row for each candidate, split and rung.

    ``to_frame(search).to_csv("search.csv", index=False)`` writes it to a file, and
    ``.to_parquet("search.parquet")``, which needs pyarrow, to a smaller one that keeps
    the types.

    Needs pandas: ``pip install "sktune[table]"``.

    Parameters
    ----------
    search : fitted search, or path of a journal
        Any search with scikit-learn's ``cv_results_``; a journal may still grow.

    Returns
    -------
    frame : pandas.DataFrame
        In the order of ``cv_results_``: `candidate`, `split`, with rungs `bracket`,
        `iter` and `n_resources`, a column ``param_<name>`` for each parameter,
        ``test_<metric>`` and ``train_<metric>``, and `fit_time` and `score_time` in
        seconds, of a fitted search the mean over the splits. Splits that were not run
        have no row. Values of parameters that are not all numbers, all truth values or
        all text are text.

    See Also
    --------
    read_journal : All that a journal has of each fit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import to_frame
    >>> search = GridSearchCV(SVC(), {"C": [1, 10]}, cv=2)
    >>> frame = to_frame(search.fit(*load_iris(return_X_y=True)))
    >>> frame[["candidate", "split", "param_C"]].values.tolist()
    [[0, 0, 1], [0, 1, 1], [1, 0, 10], [1, 1, 10]]
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'to_frame needs pandas: pip install "sktune[table]"'
        ) from error
    is_journal = isinstance(search, str | os.PathLike)
    rows = _rows_of_journal(search) if is_journal else _rows_of_search(search)
    names = list(dict.fromkeys(name for row in rows for name in row))
    params = [name for name in names if name.startswith("param_")]
    places = ("candidate", "split", "bracket", "iter", "n_resources")
    first = [name for name in places if name in names] + params
    names = [*first, *(name for name in names if name not in first)]
    return pandas.DataFrame(
        {
            name: _column([row.get(name) for row in rows], name in params)
            for name in names
        }
    )


def _rows_of_journal(path: Any) -> list[dict[str, Any]]:
    """What a journal has of the columns that are told of a fitted search."""
    parts = ("param_", "test_", "train_")
    named = ("split", "fit_time", "score_time", *_PLACE)
    fits = {
        tuple(fit.get(name) or 0 for name in (*_PLACE[:3], "split")): {
            name: value
            for name, value in fit.items()
            if name in named or name.startswith(parts)
        }
        for fit in read_fits(path)
    }
    rows = [fits[place] for place in sorted(fits)]
    if all(row.get("n_resources") is None for row in rows):  # there are no rungs
        gone = ("bracket", "iter", "n_resources")
        rows = [{k: v for k, v in row.items() if k not in gone} for row in rows]
    return rows


def _rows_of_search(search: Any) -> list[dict[str, Any]]:
    check_is_fitted(search, "cv_results_")
    results = search.cv_results_
    splits = range(int(search.n_splits_))
    # Those of a race that were not run have neither a score nor a failure.
    is_partly_run = "n_splits_run" in results
    rows = []
    for i, params in enumerate(results["params"]):
        place = {name: int(results[name][i]) for name in _PLACE if name in results}
        for k in splits:
            scores = {
                f"{part}_{name.removeprefix(f'split{k}_{part}_')}": float(column[i])
                for part in ("test", "train")
                for name, column in results.items()
                if name.startswith(f"split{k}_{part}_")
            }
            n_run = int(results["n_splits_run"][i]) if is_partly_run else len(splits)
            if n_run < len(splits) and all(np.isnan(list(scores.values()))):
                continue
            times = {
                name: float(results[f"mean_{name}"][i])
                for name in ("fit_time", "score_time")
            }
            given = {f"param_{name}": value for name, value in params.items()}
            rows.append(
                {"candidate": i, **place, "split": k, **given, **scores, **times}
            )
    return rows


def _column(values: list[Any], is_param: bool) -> list[Any]:
    """Values of one type, as files of columns need them."""
    if not is_param:
        return values
    values = [v.item() if hasattr(v, "item") and not np.ndim(v) else v for v in values]
    there = [v for v in values if v is not None]
    for kind in (bool, str, int | float):
        if all(isinstance(v, kind) for v in there) and (
            kind in (bool, str) or not any(isinstance(v, bool) for v in there)
        ):
            return values
    return [None if v is None else str(v) for v in values]
