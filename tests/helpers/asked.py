"""A strategy, driven as the engine drives it, without an engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sktune._random import derive_seed
from sktune._types import Observation, Params, Problem
from sktune.strategy import Bayes


def searched(
    strategy: Bayes,
    problem: Problem,
    n: int,
    score: Callable[[Params], float | None],
    seed: int = 0,
) -> tuple[list[Params], Any]:
    """Params of n candidates, each told before the next is asked; the last state."""
    state, asked = strategy.init(problem), []
    for number in range(n):
        params = strategy.ask(state, number, (), derive_seed(seed, "ask", number))
        assert params is not None
        state = strategy.tell(state, Observation(number, params, {0: score(params)}))
        asked.append(params)
    return asked, state


def least_gap(strategy: Bayes, state: Any, n_told: int) -> float:
    """Ask four at once in a plane of x and y: the distance of the nearest two."""
    pending: list[Params] = []
    for number in range(4):
        params = strategy.ask(state, n_told + number, pending, 0)
        assert params is not None
        pending.append(params)
    points = np.array([[p["x"], p["y"]] for p in pending])
    gaps = np.linalg.norm(points[:, None] - points, axis=2)
    return float(gaps[np.triu_indices(4, 1)].min())
