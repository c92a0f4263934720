"""Local search: the neighbours of the best, until none is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sktune._types import Params, Problem
from sktune.strategy._arrays import Array
from sktune.strategy._observations import EncodedObservation, encoded
from sktune.strategy._told import Told
from sktune.strategy._variation import Varying, begin, next_variation, stepped

if TYPE_CHECKING:
    from sktune.space import Space

STEPS = (0.2, 0.05)  # along a coordinate that has an order, in widths of the range
DIGITS = 9  # by which points are told apart


@dataclass(frozen=True)
class LocalSearch(Varying):
    """Local search: change the best one parameter at a time, as long as that helps.

    After a few points that fill the space evenly, the best of them is climbed from: its
    neighbours, which differ from it in one parameter, are tried in random order, and
    the first that is better takes its place [1]_. Where all neighbours are worse, the
    next climb starts from the best of the other points, and then from new ones that are
    spread evenly.

    Neighbours have every other value of a category. A number takes a step of a fifth or
    a twentieth of the range either way, on the distribution's own scale, and to the
    next value at least.

    Parameters
    ----------
    initial_points : sequence of dict, default=()
        Candidates to try first, in this order.

    Notes
    -----
    In spaces of categories, such as those of cells, this is hard to beat where scores
    have little noise [1]_. Numbers are left on a grid of steps, for which
    `Annealing` or `Evolution` suit better.

    Candidates that failed are worse than any, and none is tried twice. Where a schedule
    trains candidates rung by rung, scores are those of the highest rung that has three
    more than the space has dimensions.

    References
    ----------
    .. [1] C. White, S. Nolen and Y. Savani, "Exploring the loss landscape in neural
       architecture search", UAI 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import HyperbandSearchCV
    >>> from sktune.strategy import LocalSearch
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": [0.1, 1.0, 10.0, 100.0], "kernel": ["rbf", "linear", "poly"]}
    >>> search = HyperbandSearchCV(
    ...     SVC(), space, strategy=LocalSearch(), random_state=0
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
        space = state.space
        tried = {name_of(one.point) for one in state.observations.values()}
        tried |= set(map(name_of, encoded(space, pending)))
        left: list[Array] | None = None

        def vary(
            scored: list[EncodedObservation], rng: np.random.Generator
        ) -> Array | None:
            nonlocal left
            if left is None:
                left = to_try(space, tops(scored), tried)
                rng.shuffle(left)
            return left.pop() if left else None

        return next_variation(state, self.initial_points, vary, pending, seed)


def tops(scored: Sequence[EncodedObservation]) -> list[EncodedObservation]:
    """How far each climb has come, the best first.

    A candidate next to the top of a climb, the best where there are several, is a step
    of it, and the new top if it is better. Any other is where a new climb starts.
    """
    found: list[EncodedObservation] = []
    for one in scored:
        others = np.array([top.point for top in found]).reshape(-1, len(one.point))
        beside = np.flatnonzero(are_beside(one.point, others))
        if not len(beside):
            found.append(one)
            continue
        best = max(beside, key=lambda i: score_of(found[i]))
        if score_of(one) > score_of(found[best]):
            found[best] = one
    return sorted(found, key=score_of, reverse=True)


def to_try(
    space: Space, found: Sequence[EncodedObservation], tried: set[bytes]
) -> list[Array]:
    """Neighbours that were not tried, of the first that has any."""
    for top in found:
        left = [v for v in neighbours(space, top.point) if name_of(v) not in tried]
        if space.constraint is not None:
            left = [v for v in left if space.allows(space.decode(v))]
        if left:
            return left
    return []


def neighbours(space: Space, u: Array) -> Array:
    """Snapped points (m, d) that differ from a snapped one in one parameter.

    Where the choice among dicts changes, what the new one has besides is in the middle.
    """
    filled = np.where(np.isnan(u), 0.5, u)
    low, high = (cell[0] for cell in space.cells(u[None]))
    found: dict[bytes, Array] = {}
    for j in np.flatnonzero(~np.isnan(u)):
        if low[j] <= 0.0 and high[j] >= 1.0:  # the only value
            continue
        if n := space.n_categories[j]:
            places = (u[j] + np.arange(1, n) / n) % 1.0
        else:
            steps = [sign * step for step in STEPS for sign in (-1.0, 1.0)]
            places = np.array([stepped(u[j], low[j], high[j], s) for s in steps])
        block = np.tile(filled, (len(places), 1))
        block[:, j] = places
        found.update((name_of(v), v) for v in space.snap(block))
    return np.array(list(found.values())).reshape(-1, len(u))


def are_beside(u: Array, V: Array) -> NDArray[np.bool_]:
    """Which rows of V (m, d) differ from u in one of the coordinates that both have."""
    differ = (np.abs(V - u) > 10.0**-DIGITS).sum(axis=1)  # nan where one lacks it
    return np.asarray(differ == 1)


def name_of(u: Array) -> bytes:
    """What tells a snapped point from others."""
    return np.round(np.where(np.isnan(u), -1.0, u), DIGITS).tobytes()


def score_of(one: EncodedObservation) -> float:
    return one.score if one.score is not None else -math.inf
