"""The best of a rung, kept in order as scores come in one by one."""

from __future__ import annotations

import math
from bisect import bisect
from typing import TypeAlias

Best: TypeAlias = tuple[tuple[float, int], ...]
"""(-score, candidate), sorted: best first, and of equals the earlier."""


def with_score(
    best: Best, candidate: int, score: float | None, limit: int
) -> tuple[Best, int | None]:
    """The best `limit` with one more score, and who is pushed behind them.

    That's one candidate at most, perhaps the very one that the score is of. It is one
    also that has no finite score. `best` has no more than `limit` before.
    """
    if score is None or not math.isfinite(score):
        return best, candidate
    k = bisect(best, (-score, candidate))
    if k >= limit:
        return best, candidate
    best = (*best[:k], (-score, candidate), *best[k:])
    if len(best) <= limit:
        return best, None
    return best[:limit], best[limit][1]
