"""What a search came to, in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sktune.inspection._ranked_scores import best_row, scores_of
from sktune.inspection._table import best_candidates


def results_summary(search: Any, n: int = 5, *, metric: str | None = None) -> str:
    """Return what a fitted search came to, as text.

    Parameters
    ----------
    search : fitted search
        Any search with scikit-learn's ``cv_results_``.
    n : int, default=5
        Candidates in its table.
    metric : str, default=None
        The metric to rank by, where `scoring` has several; by default the one that
        `refit` names.

    Returns
    -------
    summary : str
        The best score and its params, how many candidates, fits and failures there
        were, the time that they took, and a table of the best.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import results_summary
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> search = GridSearchCV(tree, {"max_depth": [1, 2, 3]}, cv=3)
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> print(results_summary(search).splitlines()[0])
    GridSearchCV of DecisionTreeClassifier: score 0.96, ± 0.01633 over 3 splits
    """
    scores, results = scores_of(search, metric), search.cv_results_
    best = best_row(search, scores, metric)
    n_splits = search.n_splits_
    name = type(search.estimator).__name__
    n_candidates = len(np.unique(scores.candidate))
    failed = int((~np.isfinite(scores.mean)).sum())
    lines = [
        f"{type(search).__name__} of {name}: {scores.metric} {scores.mean[best]:.4g}, "
        f"± {scores.std[best]:.4g} over {n_splits} splits",
        *_lines_of(results["params"][best]),
        f"{n_candidates} candidates, {_n_fits(results, n_splits)} fits, "
        f"{_seconds(results, n_splits):.3g} s of training and scoring"
        + (f", {failed} failed" if failed else ""),
        "",
        repr(best_candidates(search, n, metric=scores.metric)),
    ]
    return "\n".join(lines)


def _lines_of(params: Mapping[str, Any]) -> list[str]:
    plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in params.items()}
    return [f"    {key} = {value!r}" for key, value in plain.items()]


def _n_run(results: Mapping[str, Any], n_splits: int) -> Any:
    """Splits that each row was run on, (n_rows,)."""
    return results.get("n_splits_run", np.full(len(results["params"]), n_splits))


def _n_fits(results: Mapping[str, Any], n_splits: int) -> int:
    return int(_n_run(results, n_splits).sum())


def _seconds(results: Mapping[str, Any], n_splits: int) -> float:
    each = results["mean_fit_time"] + results["mean_score_time"]
    return float((each * _n_run(results, n_splits)).sum())
