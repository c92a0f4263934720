"""How a member of a population came about, as tables and journals have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sktune._types import Stage

_COLUMNS = ("candidate", "parent", "iter", "n_resources", "params")


def stages_in_rows(
    rows: Sequence[Mapping[str, Any]],
    candidate: int,
    params_of: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> tuple[Stage, ...]:
    """How the ancestors of a candidate were trained, the first of them first.

    Parameters
    ----------
    rows : sequence of mapping
        With ``candidate``, ``parent`` (negative or absent: of none), ``iter`` and
        ``n_resources``.
    candidate : int
    params_of : callable
        The params of a row.
    """
    own = [row for row in rows if row["candidate"] == candidate]
    parent = own[0].get("parent")
    if parent is None or parent < 0:
        return ()
    begins = min(row["iter"] for row in own)  # where the parent had been before
    of_parent = next(
        row for row in rows if row["candidate"] == parent and row["iter"] == begins - 1
    )
    params = dict(params_of(of_parent))
    stage = Stage(int(parent), int(of_parent["n_resources"]), params)
    return (*stages_in_rows(rows, int(parent), params_of), stage)


def stages_in_results(results: Mapping[str, Any], candidate: int) -> tuple[Stage, ...]:
    """The same of `cv_results_`; none where no candidate has a parent."""
    if "parent" not in results:
        return ()
    columns = zip(*(results[name] for name in _COLUMNS), strict=True)
    rows = [dict(zip(_COLUMNS, row, strict=True)) for row in columns]
    return stages_in_rows(rows, candidate, lambda row: row["params"])
