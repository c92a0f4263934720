"""Whether a candidate is clearly behind the best, by the splits that both were run on.

Notation
--------
S, m      splits in all, and those that a candidate was run on
d_k       score of the candidate on split k less that of the best complete one
d, ss     mean of these, and sum of their squares about it
z         standard errors that a candidate has to be behind

Splits differ in how hard they are, but they are so for every candidate: the spread of
the differences is much less than that of the scores. What decides in the end is the
mean of d_k over all S splits. When m of them have been seen, the mean so far is off
from it by the standard error of a sample of a finite population ([1]_, chapter 2)::

    se = s sqrt((S - m) / (S m)).

The variance s^2 of two or three differences is rough by itself. That of the candidates
before, pooled, is a second opinion, which counts as much as 10 splits more ([2]_)::

    s^2 = (f v + ss) / (f + m - 1),    f = min(10, degrees of freedom of v).

Of these the half nearest to the best is pooled: bad candidates spread wide, and say
little of who is near. A candidate whose differences are all 0 is left out, since on a
plateau of equal predictions v would be 0. The candidate is behind when

    d + t se < 0,    P(T < t) = P(Z < z) for T of Student's t with f + m - 1 degrees.

References
----------
.. [1] W. G. Cochran, "Sampling techniques", Wiley, 1977.
.. [2] G. K. Smyth, "Linear models and empirical Bayes methods for assessing
       differential expression in microarray experiments", Statistical Applications in
       Genetics and Molecular Biology 3, 2004.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from scipy import special

Scores = Mapping[int, float]
"""Of one candidate, by split."""

MOST_PRIOR = 10  # splits that the pooled variance counts as, at most


class Difference(NamedTuple):
    """Of a candidate to the best: d, ss and m."""

    mean: float
    sum_of_squares: float
    n_splits: int

    @classmethod
    def of(cls, scores: Scores, best: Scores) -> Difference:
        differences = [score - best[k] for k, score in sorted(scores.items())]
        mean = sum(differences) / len(differences)
        # A float's `**` raises where it overflows; a spread that is infinite will do.
        squares = sum((d - mean) * (d - mean) for d in differences)
        return cls(mean, squares, len(differences))

    @property
    def is_spread(self) -> bool:
        """Whether it says something of how differences spread."""
        return self.n_splits > 1 and (self.mean != 0.0 or self.sum_of_squares > 0.0)


@dataclass(frozen=True, slots=True)
class PairedDifferences:
    """Differences of candidates to the best complete one.

    Parameters
    ----------
    best : dict of int -> float
        Its scores, on all splits.
    by_candidate : dict of int -> Difference
        Of all others that have scores.
    """

    best: Scores
    by_candidate: Mapping[int, Difference] = field(default_factory=dict)

    @classmethod
    def to(cls, best: Scores, others: Mapping[int, Scores]) -> PairedDifferences:
        """Differences of others to the best."""
        differences = {c: Difference.of(scores, best) for c, scores in others.items()}
        return cls(best, differences)

    def with_scores(self, candidate: int, scores: Scores) -> PairedDifferences:
        """Those with the scores of one more candidate, or with more of its scores."""
        difference = Difference.of(scores, self.best)
        return replace(self, by_candidate={**self.by_candidate, candidate: difference})

    def without(self, candidate: int) -> PairedDifferences:
        """Those of others."""
        by_candidate = {c: d for c, d in self.by_candidate.items() if c != candidate}
        return replace(self, by_candidate=by_candidate)

    def nearest(self, candidates: Iterable[int]) -> int:
        """The candidate of the greatest mean difference, the first of equals."""
        return min(candidates, key=lambda c: (-self.by_candidate[c].mean, c))

    def behind(self, candidates: Iterable[int], z: float) -> list[int]:
        """Those of some candidates that are clearly behind."""
        in_question = [c for c in candidates if self.by_candidate[c].mean < 0.0]
        pool = self._nearer_half() if in_question else []
        return [c for c in in_question if self._is_behind(c, z, pool)]

    def _nearer_half(self) -> list[int]:
        spread = [c for c, one in self.by_candidate.items() if one.is_spread]
        spread.sort(key=lambda c: (-self.by_candidate[c].mean, c))
        return spread[: (len(spread) + 1) // 2]

    def _is_behind(self, candidate: int, z: float, pool: list[int]) -> bool:
        d, ss, m = self.by_candidate[candidate]
        others = [self.by_candidate[c] for c in pool if c != candidate]
        dof = sum(other.n_splits - 1 for other in others)
        if not dof:
            return False
        pooled = sum(other.sum_of_squares for other in others) / dof
        prior = min(MOST_PRIOR, dof)
        variance = (prior * pooled + ss) / (prior + m - 1)
        n_splits = len(self.best)
        error = math.sqrt(variance * (n_splits - m) / (n_splits * m))
        return d + _quantile(z, prior + m - 1) * error < 0.0


@lru_cache(maxsize=1024)
def _quantile(z: float, dof: int) -> float:
    """Of Student's t, at the probability that a normal one is below z."""
    return float(special.stdtrit(dof, special.ndtr(z)))
