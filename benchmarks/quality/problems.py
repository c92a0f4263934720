"""Landscapes to search: usual synthetic functions with noise, and recorded ones.

Recorded landscapes are scores of real models: the tables of `tables.py`, and, where
there is a folder with a `load.py` (`--data`), published tables and learning curves.
"""

from __future__ import annotations

import importlib.util
import json
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import models
import numpy as np
from scipy import stats
from tables import TABLES, load, look_up

Params = dict[str, Any]
Spaces = dict[str, Any] | list[dict[str, Any]]

# Never looked at while the strategy was made, so that it could be seen whether what was
# gained elsewhere holds.
HELD_OUT = frozenset(
    {
        "styblinski-5",
        "levy-6",
        "branches-5",
        "knn-digits-5",
        "sgd-cancer-6",
        "ridge-diabetes-cond",
        "mlp-diabetes-6",
        "forest-digits-5",
        "fcnet-0",
        "fcnet-1",
        "nasbench201",
        "taskset-3",
        "taskset-4",
        "taskset-5",
    }
)


@dataclass(frozen=True)
class Problem:
    """Greater is better; `noise` is the standard deviation of what is observed."""

    name: str
    space: Spaces
    score: Callable[[Params], float]
    best: float
    noise: float = 0.0


# --- Synthetic ------------------------------------------------------------------------


def branin(p: Params) -> float:
    x, y = 15 * p["x0"] - 5, 15 * p["x1"]
    b, c, t = 5.1 / (4 * math.pi**2), 5 / math.pi, 1 / (8 * math.pi)
    return -((y - b * x**2 + c * x - 6) ** 2 + 10 * (1 - t) * math.cos(x) + 10)


HARTMANN_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
HARTMANN_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def vector(p: Params, n: int) -> np.ndarray:
    return np.array([p[f"x{j}"] for j in range(n)])


def hartmann6(p: Params) -> float:
    distance = (HARTMANN_A * (vector(p, 6) - HARTMANN_P) ** 2).sum(axis=1)
    return float(np.array([1, 1.2, 3, 3.2]) @ np.exp(-distance))


def ackley4(p: Params) -> float:
    x = 30 * vector(p, 4) - 10  # the optimum is not in the middle
    root = math.sqrt(float(np.mean(x**2)))
    waves = float(np.mean(np.cos(2 * math.pi * x)))
    return 20 * math.exp(-0.2 * root) + math.exp(waves) - 20 - math.e


def rosenbrock5(p: Params) -> float:
    x = 4 * vector(p, 5) - 2
    return -math.log1p(float((100 * (x[1:] - x[:-1] ** 2) ** 2).sum())) - math.log1p(
        float(((1 - x[:-1]) ** 2).sum())
    )


def mixed7(p: Params) -> float:
    """A ridge along a log scale that an integer and a category shift."""
    shift = {"a": 0.0, "b": 1.0, "c": -1.0, "d": 0.5}[p["kind"]]
    rate = math.log10(p["rate"]) + 3 + 0.1 * p["depth"] + 0.4 * shift
    decay = math.log10(p["decay"]) + 4
    width = (p["width"] - 40) / 40
    penalty = {"a": 0.0, "b": 0.3, "c": 0.6, "d": 0.15}[p["kind"]]
    return -(
        rate**2 + 0.1 * decay**2 + 0.5 * width**2 + 0.3 * abs(p["depth"] - 5) / 5
    ) - (penalty + 0.2 * p["skip"] + 0.5 * (p["drop"] - 0.2) ** 2)


def styblinski5(p: Params) -> float:
    x = 10 * vector(p, 5) - 5
    return -float((x**4 - 16 * x**2 + 5 * x).mean()) / 2


def levy6(p: Params) -> float:
    w = 1 + (16 * vector(p, 6) - 6 - 1) / 4
    inner = (w[:-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[:-1] + 1) ** 2)
    last = (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    return -math.sqrt(math.sin(math.pi * w[0]) ** 2 + float(inner.sum()) + last)


def cosines3(p: Params) -> float:
    x = vector(p, 3)
    target = np.array([0.3, 0.65, 0.8])
    return float((0.1 * np.cos(15 * (x - target)) - 3 * (x - target) ** 2).sum())


def optimizers5(p: Params) -> float:
    """Two optimizers that share a learning rate, whose best depends on which."""
    lr = math.log10(p["lr"])
    if p["optimizer"] == "sgd":
        momentum = -math.log10(1 - p["momentum"])
        return -((lr + 1.5 + momentum) ** 2) - 0.3 * (momentum - 1) ** 2 - 0.1
    decay = math.log10(p["decay"])
    return -((lr + 3) ** 2) - 0.1 * (decay + 4) ** 2 - 0.2 * abs(p["warmup"] - 3)


def branches5(p: Params) -> float:
    depth = p["depth"]
    if p["model"] == "trees":
        rate = math.log10(p["rate"])
        return -((rate + 1 + 0.1 * depth) ** 2) - 0.02 * (depth - 4) ** 2
    width = math.log2(p["width"])
    lr, drop = math.log10(p["lr"]), p["drop"]
    return (
        0.1
        - 0.5 * (lr + 2.5 + 0.1 * (width - 6)) ** 2
        - 0.05 * (width - 7) ** 2
        - (drop - 0.1 * depth) ** 2
        - 0.05 * (depth - 3) ** 2
    )


def sparse20(p: Params) -> float:
    """Two dicts, twenty dimensions; a rate, a depth and a kind matter."""
    shift = {"a": 0.0, "b": 0.6, "c": -0.6, "d": 1.2}[p["kind"]]
    penalty = {"a": 0.0, "b": 0.1, "c": 0.4, "d": 0.7}[p["kind"]]
    rate = math.log10(p["rate"]) + 3 + shift + 0.1 * (p["depth"] - 8)
    return -(rate**2) - 0.05 * (p["depth"] - 8) ** 2 - penalty


def sparse_space() -> list[dict[str, Any]]:
    """With the choice of a dict 20 dimensions, 11 of them in both dicts."""
    shared = {
        "rate": stats.loguniform(1e-6, 1e0),
        "depth": stats.randint(1, 13),
        "kind": ["a", "b", "c", "d"],
        "seed": [0, 1, 2, 3, 4],
        "skip": [True, False],
        "order": ["first", "last", "none"],
        "scale": stats.loguniform(1e-3, 1e3),
        "drop": stats.uniform(0, 0.8),
        "width": stats.randint(4, 257),
        "bins": [8, 16, 32, 64],
        "mix": stats.uniform(0, 1),
    }
    return [
        {
            **shared,
            "momentum": stats.uniform(0, 0.99),
            "nesterov": [True, False],
            "decay": stats.loguniform(1e-8, 1e-1),
            "warmup": stats.randint(0, 11),
        },
        {
            **shared,
            "beta": stats.uniform(0.5, 0.5),
            "epsilon": stats.loguniform(1e-10, 1e-2),
            "amsgrad": [True, False],
            "clip": [0.1, 0.3, 1.0, 3.0, 10.0],
        },
    ]


def synthetic() -> list[Problem]:
    def unit(n: int) -> dict[str, Any]:
        return {f"x{j}": stats.uniform(0, 1) for j in range(n)}

    mixed = {
        "rate": stats.loguniform(1e-6, 1e0),
        "decay": stats.loguniform(1e-8, 1e-1),
        "width": stats.randint(4, 257),
        "depth": stats.randint(1, 11),
        "kind": ["a", "b", "c", "d"],
        "skip": [True, False],
        "drop": stats.uniform(0, 0.8),
    }
    lr = stats.loguniform(1e-6, 1e1)
    optimizers = [
        {"optimizer": ["sgd"], "lr": lr, "momentum": stats.uniform(0, 0.99)},
        {
            "optimizer": ["adam"],
            "lr": lr,
            "decay": stats.loguniform(1e-8, 1e-1),
            "warmup": stats.randint(0, 11),
        },
    ]
    depth = stats.randint(1, 9)
    branches = [
        {"model": ["trees"], "depth": depth, "rate": stats.loguniform(1e-4, 1)},
        {
            "model": ["net"],
            "depth": depth,
            "width": stats.randint(4, 513),
            "lr": stats.loguniform(1e-6, 1),
            "drop": stats.uniform(0, 0.9),
        },
    ]
    return [
        Problem("branin-2", unit(2), branin, -0.397887, noise=2.0),
        Problem("hartmann-6", unit(6), hartmann6, 3.32237, noise=0.05),
        Problem("ackley-4", unit(4), ackley4, 0.0, noise=0.2),
        Problem("rosenbrock-5", unit(5), rosenbrock5, 0.0, noise=0.1),
        Problem("mixed-7", mixed, mixed7, 0.0, noise=0.05),
        Problem("cosines-3", unit(3), cosines3, 0.3, noise=0.02),
        Problem("optimizers-5", optimizers, optimizers5, 0.0, noise=0.05),
        Problem("styblinski-5", unit(5), styblinski5, 39.16617, noise=2.0),
        Problem("levy-6", unit(6), levy6, 0.0, noise=0.1),
        Problem("sparse-20", sparse_space(), sparse20, 0.0, noise=0.1),
        Problem("branches-5", branches, branches5, 0.1, noise=0.02),
    ]


# --- Recorded -------------------------------------------------------------------------


def real(cache: Path) -> list[Problem]:
    """Tables of scikit-learn models; some minutes where `cache` has none of them."""
    return [*(tabulated(name, cache) for name in TABLES), fitted(cache)]


def tabulated(name: str, cache: Path) -> Problem:
    grids, values = TABLES[name].grids, load(name, cache)
    spaces = [{k: axis.dimension for k, axis in grid.items()} for grid in grids]
    return Problem(
        name,
        spaces if len(spaces) > 1 else spaces[0],
        lambda p: look_up(grids, values, p),
        max(float(table.max()) for table in values),
    )


def many_space() -> list[dict[str, Any]]:
    shared = {
        "scaler": ["standard", "minmax", "robust", "none"],
        "threshold": stats.loguniform(1e-8, 1e-3),
        "n_components": stats.randint(2, 41),
        "whiten": [True, False],
        "model__class_weight": [None, "balanced"],
    }
    return [
        {
            **shared,
            "model": ["svc"],
            "model__C": stats.loguniform(1e-3, 1e4),
            "model__gamma": stats.loguniform(1e-6, 1e1),
            "model__shrinking": [True, False],
            "model__tol": stats.loguniform(1e-5, 1e-2),
        },
        {
            **shared,
            "model": ["sgd"],
            "model__alpha": stats.loguniform(1e-8, 1e1),
            "model__loss": ["hinge", "log_loss", "modified_huber"],
            "model__penalty": ["l1", "l2", "elasticnet"],
            "model__l1_ratio": stats.uniform(0, 1),
            "model__average": [True, False],
        },
        {
            **shared,
            "model": ["tree"],
            "model__max_depth": stats.randint(1, 21),
            "model__min_samples_leaf": stats.randint(1, 31),
            "model__max_features": stats.uniform(0.1, 0.9),
            "model__criterion": ["gini", "entropy"],
            "model__ccp_alpha": stats.loguniform(1e-6, 1e-1),
        },
    ]


N_DRAWN, N_CHANGED = 1500, 1000


def fitted(cache: Path) -> Problem:
    """A pipeline of many parameters, fitted for each candidate (0.02 s)."""
    name, space = "many-digits-20", many_space()

    def score(p: Params) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # models that stop early say so each time
            return models.many_digits(p)

    path = cache / f"{name}.json"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"best": best_known(space, score)}))
    return Problem(name, space, score, json.loads(path.read_text())["best"])


def best_known(space: list[dict[str, Any]], score: Callable[[Params], float]) -> float:
    """The best of many draws, after changes of one or two of its parameters."""
    rng = np.random.RandomState(0)

    def drawn(dimension: Any) -> Any:
        if isinstance(dimension, list):
            return dimension[rng.randint(len(dimension))]
        return dimension.rvs(random_state=rng)

    best, params, where = -math.inf, {}, {}
    for i in range(N_DRAWN + N_CHANGED):
        if i < N_DRAWN:
            dimensions = space[rng.randint(len(space))]
            new = {name: drawn(d) for name, d in dimensions.items()}
        else:
            dimensions, new = where, dict(params)
            for name in rng.choice(list(where), rng.randint(1, 3), replace=False):
                new[name] = drawn(where[name])
        value = score(new)
        if value >= best:
            best, params, where = value, new, dimensions
    return best


def published(data: Path) -> list[Problem]:
    """What others have recorded: tables as they are, configurations smoothed."""
    spec = importlib.util.spec_from_file_location("load", data / "load.py")
    assert spec is not None
    assert spec.loader is not None
    records: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(records)
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


def full_table(name: str, table: Any) -> Problem:
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
    return Problem(name, dict(table["grid"]), score, float(mean.max()), noise)


N_NEIGHBOURS = 6


def smoothed(name: str, curves: Any) -> Problem:
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

    return Problem(name, space, score, float(y.max()))


def landscapes(cache: Path | None, data: Path | None = None) -> list[Problem]:
    """All landscapes, those of HELD_OUT last; without `cache`, no real models."""
    found = [*synthetic(), *(real(cache) if cache else [])]
    found += published(data) if data else []
    return sorted(found, key=lambda p: p.name in HELD_OUT)
