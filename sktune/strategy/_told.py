"""What a strategy has been told, and where to look when scores do not say."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from sktune._errors import SpaceError
from sktune._types import Observation, Params, Problem, mean_score
from sktune.strategy._arrays import Array
from sktune.strategy._design import most_even_first, sobol
from sktune.strategy._maximize import Admissible
from sktune.strategy._multi_fidelity import failed_at_every_rung
from sktune.strategy._observations import (
    EncodedObservation,
    in_order,
    most_informative,
)
from sktune.strategy._partial_scores import comparable

if TYPE_CHECKING:
    from sktune.space import Space

MAX_SCANNED = 100_000
LOG2_DESIGN_POOL = 8
N_TRIES = 20  # pools drawn before a constraint is taken to refuse everything


@dataclass(frozen=True, slots=True)
class Told:
    """What has been told.

    Attributes
    ----------
    problem : Problem
    observations : dict
        By the key of a candidate and its resource.
    """

    problem: Problem
    observations: Mapping[tuple[Hashable, int | None], EncodedObservation] = field(
        default_factory=dict
    )

    @property
    def space(self) -> Space:
        return cast("Space", self.problem.space)  # `init` refuses a problem without

    def tell(self, observation: Observation) -> Self:
        """With one more observation."""
        params = observation.params
        objectives = () if observation.failed else _means(observation)
        failed = observation.failed or not all(
            map(math.isfinite, (observation.score, *objectives))
        )
        is_flat = self.problem.max_resources is None
        one = EncodedObservation(
            observation.candidate,
            self.space.encode(params),
            None if failed else float(observation.score),
            None if is_flat else observation.n_resources,
            scores={} if failed else dict(observation.scores),  # type: ignore[arg-type]
            told=len(self.observations),
            objectives=() if failed else objectives,
        )
        key = self.space.key(params), one.n_resources
        return replace(self, observations={**self.observations, key: one})

    def taken(self, pending: Sequence[Params]) -> set[Hashable]:
        """Keys of the candidates that were told, and of those that are pending."""
        taken = {key for key, _ in self.observations}
        taken.update(self.space.key(params) for params in pending)
        return taken


def _means(observation: Observation) -> tuple[float, ...]:
    """The score in each objective."""
    return tuple(float(mean_score(of)) for of in observation.objectives.values())


def number_of_first(problem: Problem) -> int:
    """Candidates that are spread evenly, before scores say where to look.

    Two more than the space has dimensions, between 4 and 8, and not more than half of
    all.
    """
    enough = min(max(cast("Space", problem.space).n_dims + 2, 4), 8)
    if problem.n_candidates is None:
        return enough
    return max(2, min(enough, problem.n_candidates // 2))


def observed(
    state: Told, max_resources: int | None, most: Any = most_informative
) -> list[EncodedObservation]:
    """What there is to learn from, by candidate and resource."""
    observations = list(state.observations.values())
    if max_resources is None:
        observations = comparable(observations, state.problem.n_splits)
    else:
        observations = failed_at_every_rung(state.observations, max_resources)
    return in_order(most(observations))


def next_of_design(
    state: Told, pending: Array, admissible: Admissible, seed: int
) -> Array | None:
    """The admissible point that best completes an even design."""
    space = state.space
    by_candidate = {one.candidate: one.point for one in observed(state, None)}
    design = np.array([*by_candidate.values(), *pending]).reshape(-1, space.n_dims)
    U = sobol(space.n_dims, LOG2_DESIGN_POOL, seed)
    rng = np.random.default_rng(seed)
    for _ in range(N_TRIES):
        U = space.snap(U)
        for i in most_even_first(U, design):
            if admissible(U[i]):
                return U[i]
        U = rng.random(U.shape)
    return None


def any_left(space: Space, taken: set[Hashable]) -> Params | None:
    """Some candidate that is left, where chance has found none."""
    if space.size <= MAX_SCANNED:
        for params in space.points():
            if space.key(params) not in taken and space.allows(params):
                return params
    if not taken:
        raise SpaceError(
            "constraint refused every candidate that was drawn. Make it wider, or "
            "give initial_points that it allows."
        )
    return None
