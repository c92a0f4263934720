"""sktune's own strategies, asked and told as the engine does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from landscapes import Params, Spaces

from sktune._random import derive_seed
from sktune._types import Observation, Problem, WarmStartObservation
from sktune.space import Space
from sktune.strategy import SURROGATES, Annealing, Bayes, Evolution

OWN = tuple(SURROGATES)  # before changes join them
WITHOUT_MODEL = {"sktune annealing": Annealing(), "sktune evolution": Evolution()}


def surrogates() -> dict[str, str]:
    """sktune's surrogates by the names of their searchers; the default one is first."""
    names = {"gp": "sktune Bayes", "tpe": "sktune TPE"}
    return {names.get(s, f"sktune {s}"): s for s in OWN}


class Sktune:
    """`Bayes`, or another strategy, told in the order in which it was asked.

    `warm_start` are the candidates of an earlier search, with what was observed.
    """

    def __init__(
        self,
        space: Spaces,
        seed: int,
        n_candidates: int,
        surrogate: str = "gp",
        warm_start: Sequence[tuple[Params, float]] = (),
        strategy: Any = None,
    ) -> None:
        self.strategy = strategy or Bayes(surrogate=surrogate)
        earlier = tuple(WarmStartObservation(p, score) for p, score in warm_start)
        problem = Problem(Space(space), n_candidates, warm_start=earlier)
        self.state = self.strategy.init(problem)
        self.seed = seed
        self.n_asked = self.n_told = 0

    def ask(self, pending: Sequence[Params] = ()) -> Params | None:
        seed = derive_seed(self.seed, "ask", self.n_asked)
        params = self.strategy.ask(self.state, self.n_asked, tuple(pending), seed)
        if params is None:
            return None
        self.n_asked += 1
        return dict(params)

    def tell(self, params: Params, score: float) -> None:
        observation = Observation(self.n_told, params, {0: score})
        self.state = self.strategy.tell(self.state, observation)
        self.n_told += 1

    def learn(self, known: list[tuple[Params, float]]) -> None:
        """What was observed elsewhere."""
        for params, score in known:
            self.tell(params, score)
        self.n_asked = self.n_told
