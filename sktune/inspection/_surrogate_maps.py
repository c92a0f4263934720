"""The surrogate of a record on grids through the best candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sktune.inspection._param_importances import importances_of
from sktune.inspection._param_scales import scales_of
from sktune.inspection._record_surrogate import different, is_words, surrogate_of
from sktune.inspection._search_record import SearchRecord, record_of
from sktune.space import Space
from sktune.strategy import FittedSurrogate

Array = NDArray[np.float64]

_MOST_PARAMS = 4  # panels of more are too small to be read
_STEPS = 41  # of a slice, and of each side of a map


def surrogate_maps(
    search: Any, metric: str | None, params: Sequence[str] | None
) -> dict[str, Any]:
    """What `SurrogateDisplay` is made of, by the names of its parameters."""
    record = record_of(search, metric)
    surrogate = surrogate_of(record)
    best = record.rows[record.best or 0]
    names = shown(record, best.params, params)
    tried = {row.candidate: row.params for row in record.rows}
    failed = {row.candidate for row in record.rows if row.failed}
    ends = {
        row.candidate: row.mean(record.metric)
        for row in record.rows
        if row.n_resources == best.n_resources
    }
    grids = {name: grid_of(record, name) for name in names}
    U = surrogate.space.encode(best.params)
    points = {
        name: encoded(surrogate.space, [{**best.params, name: v} for v in grids[name]])
        for name in names
    }
    return {
        "grids": grids,
        "scales": {name: record.scales[name] for name in names},
        "slices": {name: surrogate.predict(points[name]) for name in names},
        "maps": {
            (a, b): _map(surrogate, U, points[a], points[b])
            for a, b in combinations(names, 2)
        },
        "tried": list(tried.values()),
        "scores": np.array([ends.get(candidate, np.nan) for candidate in tried]),
        "failed": np.array([candidate in failed for candidate in tried]),
        "best": list(tried).index(best.candidate),
        "metric": record.metric,
    }


def encoded(space: Space, candidates: Sequence[Mapping[str, Any]]) -> Array:
    """Points of candidates, (m, d)."""
    return np.array([space.encode(params) for params in candidates])


def shown(
    record: SearchRecord, best: Mapping[str, Any], params: Sequence[str] | None
) -> list[str]:
    """Names of the parameters to show."""
    scales = scales_of(record, params)
    if params is not None:
        for name in scales:
            if name not in best:
                raise ValueError(
                    f"params has {name!r}, which the best candidate does not have, so "
                    f"that no slice goes through it. It has {list(best)}."
                )
        return list(scales)
    varying = [name for name, s in scales.items() if name in best and s.n_values > 1]
    if len(varying) > _MOST_PARAMS:
        varying = sorted(varying, key=_order(record).index)[:_MOST_PARAMS]
    if not varying:
        raise ValueError(
            f"{record.search} has tried one value of each parameter, and there is "
            "nothing to draw a slice along. Search over several."
        )
    return varying


def _order(record: SearchRecord) -> list[str]:
    """Parameters by importance; as they come where that is not known yet."""
    try:
        table = importances_of(record)
    except ValueError:
        return list(record.scales)
    return [row["param"] for row in table if not row["with"]]


def grid_of(record: SearchRecord, name: str) -> list[Any]:
    """Values of a parameter from the least to the greatest that was tried."""
    kind = record.scales[name]
    values = [row.params[name] for row in record.rows if name in row.params]
    if is_words(values, kind):
        return different(values)
    low, high = min(values), max(values)
    if low == high:
        return [low]
    between = np.geomspace if kind == "log" else np.linspace
    inner = between(low, high, _STEPS).tolist()[1:-1]
    return [float(low), *inner, float(high)]  # its ends are not to be rounded


def _map(surrogate: FittedSurrogate, U: Array, A: Array, B: Array) -> tuple[Any, Any]:
    """Mean and standard deviation, (n points of A, n points of B), of both changes.

    A and B differ from U (d,) in one coordinate each.
    """
    points = np.where(A[:, None] != U, A[:, None], B[None])
    mean, low, high = surrogate.predict(points.reshape(-1, len(U)))
    shape = points.shape[:2]
    return mean.reshape(shape), ((high - low) / 2.0).reshape(shape)
