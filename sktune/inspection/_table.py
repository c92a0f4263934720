"""A table of the best candidates."""

from __future__ import annotations

from typing import Any

import numpy as np

from sktune._text import aligned, short_names
from sktune.inspection._ranked_scores import RankedScores, scores_of

# Continuations in which the time of a rung is that of a piece.
_GOES_ON = ("epochs", "warm_start", "partial_fit")
# Characters of a value.
_WIDEST = 40


class Table(list[dict[str, Any]]):
    """Rows as dicts, which print as a table; ``pandas.DataFrame(table)`` takes it.

    Names are printed as short as they can be told apart: ``lr`` for ``clf__net__lr``.
    """

    def __repr__(self) -> str:
        header = list(dict.fromkeys(key for row in self for key in row))
        lines = [
            short_names(header),
            *([text_of(row.get(key, "")) for key in header] for row in self),
        ]
        return aligned(lines)


def best_candidates(
    search: Any, n: int | None = 5, *, metric: str | None = None
) -> Table:
    """Return the best candidates of a fitted search, the best first.

    Parameters
    ----------
    search : fitted search
        Any search with scikit-learn's ``cv_results_``.
    n : int, default=5
        Number of candidates; None for all.
    metric : str, default=None
        The metric to rank by, where `scoring` has several; by default the one that
        `refit` names.

    Returns
    -------
    table : Table
        A list with a dict for each candidate: its rank among the candidates (equals
        share one), its number, mean and standard deviation of its scores over the
        splits, the largest resource that it was given (in a search with rungs), the
        mean time of training it that far in seconds, and its params. Prints as a table,
        with the names of params as short as they can be told apart.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import best_candidates
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> search = GridSearchCV(tree, {"max_depth": [1, 2, 3]}, cv=3)
    >>> table = best_candidates(search.fit(*load_iris(return_X_y=True)), n=2)
    >>> [row["max_depth"] for row in table]
    [3, 2]
    """
    if n is not None and n < 1:
        raise ValueError(f"n must be at least 1, or None for all candidates; got n={n}")
    scores = scores_of(search, metric)
    results = search.cv_results_
    first_rows: dict[int, int] = {}
    for row in np.argsort(scores.rank, kind="stable"):
        first_rows.setdefault(int(scores.candidate[row]), int(row))
    # Not among the rows: who is in several rungs is behind nobody twice.
    ranks = np.sort(scores.rank[list(first_rows.values())])
    return Table(
        {
            "rank": int(np.searchsorted(ranks, scores.rank[i])) + 1,
            "candidate": candidate,
            scores.metric: float(scores.mean[i]),
            "std": float(scores.std[i]),
            **(
                {}
                if scores.n_resources is None
                else {"n_resources": int(scores.n_resources[i])}
            ),
            "fit_time": _fit_time(search, scores, i),
            **results["params"][i],
        }
        for candidate, i in list(first_rows.items())[:n]
    )


def _fit_time(search: Any, scores: RankedScores, row: int) -> float:
    """Seconds up to the resource of a row; of candidates that went on, all pieces."""
    seconds = search.cv_results_["mean_fit_time"]
    if getattr(search, "continuation_", None) not in _GOES_ON:
        return float(seconds[row])
    pieces = scores.candidate == scores.candidate[row]
    if scores.n_resources is not None:
        pieces &= scores.n_resources <= scores.n_resources[row]
    return float(seconds[pieces].sum())


def text_of(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = getattr(value, "__name__", None) or " ".join(str(value).split())
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
