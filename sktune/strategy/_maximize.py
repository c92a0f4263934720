"""The next candidate: maximise an acquisition function over a mixed space.

The space has plateaus (integers, lists), corners (categories) and rooms with different
furniture (branches), so only snapped points are ever compared. A pool of quasi-random
points and of variations of the best observed names a few starts; from each, gradient
ascent on the continuous coordinates takes turns with the best move of a single discrete
one, until neither gains. Where there is no gradient, continuous coordinates take part
in those moves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize

from sktune.strategy._acquisition import (
    AcquisitionFunction,
    DifferentiableAcquisition,
)
from sktune.strategy._arrays import Array
from sktune.strategy._design import sobol

if TYPE_CHECKING:
    from sktune.space import Space

LOG2_POOL = 9
N_STARTS = 4  # half of them from all over the space, half from near the best
MAX_ROUNDS = 4
MAX_ASCENT = 30
MAX_MOVES = 8  # where there is no slope
MIN_GAIN = 1e-3
RADII = (0.01, 0.05, 0.2)
STEPS = np.repeat([0.05, 0.2], 4)  # along one continuous coordinate
N_VARIATIONS = 24  # of each anchor, for each radius, and as many resampled
OFFSETS = np.concatenate([sign * 0.5 ** np.arange(1, 13) for sign in (-1.0, 1.0)])
LEVELS = (np.arange(16) + 0.5) / 16

Admissible = Callable[[Array], bool]


def maximise(
    acquisition: AcquisitionFunction, anchors: Array, admissible: Admissible, seed: int
) -> Array | None:
    """The best admissible point (d,) that is found; None where there is none.

    `anchors` (k, d) are the best points observed, around which is looked closely.
    """
    rng = np.random.default_rng(seed)
    snap = acquisition.space.snap
    everywhere = snap(sobol(acquisition.space.n_dims, LOG2_POOL, seed))
    nearby = snap(variations(anchors, rng))
    found: list[tuple[float, Array]] = []
    for pool in (everywhere, nearby):
        for value, u in best_admissible(acquisition, pool, admissible, N_STARTS // 2):
            found.append(refine(acquisition, u, value, admissible, rng))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def best_admissible(
    acquisition: AcquisitionFunction, U: Array, admissible: Admissible, n: int
) -> list[tuple[float, Array]]:
    """The n best admissible rows of U, best first, with their values."""
    values = acquisition.values(U)
    chosen: list[tuple[float, Array]] = []
    for i in np.argsort(-values, kind="stable"):
        if len(chosen) == n:
            break
        if not any(is_same(U[i], u) for _, u in chosen) and admissible(U[i]):
            chosen.append((float(values[i]), U[i]))
    return chosen


def is_same(u: Array, v: Array) -> bool:
    return bool(np.array_equal(u, v, equal_nan=True))


def variations(anchors: Array, rng: np.random.Generator) -> Array:
    """Points near each anchor, and points that share most coordinates with one.

    A coordinate that is not active in the anchor (nan) gets a random value, so that
    another branch can be entered.
    """
    d = anchors.shape[1]
    copies = np.repeat(anchors, N_VARIATIONS, axis=0)
    shape = copies.shape
    near = [copies + radius * rng.standard_normal(shape) for radius in RADII]
    changed = rng.random(shape) < min(1.0, 1.5 / max(d, 1))
    if d:
        changed[np.arange(len(copies)), rng.integers(d, size=len(copies))] = True
    U = np.concatenate([*near, np.where(changed, rng.random(shape), copies)])
    U = np.where(np.isnan(U), rng.random(U.shape), U)
    return np.clip(U, 0.0, 1.0)


def refine(
    acquisition: AcquisitionFunction,
    u: Array,
    value: float,
    admissible: Admissible,
    rng: np.random.Generator,
) -> tuple[float, Array]:
    """Ascend and move in turns, from an admissible point to an admissible point."""
    if not isinstance(acquisition, DifferentiableAcquisition):
        return local_search(acquisition, u, value, admissible, rng)
    is_discrete = ~acquisition.space.is_continuous
    for _ in range(MAX_ROUNDS):
        before = value
        risen, v = gradient_ascent(acquisition, u)
        if risen > value and admissible(v):
            value, u = risen, v
        if not is_discrete.any():
            break
        moves = discrete_moves(acquisition.space, u, rng)
        best = best_admissible(acquisition, moves, admissible, 1) if len(moves) else []
        if best and best[0][0] > value:
            value, u = best[0]
        if value <= before + MIN_GAIN:
            break
    return value, u


def local_search(
    acquisition: AcquisitionFunction,
    u: Array,
    value: float,
    admissible: Admissible,
    rng: np.random.Generator,
) -> tuple[float, Array]:
    """Make the best move of a single coordinate as long as it gains."""
    space = acquisition.space
    for _ in range(MAX_MOVES):
        near = [
            discrete_moves(space, u, rng),
            continuous_moves(space, u, rng),
        ]
        best = best_admissible(acquisition, np.concatenate(near), admissible, 1)
        if not best or best[0][0] <= value:
            break
        value, u = best[0]
    return value, u


def gradient_ascent(
    acquisition: DifferentiableAcquisition, u: Array
) -> tuple[float, Array]:
    """L-BFGS-B on the coordinates that are continuous and active."""
    free = acquisition.space.is_continuous & ~np.isnan(u)
    if not free.any():
        return -np.inf, u
    v = u.copy()

    def negative(x: Array) -> tuple[float, Array]:
        v[free] = x
        value, slope = acquisition.value_and_slope(v)
        return -value, -slope[free]

    found = optimize.minimize(
        negative,
        u[free],
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, 1.0)] * int(free.sum()),
        options={"maxiter": MAX_ASCENT, "maxfun": 2 * MAX_ASCENT, "ftol": 1e-5},
    )
    v[free] = found.x
    v = acquisition.space.snap(v[None])[0]
    return float(acquisition.values(v[None])[0]), v


def discrete_moves(space: Space, u: Array, rng: np.random.Generator) -> Array:
    """Points that differ from u in one discrete coordinate: near and far, (m, d)."""
    filled = np.where(np.isnan(u), rng.random(len(u)), u)
    blocks = []
    for j in np.flatnonzero(~space.is_continuous & ~np.isnan(u)):
        steps = np.concatenate([u[j] + OFFSETS, LEVELS])
        block = np.tile(filled, (len(steps), 1))
        block[:, j] = steps
        snapped = space.snap(np.clip(block, 0.0, 1.0))
        _, first = np.unique(snapped[:, j], return_index=True)
        blocks.append(snapped[first[snapped[first, j] != u[j]]])
    return np.concatenate(blocks) if blocks else np.empty((0, len(u)))


def continuous_moves(space: Space, u: Array, rng: np.random.Generator) -> Array:
    """Points that differ from u in one continuous coordinate, by chance, (m, d)."""
    moved = np.flatnonzero(space.is_continuous & ~np.isnan(u))
    block = np.tile(np.where(np.isnan(u), 0.5, u), (len(moved), len(STEPS), 1))
    offsets = STEPS * rng.standard_normal((len(moved), len(STEPS)))
    block[np.arange(len(moved)), :, moved] += offsets
    return space.snap(np.clip(block, 0.0, 1.0).reshape(-1, len(u)))
