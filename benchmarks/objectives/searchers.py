"""Who searches a front: ours and others, by ask and tell."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from sktune._random import derive_seed
from sktune._types import Observation
from sktune._types import Problem as Told
from sktune.space import Space
from sktune.strategy import Bayes

Params = dict[str, Any]


class Searcher(Protocol):
    """Asked and told in turns."""

    def ask(self) -> Params: ...

    def tell(self, params: Params, objectives: np.ndarray) -> None: ...


class Random:
    """Draws, none of them twice."""

    def __init__(self, space: Params, m: int, n_candidates: int, seed: int) -> None:
        self.space = Space(space)
        self.rng = np.random.default_rng(seed)
        self.seen: set[Any] = set()

    def ask(self) -> Params:
        while True:
            params = self.space.decode(self.rng.random(self.space.n_dims))
            if (key := self.space.key(params)) not in self.seen:
                self.seen.add(key)
                return dict(params)

    def tell(self, params: Params, objectives: np.ndarray) -> None:
        pass


class Ours:
    """A strategy of sktune, as a search asks and tells it."""

    def __init__(
        self, space: Params, m: int, n_candidates: int, seed: int, strategy: Any
    ) -> None:
        self.names = tuple(f"y{j}" for j in range(m))
        self.strategy, self.seed, self.number = strategy, seed, 0
        problem = Told(Space(space), n_candidates, objectives=self.names)
        self.state = strategy.init(problem)

    def ask(self) -> Params:
        seed = derive_seed(self.seed, "ask", self.number)
        params = self.strategy.ask(self.state, self.number, (), seed)
        return dict(params)

    def tell(self, params: Params, objectives: np.ndarray) -> None:
        told = {
            name: {0: float(y)} for name, y in zip(self.names, objectives, strict=True)
        }
        first = told[self.names[0]]
        seen = Observation(self.number, params, first, objectives=told)
        self.state = self.strategy.tell(self.state, seen)
        self.number += 1


class RandomWeights(Bayes):
    """The same Gaussian process, with random weights in place of the hypervolume."""

    def _improves_volume(self, n_objectives: int) -> bool:
        return False


class Optuna:
    """A study with several directions."""

    def __init__(
        self, space: Params, m: int, n_candidates: int, seed: int, sampler: str
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.space = space
        self.study = optuna.create_study(
            directions=["maximize"] * m,
            sampler=getattr(optuna.samplers, sampler)(seed=seed),
        )

    def ask(self) -> Params:
        self.trial = self.study.ask()
        return {name: self._suggest(name, of) for name, of in self.space.items()}

    def _suggest(self, name: str, of: Any) -> Any:
        if not isinstance(of, list):
            low, high = of.support()
            if of.dist.name == "randint":
                return self.trial.suggest_int(name, int(low), int(high))
            return self.trial.suggest_float(name, low, high)
        if isinstance(of[0], str):
            return self.trial.suggest_categorical(name, of)
        return of[self.trial.suggest_int(name, 0, len(of) - 1)]

    def tell(self, params: Params, objectives: np.ndarray) -> None:
        self.study.tell(self.trial, [float(y) for y in objectives])


class SmacParEGO:
    """SMAC's random forest with the weights of ParEGO."""

    def __init__(self, space: Params, m: int, n_candidates: int, seed: int) -> None:
        from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer
        from smac import HyperparameterOptimizationFacade as Facade
        from smac import Scenario
        from smac.multi_objective.parego import ParEGO

        self.space = space
        columns = ConfigurationSpace(seed=seed)
        for name, of in space.items():
            if not isinstance(of, list):
                low, high = of.support()
                is_whole = of.dist.name == "randint"
                kind = Integer if is_whole else Float
                columns.add(
                    kind(name, (int(low), int(high)) if is_whole else (low, high))
                )
            elif isinstance(of[0], str):
                columns.add(Categorical(name, of))
            else:
                columns.add(Integer(name, (0, len(of) - 1)))
        self.folder = tempfile.TemporaryDirectory()
        scenario = Scenario(
            columns,
            objectives=[f"y{j}" for j in range(m)],
            deterministic=True,
            n_trials=n_candidates,
            seed=seed,
            output_directory=self.folder.name,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.smac = Facade(
                scenario,
                lambda config, seed=0: [0.0] * m,
                multi_objective_algorithm=ParEGO(scenario),
                overwrite=True,
                logging_level=False,
            )

    def ask(self) -> Params:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.info = self.smac.ask()
        return {
            name: self._value(of, self.info.config[name])
            for name, of in self.space.items()
        }

    def _value(self, of: Any, value: Any) -> Any:
        if not isinstance(of, list):
            is_whole = of.dist.name == "randint"
            return int(value) if is_whole else float(value)
        return str(value) if isinstance(of[0], str) else of[int(value)]

    def tell(self, params: Params, objectives: np.ndarray) -> None:
        from smac.runhistory.dataclasses import TrialValue

        costs = [-float(y) for y in objectives]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.smac.tell(self.info, TrialValue(cost=costs, time=0.5), save=False)


SEARCHERS: dict[str, Callable[..., Searcher]] = {
    "random": Random,
    "sktune": partial(Ours, strategy=Bayes()),
    "sktune, random weights": partial(Ours, strategy=RandomWeights()),
}
if find_spec("optuna"):
    for label, sampler in [
        ("Optuna, NSGA-II", "NSGAIISampler"),
        ("Optuna, TPE", "TPESampler"),
        ("Optuna, GP", "GPSampler"),
    ]:
        SEARCHERS[label] = partial(Optuna, sampler=sampler)
if find_spec("smac") and find_spec("ConfigSpace"):
    SEARCHERS["SMAC, ParEGO"] = SmacParEGO
