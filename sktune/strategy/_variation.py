"""New candidates out of those that were seen: steps, resampled values, crossover.

A point is changed coordinate by coordinate. Numbers and ordered lists take a step,
reflected at the ends of [0, 1]; a step along a discrete coordinate leads to the next
value at least. Categories are replaced by another. Where the choice among dicts
changes, coordinates that the parent lacks are drawn evenly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sktune._types import Observation, Params, Problem
from sktune.strategy._arrays import Array, Indices
from sktune.strategy._observations import EncodedObservation, encoded
from sktune.strategy._parzen import scores_of_one_rung
from sktune.strategy._told import (
    Told,
    any_left,
    next_of_design,
    number_of_first,
    observed,
)

if TYPE_CHECKING:
    from sktune.space import Space

N_TRIES = 100  # children, before an even design takes over
BEYOND = 1e-9  # the edge of a cell
MIN_SCORES = 2  # before scores say where to look

Flags = NDArray[np.bool_]
Vary = Callable[[list[EncodedObservation], np.random.Generator], Array | None]


def begin(strategy: Any, problem: Problem) -> Told:
    """The state of a search in which nothing has been seen, if it can be searched."""
    if problem.space is None:
        raise ValueError(f"{strategy!r} needs a space to search, and there is none.")
    for params in strategy.initial_points:
        problem.space.canonical(params)
    return Told(problem)


class Varying:
    """What strategies share that make new candidates out of those that were seen."""

    def tell(self, state: Told, observation: Observation) -> Told:
        """State that has learnt from one more observation."""
        return state.tell(observation)

    def begins_alike(self, problem: Problem, other: Problem) -> bool:
        """Whether the first candidates of two problems are the same, told the same.

        Of problems that differ in how many candidates there will be.
        """
        return number_of_first(problem) == number_of_first(other)


def next_variation(
    state: Told,
    initial_points: Sequence[Params],
    vary: Vary,
    pending: Sequence[Params],
    seed: int,
) -> Params | None:
    """Params of the next candidate; None when the space is used up.

    Parameters
    ----------
    state : Told
    initial_points : sequence of dict
        What comes first.
    vary : callable
        ``vary(scored, rng)`` is a point made of those that have comparable scores,
        which are in the order of the candidates; None where it has no more.
    pending : sequence of dict
    seed : int
    """
    space, taken = state.space, state.taken(pending)
    if not space.n_dims:  # param_distributions={}: the estimator as it stands
        return None if taken else {}
    for params in initial_points:
        if space.key(params) not in taken:
            return params

    def admissible(u: Array) -> bool:
        params = space.decode(u)
        return space.key(params) not in taken and space.allows(params)

    is_first = len(taken) < number_of_first(state.problem)
    scored = [] if is_first else scored_alike(state)
    if len(scored) >= MIN_SCORES:
        rng = np.random.default_rng(seed)
        for _ in range(N_TRIES):
            v = vary(scored, rng)
            if v is None:
                break
            u = space.snap(v[None])[0]
            if admissible(u):
                return space.decode(u)
    u = next_of_design(state, encoded(space, pending), admissible, seed)
    return any_left(space, taken) if u is None else space.decode(u)


def scored_alike(state: Told) -> list[EncodedObservation]:
    """Scores that can be compared, by candidate: of all splits, and of one rung.

    Candidates that failed anywhere are not among them.
    """
    max_resources = state.problem.max_resources
    scored = [one for one in observed(state, max_resources, list) if not one.failed]
    if max_resources is None or not scored:
        return scored
    return scores_of_one_rung(scored, max_resources, state.space.n_dims)


def moved(
    space: Space, u: Array, which: Flags, steps: Array, rng: np.random.Generator
) -> Array:
    """A snapped point (d,), changed at the coordinates in `which` (d,), not snapped.

    `steps` (d,) are signed. Coordinates that the point has not are drawn.
    """
    drawn = rng.random(len(u))
    v = np.where(np.isnan(u), drawn, u)
    low, high = (cell[0] for cell in space.cells(u[None]))
    for j in np.flatnonzero(which & ~np.isnan(u)):
        if low[j] <= 0.0 and high[j] >= 1.0:  # the only value
            continue
        if n := space.n_categories[j]:
            v[j] = (u[j] + rng.integers(1, n) / n) % 1.0
        else:
            v[j] = stepped(u[j], low[j], high[j], steps[j])
    return v


def stepped(u: float, low: float, high: float, step: float) -> float:
    """A coordinate after a step that leaves its cell, reflected at 0 and 1."""
    v = _reflected(u + step)
    if low < high and low <= v <= high:  # the next value at least
        upward = step > 0.0 if low > 0.0 and high < 1.0 else low <= 0.0
        v = high + BEYOND if upward else low - BEYOND
    return v


def _reflected(v: float) -> float:
    v %= 2.0
    return 2.0 - v if v > 1.0 else v


def some_coordinates(
    space: Space, u: Array, n: float, width: float, rng: np.random.Generator
) -> Flags:
    """Which coordinates of a snapped point change, (d,); one at least.

    They are n on average, but categories are as many times less as `width` is below 1.
    Coordinates with one value do not count.
    """
    low, high = (cell[0] for cell in space.cells(u[None]))
    free = ~np.isnan(u) & ((low > 0.0) | (high < 1.0))
    share = min(n / max(int(free.sum()), 1), 1.0)
    chance = np.where(space.n_categories > 0, share * width, share)
    which: Flags = free & (rng.random(len(u)) < chance)
    return which if which.any() else one_of(free, rng)


def one_of(free: Flags, rng: np.random.Generator) -> Flags:
    """One of the coordinates that are free, if any is."""
    which = np.zeros(len(free), bool)
    if free.any():
        which[rng.choice(np.flatnonzero(free))] = True
    return which


def crossed(space: Space, u: Array, v: Array, rng: np.random.Generator) -> Array:
    """Each coordinate of one of two points, if both are of one dict; else the first."""
    if not np.array_equal(np.isnan(u), np.isnan(v)):
        return u
    if space.names[:1] == ("",) and u[0] != v[0]:
        return u
    child: Array = np.where(rng.random(len(u)) < 0.5, u, v)
    return child


def best_first(scored: Sequence[EncodedObservation]) -> Indices:
    """Positions of the scored, the best first and the earlier one of equals."""
    return np.argsort([-(one.score or 0.0) for one in scored], kind="stable")
