"""Scores at several resources, as one surrogate sees them.

Notation
--------
n         number of observations; a candidate has one for each rung that it came to
R         the largest resource, at which candidates are compared in the end
t         (n,) the resource as a coordinate, RESOURCE_SCALE log(r) / log(R): 0 for one
          epoch
d         number of coordinates of the space

The Gaussian process is one over params and resource together, as in [1]_: t is a
further coordinate with a lengthscale of its own. Where a low rung says much about R,
the data make that lengthscale long, and every cheap score counts at R; where it says
little, it is short, and the scores at R count for themselves. A candidate is judged by
its posterior at t = RESOURCE_SCALE.

All scores of a rung share a level, which is not what a candidate is judged by, and
would else make that lengthscale short whenever training helps at all. It has a
covariance of its own, B = LEVEL_VARIANCE where two observations are of one rung ([2]_,
section 2.7). Levels cannot simply be subtracted: the higher a rung, the better the
candidates that came there.

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
from dataclasses import replace

import numpy as np

from sktune.strategy._arrays import Array
from sktune.strategy._observations import EncodedObservation

# Below 1, so that low rungs are trusted until scores say that they mislead.
RESOURCE_SCALE = 0.4
LEVEL_VARIANCE = 1.0  # prior variance of a rung's level; that of all scores is 1


def resource_coordinates(
    observations: Sequence[EncodedObservation], max_resources: int
) -> Array:
    """The coordinate t of each observation, (n, 1)."""
    reached = [one.n_resources or max_resources for one in observations]
    # With one resource only there is nothing to tell apart.
    width = math.log(max_resources) or 1.0
    return RESOURCE_SCALE * (np.log(reached) / width)[:, None]


def level_covariance(t: Array) -> Array:
    """Covariance B of the levels of rungs, (n, n), at coordinates t (n, 1).

    With further columns that tell observations apart, rows that are equal are of one
    level.
    """
    return np.where((t[:, None] == t).all(axis=2), LEVEL_VARIANCE, 0.0)


def failed_at_every_rung(
    observations: Mapping[tuple[Hashable, int | None], EncodedObservation],
    max_resources: int,
) -> list[EncodedObservation]:
    """Observations, those of a candidate that failed somewhere being failures.

    It has failed at the largest resource, too, whatever it scored before.
    """
    failed = {key: one for (key, _), one in observations.items() if one.score is None}
    seen = [
        replace(one, score=None) if key in failed else one
        for (key, _), one in observations.items()
    ]
    at_the_end = [replace(one, n_resources=max_resources) for one in failed.values()]
    return [*seen, *at_the_end]
