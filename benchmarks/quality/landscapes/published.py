"""What others have recorded: tables as they are, configurations smoothed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from published_records import published_records
from scipy import stats

from landscapes.landscape import Landscape, Params
from landscapes.noise import gaussian, one_repeat


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
    """The mean over repeats is what counts; one of them is what a noisy search sees."""
    values = np.asarray(table["values"], dtype=float)
    values = -np.log(values) if table["minimize"] else values
    mean = np.nanmean(values, axis=1)
    rows = {
        key: {value: i for i, value in enumerate(nodes)}
        for key, nodes in table["grid"].items()
    }
    shape = [len(nodes) for nodes in table["grid"].values()]

    def row(p: Params) -> int:
        at = [rows[key][p[key]] for key in rows]
        return int(np.ravel_multi_index(at, shape))

    return Landscape(
        name,
        dict(table["grid"]),
        lambda p: float(mean[row(p)]),
        float(mean.max()),
        {"repeats": one_repeat(name, lambda p: values[row(p)])},
    )


N_NEIGHBOURS = 6
RESIDUAL_SHARE = 0.3  # of what a configuration left out is missed by: its noise


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

    def smooth(u: np.ndarray, but: int | None = None) -> float:
        distance = ((U - u) ** 2).sum(axis=1)
        if but is not None:
            distance[but] = np.inf
        near = np.argpartition(distance, N_NEIGHBOURS)[:N_NEIGHBOURS]
        weight = 1.0 / (distance[near] + 1e-4)
        return float(weight @ y[near] / weight.sum())

    def score(p: Params) -> float:
        return smooth(np.array([float(space[key].cdf(p[key])) for key in space]))

    def deviation() -> float:
        held_out = np.array([smooth(u, but=i) for i, u in enumerate(U)])
        return RESIDUAL_SHARE * float(np.sqrt(np.mean((held_out - y) ** 2)))

    noisy = {"residual": gaussian(name, score, deviation)}
    return Landscape(name, space, score, float(y.max()), noisy)
