"""What was told as a list of trials, for strategies that go through them one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sktune.strategy._observations import EncodedObservation
from sktune.strategy._told import Told, observed
from sktune.strategy._variation import scored_alike

if TYPE_CHECKING:
    from sktune.space import Space

MAX_POSITIONS = 1000  # of a list whose values are counted
Trial = tuple[tuple[float, ...], float | None]
"""A point and its score; None where the candidate failed."""


def trials_of(state: Told) -> list[Trial]:
    """Points and scores that can be compared, in the order in which they were told."""
    scored = {one.candidate: one for one in scored_alike(state)}
    failed: dict[int, EncodedObservation] = {
        one.candidate: one
        for one in observed(state, state.problem.max_resources, list)
        if one.failed
    }
    both = sorted([*scored.values(), *failed.values()], key=lambda one: one.told)
    return [(tuple(one.point.tolist()), one.score) for one in both]


def numbers_of_values(space: Space) -> list[int]:
    """How many equally likely values each coordinate has; 0 where it is a float."""
    numbers = space.n_categories.tolist()
    for j, dimension in enumerate(space.dimensions):
        if dimension.size > MAX_POSITIONS:
            continue
        n = int(dimension.size)
        middles = (np.arange(n) + 0.5) / n
        if np.allclose(dimension.snap(middles), middles, rtol=0.0, atol=1e-9):
            numbers[j] = n
    return numbers
