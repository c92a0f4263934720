"""Scores at several resources, as one surrogate sees them.

Notation
--------
n         number of observations; a candidate has one for each rung that it came to
R         the largest resource, at which candidates are compared in the end
t         (n,) how far each was trained, DEPTH log(r) / log(R): 0 for one epoch
d         number of coordinates of the space

The process is one over params and resource together, as in [1]_: t is a further
coordinate with a lengthscale of its own. Where a low rung says much about R, the data
make that lengthscale long, and every cheap score counts at R; where it says little, it
is short, and the scores at R count for themselves. A candidate is judged by what is
believed of it at t = DEPTH.

All scores of a rung share a level, which is not what a candidate is judged by, and
would else make that lengthscale short whenever training helps at all. It has a
covariance of its own, B = LEVEL where two observations are of one rung ([2]_, section
2.7). Levels cannot simply be subtracted: the higher a rung, the better the candidates
that came there.

References
----------
.. [1] A. Klein, S. Falkner, S. Bartels, P. Hennig, F. Hutter, "Fast Bayesian
       optimization of machine learning hyperparameters on large datasets", AISTATS
       2017.
.. [2] C. E. Rasmussen, C. K. I. Williams, "Gaussian processes for machine learning",
       MIT Press, 2006.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sktune.strategy._gp import Array

MAX_OBSERVATIONS = 500
# Below 1, so that low rungs are trusted until scores say that they mislead.
DEPTH = 0.4
LEVEL = 1.0  # prior variance of a rung's level; that of all scores together is 1


@dataclass(frozen=True, slots=True)
class Known:
    """A candidate that is known: where it lies, and its score unless it failed."""

    candidate: int
    point: Array  # (d,) snapped
    score: float | None
    n_resources: int | None = None
    source: int = 0  # which earlier search it is of; 0 is this one

    @property
    def failed(self) -> bool:
        return self.score is None


def depths(known: Sequence[Known], max_resources: int) -> Array:
    """The coordinate t of each observation, (n, 1)."""
    reached = [one.n_resources or max_resources for one in known]
    # With one resource only there is nothing to tell apart.
    width = math.log(max_resources) or 1.0
    return DEPTH * (np.log(reached) / width)[:, None]


def levels(t: Array) -> Array:
    """Covariance B of the levels of rungs, (n, n), at depths t (n, 1).

    With further columns that tell observations apart, rows that are equal are of one
    level.
    """
    return np.where((t[:, None] == t).all(axis=2), LEVEL, 0.0)


def without_hope(
    known: Mapping[tuple[Hashable, int | None], Known], max_resources: int
) -> list[Known]:
    """Observations, those of a candidate that failed somewhere being failures.

    It has failed at the largest resource, too, whatever it scored before.
    """
    failed = {key: one for (key, _), one in known.items() if one.score is None}
    seen = [
        replace(one, score=None) if key in failed else one
        for (key, _), one in known.items()
    ]
    at_the_end = [replace(one, n_resources=max_resources) for one in failed.values()]
    return [*seen, *at_the_end]


def most_telling(known: list[Known]) -> list[Known]:
    """All observations, or as many as the surrogate can bear.

    Half of them are those of the highest rungs, the best of a rung first; the others
    are the latest candidates of the rest, which lie where the search is.
    """
    if len(known) <= MAX_OBSERVATIONS:
        return known
    worst = -math.inf

    def rank(one: Known) -> tuple[float, float]:
        reached = one.n_resources if one.n_resources is not None else math.inf
        return -reached, -(worst if one.score is None else one.score)

    highest_first = sorted(known, key=rank)
    half = MAX_OBSERVATIONS // 2
    rest = sorted(highest_first[half:], key=lambda one: one.candidate)
    return [*highest_first[:half], *rest[half - MAX_OBSERVATIONS :]]
