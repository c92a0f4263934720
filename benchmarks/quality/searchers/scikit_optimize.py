"""scikit-optimize: its Optimizer with all defaults (a Gaussian process, gp_hedge)."""

from __future__ import annotations

import warnings

from landscapes import Params, Spaces
from skopt import Optimizer
from skopt.space import Categorical, Dimension, Integer, Real

from searchers.flat_space import Column, Flat


class ScikitOptimize:
    def __init__(self, space: Spaces, seed: int, n_candidates: int) -> None:
        self.flat = Flat.of(space)
        dimensions = [as_skopt(column) for column in self.flat.columns.values()]
        self.optimizer = Optimizer(dimensions, random_state=seed)

    def ask(self) -> Params:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says so when it repeats a candidate
            self.x = self.optimizer.ask()
        return self.flat.params(dict(zip(self.flat.columns, self.x, strict=True)))

    def tell(self, params: Params, score: float) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of fits of its Gaussian process
            self.optimizer.tell(self.x, -score)

    def learn(self, known: list[tuple[Params, float]]) -> None:
        """What was observed elsewhere."""
        rows = [self.flat.numbers(params) for params, _ in known]
        X = [[row[label] for label in self.flat.columns] for row in rows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.optimizer.tell(X, [-score for _, score in known])


def as_skopt(column: Column) -> Dimension:
    if column.kind == "category":
        return Categorical(list(range(column.n)))
    if column.kind == "integer":
        return Integer(int(column.low), int(column.high))
    return Real(column.low, column.high, "log-uniform" if column.log else "uniform")
