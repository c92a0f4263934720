"""`rungs`: searches with rungs, beside scikit-learn's at equal rungs."""

from __future__ import annotations

import math
from functools import partial
from typing import Any
from unittest import mock

import sklearn.model_selection._search_successive_halving as sklearn_halving
from contest import Contestant, Found, measure
from searches import COMMON, OPTIONS, SKLEARN, found_by
from workloads import SPACE, Workload, on_digits

import sktune

FACTOR, N_SPLITS = 3, 5
# `may_miss` below: one for each rung that is not the first of its bracket.


def rungs(repeats: int, quick: bool) -> list[dict[str, Any]]:
    workload = on_digits(batch_size=64)
    for contest in (halving(3, workload), hyperband(3, workload)):
        for contestant in contest(0).values():
            contestant.run()
    epochs = 3 if quick else 27
    rows = measure("halving", halving(epochs, workload), repeats)
    return rows + measure("Hyperband", hyperband(epochs, workload), repeats)


def common(epochs: int, seed: int) -> dict[str, Any]:
    return {
        **COMMON,
        "cv": N_SPLITS,
        "factor": FACTOR,
        "max_resources": epochs,
        "random_state": seed,
        "resource": "max_epochs",
    }


def theirs(
    space: Any,
    n_candidates: int,
    least: int,
    epochs: int,
    workload: Workload,
    seed: int,
) -> Found:
    search = sklearn_halving.HalvingRandomSearchCV(
        workload.net,
        space,
        n_candidates=n_candidates,
        min_resources=least,
        **common(epochs, seed),
    )
    # It rounds the candidates of the next rung up; for equal rungs they are rounded
    # down here, which is less for it to do.
    with mock.patch.object(sklearn_halving, "ceil", math.floor):
        return found_by(search.fit(workload.X, workload.y))


def halving(epochs: int, workload: Workload) -> Any:
    """As many candidates as epochs, from one epoch on."""

    def ours(seed: int, **options: Any) -> Found:
        search = sktune.SuccessiveHalvingSearchCV(
            workload.net,
            SPACE,
            n_candidates=epochs,
            min_resources=1,
            **common(epochs, seed),
            **options,
        )
        return found_by(search.fit(workload.X, workload.y))

    def contest(seed: int) -> dict[str, Contestant]:
        base = partial(theirs, SPACE, epochs, 1, epochs, workload, seed)
        return {
            SKLEARN: Contestant(base),
            "lossless": Contestant(partial(ours, seed), 0.65, True, may_miss=3),
            "stacked": Contestant(partial(ours, seed, **OPTIONS["stacked"])),
        }

    return contest


def hyperband(epochs: int, workload: Workload) -> Any:
    """The brackets of Hyperband, each as one search of scikit-learn's."""

    def search(seed: int, **options: Any) -> Any:
        return sktune.HyperbandSearchCV(
            workload.net, SPACE, min_resources=1, **common(epochs, seed), **options
        )

    def ours(seed: int, **options: Any) -> Found:
        return found_by(search(seed, **options).fit(workload.X, workload.y))

    def contest(seed: int) -> dict[str, Contestant]:
        # Which candidates there are does not depend on the rows.
        drawn = search(seed).fit(workload.X[:200], workload.y[:200]).cv_results_
        base = partial(by_brackets, brackets_of(drawn), epochs, workload, seed)
        return {
            SKLEARN: Contestant(base),
            "lossless": Contestant(partial(ours, seed), None, True, may_miss=6),
            "stacked": Contestant(partial(ours, seed, **OPTIONS["stacked"]), 0.15),
        }

    return contest


def brackets_of(results: Any) -> dict[int, tuple[int, list[dict[str, Any]]]]:
    """The least resource of each bracket, and the candidates it starts with."""
    brackets: dict[int, tuple[int, list[dict[str, Any]]]] = {}
    columns = (results[key] for key in ("bracket", "iter", "n_resources", "params"))
    for bracket, rung, n_resources, params in zip(*columns, strict=True):
        if rung == 0:
            started = brackets.setdefault(int(bracket), (int(n_resources), []))[1]
            started.append({k: params[k] for k in SPACE})
    return brackets


def by_brackets(
    brackets: dict[int, tuple[int, list[dict[str, Any]]]],
    epochs: int,
    workload: Workload,
    seed: int,
) -> Found:
    scores: dict[str, tuple[float, ...]] = {}
    for least, started in brackets.values():
        space = [{name: [value] for name, value in one.items()} for one in started]
        found = theirs(space, len(started), least, epochs, workload, seed)
        scores |= found.scores
    return Found(scores)
