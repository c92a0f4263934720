"""Those who search: each is called as (space, seed) and then asked and told in turns.

Peers are optional and used through their own public interface; one that is not
installed is left out of the table.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from sktune._random import derive_seed
from sktune._types import Observation
from sktune.space import Space
from sktune.strategy import Bayes

Params = dict[str, Any]


class Searcher(Protocol):
    def ask(self) -> Params | None: ...

    def tell(self, params: Params, score: float) -> None: ...


class Random:
    """What RandomizedSearchCV does: independent draws."""

    def __init__(self, space: dict[str, Any], seed: int) -> None:
        self.space = space
        self.rng = np.random.RandomState(seed)

    def ask(self) -> Params:
        return {
            name: d.rvs(random_state=self.rng)
            if hasattr(d, "rvs")
            else d[self.rng.randint(len(d))]
            for name, d in self.space.items()
        }

    def tell(self, params: Params, score: float) -> None:
        pass


class Sktune:
    """A strategy, driven as the engine drives it."""

    def __init__(self, space: dict[str, Any], seed: int, **options: Any) -> None:
        self.strategy = Bayes(**options)
        self.state = self.strategy.init(Space(space))
        self.seed = seed
        self.number = 0

    def ask(self) -> Params | None:
        seed = derive_seed(self.seed, "ask", self.number)
        params = self.strategy.ask(self.state, self.number, (), seed)
        return None if params is None else dict(params)

    def tell(self, params: Params, score: float) -> None:
        observation = Observation(self.number, params, (score,))
        self.state = self.strategy.tell(self.state, observation)
        self.number += 1


class Optuna:
    """Optuna's ask and tell. A list of numbers is offered as its ordered ranks."""

    def __init__(self, space: dict[str, Any], seed: int, sampler: str) -> None:
        import warnings

        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings(
            "ignore", category=optuna.exceptions.ExperimentalWarning
        )
        samplers = {
            "gp": lambda: optuna.samplers.GPSampler(seed=seed),
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
        }
        self.study = optuna.create_study(
            direction="maximize", sampler=samplers[sampler]()
        )
        self.space = space
        self.dimensions = {name: as_optuna(d) for name, d in space.items()}

    def ask(self) -> Params:
        self.trial = self.study.ask(self.dimensions)
        return {
            name: self.space[name][value] if is_ordered(self.space[name]) else value
            for name, value in self.trial.params.items()
        }

    def tell(self, params: Params, score: float) -> None:
        self.study.tell(self.trial, score)


def is_ordered(dimension: Any) -> bool:
    return isinstance(dimension, list) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in dimension
    )


def as_optuna(dimension: Any) -> Any:
    import optuna.distributions as od

    if is_ordered(dimension):
        return od.IntDistribution(0, len(dimension) - 1)
    if isinstance(dimension, list):
        return od.CategoricalDistribution(dimension)
    low, high = dimension.support()
    if dimension.dist.name == "randint":
        return od.IntDistribution(int(low), int(high))
    return od.FloatDistribution(low, high, log=dimension.dist.name != "uniform")


def searchers() -> dict[str, Callable[[dict[str, Any], int], Searcher]]:
    found: dict[str, Callable[[dict[str, Any], int], Searcher]] = {
        "random": Random,
        "sktune Bayes": Sktune,
    }
    if importlib.util.find_spec("optuna") and importlib.util.find_spec("torch"):
        found["Optuna GP"] = lambda space, seed: Optuna(space, seed, "gp")
        found["Optuna TPE"] = lambda space, seed: Optuna(space, seed, "tpe")
    return found
