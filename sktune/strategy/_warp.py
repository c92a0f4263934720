"""Scores as the surrogate sees them: zero mean, unit variance, no bottomless pits.

A Gaussian process assumes that scores are normal. Scores of real searches are not: a
diverging net scores -1e30 beside a crowd within a few per cent, and what matters is the
order within that crowd. So scores far below the median count as if they were at the
end of what is normal; those above it are never touched.

Where candidates are judged after a fraction of their training, most of them stand on a
plateau: nothing learnt yet, scores equal to the fourth digit, while the few that have
begun to learn are far ahead. What leads off the plateau is in the order of those digits
(as a Gaussian copula sees it, [1]_), how much is to be gained is in the distances.

References
----------
.. [1] D. Salinas, H. Shen, V. Perrone, "A quantile-based approach for hyperparameter
       transfer learning", ICML 2020.
"""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from sktune.strategy._arrays import Array

REACH = 6.0  # a low score counts as at most this many upper quartile ranges low
# By which it is told what is far below: the next where those above are all equal.
QUANTILES = (0.25, 0.1, 0.0)
ROUNDING = 8.0 * float(np.finfo(float).eps)  # relative range of scores that are equal


def warp(scores: Array) -> Array:
    """Winsorised, standardised scores (n,); equal scores stay equal.

    The floor is as far below the median as REACH times the distance from the median up
    to the upper quartile, or up to the best score where more than half of them tie.
    """
    y = scores / 64.0  # exact, and no difference or multiple below can overflow
    median, quartile, best = np.quantile(y, [0.5, 0.75, 1.0])
    width = quartile - median if quartile > median else best - median
    if width > 0.0:
        y = np.maximum(y, median - REACH * width)
    centred = y - median
    size = float(np.abs(centred).max())
    if size <= ROUNDING * float(np.abs(y).max()):
        return np.zeros_like(y)
    centred /= size  # squares must neither overflow nor vanish
    centred -= centred.mean()
    return centred / centred.std()


def blend(scores: Array) -> Array:
    """Standardised sum of the warped scores and their normal scores (n,).

    Normal scores are the quantiles of a standard normal at (rank - 1/2) / n; equal
    scores share a rank.
    """
    warped = warp(scores)
    if not warped.any():
        return warped
    y = warped + quantiles(warped)
    y -= y.mean()
    return y / y.std()


def normal_scores(scores: Array) -> Array:
    """Standardised normal scores (n,), as of `blend`: only the order counts."""
    y = quantiles(scores)
    return y / y.std() if y.any() else y


def quantiles(scores: Array) -> Array:
    """Those of a standard normal, by rank."""
    ranks = stats.rankdata(scores)
    found: Array = special.ndtri((ranks - 0.5) / len(ranks))
    return found


def raised(scores: Array, of: Array | None = None, reach: float = 1.0) -> Array:
    """Standardised scores (n,), pits raised; what is one is told `of` more of them.

    With q the lower quartile, those below q - reach (best - q) are raised to that.
    """
    y = scores / 64.0  # exact, and no difference below overflows
    every = y if of is None else of / 64.0
    best = every.max()
    for share in QUANTILES:
        low = np.quantile(every, share)
        if best > low:
            y = np.maximum(y, low - reach * (best - low))
            break
    rounding = ROUNDING * float(np.abs(y).max())
    y = y - y.mean()
    size = float(np.abs(y).max())
    if size <= rounding:
        return np.zeros_like(y)
    y /= size  # nor any square
    return y / y.std()
