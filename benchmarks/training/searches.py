"""The searches that are compared, and their scores."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import sklearn.model_selection
from contest import Contestant, Found
from workloads import SPACE, Work, Workload

import sktune

SKLEARN = "scikit-learn"
COMMON = {"n_jobs": 1, "refit": False, "return_train_score": False}


def random_search(
    theirs: bool,
    workload: Workload,
    work: Work,
    seed: int,
    space: Mapping[str, Any] | None = None,
    **options: Any,
) -> Found:
    """By `RandomizedSearchCV`, scikit-learn's or sktune's."""
    kind = sklearn.model_selection if theirs else sktune
    net = sklearn.base.clone(workload.net).set_params(max_epochs=work.epochs)
    search = kind.RandomizedSearchCV(
        net,
        SPACE if space is None else dict(space),
        n_iter=work.n_iter,
        cv=work.n_splits,
        random_state=seed,
        **COMMON,
        **options,
    )
    return found_by(search.fit(workload.X, workload.y))


def random_searches(
    workload: Workload,
    work: Work,
    seed: int,
    goals: Mapping[str, float | None],
    space: Mapping[str, Any] | None = None,
) -> dict[str, Contestant]:
    """scikit-learn's, and those of `OPTIONS` that `goals` names."""
    run = partial(random_search, False, workload, work, seed, space)
    theirs = partial(random_search, True, workload, work, seed, space)
    ours = {
        name: Contestant(partial(run, **OPTIONS[name]), goal, name == "lossless")
        for name, goal in goals.items()
    }
    return {SKLEARN: Contestant(theirs), **ours}


# What a search of sktune is given, by the name it has in the tables.
OPTIONS: dict[str, dict[str, Any]] = {
    "lossless": {},
    "stacked": {"stacked": True},
    "auto": {"stacked": "auto"},
    **{f"stacks of {n}": {"stacked": True, "max_stack": n} for n in (5, 30, 60)},
}


def found_by(search: Any) -> Found:
    """Scores by candidate and what it was given of the resource."""
    results = search.cv_results_
    names = [f"split{k}_test_score" for k in range(search.n_splits_)]
    resources = results.get("n_resources", [None] * len(results["params"]))
    scores = {
        key_of(params, given): tuple(float(results[name][i]) for name in names)
        for i, (params, given) in enumerate(
            zip(results["params"], resources, strict=True)
        )
    }
    return Found(scores, how_trained(search))


def how_trained(search: Any) -> str:
    """The largest stacks, and why nets were trained alone, as sktune's searches say."""
    told = set()
    for row in getattr(search, "paths_", ()):
        n = row["stacked"] or 1
        told.add(f"{n} as one" if n > 1 else row["reason"] or "alone")
        if row["batches"] != "arrays":
            told.add(f"batches from {row['batches']}")
    return "; ".join(sorted(told))


def key_of(params: Mapping[str, Any], n_resources: Any = None) -> str:
    plain = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in sorted(params.items())
        if name != "max_epochs"
    }
    given = "" if n_resources is None else f" at {int(n_resources)}"
    return f"{plain}{given}"
