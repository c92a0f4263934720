"""The initial design: candidates that fill the space evenly.

Each point is the one, out of a scrambled Sobol sequence, that leaves the design so far
with the least wrap-around L2 discrepancy ([1]_, eq. 12). Points that are there already
count, whatever named them (the user's `initial_points`, candidates that are pending or
failed), and no point needs to know the seed of another.

References
----------
.. [1] Hickernell. Lattice Rules: How Well Do They Measure Up? In: Random and
       Quasi-Random Point Sets. Springer, 1998.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import qmc

from sktune.strategy._arrays import Array, Indices

MAX_SOBOL_DIMS = 21_201


def sobol(n_dims: int, log2_n: int, seed: int) -> Array:
    """The first 2**log2_n points of a scrambled Sobol sequence, (2**log2_n, d)."""
    if n_dims == 0:
        return np.zeros((2**log2_n, 0))
    if n_dims > MAX_SOBOL_DIMS:
        return np.random.default_rng(seed).random((2**log2_n, n_dims))
    return qmc.Sobol(n_dims, rng=np.random.default_rng(seed)).random_base2(log2_n)


def most_even_first(U: Array, design: Array) -> Indices:
    """Order of the rows of U (m, d), the one that best completes the design first.

    Adding x to a design changes its discrepancy by a constant plus the sum, over its
    points x_i, of prod_j (3/2 - |x_j - x_ij| (1 - |x_j - x_ij|)). A coordinate that is
    not active (nan) in one of the two takes the mean of its factor, 4/3.
    """
    crowding = np.zeros(len(U))
    for point in design:
        gap = np.abs(U - point)
        factor = 1.5 - gap * (1.0 - gap)
        crowding += np.where(np.isnan(factor), 4.0 / 3.0, factor).prod(axis=1)
    return np.argsort(crowding, kind="stable")
