"""Real searches, raced and not: the same work, splits and seeds."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from record import splitter
from works import Work, work

from sktune import BayesSearchCV, GridSearchCV, RandomizedSearchCV

GRIDS: dict[str, dict[str, list[Any]]] = {
    "digits SVC": {
        "C": np.logspace(-2, 3, 6).tolist(),
        "gamma": np.logspace(-4, 0, 7).tolist(),
    },
    "wine logistic": {
        "logisticregression__C": np.logspace(-4, 3, 12).tolist(),
        "logisticregression__class_weight": [None, "balanced"],
        "standardscaler__with_std": [True, False],
    },
    "cancer boosting": {
        "learning_rate": [0.03, 0.1, 0.3],
        "max_iter": [10, 30, 60],
        "max_leaf_nodes": [4, 16],
        "min_samples_leaf": [5, 30],
    },
    "concrete net": {
        "lr": [1e-3, 1e-2, 1e-1, 1e0],
        "optimizer": [torch.optim.SGD, torch.optim.Adam],
        "module__width": [8, 64],
        "module__dropout": [0.0, 0.4],
    },
}
APART = "concrete net, not stacked"
CONTESTS = [
    *((name, kind) for name in GRIDS for kind in ("random", "grid", "Bayes")),
    (APART, "random"),
]


@dataclass(frozen=True)
class Sizes:
    """Candidates of the searches that draw them."""

    random: int = 30
    bayes: int = 25


def contest(job: tuple[str, str, int, Sizes, Path]) -> dict[str, Any]:
    """Both searches, in an order that the seed decides."""
    name, kind, seed, sizes, folder = job
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # candidates that diverge are part of the work
    one = work(name.split(",")[0], folder)
    found: dict[bool, Any] = {}
    seconds: dict[bool, float] = {}
    for racing in (True, False) if seed % 2 else (False, True):
        search = made(one, name, kind, seed, sizes, racing)
        start = time.process_time()
        found[racing] = search.fit(one.X, one.y)
        seconds[racing] = time.process_time() - start
    return {
        "work": name,
        "search": kind,
        "seed": seed,
        "seconds": seconds[False],
        "seconds_raced": seconds[True],
        **compared(found[True], found[False], kind),
    }


def made(one: Work, name: str, kind: str, seed: int, sizes: Sizes, racing: bool) -> Any:
    common = {
        "scoring": one.scoring,
        "cv": splitter(one.y, seed),
        "refit": False,
        "stacked": name.endswith("net"),
        "racing": racing,
    }
    if kind == "grid":
        return GridSearchCV(one.estimator, GRIDS[name.split(",")[0]], **common)
    search_type, n = (
        (RandomizedSearchCV, sizes.random)
        if kind == "random"
        else (BayesSearchCV, sizes.bayes)
    )
    return search_type(one.estimator, one.space, n_iter=n, random_state=seed, **common)


def compared(raced: Any, full: Any, kind: str) -> dict[str, Any]:
    """Fits, and what the best of the raced search lacks.

    Over all splits, in hundredths of what the best of the full search has more than
    its median. Bayesian search proposes other candidates when it is raced, so there it
    may be below zero, and nothing says whether a winner was lost.
    """
    means = full.cv_results_["mean_test_score"]
    means = np.where(np.isfinite(means), means, -np.inf)
    scale = max(means.max() - np.median(means), 1e-12)  # half may be equals
    index = raced.best_index_
    chosen = raced.best_score_ if kind == "Bayes" else means[index]
    n_run = raced.cv_results_["n_splits_run"].sum()
    return {
        "fits": int(len(means) * full.n_splits_),
        "fits_raced": int(n_run),
        "same_best": bool(raced.best_params_ == full.best_params_),
        "lost": None if kind == "Bayes" else bool(chosen < means.max() - 1e-9),
        "regret": float(100.0 * (means.max() - chosen) / scale),
    }
