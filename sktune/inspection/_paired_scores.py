"""What scores on the same splits say of candidates: intervals, and who is best.

Notation
--------
n       number of candidates
J       number of splits on which all were scored
s_cj    score of candidate c on split j; m_c its mean over j
S       covariance of the candidates over the splits, (n, n)
rho     rows to test on for each row to train on

Scores on splits of the same rows depend on each other: the training parts overlap. The
variance of a mean is not S / J but about (1 / J + rho) S ([1]_), with which the usual
interval of a t distribution with J - 1 degrees of freedom is about as wide as it says.
The same for all candidates at once, with an even prior, is a multivariate t
distribution of their true means ([2]_ for two of them); how often each is the greatest
in draws from it is the probability that it is best.

References
----------
.. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine
       Learning 52, 2003.
.. [2] G. Corani and A. Benavoli, "A Bayesian approach for comparing cross-validated
       algorithms on multiple data sets", Machine Learning 100, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

Array = NDArray[np.float64]

_N_DRAWS = 20_000
_SEED = 0


@dataclass(frozen=True)
class PairedScores:
    """Scores of candidates on the same splits.

    Attributes
    ----------
    draws : ndarray of shape (n, J)
        J is at least 2; without NaN.
    test_share : float
        The rho above; 0 where the splits say nothing of other rows.
    """

    draws: Array
    test_share: float

    @classmethod
    def of(cls, scores: Array, test_share: float, *, has_new_splits: bool) -> Self:
        """Those of some repetitions.

        Parameters
        ----------
        scores : ndarray of shape (n, n_seeds, n_splits)
        test_share : float
        has_new_splits : bool
            Whether each repetition has splits of its own. If not, more seeds say no
            more of other rows: their means are one score for each split, and of a
            single split all that is told is how much seeds matter.
        """
        n, n_seeds, n_splits = scores.shape
        if has_new_splits:
            return cls(scores.reshape(n, n_seeds * n_splits), test_share)
        if n_splits > 1:
            return cls(scores.mean(axis=1), test_share)
        return cls(scores[:, :, 0], 0.0)

    @property
    def mean(self) -> Array:
        """Of each candidate, (n,)."""
        return self.draws.mean(axis=1)

    def interval(self, level: float) -> tuple[Array, Array]:
        """Ends of the intervals of the means, (n,) each."""
        return self._interval(self.draws, level)

    def behind(self, level: float) -> tuple[Array, Array, Array]:
        """How far each is behind the best mean, and the interval of that; (n,) each."""
        differences = self.draws[self.mean.argmax()] - self.draws
        return (differences.mean(axis=1), *self._interval(differences, level))

    def _interval(self, draws: Array, level: float) -> tuple[Array, Array]:
        n_draws = draws.shape[1]
        error = draws.std(axis=1, ddof=1) * np.sqrt(self._factor)
        width = t.ppf((1 + level) / 2, n_draws - 1) * error
        mean = draws.mean(axis=1)
        return mean - width, mean + width

    @property
    def _factor(self) -> float:
        """Of the covariance of the means by that of the scores."""
        return 1 / self.draws.shape[1] + self.test_share

    def probability_best(self) -> Array:
        """Probability of each candidate to have the greatest true mean, (n,)."""
        mean, J = self.mean, self.draws.shape[1]
        rng = np.random.default_rng(_SEED)
        root = (self.draws - mean[:, None]) / np.sqrt(J - 1)  # root @ root.T is S
        normal = root @ rng.standard_normal((J, _N_DRAWS))
        spread = np.sqrt(rng.chisquare(J - 1, _N_DRAWS) / (J - 1))
        drawn = mean[:, None] + np.sqrt(self._factor) * normal / spread
        is_best = drawn == drawn.max(axis=0)
        # Candidates that are equal on every split share.
        return (is_best / is_best.sum(axis=0)).mean(axis=1)


def likely_best(probability: Array, level: float) -> list[int]:
    """The fewest candidates among which the best is with this probability."""
    order = np.argsort(-probability, kind="stable")
    n = int(np.searchsorted(np.cumsum(probability[order]), level - 1e-9)) + 1
    return [int(k) for k in order[:n]]
