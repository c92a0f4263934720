"""Who searches: strategies and schedules, by name."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from recorded import Task

from sktune._protocols import Schedule, Strategy
from sktune.schedule import (
    Asynchronous,
    Brackets,
    Flat,
    Rung,
    Slices,
    halving,
    hyperband,
    levels_between,
)
from sktune.strategy import Bayes, Listed

FACTOR = 3
N_DRAWN = 1000  # params that a random search may come to


@dataclass(frozen=True)
class Method:
    """How a search is set up; the seed says what is drawn, where chance decides."""

    strategy: Callable[[Task, int, int], Strategy]
    schedule: Callable[[int, float], Schedule]
    n_workers: int = 1
    n_pending: int | None = None

    @property
    def has_rungs(self) -> bool:
        return self.schedule is not flat


def random(task: Task, n_epochs: int, seed: int) -> Strategy:
    rng = np.random.default_rng([seed, 0])
    if task.space.size < math.inf:
        drawn = rng.permutation(task.points)
    else:
        drawn = rng.random((N_DRAWN, task.space.n_dims))
    return Listed([task.space.decode(u) for u in drawn])


def bayes(task: Task, n_epochs: int, seed: int, surrogate: str = "gp") -> Strategy:
    return Bayes(surrogate=surrogate)


def flat(n_epochs: int, budget: float) -> Schedule:
    return Flat(int(budget // n_epochs))


def repeated_halving(n_epochs: int, budget: float) -> Schedule:
    return Brackets(_repeated(halving(n_epochs, FACTOR, 1, n_epochs), n_epochs, budget))


def repeated_hyperband(n_epochs: int, budget: float) -> Schedule:
    return Brackets(_repeated(hyperband(FACTOR, 1, n_epochs), n_epochs, budget))


def asha(n_epochs: int, budget: float) -> Schedule:
    """One bracket, wide enough that candidates never run out."""
    return Asynchronous(halving(int(budget), FACTOR, 1, n_epochs), FACTOR)


def slices(n_epochs: int, budget: float) -> Schedule:
    return Slices(levels_between(1, n_epochs), int(budget))


METHODS: dict[str, Method] = {
    "random": Method(random, flat),
    "halving": Method(random, repeated_halving),
    "Hyperband": Method(random, repeated_hyperband),
    "ASHA, 1 worker": Method(random, asha),
    "ASHA, 8 workers": Method(random, asha, n_workers=8),
    "ASHA, 64 workers": Method(random, asha, n_workers=64),
    "Bayes": Method(bayes, flat, n_pending=1),
    "halving with Bayes": Method(bayes, repeated_halving, n_pending=1),
    "Hyperband with Bayes": Method(bayes, repeated_hyperband, n_pending=1),
    "freeze-thaw": Method(partial(bayes, surrogate="curves"), slices),
}
# Run where they are named.
OTHERS: dict[str, Method] = {
    f"Hyperband with {surrogate}": Method(
        partial(bayes, surrogate=surrogate), repeated_hyperband, n_pending=1
    )
    for surrogate in ("forest", "tpe", "curves")
} | {"ASHA with Bayes": Method(bayes, asha)}


def _repeated(plan: Sequence[Rung], n_epochs: int, budget: float) -> tuple[Rung, ...]:
    """The plan again and again with new candidates, until more is planned than paid."""
    n_brackets = max(rung.bracket for rung in plan) + 1
    full = sum(rung.n_candidates for rung in plan if rung.n_resources == n_epochs)
    n_rounds = int(budget / (n_epochs * full)) + 1
    return tuple(
        rung._replace(bracket=rung.bracket + round_ * n_brackets)
        for round_, rung in itertools.product(range(n_rounds), plan)
    )
