"""nevergrad: its evolution, by ask and tell; a Choice of Dicts has conditions."""

from __future__ import annotations

from typing import Any

import nevergrad as ng
from landscapes import Params, Spaces

from searchers.flat_space import DICT, Column, Flat


class Nevergrad:
    """One of its optimizers, which is told how many candidates there will be."""

    name: str

    def __init__(self, space: Spaces, seed: int, n_candidates: int) -> None:
        self.flat = Flat.of(space)
        dicts = [
            ng.p.Dict(
                **{DICT: i},
                **{
                    label: as_nevergrad(self.flat.columns[label])
                    for label in branch.values()
                },
            )
            for i, branch in enumerate(self.flat.branches)
        ]
        searched: Any = ng.p.Choice(dicts) if len(dicts) > 1 else dicts[0]
        searched.random_state.seed(seed)
        self.optimizer = ng.optimizers.registry[self.name](
            parametrization=searched, budget=n_candidates
        )

    def ask(self) -> Params:
        self.asked = self.optimizer.ask()
        return self.flat.params(self.asked.value)

    def tell(self, params: Params, score: float) -> None:
        self.optimizer.tell(self.asked, -score)


class OnePlusOne(Nevergrad):
    name = "OnePlusOne"


class DifferentialEvolution(Nevergrad):
    name = "DE"


def as_nevergrad(column: Column) -> Any:
    if column.kind == "category":
        return ng.p.Choice(list(range(column.n)))
    if column.log:
        return ng.p.Log(lower=column.low, upper=column.high)
    found = ng.p.Scalar(lower=column.low, upper=column.high)
    return found.set_integer_casting() if column.kind == "integer" else found
