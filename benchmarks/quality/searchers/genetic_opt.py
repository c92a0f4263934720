"""sklearn-genetic-opt: GASearchCV, whose estimator hands its params over as it scores.

It asks nobody: it runs by itself, in a coroutine that pauses where a score is needed.
It knows no conditions, so that it sees all dicts as one flat space.
"""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
from greenlet import getcurrent, greenlet
from landscapes import Params, Spaces
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn_genetic import GASearchCV
from sklearn_genetic.space import Categorical, Continuous, Integer

from searchers.flat_space import Column, Flat

X, Y = np.zeros((4, 1)), np.array([0, 1, 0, 1])
SPLIT = [(np.arange(2), np.arange(2, 4))]


class Asking(ClassifierMixin, BaseEstimator):
    """An estimator of whatever parameters, whose score comes from outside."""

    def __init__(self, values: Any = None) -> None:
        self.values = values

    def set_params(self, **params: Any) -> Asking:
        self.values = {**(self.values or {}), **params}
        return self

    def fit(self, X: Any, y: Any) -> Asking:
        self.classes_ = np.unique(y)
        # Here, and not where it is scored, which is done twice.
        self.score_ = float(getcurrent().parent.switch(self.values))
        return self

    def predict(self, X: Any) -> np.ndarray:
        return np.zeros(len(X), int)

    def score(self, X: Any, y: Any) -> float:
        return self.score_


class GeneticOpt:
    population_size = 50  # its default

    def __init__(self, space: Spaces, seed: int, n_candidates: int) -> None:
        self.flat = Flat.of(space)
        self.search = GASearchCV(
            Asking(),
            cv=SPLIT,
            param_grid={
                label: as_genetic(column) for label, column in self.flat.columns.items()
            },
            population_size=self.population_size,
            generations=n_candidates,  # more than there is time for
            refit=False,
            verbose=False,
        )
        self.seed, self.score = seed, None
        self.running = greenlet(self._run)

    def _run(self, _: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.search.fit(X, Y)

    def ask(self) -> Params | None:
        if self.score is None:
            random.seed(self.seed)
            np.random.seed(self.seed)
        numbers = self.running.switch(self.score)
        return None if self.running.dead else self.flat.params(numbers)

    def tell(self, params: Params, score: float) -> None:
        self.score = score


class SmallGeneticOpt(GeneticOpt):
    """With generations that are small enough for searches of some dozens."""

    population_size = 10


def as_genetic(column: Column) -> Any:
    if column.kind == "category":
        return Categorical(list(range(column.n)))
    if column.kind == "integer":
        return Integer(int(column.low), int(column.high))
    return Continuous(
        column.low,
        column.high,
        distribution="log-uniform" if column.log else "uniform",
    )
