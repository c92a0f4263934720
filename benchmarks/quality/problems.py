"""Landscapes to search: usual synthetic functions with noise, and real models.

A real landscape is a grid of cross-validated scores of scikit-learn models on the data
sets that it ships with. Between the nodes of continuous axes the score is interpolated,
so that strategies see a continuous space and a look-up costs nothing.
"""

from __future__ import annotations

import itertools
import json
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVC

Params = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """Greater is better; `noise` is the standard deviation of what is observed."""

    name: str
    space: dict[str, Any]
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
    return [
        Problem("branin-2", unit(2), branin, -0.397887, noise=2.0),
        Problem("hartmann-6", unit(6), hartmann6, 3.32237, noise=0.05),
        Problem("ackley-4", unit(4), ackley4, 0.0, noise=0.2),
        Problem("rosenbrock-5", unit(5), rosenbrock5, 0.0, noise=0.1),
        Problem("mixed-7", mixed, mixed7, 0.0, noise=0.05),
    ]


# --- Real models ----------------------------------------------------------------------


@dataclass(frozen=True)
class Axis:
    """Nodes of one parameter; `to` takes a value to the scale of interpolation."""

    dimension: Any
    nodes: Sequence[Any]
    scale: Callable[[float], float] | None = None  # None: no interpolation


def log_axis(low: float, high: float, n: int) -> Axis:
    nodes = [float(v) for v in np.geomspace(low, high, n)]
    return Axis(stats.loguniform(low, high), nodes, math.log)


def integer_axis(low: int, high: int, nodes: Sequence[int]) -> Axis:
    return Axis(stats.randint(low, high + 1), nodes, float)


def interpolate(table: np.ndarray, axes: dict[str, Axis], params: Params) -> float:
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
    return float(table)


def digits_sample() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))[:500]
    return X[rows] / 16.0, y[rows]


def accuracy(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nets that stop early say so each time
        return float(cross_val_score(model, X, y, cv=folds).mean())


def svc_cancer(p: Params) -> float:
    X, y = load_breast_cancer(return_X_y=True)
    model = SVC(C=p["C"], gamma=p["gamma"], kernel=p["kernel"], max_iter=2000)
    return accuracy(make_pipeline(StandardScaler(), model), X, y)


def mlp_digits(p: Params) -> float:
    model = MLPClassifier(
        (p["width"],),
        activation=p["activation"],
        learning_rate_init=p["lr"],
        batch_size=p["batch_size"],
        max_iter=8,
        random_state=0,
    )
    return accuracy(model, *digits_sample())


def forest_wine(p: Params) -> float:
    model = RandomForestClassifier(
        10,
        max_features=p["max_features"],
        min_samples_leaf=p["min_samples_leaf"],
        max_depth=p["max_depth"],
        criterion=p["criterion"],
        random_state=0,
    )
    return accuracy(model, *load_wine(return_X_y=True))


def pipeline_digits(p: Params) -> float:
    scalers = {
        "standard": StandardScaler(),
        "minmax": MinMaxScaler(),
        "robust": RobustScaler(),
        "none": None,
    }
    models = {
        "logistic": lambda s: LogisticRegression(C=10.0 ** (s - 3), max_iter=50),
        "knn": lambda s: KNeighborsClassifier(1 + 3 * s),
        "svc": lambda s: SVC(C=10.0 ** (s - 3)),
    }
    steps = [scalers[p["scaler"]], PCA(p["n_components"], random_state=0)]
    model = models[p["model"]](p["strength"])
    return accuracy(make_pipeline(*filter(None, steps), model), *digits_sample())


def boosting_diabetes(p: Params, n_trees: Sequence[int]) -> list[float]:
    """R2 after each number of trees: one fit serves a whole axis."""
    X, y = load_diabetes(return_X_y=True)
    r2 = []
    for train, test in KFold(3, shuffle=True, random_state=0).split(X):
        model = GradientBoostingRegressor(
            n_estimators=max(n_trees), random_state=0, **p
        ).fit(X[train], y[train])
        stages = list(model.staged_predict(X[test]))
        total = ((y[test] - y[test].mean()) ** 2).sum()
        r2.append([1 - ((y[test] - stages[k - 1]) ** 2).sum() / total for k in n_trees])
    return [float(v) for v in np.mean(r2, axis=0)]


def listed(*values: Any) -> Axis:
    return Axis(list(values), list(values))


TABLES: dict[str, tuple[Callable[..., Any], dict[str, Axis], str | None]] = {
    "svc-cancer-3": (
        svc_cancer,
        {
            "C": log_axis(1e-3, 1e4, 12),
            "gamma": log_axis(1e-6, 1e1, 12),
            "kernel": listed("rbf", "poly", "sigmoid"),
        },
        None,
    ),
    "mlp-digits-4": (
        mlp_digits,
        {
            "lr": log_axis(1e-5, 1.0, 11),
            "width": integer_axis(4, 64, (4, 8, 16, 32, 64)),
            "batch_size": listed(16, 64, 256),
            "activation": listed("relu", "tanh"),
        },
        None,
    ),
    "forest-wine-4": (
        forest_wine,
        {
            "max_features": integer_axis(1, 13, (1, 2, 4, 7, 10, 13)),
            "min_samples_leaf": integer_axis(1, 30, (1, 2, 4, 8, 16, 30)),
            "max_depth": integer_axis(1, 12, (1, 2, 3, 5, 12)),
            "criterion": listed("gini", "entropy"),
        },
        None,
    ),
    "pipeline-digits-4": (
        pipeline_digits,
        {
            "scaler": listed("standard", "minmax", "robust", "none"),
            "n_components": listed(2, 4, 8, 16, 32, 48),
            "model": listed("logistic", "knn", "svc"),
            "strength": listed(0, 1, 2, 3, 4, 5, 6, 7),
        },
        None,
    ),
    "boosting-diabetes-4": (
        boosting_diabetes,
        {
            "learning_rate": log_axis(1e-3, 1.0, 9),
            "subsample": Axis(stats.uniform(0.2, 0.8), (0.2, 0.4, 0.7, 1.0), float),
            "max_depth": integer_axis(1, 6, (1, 2, 3, 6)),
            "n_estimators": integer_axis(5, 120, (5, 15, 30, 60, 120)),
        },
        "n_estimators",
    ),
}


def tabulate(name: str) -> np.ndarray:
    function, axes, free = TABLES[name]
    names = [key for key in axes if key != free]
    cells = itertools.product(*(axes[key].nodes for key in names))
    rows = [dict(zip(names, cell, strict=True)) for cell in cells]
    if free is None:
        values: list[Any] = [function(row) for row in rows]
    else:
        values = [function(row, axes[free].nodes) for row in rows]
    return np.array(values).reshape([len(axis.nodes) for axis in axes.values()])


def real(cache: Path) -> list[Problem]:
    """Real landscapes; made in about three minutes where `cache` has none of them."""
    cache.mkdir(parents=True, exist_ok=True)
    problems = []
    for name, (_, axes, _) in TABLES.items():
        path = cache / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps(tabulate(name).tolist()))
        table = np.array(json.loads(path.read_text()))
        problems.append(
            Problem(
                name,
                {key: axis.dimension for key, axis in axes.items()},
                lambda p, table=table, axes=axes: interpolate(table, axes, p),
                float(table.max()),
            )
        )
    return problems
