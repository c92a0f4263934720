"""What one search takes, and what its incumbents come to on rows that it never saw."""

from __future__ import annotations

import gc
import math
import warnings
from dataclasses import asdict
from typing import Any

import numpy as np
import sklearn
from data_sets import Work
from events import Clock, NotedScores, key_of
from methods import Method

import sktune


class Refits:
    """Nets of given params on all rows of the search, trained once for each params.

    By skorch alone, as scikit-learn refits, or by sktune, whose nets are the same but
    take less time.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._done: dict[tuple[bool, str], tuple[float, float, float]] = {}

    def __call__(self, params: dict[str, Any], peer: bool) -> dict[str, float]:
        """The score on the rows held out, and the seconds of the training."""
        key = peer, key_of(params)
        if key not in self._done:
            self._done[key] = (by_skorch if peer else by_sktune)(self._work, params)
        return dict(zip(("held_out", "cpu", "wall"), self._done[key], strict=True))


def by_skorch(work: Work, params: dict[str, Any]) -> tuple[float, float, float]:
    estimator = sklearn.base.clone(work.estimator).set_params(**params)
    clock = Clock()
    clock.start()
    estimator.fit(work.X, work.y)
    return held_out(estimator, work), *clock.read()


def by_sktune(work: Work, params: dict[str, Any]) -> tuple[float, float, float]:
    """As a search with one candidate and one split, which trains on all rows."""
    clock, scores, taken = Clock(), [], []

    def scoring(estimator: Any, X: Any, y: Any) -> float:
        taken.extend(clock.read())
        scores.append(held_out(estimator, work))
        return scores[0]

    rows = np.arange(len(work.X))
    search = sktune.GridSearchCV(
        work.estimator,
        {name: [value] for name, value in params.items()},
        scoring=scoring,
        cv=[(rows, rows[:10])],
        refit=False,
    )
    clock.start()
    search.fit(work.X, work.y)
    return scores[0], taken[0], taken[1]


def held_out(estimator: Any, work: Work) -> float:
    try:
        return float(estimator.score(work.X_held_out, work.y_held_out))
    except ValueError:  # a net that has diverged has no R2
        return math.nan


def measured(
    method: Method,
    work: Work,
    seed: int,
    refits: Refits | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Run a search and refit each of its incumbents, where `refits` is given."""
    scoring = NotedScores(tuple(work.space))
    search = method.search(work, seed, scoring, **options)
    gc.collect()
    scoring.clock.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nets that have diverged
        search.fit(work.X, work.y)
    cpu, wall = scoring.clock.read()
    record = {
        "cpu": cpu,
        "wall": wall,
        "held_out": held_out(search.best_estimator_, work),
        "best_score": float(search.best_score_),
        "fits": len(scoring.noted),
        "refit_cpu": cpu - scoring.noted[-1][-2],
    }
    if refits is not None:
        led = scoring.incumbents(1 if method.has_rungs else work.epochs)
        record["incumbents"] = [
            {**asdict(one), "refit": refits(one.params, method.peer)} for one in led
        ]
    return record
