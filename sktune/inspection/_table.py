"""A table of the best candidates."""

from __future__ import annotations

from typing import Any

import numpy as np

from sktune.inspection._ranked_scores import scores_of


class Table(list[dict[str, Any]]):
    """Rows as dicts, which print as a table; ``pandas.DataFrame(table)`` takes it."""

    def __repr__(self) -> str:
        header = list(dict.fromkeys(key for row in self for key in row))
        lines = [header, *([_text(row.get(key, "")) for key in header] for row in self)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True))
            for line in lines
        )


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
        A list with a dict for each candidate: its rank, its number, mean and standard
        deviation of its scores over the splits, the largest resource that it was given
        (in a search with rungs), mean time of a fit in seconds, and its params. Prints
        as a table.

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
    return Table(
        {
            "rank": int(scores.rank[i]),
            "candidate": candidate,
            scores.metric: float(scores.mean[i]),
            "std": float(scores.std[i]),
            **(
                {}
                if scores.n_resources is None
                else {"n_resources": int(scores.n_resources[i])}
            ),
            "fit_time": float(results["mean_fit_time"][i]),
            **results["params"][i],
        }
        for candidate, i in list(first_rows.items())[:n]
    )


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return getattr(value, "__name__", None) or str(value)
