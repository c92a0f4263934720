"""What a search brings to its run: who decides, and on what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sktune._protocols import Schedule, Strategy
from sktune._types import Problem, WarmStartObservation
from sktune.execution import Resource
from sktune.run.listeners._all_failed import AllFailed
from sktune.run.listeners._cost import Cost, ToCome
from sktune.schedule import Flat, Rung
from sktune.space import Space
from sktune.strategy import Listed

# Candidates that may be pending. With more of them, starting would take long.
MAX_PENDING = 1_000
# Candidates, and points of the space, whose params are looked at to tell the time.
_MOST_LISTED, _N_OF_SPACE = 2_000, 100


@dataclass(frozen=True)
class Proposal:
    """A strategy, a schedule and the problem that they are given.

    Attributes
    ----------
    strategy, schedule, problem : as the engine takes them
    n_evaluations : int or None
        Rows of `cv_results_` that are expected; more than candidates where these are
        resumed. None where that is not known beforehand.
    n_pending : int or None
        As the engine takes it.
    cost : Cost
        What evaluations cost beside each other, to tell how long they will take.
    all_failed : AllFailed or None
        Raises where nobody can go on.
    resource : Resource or None
        What candidates are given more of; None where they get everything at once.
    paired : bool
        As the engine takes it.
    """

    strategy: Strategy
    schedule: Schedule
    problem: Problem
    n_evaluations: int | None
    n_pending: int | None = None
    cost: Cost = field(default_factory=Cost)
    all_failed: AllFailed | None = None
    resource: Resource | None = None
    paired: bool = False

    def share(self, n_done: int) -> str:
        """How many of its evaluations these are, in words."""
        total = self.n_evaluations
        return (
            f"{n_done} evaluations"
            if total is None
            else f"{n_done} of {total} evaluations"
        )

    def to_come(self) -> ToCome:
        """The params of its candidates, or of some of the space: fits depend on them.

        Of more candidates than one would look at, some.
        """
        if isinstance(self.strategy, Listed):
            listed = self.strategy.candidates
            every = -(-len(listed) // _MOST_LISTED) or 1
            some = [listed[k] for k in range(0, len(listed), every)]
            return ToCome(some, are_listed=every == 1)
        space = self.problem.space
        if space is None:
            return ToCome()
        points = np.random.default_rng(0).random((_N_OF_SPACE, space.n_dims))
        return ToCome([space.decode(point) for point in points])

    @classmethod
    def flat(
        cls,
        strategy: Strategy,
        n_candidates: int,
        n_splits: int,
        *,
        space: Space | None = None,
        n_pending: int | None = None,
        warm_start: Sequence[WarmStartObservation] = (),
        objectives: tuple[str, ...] = (),
        schedule: Schedule | None = None,
    ) -> Proposal:
        """Every candidate gets everything, at once unless the schedule spares some."""
        known = warm_start, objectives
        problem = Problem(space, n_candidates, None, n_splits, *known)
        if n_pending is None and n_candidates > MAX_PENDING:
            n_pending = MAX_PENDING
        if schedule is None:
            schedule = Flat(n_candidates)
        cost = Cost((Rung(0, 0, n_candidates, 1),))
        return cls(strategy, schedule, problem, n_candidates, n_pending, cost)
