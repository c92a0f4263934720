"""Which members an ensemble has, and how often each: greedy selection.

References
----------
.. [1] R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, "Ensemble selection from
       libraries of models", ICML 2004.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def select(
    predictions: Sequence[Array], score: Callable[[Array], float], n_rounds: int
) -> Array:
    """Weights of the members, which sum to 1: the counts of a bag that grew greedily.

    In each round the member is added, maybe once more, with which the mean of the bag
    scores best ([1]_); of equals the earlier one. The bag is that of the round that
    scored best, the smallest of equals.

    Parameters
    ----------
    predictions : sequence of ndarray
        Of the members for the same rows, the member first that is best by itself.
    score : callable
        Of predictions, greater is better.
    n_rounds : int

    Returns
    -------
    weights : ndarray of shape (n_members,)
    """
    counts = np.zeros(len(predictions))
    best_counts, best_score = counts, -np.inf
    total = np.zeros_like(predictions[0], dtype=float)
    for n in range(1, n_rounds + 1):
        scores = [score((total + one) / n) for one in predictions]
        k = int(np.argmax(scores))
        total = total + predictions[k]
        counts = counts + (np.arange(len(counts)) == k)
        if scores[k] > best_score:
            best_counts, best_score = counts, scores[k]
    return best_counts / best_counts.sum()
