"""What a search is told where scores have noise: the same to all that are as far.

The noise of an evaluation is drawn by landscape, seed of the search and number of
evaluations before, so that who searches plays no part in it.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable

import numpy as np

from landscapes.landscape import Observe, Params, Spaces

N_DRAWS = 1000
Scores = Callable[[Params], np.ndarray]


def drawn(name: str, seed: int, evaluation: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(name.encode()), seed, evaluation])


def gaussian(
    name: str, score: Callable[[Params], float], deviation: Callable[[], float]
) -> Observe:
    """Normal noise; `deviation` is called once, when it is first needed."""
    deviation = functools.cache(deviation)

    def observe(params: Params, seed: int, evaluation: int) -> float:
        noise = drawn(name, seed, evaluation).standard_normal()
        return score(params) + deviation() * float(noise)

    return observe


def one_repeat(name: str, repeats: Scores) -> Observe:
    """One of the repeats (of a training with other seeds) that went well."""

    def observe(params: Params, seed: int, evaluation: int) -> float:
        values = repeats(params)
        return float(drawn(name, seed, evaluation).choice(values[~np.isnan(values)]))

    return observe


def one_split(by_split: Scores) -> Observe:
    """The score on one split, which is the same all through a search."""

    def observe(params: Params, seed: int, evaluation: int) -> float:
        values = by_split(params)
        return float(values[seed % len(values)])

    return observe


def range_of_draws(
    space: Spaces, score: Callable[[Params], float], best: float
) -> float:
    """From the median of random draws up to the best known."""
    from searchers.random_search import Random  # which import landscapes themselves

    search = Random(space, 0, N_DRAWS)
    return best - float(np.median([score(search.ask()) for _ in range(N_DRAWS)]))
