"""A landscape that is fitted for each candidate: too many parameters for a table."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from landscapes import models
from landscapes.landscape import Landscape, Params
from landscapes.noise import one_split


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


FITTED = "many-digits-20"
N_DRAWN, N_CHANGED = 1500, 1000


def fitted(cache: Path) -> Landscape:
    """A pipeline of many parameters, fitted for each candidate (0.02 s)."""
    name, space = FITTED, many_space()

    def by_split(p: Params) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # models that stop early say so each time
            return models.many_digits(p)

    def score(p: Params) -> float:
        return float(by_split(p).mean())

    path = cache / f"{name}.json"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"best": best_known(space, score)}))
    best = json.loads(path.read_text())["best"]
    return Landscape(name, space, score, best, {"splits": one_split(by_split)})


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
