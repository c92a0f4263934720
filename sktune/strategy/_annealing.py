"""Simulated annealing: looks around the best so far, and ever more closely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sktune._types import Params, Problem
from sktune.strategy._arrays import Array
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._told import Told
from sktune.strategy._variation import (
    Varying,
    begin,
    best_first,
    moved,
    next_variation,
    some_coordinates,
)

SHRINK = 0.1  # the width is a half after 10 scores, and a third after 20
MEAN_RANK = 1.5  # of the candidate that the next one starts from; 1 is the best


@dataclass(frozen=True)
class Annealing(Varying):
    """Simulated annealing: steps from the best so far, which become smaller.

    After a few points that fill the space evenly, every candidate is a step from one of
    the best so far: the best two times in three, the second best two times in nine, and
    so on, as at a temperature at which one worse is a third as likely [1]_. Every
    number takes a step of its own, even within a width that falls from the whole range
    as ``1 / (1 + 0.1 t)``, t being the number of scores [2]_; a category or the choice
    among several dicts is changed as often as that width says.

    Parameters
    ----------
    initial_points : sequence of dict, default=()
        Candidates to try first, in this order.

    Notes
    -----
    Only the order of the scores counts, so that there is no temperature to be set. The
    chain has no memory of its own: a step that was worse is taken up again by chance,
    and the best so far is come back to.

    The width does not depend on how many candidates there will be. Candidates that
    failed are never started from, and none is tried twice. Where a schedule trains
    candidates rung by rung, scores are those of the highest rung that has three more
    than the space has dimensions.

    References
    ----------
    .. [1] S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, "Optimization by simulated
       annealing", Science 220, 1983.
    .. [2] J. Bergstra, D. Yamins and D. D. Cox, "Making a science of model search:
       hyperparameter optimization in hundreds of dimensions for vision architectures",
       ICML 2013.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import HyperbandSearchCV
    >>> from sktune.strategy import Annealing
    >>> X, y = load_iris(return_X_y=True)
    >>> search = HyperbandSearchCV(
    ...     SVC(), {"C": loguniform(1e-2, 1e2)}, strategy=Annealing(), random_state=0,
    ... ).fit(X, y)
    >>> float(search.best_score_) > 0.9
    True
    """

    initial_points: Sequence[Params] = ()

    def init(self, problem: Problem) -> Told:
        """State of a search in which nothing has been seen."""
        return begin(self, problem)

    def ask(
        self, state: Told, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params of the next candidate; None when the space is used up.

        Neither `candidate` nor the order in which observations were told plays a part.
        """

        def vary(scored: list[EncodedObservation], rng: np.random.Generator) -> Array:
            rank = min(int(rng.geometric(1.0 / MEAN_RANK)), len(scored))
            u = scored[best_first(scored)[rank - 1]].point
            return self._step(state, u, width(len(scored)), rng)

        return next_variation(state, self.initial_points, vary, pending, seed)

    def _step(
        self, state: Told, u: Array, width: float, rng: np.random.Generator
    ) -> Array:
        """A point near a snapped one, not snapped."""
        space = state.space
        steps = 0.5 * width * rng.uniform(-1.0, 1.0, len(u))
        low, high = (cell[0] for cell in space.cells(u[None]))
        is_ordered = space.n_categories == 0
        stays = is_ordered & (low < u + steps) & (u + steps < high)
        which = some_coordinates(space, u, math.inf, width, rng) & ~stays
        if not which.any():
            which = some_coordinates(space, u, 1.0, width, rng)
        return moved(space, u, which, steps, rng)


def width(n_scores: int) -> float:
    """Width of the steps, in widths of the range, when there are so many scores."""
    return 1.0 / (1.0 + SHRINK * n_scores)
