"""What several objectives come to: dominance, and the volume that points dominate.

Points are rows (n, m), and every objective is greater-is-better. A point dominates
another that is greater in no objective and less in one.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


def non_dominated(points: ArrayLike) -> Flags:
    """Which points no other dominates, (n,); equal points all are or all are not.

    One that is not finite in any objective never is.
    """
    Y = np.asarray(points, dtype=float)
    is_on_front = np.zeros(len(Y), dtype=bool)
    finite = np.flatnonzero(np.isfinite(Y).all(axis=1))
    # In this order nobody is dominated by a later one.
    order = finite[np.lexsort(-Y[finite].T[::-1])]
    front = np.empty((0, Y.shape[1]))
    for i in order:
        no_less = (front >= Y[i]).all(axis=1)
        if not (no_less & (front > Y[i]).any(axis=1)).any():
            is_on_front[i] = True
            front = np.vstack([front, Y[i]])
    return is_on_front


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """Volume of what is dominated by any of the points and dominates the reference."""
    Y, low = np.asarray(points, dtype=float), np.asarray(reference, dtype=float)
    Y = Y[(low < Y).all(axis=1)]
    if not len(Y):
        return 0.0
    if len(low) == 1:
        return float(Y.max() - low[0])
    # Slab by slab of the last objective, from the highest down.
    levels = np.unique(Y[:, -1])[::-1]
    thickness = levels - np.append(levels[1:], low[-1])
    return float(
        sum(
            height * hypervolume(Y[Y[:, -1] >= level, :-1], low[:-1])
            for level, height in zip(levels, thickness, strict=True)
        )
    )


def free_boxes(points: ArrayLike, reference: ArrayLike) -> tuple[Array, Array]:
    """Boxes that make up what dominates the reference and no point dominates.

    Returns
    -------
    lower, upper : ndarrays of shape (n_boxes, m)
        No two boxes overlap; an upper end may be infinite.
    """
    Y, low = np.asarray(points, dtype=float), np.asarray(reference, dtype=float)
    Y = Y[(low < Y).all(axis=1)]
    if len(low) == 1:
        return np.array([[Y.max(initial=low[0])]]), np.array([[np.inf]])
    ends = np.array([low[-1], *np.unique(Y[:, -1]), np.inf])
    lower, upper = [], []
    for bottom, top in pairwise(ends):
        above = Y[Y[:, -1] >= top, :-1]
        below, beyond = free_boxes(above[non_dominated(above)], low[:-1])
        lower.append(np.hstack([below, np.full((len(below), 1), bottom)]))
        upper.append(np.hstack([beyond, np.full((len(below), 1), top)]))
    return np.concatenate(lower), np.concatenate(upper)
