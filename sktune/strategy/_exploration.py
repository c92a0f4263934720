"""Candidates that differ a little from the one whose training they continue.

References
----------
.. [1] M. Jaderberg, V. Dalibard, S. Osindero, W. M. Czarnecki, J. Donahue, A. Razavi,
       O. Vinyals, T. Green, I. Dunning, K. Simonyan, C. Fernando and K. Kavukcuoglu,
       "Population based training of neural networks", arXiv:1711.09846, 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sktune._types import Observation, Params, Problem
from sktune.space import Dimension, Space
from sktune.strategy._arrays import Array

FACTORS = (0.8, 1.2)
# Draws until one is another candidate than its parent, and allowed by the constraint.
MAX_DRAWS = 100


@dataclass(frozen=True)
class Explore:
    """Name given candidates, and children that differ a little from their parents.

    Each param of a child is drawn anew with a probability of `resample`. Else a number
    is the parent's times 0.8 or 1.2 ([1]_), within its range; where that is no value of
    it, as in a list, it is one of the two beside; and what has no order is the
    parent's.

    Parameters
    ----------
    candidates : sequence of dict
        Those that have no parent, handed on as they are.
    resample : float, default=0.25

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sktune._types import Problem
    >>> from sktune.space import Space
    >>> from sktune.strategy import Explore
    >>> strategy = Explore([{"lr": 0.1}], resample=0.0)
    >>> state = strategy.init(Problem(Space({"lr": loguniform(1e-3, 1.0)})))
    >>> strategy.ask(state, 0, pending=(), seed=0)
    {'lr': 0.1}
    >>> child = strategy.explore(state, 1, {"lr": 0.1}, seed=0)
    >>> round(child["lr"], 9)
    0.08
    """

    candidates: Sequence[Params]
    resample: float = 0.25

    def init(self, problem: Problem) -> Space | None:
        """The space: nothing is learnt."""
        return problem.space

    def tell(self, state: Space | None, observation: Observation) -> Space | None:
        """Nothing to learn: who has children is for the schedule to say."""
        return state

    def ask(
        self, state: Any, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params at position `candidate`; None behind the last."""
        try:
            return self.candidates[candidate]
        except IndexError:
            return None

    def explore(
        self, state: Space | None, candidate: int, parent: Params, seed: int
    ) -> Params:
        """Params of a child; the parent's where nothing else is found."""
        if state is None:
            raise ValueError("exploring needs a problem with a space.")
        rng = np.random.default_rng(seed)
        start, own = state.encode(parent), state.key(parent)
        # What the parent has not, in case that the child has it.
        absent = np.random.default_rng([seed, 1]).random(len(start))
        for _ in range(MAX_DRAWS):
            moved = self._moved(state, parent, start, rng)
            params = state.decode(np.where(np.isnan(moved), absent, moved))
            if state.key(params) != own and state.allows(params):
                return params
        return dict(parent)

    def _moved(
        self, space: Space, parent: Params, start: Array, rng: np.random.Generator
    ) -> Array:
        """A point near that of the parent, in the same dict of several."""
        point = start.copy()
        (low,), (high,) = space.cells(start[None])
        for j, name in enumerate(space.names):
            if name == "" or np.isnan(start[j]):
                continue
            is_up = rng.random() < 0.5
            if rng.random() < self.resample:
                point[j] = rng.random()
            elif not space.n_categories[j]:
                beside = (low[j], high[j])
                dimension = space.dimensions[j]
                value = parent[name] if name in parent else dimension.value(start[j])
                point[j] = _perturbed(dimension, value, start[j], is_up, beside)
        return point


def _perturbed(
    dimension: Dimension,
    value: Any,
    place: float,
    is_up: bool,
    beside: tuple[float, float],
) -> float:
    """The coordinate of a number somewhat greater or less."""
    moved = value * FACTORS[is_up]
    if dimension.is_continuous:
        there = dimension.coordinate(moved)
        return float(moved > value) if there is None else there  # the end of the range
    if isinstance(value, int):
        there = dimension.coordinate(round(moved))
        if there is not None and there != place:
            return there
    low, high = beside
    down, up = float(np.nextafter(low, -1.0)), float(np.nextafter(high, 2.0))
    if down < 0.0 or up > 1.0:  # only one of the two is there
        is_up = down < 0.0
    return min(up, 1.0) if is_up else max(down, 0.0)
