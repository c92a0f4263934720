"""The surrogate of what was recorded, be it by a search or by its journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import loguniform, uniform

from sktune._types import Observation, Params, Problem
from sktune.inspection._search_record import (
    RecordedRow,
    SearchRecord,
    scales_by_values,
)
from sktune.space import Space
from sktune.strategy import FittedSurrogate


def surrogate_of(record: SearchRecord) -> FittedSurrogate:
    """A Gaussian process fitted to a record.

    A journal knows what was tried, and not always what it was drawn from. So the space
    is what was tried: from the least to the greatest number, and all categories.

    Raises
    ------
    ValueError
        Where fewer than two candidates have a score.
    """
    n_scored = len({row.candidate for row in record.rows if _is_scored(row, record)})
    if n_scored < 2:
        raise ValueError(
            "A surrogate needs the scores of at least two candidates, and "
            f"{record.search} has {n_scored}. Try more candidates."
        )
    levels = {row.n_resources for row in record.rows}
    has_rungs = record.resource is not None and len(levels) > 1
    largest = int(max(level or 0 for level in levels)) if has_rungs else None
    problem = Problem(
        space=space_of(record), max_resources=largest, n_splits=record.n_splits
    )
    return FittedSurrogate.of(problem, list(_observations(record, largest)))


def _is_scored(row: RecordedRow, record: SearchRecord) -> bool:
    return bool(np.isfinite(row.score(record.metric)))


def _observations(record: SearchRecord, largest: int | None) -> Iterator[Observation]:
    for row in record.rows:
        scores: dict[int, float | None] = dict(row.scores.get(record.metric, {}))
        if not _is_scored(row, record):
            scores = {0: None}
        yield Observation(
            row.candidate,
            row.params,
            scores,
            None if largest is None else int(row.n_resources or 0),
        )


def space_of(record: SearchRecord) -> Space:
    """The space of what was tried; subspaces are of candidates with the same params."""
    return _space([row.params for row in record.rows], record.scales)


def space_tried(candidates: Sequence[Params]) -> Space:
    """The same, of candidates whose params are plain, on scales that these suggest."""
    return _space(candidates, scales_by_values({}, candidates))


def _space(candidates: Sequence[Params], scales: Mapping[str, str]) -> Space:
    tried = {
        name: [params[name] for params in candidates if name in params]
        for name in scales
    }
    given = {name: _dimension(values, scales[name]) for name, values in tried.items()}
    subspaces = dict.fromkeys(tuple(sorted(params)) for params in candidates)
    return Space([{name: given[name] for name in names} for names in subspaces])


def is_words(values: Sequence[Any], kind: str) -> bool:
    """Whether some values of a parameter are no points of a line."""
    return kind == "category" or None in values


def _dimension(values: Sequence[Any], kind: str) -> Any:
    if is_words(values, kind):
        return different(values)
    low, high = float(min(values)), float(max(values))
    if low == high:
        return [low]
    if kind == "log":
        return loguniform(low, high)
    return uniform(low, (high - low) * (1.0 + 1e-9))  # rounding must not lose `high`


def different(values: Sequence[Any]) -> list[Any]:
    """Different values, numbers in order and before all else, None at the end."""
    found: Mapping[Any, Any] = {(type(v), v): v for v in values}

    def key(value: Any) -> tuple[int, float, str]:
        if value is None:
            return 3, 0.0, ""
        if isinstance(value, int | float):
            return int(isinstance(value, bool)), float(value), ""
        return 2, 0.0, str(value)

    return sorted(found.values(), key=key)
