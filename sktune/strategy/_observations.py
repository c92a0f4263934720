"""Observations as surrogates see them: points of the unit cube and their scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sktune._types import Params
from sktune.strategy._arrays import Array

if TYPE_CHECKING:
    from sktune.space import Space

MAX_OBSERVATIONS = 500
# Of a Gaussian process over rungs, where there is one more candidate to ask for each
# cheap score.
MAX_RUNG_OBSERVATIONS = 200


@dataclass(frozen=True, slots=True)
class EncodedObservation:
    """A candidate that was observed: its point, and its score unless it failed.

    Attributes
    ----------
    candidate : int
    point : ndarray of shape (d,)
        Snapped.
    score : float or None
    n_resources : int or None
    source : int
        The search that it warm starts from; 0 is this one.
    scores : dict of int -> float
        By split, where that is known.
    objectives : tuple of float
        Where there are several that are searched, the score in each.
    variance : float
        What is in doubt of the score since it is of fewer splits than others.
    told : int
        How many observations of this search had been told before.
    """

    candidate: int
    point: Array
    score: float | None
    n_resources: int | None = None
    source: int = 0
    scores: Mapping[int, float] = field(default_factory=dict)
    variance: float = 0.0
    told: int = 0
    objectives: tuple[float, ...] = ()

    @property
    def failed(self) -> bool:
        return self.score is None


def encoded(space: Space, candidates: Sequence[Params]) -> Array:
    """Points of candidates, (k, d)."""
    return np.array([space.encode(p) for p in candidates]).reshape(-1, space.n_dims)


def most_informative(
    observations: list[EncodedObservation], limit: int = MAX_OBSERVATIONS
) -> list[EncodedObservation]:
    """All observations, or as many as the surrogate can bear.

    Half of them are those of the highest rungs, the best of a rung first; the others
    are the latest candidates of the rest, which lie where the search is.
    """
    if len(observations) <= limit:
        return observations
    worst = -math.inf

    def rank(one: EncodedObservation) -> tuple[float, float]:
        reached = one.n_resources if one.n_resources is not None else math.inf
        return -reached, -(worst if one.score is None else one.score)

    highest_first = sorted(observations, key=rank)
    half = limit // 2
    rest = sorted(highest_first[half:], key=lambda one: one.candidate)
    return [*highest_first[:half], *rest[half - limit :]]


def in_order(observations: list[EncodedObservation]) -> list[EncodedObservation]:
    """Observations by candidate and resource.

    In this order no sum depends on which score came first.
    """
    return sorted(observations, key=lambda one: (one.candidate, one.n_resources or 0))
