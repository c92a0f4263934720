"""Those who search: each is called as (space, seed) and then asked and told in turns.

Peers are optional and used through their own public interface; one that is not
installed is left out of the table.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from flat import is_ordered

from sktune._random import derive_seed
from sktune._types import Observation, Problem, WarmStartObservation
from sktune.space import Space
from sktune.strategy import SURROGATES, Bayes

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

    def __init__(
        self,
        space: Spaces,
        seed: int,
        n_candidates: int | None = None,
        warm_start: Sequence[WarmStartObservation] = (),
        **options: Any,
    ) -> None:
        self.strategy = Bayes(**options)
        problem = Problem(Space(space), n_candidates, warm_start=warm_start)
        self.state = self.strategy.init(problem)
        self.seed = seed
        self.number = 0

    def ask(self) -> Params | None:
        seed = derive_seed(self.seed, "ask", self.number)
        params = self.strategy.ask(self.state, self.number, (), seed)
        return None if params is None else dict(params)

    def tell(self, params: Params, score: float) -> None:
        observation = Observation(self.number, params, {0: score})
        self.state = self.strategy.tell(self.state, observation)
        self.number += 1

    def learn(self, known: list[tuple[Params, float]]) -> None:
        """What was observed elsewhere."""
        for params, score in known:
            self.tell(params, score)


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

    def learn(self, known: list[tuple[Params, float]]) -> None:
        """What was observed elsewhere, in a space of one dict."""
        import optuna

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


def suggest(trial: Any, name: str, offered: Any) -> Any:
    import optuna.distributions as od

    if isinstance(offered, od.CategoricalDistribution):
        return trial.suggest_categorical(name, offered.choices)
    if isinstance(offered, od.IntDistribution):
        return trial.suggest_int(name, offered.low, offered.high)
    return trial.suggest_float(name, offered.low, offered.high, log=offered.log)


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


Make = Callable[[Spaces, int], Searcher]

# What each peer needs; one that lacks something is left out.
NEEDS = {
    "Optuna GP": ("optuna", "torch"),
    "Optuna TPE": ("optuna",),
    "hyperopt TPE": ("hyperopt",),
    "SMAC": ("smac",),
    "BoTorch": ("botorch",),
    "scikit-optimize": ("skopt",),
}
SLOW = ("BoTorch", "scikit-optimize")  # think for a second or so at each candidate


def peer(name: str, n_candidates: int) -> Make:
    """A peer by its name; its package is imported when it is first called."""

    def make(space: Spaces, seed: int) -> Searcher:
        if name.startswith("Optuna"):
            return Optuna(space, seed, name.removeprefix("Optuna ").lower())
        if name == "SMAC":
            return load("peer_smac").Smac(space, seed, n_candidates)
        classes = {
            "hyperopt TPE": ("peer_hyperopt", "HyperoptTPE"),
            "BoTorch": ("peer_botorch", "BoTorch"),
            "scikit-optimize": ("peer_skopt", "ScikitOptimize"),
        }
        module, cls = classes[name]
        return getattr(load(module), cls)(space, seed)

    return make


def load(module: str) -> Any:
    return importlib.import_module(module)


def missing(name: str) -> list[str]:
    """The packages that a searcher lacks here."""
    return [p for p in NEEDS.get(name, ()) if importlib.util.find_spec(p) is None]


def surrogates() -> dict[str, str]:
    """sktune's surrogates by the name of their searcher; the default one is first."""
    names = {"gp": "sktune Bayes", "tpe": "sktune TPE"}
    return {s: names.get(s, f"sktune {s}") for s in SURROGATES}


def searchers(n_candidates: int) -> dict[str, Make]:
    found: dict[str, Make] = {"random": Random}
    for surrogate, name in surrogates().items():
        found[name] = functools.partial(
            Sktune, n_candidates=n_candidates, surrogate=surrogate
        )
    for name in NEEDS:
        if not missing(name):
            found[name] = peer(name, n_candidates)
    return found
