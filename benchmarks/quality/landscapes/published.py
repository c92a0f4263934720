"""What others have recorded: tables as they are, configurations smoothed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from published_records import published_records
from scipy import stats

from landscapes.landscape import Landscape, Params


def published(data: Path) -> list[Landscape]:
    """All landscapes of a folder of published records."""
    records = published_records(data)
    found = []
    names = records.names()
    fcnet = [n for n in names["table"] if n.startswith("fcnet")]
    for i, name in enumerate(fcnet):
        found.append(full_table(f"fcnet-{i}", records.table(name)))
    for name in names["table"]:
        if name.startswith("nasbench201"):
            found.append(full_table("nasbench201", records.table(name)))
    tasks = [n for n in names["curves"] if n.startswith("taskset")]
    for i, name in enumerate(tasks):
        found.append(smoothed(f"taskset-{i}", records.curves(name)))
    return found


def full_table(name: str, table: Any) -> Landscape:
    """One seed is what is observed, the mean over seeds what counts."""
    values = np.asarray(table["values"], dtype=float)
    values = -np.log(values) if table["minimize"] else values
    mean = np.nanmean(values, axis=1)
    rows = {
        key: {value: i for i, value in enumerate(nodes)}
        for key, nodes in table["grid"].items()
    }
    shape = [len(nodes) for nodes in table["grid"].values()]

    def score(p: Params) -> float:
        at = [rows[key][p[key]] for key in rows]
        return float(mean[np.ravel_multi_index(at, shape)])

    noise = float(np.median(np.nanstd(values, axis=1)))
    return Landscape(name, dict(table["grid"]), score, float(mean.max()), noise)


N_NEIGHBOURS = 6


def smoothed(name: str, curves: Any) -> Landscape:
    """Final losses of random configurations, interpolated among the nearest of them."""
    space: dict[str, Any] = {}
    columns = []
    for j, p in enumerate(curves["params"]):
        column = curves["configs"][:, j].astype(float)
        low, high = p["lower"], p["upper"]
        if p["log"] == "1m":
            column, low, high = 1 - column, 1 - high, 1 - low
        if p["log"]:
            space[p["name"]] = stats.loguniform(low, high)
        else:
            space[p["name"]] = stats.uniform(low, high - low)
        columns.append(space[p["name"]].cdf(np.clip(column, low, high)))
    U = np.column_stack(columns)
    loss = curves["curves"][:, -1].astype(float)
    ceiling = np.nanquantile(loss, 0.6)  # what diverges, diverges
    y = -np.minimum(np.where(np.isfinite(loss), loss, ceiling), ceiling)

    def score(p: Params) -> float:
        u = np.array([float(space[key].cdf(p[key])) for key in space])
        distance = ((U - u) ** 2).sum(axis=1)
        near = np.argpartition(distance, N_NEIGHBOURS)[:N_NEIGHBOURS]
        weight = 1.0 / (distance[near] + 1e-4)
        return float(weight @ y[near] / weight.sum())

    return Landscape(name, space, score, float(y.max()))
