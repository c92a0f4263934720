"""Real landscapes: cross-validated scores of scikit-learn models, tabulated once.

A table is a grid of cross-validated scores on a data set that scikit-learn ships with,
split by split: the mean over splits is what counts, one split what a noisy search sees.
Between the nodes of continuous axes the score is interpolated, so that strategies see a
continuous space and a look-up costs nothing; lists are taken as they are, with all that
is rugged about real scores. Several grids are a conditional space, one dict for each.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from landscapes import models
from landscapes.landscape import Landscape, Params
from landscapes.noise import one_split


@dataclass(frozen=True)
class Axis:
    """Nodes of one parameter; `to` takes a value to the scale of interpolation."""

    dimension: Any
    nodes: Sequence[Any]
    scale: Callable[[float], float] | None = None  # None: no interpolation


Axes = dict[str, Axis]


@dataclass(frozen=True)
class Table:
    """Grids of one model, and the axis whose nodes one fit serves all at once."""

    score: Callable[..., Any]
    grids: list[Axes]
    free: str | None = None


def log_axis(low: float, high: float, n: int) -> Axis:
    nodes = [float(v) for v in np.geomspace(low, high, n)]
    return Axis(stats.loguniform(low, high), nodes, math.log)


def integer_axis(*nodes: int) -> Axis:
    return Axis(stats.randint(nodes[0], nodes[-1] + 1), nodes, float)


def listed(*values: Any) -> Axis:
    return Axis(list(values), list(values))


def interpolate(table: np.ndarray, axes: Axes, params: Params) -> np.ndarray:
    """Scores by split (S,), of a table whose last axis are the splits."""
    for name, axis in axes.items():  # always the first axis that is left
        value = params[name]
        if axis.scale is None:
            table = table[axis.nodes.index(value)]
            continue
        at = [axis.scale(node) for node in axis.nodes]
        x = min(max(axis.scale(value), at[0]), at[-1])
        i = min(int(np.searchsorted(at, x, side="right")) - 1, len(at) - 2)
        w = (x - at[i]) / (at[i + 1] - at[i])
        table = (1 - w) * table[i] + w * table[i + 1]
    return table


SCALER = listed(*models.SCALERS)

TABLES: dict[str, Table] = {
    "svc-cancer-3": Table(
        models.svc_cancer,
        [
            {
                "C": log_axis(1e-3, 1e4, 12),
                "gamma": log_axis(1e-6, 1e1, 12),
                "kernel": listed("rbf", "poly", "sigmoid"),
            }
        ],
    ),
    "mlp-digits-4": Table(
        models.mlp_digits,
        [
            {
                "lr": log_axis(1e-5, 1.0, 11),
                "width": integer_axis(4, 8, 16, 32, 64),
                "batch_size": listed(16, 64, 256),
                "activation": listed("relu", "tanh"),
            }
        ],
    ),
    "forest-wine-4": Table(
        models.forest_wine,
        [
            {
                "max_features": integer_axis(1, 2, 4, 7, 10, 13),
                "min_samples_leaf": integer_axis(1, 2, 4, 8, 16, 30),
                "max_depth": integer_axis(1, 2, 3, 5, 12),
                "criterion": listed("gini", "entropy"),
            }
        ],
    ),
    "pipeline-digits-4": Table(
        models.pipeline_digits,
        [
            {
                "scaler": listed(*models.SCALERS, "none"),
                "n_components": listed(2, 4, 8, 16, 32, 48),
                "model": listed("logistic", "knn", "svc"),
                "strength": listed(0, 1, 2, 3, 4, 5, 6, 7),
            }
        ],
    ),
    "boosting-diabetes-4": Table(
        models.boosting_diabetes,
        [
            {
                "learning_rate": log_axis(1e-3, 1.0, 9),
                "subsample": Axis(stats.uniform(0.2, 0.8), (0.2, 0.4, 0.7, 1.0), float),
                "max_depth": integer_axis(1, 2, 3, 6),
                "n_estimators": integer_axis(5, 15, 30, 60, 120),
            }
        ],
        free="n_estimators",
    ),
    "svr-diabetes-cond": Table(
        models.svr_diabetes,
        [
            {
                "kernel": listed("rbf"),
                "C": log_axis(1e-3, 1e3, 10),
                "gamma": log_axis(1e-5, 1e1, 9),
                "epsilon": log_axis(1e-3, 1.0, 4),
            },
            {
                "kernel": listed("poly"),
                "C": log_axis(1e-3, 1e3, 7),
                "gamma": log_axis(1e-5, 1e1, 7),
                "degree": listed(2, 3, 4),
                "coef0": listed(0.0, 0.5, 1.0),
            },
            {
                "kernel": listed("linear"),
                "C": log_axis(1e-3, 1e3, 10),
                "epsilon": log_axis(1e-3, 1.0, 4),
            },
        ],
    ),
    "mlp-cancer-6": Table(
        models.mlp_cancer,
        [
            {
                "lr": log_axis(1e-5, 1.0, 8),
                "width": integer_axis(2, 6, 20, 64),
                "alpha": log_axis(1e-6, 1e1, 3),
                "batch_size": listed(16, 64, 256),
                "activation": listed("relu", "tanh"),
                "solver": listed("adam", "sgd"),
            }
        ],
    ),
    "tree-digits-5": Table(
        models.tree_digits,
        [
            {
                "max_depth": integer_axis(1, 3, 5, 7, 9, 12, 16, 20),
                "min_samples_leaf": integer_axis(1, 2, 4, 8, 16, 30),
                "min_samples_split": integer_axis(2, 5, 12, 30),
                "criterion": listed("gini", "entropy"),
                "max_features": listed(4, 8, 16, 64),
            }
        ],
    ),
    "boosting-cancer-5": Table(
        models.boosting_cancer,
        [
            {
                "learning_rate": log_axis(3e-3, 1.0, 7),
                "max_depth": listed(1, 2, 3, 5),
                "subsample": listed(0.3, 0.6, 1.0),
                "max_features": listed("sqrt", "log2", None),
                "n_estimators": integer_axis(5, 10, 20, 40, 80),
            }
        ],
        free="n_estimators",
    ),
    "extra-diabetes-5": Table(
        models.extra_diabetes,
        [
            {
                "max_features": listed(0.1, 0.2, 0.4, 0.6, 0.8, 1.0),
                "min_samples_leaf": listed(1, 2, 4, 8, 16, 32),
                "max_depth": listed(2, 4, 6, 9, 14),
                "bootstrap": listed(True, False),
                "n_estimators": listed(5, 10, 20),
            }
        ],
    ),
    "knn-digits-5": Table(
        models.knn_digits,
        [
            {
                "n_neighbors": listed(1, 2, 3, 4, 5, 7, 9, 13, 18, 25, 40, 60),
                "weights": listed("uniform", "distance"),
                "p": listed(1, 2),
                "n_components": listed(2, 4, 6, 9, 14, 20, 30, 45),
                "scaler": SCALER,
            }
        ],
    ),
    "sgd-cancer-6": Table(
        models.sgd_cancer,
        [
            {
                "loss": listed("hinge", "log_loss", "squared_error"),
                "penalty": listed("l1", "l2", "elasticnet"),
                "alpha": listed(1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0),
                "eta0": listed(1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0),
                "learning_rate": listed("constant", "invscaling", "adaptive"),
                "average": listed(False, True),
            }
        ],
    ),
    "ridge-diabetes-cond": Table(
        models.ridge_diabetes,
        [
            {
                "kernel": listed(kernel),
                "alpha": log_axis(1e-4, 1e3, 10),
                "gamma": log_axis(1e-5, 1e1, 10),
            }
            for kernel in ("rbf", "laplacian")
        ]
        + [
            {
                "kernel": listed("poly"),
                "alpha": log_axis(1e-4, 1e3, 8),
                "gamma": log_axis(1e-5, 1e1, 8),
                "degree": listed(1, 2, 3),
                "coef0": listed(0.0, 1.0, 3.0),
            }
        ],
    ),
    "mlp-diabetes-6": Table(
        models.mlp_diabetes,
        [
            {
                "lr": log_axis(1e-5, 1.0, 8),
                "width": integer_axis(4, 10, 25, 64),
                "depth": listed(1, 2),
                "alpha": log_axis(1e-6, 1e1, 3),
                "activation": listed("relu", "tanh", "logistic"),
                "batch_size": listed(16, 64),
            }
        ],
    ),
    "forest-digits-5": Table(
        models.forest_digits,
        [
            {
                "max_features": listed(1, 3, 8, 20, 50),
                "min_samples_leaf": listed(1, 2, 5, 10, 25),
                "max_depth": listed(2, 4, 7, 11, 20),
                "criterion": listed("gini", "entropy"),
                "bootstrap": listed(True, False),
            }
        ],
    ),
}


def tabulate(table: Table) -> list[np.ndarray]:
    """Scores at all nodes, one array for each grid."""
    return [tabulate_grid(table, axes) for axes in table.grids]


def tabulate_grid(table: Table, axes: Axes) -> np.ndarray:
    names = [name for name in axes if name != table.free]
    cells = itertools.product(*(axes[name].nodes for name in names))
    rows = [dict(zip(names, cell, strict=True)) for cell in cells]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # models that stop early say so each time
        if table.free is None:
            values: list[Any] = [table.score(row) for row in rows]
        else:
            values = [table.score(row, axes[table.free].nodes) for row in rows]
    shape = [len(axis.nodes) for axis in axes.values()]
    return np.array(values).reshape([*shape, -1])


def scores_of(name: str, cache: Path) -> list[np.ndarray]:
    """The scores of a table by split, from `cache` if they are there."""
    path = cache / f"{name}-splits.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, *tabulate(TABLES[name]))
    with np.load(path) as stored:
        return [stored[key] for key in stored.files]


def look_up(grids: list[Axes], tables: list[np.ndarray], params: Params) -> np.ndarray:
    for axes, table in zip(grids, tables, strict=True):
        fits = axes.keys() == params.keys() and all(
            axis.scale is not None or params[name] in axis.nodes
            for name, axis in axes.items()
        )
        if fits:
            return interpolate(table, axes, params)
    raise ValueError(f"{params!r} is in no grid")


def tabulated(name: str, cache: Path) -> Landscape:
    """One table; a minute or so where `cache` does not have it."""
    grids, values = TABLES[name].grids, scores_of(name, cache)
    spaces = [{k: axis.dimension for k, axis in grid.items()} for grid in grids]

    def by_split(params: Params) -> np.ndarray:
        return look_up(grids, values, params)

    return Landscape(
        name,
        spaces if len(spaces) > 1 else spaces[0],
        lambda p: float(by_split(p).mean()),
        max(float(table.mean(axis=-1).max()) for table in values),
        {"splits": one_split(by_split)},
    )
