"""Optuna: a study, asked and told, with its Gaussian process or its TPE."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import optuna
import optuna.distributions as od
from landscapes import Params, Spaces

from searchers.flat_space import is_ordered


class Optuna:
    """Optuna's ask and tell. A list of numbers is offered as its ordered ranks.

    The dict of a conditional space is one more category; parameters of the same name
    and the same values are shared.
    """

    def __init__(
        self, space: Spaces, seed: int, n_candidates: int, sampler: type
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings(
            "ignore", category=optuna.exceptions.ExperimentalWarning
        )
        self.study = optuna.create_study(
            direction="maximize", sampler=sampler(seed=seed)
        )
        self.spaces = space if isinstance(space, list) else [space]

    def ask(self) -> Params:
        self.trial = self.study.ask()
        chosen = 0
        if len(self.spaces) > 1:
            chosen = self.trial.suggest_categorical("", list(range(len(self.spaces))))
        return {
            name: self._value(name, dimension)
            for name, dimension in self.spaces[chosen].items()
        }

    def _value(self, name: str, dimension: Any) -> Any:
        offered = as_optuna(dimension)
        alike = [s[name] for s in self.spaces if name in s]
        if any(as_optuna(other) != offered for other in alike):
            name = f"{name} of {offered!r}"
        value = suggest(self.trial, name, offered)
        return dimension[value] if is_ordered(dimension) else value

    def tell(self, params: Params, score: float) -> None:
        self.study.tell(self.trial, score)

    def learn(self, known: list[tuple[Params, float]]) -> None:
        """What was observed elsewhere, in a space of one dict."""
        (space,) = self.spaces
        distributions = {name: as_optuna(d) for name, d in space.items()}
        for params, score in known:
            told = {
                name: d.index(params[name]) if is_ordered(d) else params[name]
                for name, d in space.items()
            }
            self.study.add_trial(
                optuna.trial.create_trial(
                    params=told, distributions=distributions, value=score
                )
            )


OptunaGP = partial(Optuna, sampler=optuna.samplers.GPSampler)
OptunaTPE = partial(Optuna, sampler=optuna.samplers.TPESampler)


def suggest(trial: Any, name: str, offered: Any) -> Any:
    if isinstance(offered, od.CategoricalDistribution):
        return trial.suggest_categorical(name, offered.choices)
    if isinstance(offered, od.IntDistribution):
        return trial.suggest_int(name, offered.low, offered.high)
    return trial.suggest_float(name, offered.low, offered.high, log=offered.log)


def as_optuna(dimension: Any) -> Any:
    if is_ordered(dimension):
        return od.IntDistribution(0, len(dimension) - 1)
    if isinstance(dimension, list):
        return od.CategoricalDistribution(dimension)
    low, high = dimension.support()
    if dimension.dist.name == "randint":
        return od.IntDistribution(int(low), int(high))
    return od.FloatDistribution(low, high, log=dimension.dist.name != "uniform")
