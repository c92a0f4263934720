"""hyperopt: TPE and annealing with all defaults; hp.choice of dicts has conditions."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from hyperopt import (
    JOB_STATE_DONE,
    STATUS_OK,
    Trials,
    anneal,
    hp,
    space_eval,
    tpe,
)
from hyperopt.base import Domain
from hyperopt.fmin import generate_trials_to_calculate
from landscapes import Params, Spaces

from searchers.flat_space import DICT, Column, Flat


class HyperoptTPE:
    """What hyperopt.fmin does in each of its turns, with the turns taken by others."""

    suggest = staticmethod(partial(tpe.suggest, verbose=False))

    def __init__(self, space: Spaces, seed: int, n_candidates: int) -> None:
        self.flat = Flat.of(space)
        offered = {
            label: as_hyperopt(label, column)
            for label, column in self.flat.columns.items()
            if label != DICT
        }
        dicts = [
            {DICT: i, **{label: offered[label] for label in branch.values()}}
            for i, branch in enumerate(self.flat.branches)
        ]
        self.space: Any = hp.choice(DICT, dicts) if len(dicts) > 1 else dicts[0]
        self.domain = Domain(lambda values: 0.0, self.space)
        self.trials = Trials()
        self.rng = np.random.default_rng(seed)

    def ask(self) -> Params:
        ids = self.trials.new_trial_ids(1)
        self.trials.refresh()
        seed = int(self.rng.integers(2**31 - 1))
        new = self.suggest(ids, self.domain, self.trials, seed)
        self.trials.insert_trial_docs(new)
        self.trials.refresh()
        values = self.trials.trials[-1]["misc"]["vals"]
        chosen = {label: value[0] for label, value in values.items() if value}
        return self.flat.params(space_eval(self.space, chosen))

    def tell(self, params: Params, score: float) -> None:
        trial = self.trials.trials[-1]
        trial["state"] = JOB_STATE_DONE
        trial["result"] = {"loss": -score, "status": STATUS_OK}
        self.trials.refresh()

    def learn(self, known: list[tuple[Params, float]]) -> None:
        """What was observed elsewhere."""
        points = [self.flat.numbers(params) for params, _ in known]
        self.trials = generate_trials_to_calculate(points)
        self.trials.refresh()
        for trial, (_, score) in zip(self.trials.trials, known, strict=True):
            trial["state"] = JOB_STATE_DONE
            trial["result"] = {"loss": -score, "status": STATUS_OK}
        self.trials.refresh()


class HyperoptAnneal(HyperoptTPE):
    suggest = staticmethod(anneal.suggest)


def as_hyperopt(label: str, column: Column) -> Any:
    if column.kind == "category":
        return hp.choice(label, list(range(column.n)))
    if column.kind == "integer":
        return hp.uniformint(label, column.low, column.high)
    if column.log:
        return hp.loguniform(label, math.log(column.low), math.log(column.high))
    return hp.uniform(label, column.low, column.high)
