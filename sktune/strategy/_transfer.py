"""Transfer: how observations of other searches count beside those of this one.

A search may be warm started from searches on other data, on other splits or of another
estimator: their scores are those of other functions, which are more or less alike. So
the scores of each search are standardised by themselves, and as with rungs
(`_multi_fidelity.py`) the Gaussian process is one over params and over where a score is
from: each source has a coordinate, SOURCE_OFFSET for its own observations and 0 for all
others, whose lengthscale says how much it is worth. The scores of one search share a
level.

That is not enough where a source misleads: its scores also shape the posterior over the
parameters. It is left out where the scores of this search are likelier without it. [1]_
weighs Gaussian processes by how well they predict; here it is yes or no, by their
likelihoods.

References
----------
.. [1] M. Feurer, B. Letham, E. Bakshy, "Scalable meta-learning for Bayesian
       optimization using ranking-weighted Gaussian process ensembles", AutoML workshop
       at ICML 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sktune._types import WarmStartObservation
from sktune.strategy._arrays import Array
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._warp import warp

if TYPE_CHECKING:
    from sktune.space import Space

SOURCE_OFFSET = 0.4
MAX_TRANSFERRED = 100  # scores, and half as many failures, of all sources together
# Surrogates that know one source from another; others are handed one scale.
MULTI_SOURCE_SURROGATES = ("gp",)


def encode_warm_start(
    space: Space, warm_start: Sequence[WarmStartObservation]
) -> list[EncodedObservation]:
    """Observations of other searches as points of the space; of many, some.

    Of the scores of each source the better half, and as many evenly among the rest.
    """
    by_source: dict[int, list[EncodedObservation]] = {}
    for one in warm_start:
        point = space.outline(one.params)
        encoded = EncodedObservation(
            -1, point, one.score, source=one.source, objectives=one.objectives
        )
        by_source.setdefault(one.source, []).append(encoded)
    limit = max(MAX_TRANSFERRED // max(len(by_source), 1), 1)
    found = []
    for source in sorted(by_source):
        best_first = sorted(
            (one for one in by_source[source] if one.score is not None),
            key=lambda one: -(one.score or 0.0),
        )
        failures = [one for one in by_source[source] if one.score is None]
        better = best_first[: max(limit // 2, 1)] if len(best_first) > limit else []
        rest = best_first[len(better) :]
        found += [*better, *_evenly(rest, limit - len(better))]
        found += _evenly(failures, limit // 2)
    return found


def _evenly(observations: list[EncodedObservation], n: int) -> list[EncodedObservation]:
    if len(observations) <= n:
        return observations
    chosen = np.linspace(0, len(observations) - 1, n).astype(int)
    return [observations[i] for i in chosen]


def of_sources(
    observations: Sequence[EncodedObservation], sources: Collection[int]
) -> list[EncodedObservation]:
    """The observations of this search, and of some of its sources."""
    return [one for one in observations if not one.source or one.source in sources]


def source_coordinates(
    observations: Sequence[EncodedObservation], sources: Sequence[int]
) -> Array:
    """A coordinate for each source that says which observations are of it, (n, m)."""
    of = np.array([one.source for one in observations], dtype=int)
    return np.where(of[:, None] == np.array(sources, dtype=int), SOURCE_OFFSET, 0.0)


def transform_by_source(
    scored: Sequence[EncodedObservation], transform: Callable[[Array], Array]
) -> Array:
    """Scores (n,), those of each source transformed by themselves."""
    of = np.array([one.source for one in scored], dtype=int)
    scores = np.array([one.score for one in scored], dtype=float)
    y = np.empty(len(scores))
    for source in np.unique(of):
        y[of == source] = transform(scores[of == source])
    return y


def to_common_scale(
    space: Space, observations: Sequence[EncodedObservation]
) -> list[EncodedObservation]:
    """The same for surrogates that take all scores to be of one function.

    Scores of each source are standardised, and those of this search shifted to the
    level of what the sources scored nearest to its candidates.
    """
    scored = [one for one in observations if one.score is not None]
    y = transform_by_source(scored, warp)
    F = space.features(np.array([one.point for one in scored]))
    own = np.array([not one.source for one in scored], dtype=bool)
    if own.any() and not own.all():
        gaps = ((F[own][:, None] - F[~own]) ** 2).sum(axis=2)
        nearest = y[~own][gaps.argmin(axis=1)]
        y[own] += np.median(nearest - y[own])
    level = iter(y.tolist())
    return [
        one if one.score is None else replace(one, score=next(level))
        for one in observations
    ]
