"""Several objectives as one score: their front by way of random weights.

Each proposal draws weights of its own, so that in the end every part of the front is
looked for ([1]_). With them a candidate is as good as the objective in which it is
furthest behind, and a little as all of them together, the augmented Chebyshev function.
Objectives are compared on a common scale, the one that a surrogate sees scores on.

References
----------
.. [1] J. Knowles, "ParEGO: a hybrid algorithm with on-line landscape approximation for
       expensive multiobjective optimization problems", IEEE Transactions on
       Evolutionary Computation 10, 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sktune.strategy._observations import EncodedObservation
from sktune.strategy._transfer import transform_by_source
from sktune.strategy._warp import warp

RHO = 0.05  # what all objectives together count, of [1]_


def scalarised(
    observations: Sequence[EncodedObservation], seed: int
) -> list[EncodedObservation]:
    """Observations whose score is that of all objectives, with weights by the seed."""
    scored = [one for one in observations if not one.failed]
    m = len(scored[0].objectives)
    weights = np.random.default_rng(seed).dirichlet(np.ones(m))
    behind = np.empty((len(scored), m))
    for j in range(m):
        of_one = [replace(one, score=one.objectives[j]) for one in scored]
        y = transform_by_source(of_one, warp)
        behind[:, j] = (y.max() - y) / max(float(np.ptp(y)), 1e-12)
    weighted = weights * behind
    scores = iter((-weighted.max(axis=1) - RHO * weighted.sum(axis=1)).tolist())
    return [
        one if one.failed else replace(one, score=next(scores)) for one in observations
    ]
