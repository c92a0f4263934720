"""Which rungs there are: tables of integers, made before anything runs.

Every count comes from an integer loop. ``floor(log(243, 3))`` is 4 in floating point,
and a schedule that believes it never reaches its largest resource.

References
----------
.. [1] K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and
       hyperparameter optimization", AISTATS 2016.
.. [2] L. Li, K. Jamieson, G. DeSalvo, A. Rostamizadeh and A. Talwalkar, "Hyperband: a
       novel bandit-based approach to hyperparameter optimization", JMLR 18, 2018.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

import numpy as np

# More of them are a mistake, and would take for ever to write down.
MAX_RUNGS = 1_000
MAX_BRACKETS = 100_000


class Rung(NamedTuple):
    """So many candidates, trained to so many resources.

    Candidates of the first rung of a bracket (``iter`` 0) are new; those of a later one
    are the best of the rung before.
    """

    bracket: int
    iter: int
    n_candidates: int
    n_resources: int


class Place(NamedTuple):
    """A rung, by its bracket and its iter."""

    bracket: int
    iter: int


class Iterations(NamedTuple):
    """Numbers of rungs, as scikit-learn's halving searches name them.

    Attributes
    ----------
    n_required : int
        Rungs until fewer than `factor` candidates are left.
    n_possible : int
        Rungs from the smallest resource that do not exceed the largest.
    """

    n_required: int
    n_possible: int


def exact(factor: float) -> Fraction:
    """The number that was written: 1.1 is 11/10, and not the nearest binary float.

    Else 33 candidates by 1.1 would be 29, and 1.2 twice from 100 would end at 143.
    """
    return Fraction(str(factor))


def first_numbers(rungs: Sequence[Rung]) -> tuple[int, ...]:
    """Number of the first candidate of each bracket; at the end, of all candidates.

    Brackets are filled one after the other.
    """
    planned = [rung.n_candidates for rung in rungs if rung.iter == 0]
    return tuple(accumulate(planned, initial=0))


def whole_power(factor: float, limit: Fraction | int) -> int:
    """The largest k with ``factor**k <= limit``; 0 if `limit` is below 1."""
    step = exact(factor)
    if step <= 1:
        raise ValueError(f"factor={factor!r} must be greater than 1.")
    k, power = 0, step
    while power <= limit:
        k, power = k + 1, power * step
        if k > MAX_RUNGS:
            raise ValueError(
                f"factor={factor!r} makes more than {MAX_RUNGS} rungs. Give a larger "
                "one, such as 2 or 3."
            )
    return k


def exhausting_minimum(
    n_candidates: int, factor: float, min_resources: int, max_resources: int
) -> int:
    """Smallest resource from which the last rung comes as close to the largest as may.

    Never below `min_resources`.
    """
    n_growths = whole_power(factor, n_candidates)
    return max(min_resources, int(max_resources / exact(factor) ** n_growths))


def iterations(
    n_candidates: int, factor: float, min_resources: int, max_resources: int
) -> Iterations:
    """Rungs that successive halving needs, and rungs that it has resources for."""
    growth = Fraction(max_resources, min_resources)
    return Iterations(
        1 + whole_power(factor, n_candidates), 1 + whole_power(factor, growth)
    )


def n_survivors(n_candidates: int, factor: float) -> int:
    """Candidates that go on in successive halving, as scikit-learn counts them."""
    return math.ceil(n_candidates / exact(factor))


def halving(
    n_candidates: int,
    factor: float,
    min_resources: int,
    max_resources: int,
    *,
    aggressive_elimination: bool = False,
) -> tuple[Rung, ...]:
    """Rungs of successive halving ([1]_), counted as scikit-learn counts them.

    Of n candidates ``ceil(n / factor)`` go on, with `factor` times the resource. With
    `aggressive_elimination` the first rungs repeat the smallest resource, as often as
    it takes to end with fewer than `factor` candidates.

    >>> [(rung.n_candidates, rung.n_resources) for rung in halving(27, 3, 1, 27)]
    [(27, 1), (9, 3), (3, 9), (1, 27)]
    """
    n_required, n_possible = iterations(
        n_candidates, factor, min_resources, max_resources
    )
    n_rungs = n_required if aggressive_elimination else min(n_required, n_possible)
    n_repeats = max(0, n_required - n_possible) if aggressive_elimination else 0
    step, rungs = exact(factor), []
    for i in range(n_rungs):
        n_resources = int(step ** max(0, i - n_repeats) * min_resources)
        rungs.append(Rung(0, i, n_candidates, n_resources))
        n_candidates = n_survivors(n_candidates, factor)
    return tuple(rungs)


def hyperband(
    factor: float, min_resources: int, max_resources: int, n_rounds: int = 1
) -> tuple[Rung, ...]:
    """Rungs of Hyperband ([2]_, algorithm 1), all brackets, `n_rounds` times.

    Bracket s of s_max..0 starts ``ceil((s_max + 1) / (s + 1) * factor**s)`` candidates
    and trains its last rung to `max_resources`; of n candidates ``floor(n / factor)``
    go on.

    >>> first = [rung for rung in hyperband(3, 1, 81) if rung.iter == 0]
    >>> [(rung.n_candidates, rung.n_resources) for rung in first]
    [(81, 1), (34, 3), (15, 9), (8, 27), (5, 81)]
    """
    step = exact(factor)
    s_max = whole_power(factor, Fraction(max_resources, min_resources))
    if n_rounds * (s_max + 1) > MAX_BRACKETS:
        raise ValueError(
            f"n_rounds={n_rounds} makes {n_rounds * (s_max + 1)} brackets, more than "
            f"{MAX_BRACKETS}. Give fewer rounds."
        )
    rungs = []
    for bracket in range(n_rounds * (s_max + 1)):
        s = s_max - bracket % (s_max + 1)
        n = math.ceil(Fraction(s_max + 1, s + 1) * step**s)
        for i in range(s + 1):
            n_resources = int(max_resources / step ** (s - i))
            # With a factor that is no integer, the last rung might come to nobody.
            n_candidates = max(1, int(n / step**i))
            rungs.append(Rung(bracket, i, n_candidates, n_resources))
    return tuple(rungs)


def splits_of(
    rungs: Sequence[Rung], n_splits: int, min_splits: int | None = None
) -> dict[Place, int]:
    """How many splits each rung runs on; without `min_splits` all of them.

    The lowest rungs run on `min_splits`, the last of a bracket on all. Between them the
    splits grow as the resource does, so that candidates which have been given equally
    much have been run on equally many.

    >>> list(splits_of(halving(27, 3, 1, 27), 5, min_splits=1).values())
    [1, 3, 5, 5]
    """
    smallest = min((rung.n_resources for rung in rungs), default=1)
    last = {rung.bracket: rung.iter for rung in rungs}
    counts = {}
    for bracket, iteration, _, n_resources in rungs:
        n = n_splits
        if min_splits is not None and iteration < last[bracket]:
            n = min(n_splits, min_splits * n_resources // smallest)
        counts[Place(bracket, iteration)] = n
    return counts


def in_random_order(n_splits: int, seed: int) -> tuple[int, ...]:
    """The splits as candidates come to them: the first one may be easier than most."""
    return tuple(np.random.default_rng(seed).permutation(n_splits).tolist())


def first_splits(order: tuple[int, ...], n: int) -> tuple[int, ...] | None:
    """The first n splits, as decisions name them: None where that is all of them."""
    return order[:n] if n < len(order) else None


def n_evaluations(rungs: Sequence[Rung]) -> int:
    """Rows of `cv_results_`: candidates, counted once in every rung."""
    return sum(rung.n_candidates for rung in rungs)


def resources_of_a_candidate(
    rungs: Sequence[Rung], splits: Iterable[int], *, continues: bool
) -> list[int]:
    """Resources that one candidate spends in each rung, on its splits together.

    Where training continues, a split goes on from what it had in the rung before, and
    one that is new begins.
    """
    spent, before = [], 0
    for rung, n in zip(rungs, splits, strict=True):
        before = before if continues and rung.iter else 0
        spent.append(n * rung.n_resources - before)
        before = n * rung.n_resources
    return spent


def total_resources(
    rungs: Sequence[Rung], splits: Iterable[int] | None = None, *, continues: bool
) -> int:
    """Resources that all candidates spend on all their splits; None is one split."""
    if splits is None:
        splits = [1] * len(rungs)
    spent = resources_of_a_candidate(rungs, splits, continues=continues)
    return sum(n * rung.n_candidates for rung, n in zip(rungs, spent, strict=True))
