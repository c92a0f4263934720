"""The fits of a journal, as the table that `warm_start_from` reads."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sktune.journal import read_search

Row = Mapping[str, Any]


def as_table(one: Any) -> Any:
    """The path of a journal, or a data frame of its fits, as a table of candidates.

    Anything else as it is.
    """
    if isinstance(one, str | os.PathLike):
        return table_of_journal(one)
    if not hasattr(one, "columns") or not hasattr(one, "iloc"):
        return one
    names = {str(name) for name in one.columns}
    is_of_candidates = any(name.startswith("mean_test_") for name in names)
    is_of_fits = {"candidate", "split"} <= names and not is_of_candidates
    return table_of_fits(one) if is_of_fits else one


def table_of_journal(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What `cv_results_` would hold of the candidates that are complete.

    Of a search that races, those that were spared some splits are among them; of one
    with rungs on fewer splits, those that were run on all of their rung.

    Parameters
    ----------
    path : str or path-like

    Raises
    ------
    JournalError
        Where there is no journal, or it is broken.
    """
    header, rows = read_search(path)
    arguments = header.get("arguments") or {}
    races = bool(arguments.get("racing"))
    has_few = arguments.get("min_splits") is not None
    fits = _by_evaluation(rows, partly=races or has_few)
    if has_few:
        fits = _complete_in_their_rung(fits)
    prefix = "param_"
    params = [
        {k.removeprefix(prefix): v for k, v in row.items() if k.startswith(prefix)}
        for row in (fit[min(fit)] for fit in fits)
    ]
    columns = _columns(fits, rows)
    if races or has_few:
        columns["n_splits_run"] = [len(fit) for fit in fits]
    if races:
        columns["stopped"] = [
            any(row.get("stopped") for row in fit.values()) for fit in fits
        ]
    return {"params": params, **columns}


def table_of_fits(frame: Any) -> dict[str, Any]:
    """The same of a data frame with a row for each fit, such as a journal is read as.

    Parameters
    ----------
    frame : data frame
    """
    names = [str(name) for name in frame.columns]
    rows = [
        dict(zip(names, row, strict=True))
        for row in zip(*(frame[name] for name in frame.columns), strict=True)
    ]
    fits = _by_evaluation(rows)
    params = {
        name: [fit[min(fit)][name] for fit in fits]
        for name in names
        if name.startswith("param_")
    }
    return {**params, **_columns(fits, rows)}


def _by_evaluation(
    rows: Sequence[Row], *, partly: bool = False
) -> list[dict[int, Row]]:
    """The fits of each candidate in each rung, by split; on all splits, or `partly`."""
    found: dict[tuple[int, int], dict[int, Row]] = {}
    for row in rows:
        place = int(row["candidate"]), int(row.get("iter", 0))
        found.setdefault(place, {})[int(row["split"])] = row
    n_splits = len({int(row["split"]) for row in rows})
    fits = [found[place] for place in sorted(found)]
    return [fit for fit in fits if partly or len(fit) == n_splits]


def _complete_in_their_rung(fits: list[dict[int, Row]]) -> list[dict[int, Row]]:
    """Those that were run on as many splits as any with the same resource."""
    resources = [_number(next(iter(fit.values())).get("n_resources")) for fit in fits]
    most: dict[float, int] = {}
    for resource, fit in zip(resources, fits, strict=True):
        most[resource] = max(most.get(resource, 0), len(fit))
    pairs = zip(resources, fits, strict=True)
    return [fit for resource, fit in pairs if len(fit) == most[resource]]


def _columns(fits: Sequence[Mapping[int, Row]], rows: Sequence[Row]) -> dict[str, Any]:
    """Scores of each split and their means; the resource, where there are rungs."""
    names = dict.fromkeys(name for row in rows for name in row)
    splits = sorted({int(row["split"]) for row in rows})
    columns: dict[str, Any] = {}
    for name in names:
        if name.startswith("test_"):
            table = [
                [_number(fit.get(k, {}).get(name)) for k in splits] for fit in fits
            ]
            scores = np.array(table, dtype=float).reshape(len(fits), len(splits))
            columns |= {f"split{k}_{name}": scores[:, i] for i, k in enumerate(splits)}
            columns[f"mean_{name}"] = [
                np.mean([_number(one.get(name)) for one in fit.values()])
                for fit in fits
            ]
    reached = [fit[min(fit)].get("n_resources") for fit in fits]
    if not np.isnan([_number(value) for value in reached]).all():
        columns["n_resources"] = reached
    return columns


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
