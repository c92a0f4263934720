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
Spaces = dict[str, Any] | list[dict[str, Any]]


class Searcher(Protocol):
    def ask(self) -> Params | None: ...

    def tell(self, params: Params, score: float) -> None: ...


class Random:
    """What RandomizedSearchCV does: independent draws."""

    def __init__(self, space: Spaces, seed: int) -> None:
        self.spaces = space if isinstance(space, list) else [space]
        self.rng = np.random.RandomState(seed)

    def ask(self) -> Params:
        space = self.spaces[self.rng.randint(len(self.spaces))]
        return {
            name: d.rvs(random_state=self.rng)
            if hasattr(d, "rvs")
            else d[self.rng.randint(len(d))]
            for name, d in space.items()
        }

    def tell(self, params: Params, score: float) -> None:
        pass


class Sktune:
    """A strategy, driven as the engine drives it."""

    def __init__(self, space: Spaces, seed: int, **options: Any) -> None:
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
    """Optuna's ask and tell. A list of numbers is offered as its ordered ranks.

    The dict of a conditional space is one more category; parameters of the same name
    and the same values are shared.
    """

    def __init__(self, space: Spaces, seed: int, sampler: str) -> None:
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


def suggest(trial: Any, name: str, offered: Any) -> Any:
    import optuna.distributions as od

    if isinstance(offered, od.CategoricalDistribution):
        return trial.suggest_categorical(name, offered.choices)
    if isinstance(offered, od.IntDistribution):
        return trial.suggest_int(name, offered.low, offered.high)
    return trial.suggest_float(name, offered.low, offered.high, log=offered.log)


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


def searchers(n_candidates: int) -> dict[str, Callable[[Spaces, int], Searcher]]:
    found: dict[str, Callable[[Spaces, int], Searcher]] = {
        "random": Random,
        "sktune Bayes": lambda space, seed: Sktune(
            space, seed, n_candidates=n_candidates
        ),
        "sktune forest": lambda space, seed: Sktune(
            space, seed, n_candidates=n_candidates, surrogate="forest"
        ),
    }
    if importlib.util.find_spec("optuna") and importlib.util.find_spec("torch"):
        found["Optuna GP"] = lambda space, seed: Optuna(space, seed, "gp")
        found["Optuna TPE"] = lambda space, seed: Optuna(space, seed, "tpe")
    return found
