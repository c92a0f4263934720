"""Where each candidate is on an axis of each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sktune.inspection._param_scales import ParamScale, scales_of, value_of
from sktune.inspection._search_record import RecordedRow, SearchRecord, record_of


def parallel_places(
    search: Any, metric: str | None, params: Sequence[str] | None
) -> dict[str, Any]:
    """What `ParallelCoordinatesDisplay` is made of, by the names of its parameters."""
    record = record_of(search, metric)
    scales = scales_of(record, params)
    if params is None:
        varying = {name: s for name, s in scales.items() if s.n_values > 1}
        scales = varying or scales
    if not scales:
        raise ValueError(
            f"{record.search} has no candidates with parameters to show: no fit has "
            "ended yet, or nothing was searched."
        )
    rows = _last_rows(record)
    columns = [
        [scale.place(value_of(row, name)) for row in rows]
        for name, scale in scales.items()
    ]
    axes = list(scales.values())
    if record.resource is not None:
        axes.append(_resource_scale(record.resource, rows))
        columns.append([axes[-1].place(float(row.n_resources or 0)) for row in rows])
    best = None
    if record.best is not None:
        numbers = [row.candidate for row in rows]
        best = numbers.index(record.rows[record.best].candidate)
    means = [row.score(record.metric) for row in rows]
    return {
        "places": np.array(columns, dtype=float).T,
        "mean": np.array(means, dtype=float),
        "names": [scale.short for scale in axes],
        "ticks": [scale.ticks() for scale in axes],
        "best": best,
        "metric": record.metric,
    }


def _last_rows(record: SearchRecord) -> list[RecordedRow]:
    """Of each candidate the row of its largest resource."""
    last: dict[int, RecordedRow] = {}
    for row in record.rows:
        before = last.get(row.candidate)
        if before is None or (row.n_resources or 0) >= (before.n_resources or 0):
            last[row.candidate] = row
    return [last[candidate] for candidate in sorted(last)]


def _resource_scale(name: str, rows: Sequence[RecordedRow]) -> ParamScale:
    levels = sorted({float(row.n_resources or 0) for row in rows})
    kind = "log" if levels[0] > 0 else "linear"
    return ParamScale(name, name, kind, levels[0], levels[-1], (), tuple(levels))
