"""What earlier searches found, and how it counts beside what this one finds.

Earlier searches may have been on other data, on other splits or of another estimator:
their scores are those of other functions, which are more or less alike. So the scores
of each search are standardised by themselves, and as with rungs (`_rungs.py`) the
process is one over params and over where a score is from: each earlier search has a
coordinate, NEAR for its own observations and 0 for all others, whose lengthscale says
how much it is worth. The scores of one search share a level.

That alone is not enough where an earlier search misleads: its scores also shape what is
believed of the parameters. It is left out where the scores of this search are likelier
without it. [1]_ weighs processes by how well they predict; here it is yes or no, by
their likelihoods.

References
----------
.. [1] M. Feurer, B. Letham, E. Bakshy, "Scalable meta-learning for Bayesian
       optimization using ranking-weighted Gaussian process ensembles", AutoML workshop
       at ICML 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sktune._types import Params
from sktune.strategy._gp import Array
from sktune.strategy._multi_fidelity import Known
from sktune.strategy._warp import warp

if TYPE_CHECKING:
    from sktune.space import Space

NEAR = 0.4
MAX_EARLIER = 100  # scores, and half as many failures, of all earlier searches
# Surrogates that know one source from another; others are handed one scale.
TELLS_SOURCES = ("gp",)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A candidate of an earlier search.

    Attributes
    ----------
    params : dict
        Numbers of an even or a logarithmic scale may lie beyond its ends.
    score : float or None
        Greater is better; None where it failed.
    source : int
        Which search it is of, counted from 1.
    """

    params: Params
    score: float | None
    source: int = 1


def learnt(space: Space, knowledge: Sequence[Earlier]) -> list[Known]:
    """Knowledge as points of the space; of much, what tells most.

    Of the scores of each source the better half, and as many evenly among the rest.
    """
    by_source: dict[int, list[Known]] = {}
    for one in knowledge:
        point = space.outline(one.params)
        known = Known(-1, point, one.score, source=one.source)
        by_source.setdefault(one.source, []).append(known)
    limit = max(MAX_EARLIER // max(len(by_source), 1), 1)
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


def _evenly(known: list[Known], n: int) -> list[Known]:
    if len(known) <= n:
        return known
    return [known[i] for i in np.linspace(0, len(known) - 1, n).astype(int)]


def of_sources(known: Sequence[Known], sources: Collection[int]) -> list[Known]:
    """The observations of this search, and of some earlier ones."""
    return [one for one in known if not one.source or one.source in sources]


def coordinates(known: Sequence[Known], sources: Sequence[int]) -> Array:
    """A coordinate for each source that says which observations are of it, (n, m)."""
    of = np.array([one.source for one in known], dtype=int)
    return np.where(of[:, None] == np.array(sources, dtype=int), NEAR, 0.0)


def source_by_source(
    scored: Sequence[Known], transform: Callable[[Array], Array]
) -> Array:
    """Scores (n,), those of each source transformed by themselves."""
    of = np.array([one.source for one in scored], dtype=int)
    scores = np.array([one.score for one in scored], dtype=float)
    y = np.empty(len(scores))
    for source in np.unique(of):
        y[of == source] = transform(scores[of == source])
    return y


def on_one_scale(space: Space, known: Sequence[Known]) -> list[Known]:
    """The same for surrogates that take all scores to be of one function.

    Scores of each source are standardised, and those of this search shifted to the
    level of what earlier ones scored nearest to its candidates.
    """
    scored = [one for one in known if one.score is not None]
    y = source_by_source(scored, warp)
    F = space.features(np.array([one.point for one in scored]))
    own = np.array([not one.source for one in scored], dtype=bool)
    if own.any() and not own.all():
        gaps = ((F[own][:, None] - F[~own]) ** 2).sum(axis=2)
        nearest = y[~own][gaps.argmin(axis=1)]
        y[own] += np.median(nearest - y[own])
    level = iter(y.tolist())
    return [
        one if one.score is None else replace(one, score=next(level)) for one in known
    ]
