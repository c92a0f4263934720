"""Candidates that were run on some of the splits, beside those that were run on all.

A search that races spares candidates the rest of their splits. The mean over the first
three of ten is no mean over ten: splits differ in how hard they are, and fewer scores
leave more in doubt. With s_ck the score of candidate c on split k, S splits, and C
candidates that are complete, a score is taken to be a candidate's mean, what its split
adds to every candidate, and a rest::

    s_ck = mu_c + e_k + r_ck
    e_k  = median_c (s_ck - mean_k s_ck)        over the complete
    v    = median_c var_k (s_ck - e_k)          what r varies by

What a candidate with m splits would have as its mean over all S is then expected to be

    mean_k (s_ck - e_k)    with variance    v (S - m) / (S m),

beyond what the mean over all S is in doubt by itself: the factor is that of samples
from a finite population ([1]_, chapter 2). Medians, since some candidates diverge.

References
----------
.. [1] W. G. Cochran, "Sampling techniques", Wiley, 1977.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sktune.strategy._arrays import Array
from sktune.strategy._observations import EncodedObservation


def comparable(
    observations: Sequence[EncodedObservation], n_splits: int
) -> list[EncodedObservation]:
    """Observations whose scores are as of all splits, each with its variance.

    Parameters
    ----------
    observations : sequence of EncodedObservation
        Of this search.
    n_splits : int
    """
    n_run = [len(one.scores) for one in observations]
    if n_splits not in n_run or all(n in (0, n_splits) for n in n_run):
        return list(observations)
    table = np.full((len(observations), n_splits), np.nan)
    for i, one in enumerate(observations):
        for k, score in one.scores.items():
            table[i, k] = score
    means, variances = as_of_all_splits(table)
    return [
        replace(one, score=float(mean), variance=float(variance))
        if 0 < n < n_splits
        else one
        for one, n, mean, variance in zip(
            observations, n_run, means, variances, strict=True
        )
    ]


def as_of_all_splits(table: Array) -> tuple[Array, Array]:
    """What each mean over all splits is expected to be, and its variance, (n,) each.

    Parameters
    ----------
    table : ndarray of shape (n, S)
        Scores; NaN for splits that were not run. At least one row is complete.
    """
    was_run = ~np.isnan(table)
    n_splits, m = table.shape[1], was_run.sum(axis=1)
    effects, variance = _splits(table[m == n_splits])
    n_run = np.maximum(m, 1)
    means = np.where(was_run, table - effects, 0.0).sum(axis=1) / n_run
    return means, variance * (n_splits - n_run) / (n_splits * n_run)


def _splits(scores: Array) -> tuple[Array, float]:
    """What each split adds (S,), and the variance of the rest, of scores (C, S)."""
    effects = np.median(scores - scores.mean(axis=1, keepdims=True), axis=0)
    effects -= effects.mean()
    rest = scores - effects
    rest -= rest.mean(axis=1, keepdims=True)
    dof = max(scores.shape[1] - 1, 1)
    return effects, float(np.median((rest**2).sum(axis=1) / dof))
