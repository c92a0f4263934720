"""Evolution: the winner of a tournament has a child, and the old are forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sktune._types import Params, Problem
from sktune.strategy._arrays import Array
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._told import Told
from sktune.strategy._variation import (
    Varying,
    begin,
    best_first,
    crossed,
    moved,
    next_variation,
    some_coordinates,
)

if TYPE_CHECKING:
    from sktune.space import Space

SMALLEST_STEP, LARGEST_STEP = 0.01, 0.5  # in widths of the range
SHRINK = 0.015  # the largest step is half as long after 67 scores
N_CHANGED = 2.0  # coordinates that a child changes, on average
P_CROSSOVER = 0.5


@dataclass(frozen=True)
class Evolution(Varying):
    """Evolution: parents are chosen by tournament, crossed, and changed a little.

    After a few points that fill the space evenly, the best candidates so far are the
    population. The best of some of them, drawn by chance, is the parent of the next
    candidate [1]_: half of the children take each parameter from one of two such
    parents, and every child changes about two parameters. A number takes a step whose
    length is even on a log scale: from a hundredth of the range up to half of it, which
    falls as ``1 / (1 + 0.015 t)``, t being the number of scores. A category is replaced
    by another; and where the choice among several dicts changes, what the new one has
    besides is drawn.

    Parameters
    ----------
    population_size : int, default=10
        The best candidates that may be parents.
    tournament_size : int, default=5
        How many of them are drawn, the best of which is the parent. As many as there
        are always takes the best; 1 is chance.
    ageing : bool, default=False
        Whether the population is the newest candidates instead of the best, so that the
        oldest die however good they were [1]_. A score that was lucky then misleads
        for no longer than the population takes to be replaced.
    initial_points : sequence of dict, default=()
        Candidates to try first, in this order.

    Notes
    -----
    Candidates that failed are never parents, and none is tried twice. Parents of
    crossover are of one dict of `param_distributions`; else the child has one parent.

    Where a schedule trains candidates rung by rung, the population is of the highest
    rung that has three scores more than the space has dimensions.

    References
    ----------
    .. [1] E. Real, A. Aggarwal, Y. Huang and Q. V. Le, "Regularized evolution for image
       classifier architecture search", AAAI 2019.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import HyperbandSearchCV
    >>> from sktune.strategy import Evolution
    >>> X, y = load_iris(return_X_y=True)
    >>> search = HyperbandSearchCV(
    ...     SVC(), {"C": loguniform(1e-2, 1e2)}, strategy=Evolution(population_size=6),
    ...     random_state=0,
    ... ).fit(X, y)
    >>> float(search.best_score_) > 0.9
    True
    """

    population_size: int = 10
    tournament_size: int = 5
    ageing: bool = False
    initial_points: Sequence[Params] = ()

    def init(self, problem: Problem) -> Told:
        """State of a search in which nothing has been seen."""
        for name in ("population_size", "tournament_size"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"{name}={value!r} must be at least 1.")
        return begin(self, problem)

    def ask(
        self, state: Told, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params of the next candidate; None when the space is used up.

        Neither `candidate` nor the order in which observations were told plays a part.
        """

        def vary(scored: list[EncodedObservation], rng: np.random.Generator) -> Array:
            n_scores = len(scored)
            if self.ageing:
                scored = scored[-self.population_size :]
            best = best_first(scored)[: self.population_size]
            population = [scored[i].point for i in best]
            return self._child(state.space, population, n_scores, rng)

        return next_variation(state, self.initial_points, vary, pending, seed)

    def _child(
        self,
        space: Space,
        population: list[Array],
        n_scores: int,
        rng: np.random.Generator,
    ) -> Array:
        """A child of a population whose best is first, not snapped."""
        u = self._winner(population, rng)
        if rng.random() < P_CROSSOVER:
            u = crossed(space, u, self._winner(population, rng), rng)
        which = some_coordinates(space, u, N_CHANGED, 1.0, rng)
        largest = max(LARGEST_STEP / (1.0 + SHRINK * n_scores), 2.0 * SMALLEST_STEP)
        steps = np.exp(rng.uniform(np.log(SMALLEST_STEP), np.log(largest), len(u)))
        return moved(space, u, which, steps * rng.choice([-1.0, 1.0], len(u)), rng)

    def _winner(self, population: list[Array], rng: np.random.Generator) -> Array:
        n = min(self.tournament_size, len(population))
        return population[int(rng.choice(len(population), n, replace=False).min())]
