"""SMAC3: the facade for hyperparameters, asked and told as its example does it."""

from __future__ import annotations

import tempfile
import warnings
from typing import Any

from ConfigSpace import (
    Categorical,
    ConfigurationSpace,
    EqualsCondition,
    Float,
    InCondition,
    Integer,
)
from landscapes import Params, Spaces
from smac import HyperparameterOptimizationFacade, Scenario
from smac.runhistory.dataclasses import TrialValue

from searchers.flat_space import DICT, Column, Flat


class Smac:
    """A random forest; one evaluation for each candidate, as in the example.

    Parameters that a dict has not are inactive by ConfigSpace's own conditions.
    """

    def __init__(self, space: Spaces, seed: int, n_candidates: int) -> None:
        self.flat = Flat.of(space)
        self.folder = tempfile.TemporaryDirectory()
        scenario = Scenario(
            as_configspace(self.flat, seed),
            deterministic=False,
            n_trials=n_candidates,
            seed=seed,
            output_directory=self.folder.name,
        )
        facade = HyperparameterOptimizationFacade
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.smac = facade(
                scenario,
                lambda config, seed=0: 0.0,
                intensifier=facade.get_intensifier(scenario, max_config_calls=1),
                overwrite=True,
                logging_level=False,
            )

    def ask(self) -> Params | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of numpy, from within its model
                self.info = self.smac.ask()
        except StopIteration:  # nothing new was found
            return None
        return self.flat.params({k: float(v) for k, v in self.info.config.items()})

    def tell(self, params: Params, score: float) -> None:
        self.smac.tell(self.info, TrialValue(cost=-score, time=0.5), save=False)


def as_configspace(flat: Flat, seed: int) -> ConfigurationSpace:
    space = ConfigurationSpace(seed=seed)
    columns = {label: as_smac(label, c) for label, c in flat.columns.items()}
    space.add(*columns.values())
    for label, column in columns.items():
        where = [str(i) for i, b in enumerate(flat.branches) if label in b.values()]
        if label == DICT or len(where) == len(flat.branches):
            continue
        parent = columns[DICT]
        if len(where) == 1:
            space.add(EqualsCondition(column, parent, where[0]))
        else:
            space.add(InCondition(column, parent, where))
    return space


def as_smac(label: str, column: Column) -> Any:
    if column.kind == "category":
        return Categorical(label, [str(i) for i in range(column.n)])
    if column.kind == "integer":
        return Integer(label, (int(column.low), int(column.high)))
    return Float(label, (column.low, column.high), log=column.log)
