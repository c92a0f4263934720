"""Local search: the neighbours of the best, one after the other."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sktune._types import Observation, Params, Problem
from sktune.strategy._arrays import Array
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._told import Told, number_of_first
from sktune.strategy._variation import begin, neighbours, next_variation


@dataclass(frozen=True)
class LocalSearch:
    """Local search: neighbours of the best, and a new start where all are worse.

    After a few points that fill the space evenly, the best of them is the centre. Its
    neighbours, which differ from it in one parameter, are tried in random order; one
    that is better is the next centre at once. Where all are worse, the search starts
    again at a new point, the one that best fills the space [1]_.

    Parameters
    ----------
    initial_points : sequence of dict, default=()
        Candidates to try first, in this order; the best of all first ones is the first
        centre.

    Notes
    -----
    A category has each of the others as neighbours. A number has six: 0.2, 0.05 and
    0.0125 of the range up and down, on the scale of its distribution; a list of numbers
    and whole numbers take the next value at least. It is a method for spaces of
    categories and short lists, such as those of architectures.

    Candidates that failed are never a centre, and none is tried twice. Where a schedule
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
    >>> space = {"kernel": ["linear", "poly", "rbf"], "C": [0.01, 0.1, 1.0, 10.0]}
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

    def tell(self, state: Told, observation: Observation) -> Told:
        """State that has learnt from one more observation."""
        return state.tell(observation)

    def ask(
        self, state: Told, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params of the next candidate; None when the space is used up.

        Neither `candidate` nor the order in which observations were told plays a part.
        """

        def vary(
            scored: list[EncodedObservation], rng: np.random.Generator
        ) -> Iterator[Array]:
            near = neighbours(state.space, centre(state, scored).point)
            return iter(rng.permutation(near))

        return next_variation(state, self.initial_points, vary, pending, seed)

    def begins_alike(self, problem: Problem, other: Problem) -> bool:
        """Whether the first candidates of two problems are the same, told the same.

        Of problems that differ in how many candidates there will be.
        """
        return number_of_first(problem) == number_of_first(other)


def centre(state: Told, scored: Sequence[EncodedObservation]) -> EncodedObservation:
    """Whose neighbours are tried: what the scored, by candidate, have led to.

    Better than the centre so far is the next one. So is what is no neighbour of it,
    where all of these were tried before: it is a new start.
    """
    number = {key: one.candidate for (key, _), one in state.observations.items()}
    key_of = {candidate: key for key, candidate in number.items()}
    here, *others = scored
    near: set[Hashable] | None = None
    for one in others:
        assert one.score is not None and here.score is not None
        if one.score <= here.score:
            if _n_different(one.point, here.point) < 2:
                continue
            if near is None:
                near = _keys_of_neighbours(state, here.point)
            if key_of[one.candidate] in near or not _tried(near, number, one.candidate):
                continue
        here, near = one, None
    return here


def _n_different(u: Array, v: Array) -> int:
    return int(((u != v) & ~(np.isnan(u) & np.isnan(v))).sum())


def _keys_of_neighbours(state: Told, u: Array) -> set[Hashable]:
    space = state.space
    near = map(space.decode, neighbours(space, u))
    return {space.key(params) for params in near if space.allows(params)}


def _tried(keys: set[Hashable], number: Mapping[Hashable, int], candidate: int) -> bool:
    """Whether all were tried before a candidate."""
    return all(number.get(key, candidate) < candidate for key in keys)
