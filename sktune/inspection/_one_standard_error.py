"""A rule for `refit`: what costs least among those within noise of the best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sktune._errors import did_you_mean
from sktune.inspection._comparable_rows import ComparableRows, Results, rounding

Array = NDArray[np.float64]


@dataclass(frozen=True)
class OneStandardError:
    """Choose the cheapest candidate within a standard error of the best.

    Give it to any search as `refit`, of sktune or of scikit-learn, or call it with the
    `cv_results_` of one that is fitted.

    Parameters
    ----------
    cost : str or callable, default="mean_fit_time"
        What should be small: the name of a column of `cv_results_`, such as
        ``"mean_score_time"`` or ``"param_n_estimators"``, or a function that takes
        `cv_results_` and returns a number for each row, ``ndarray of shape (n,)``.
    metric : str, default="score"
        The metric to compare by; its name where `scoring` has several.
    n_errors : float, default=1.0
        How many standard errors behind the best mean score a candidate may be. With 0
        only those qualify that are as good.

    Raises
    ------
    TypeError
        If `cost` is neither a name nor callable.
    ValueError
        If `n_errors` is negative. When it is called: if there is no such metric or
        column, if the column is not of numbers, or if there are fewer than two splits.

    Notes
    -----
    The rule is that of Breiman et al. [1]_, with one difference: all candidates are
    scored on the same splits, so what counts is the standard error of the mean
    difference to the best on these, and not that of the best itself. The best is the
    first that `rank_test_<metric>` calls best.

    Only rows are compared that were given as much as the best (`n_resources`), and that
    have a finite score on each of its splits. Of those that cost the same, the one with
    the better mean score is chosen. A cost that is None, masked (a parameter that a
    candidate has not) or NaN is greater than any other.

    Seconds differ from run to run, and so may the choice by them; a number of trees or
    of units does not. As with every callable `refit`, the search has no `best_score_`.

    References
    ----------
    .. [1] L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression
           Trees", Wadsworth, 1984, section 3.4.3.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import OneStandardError
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> space = {"max_leaf_nodes": [2, 3, 4, 6, 8, 12, 16, 24]}
    >>> rule = OneStandardError(cost="param_max_leaf_nodes")
    >>> search = GridSearchCV(tree, space, refit=rule).fit(*load_wine(return_X_y=True))
    >>> search.cv_results_["mean_test_score"].round(2).tolist()
    [0.65, 0.8, 0.84, 0.88, 0.91, 0.89, 0.89, 0.89]
    >>> search.best_params_
    {'max_leaf_nodes': 6}
    """

    cost: str | Callable[[Results], ArrayLike] = "mean_fit_time"
    metric: str = "score"
    n_errors: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.cost, str) and not callable(self.cost):
            raise TypeError(
                f"cost={self.cost!r} must be the name of a column of cv_results_, or a "
                "function of cv_results_ that returns a number for each row."
            )
        if not self.n_errors >= 0.0:
            raise ValueError(
                f"n_errors={self.n_errors!r} must be at least 0: standard errors that "
                "a candidate may be behind the best."
            )

    def __call__(self, cv_results: Results) -> int:
        """Index of the chosen row.

        Parameters
        ----------
        cv_results : dict of arrays
            The `cv_results_` of a search.
        """
        found = ComparableRows.of(cv_results, self.metric)
        costs = self._costs(cv_results, len(cv_results["params"]))
        if len(found.rows) == 1:
            return int(found.rows[0])
        near = within_noise(found.scores, self.n_errors)
        rows, means = found.rows[near], found.scores[near].mean(axis=1)
        return int(rows[np.lexsort((-means, costs[rows]))[0]])

    def _costs(self, results: Results, n: int) -> Array:
        """Of each row, (n,); infinite where a candidate has none."""
        if callable(self.cost):
            given: Any = self.cost(results)
        elif self.cost in results:
            given = results[self.cost]
        else:
            names = [key for key in results if key != "params"]
            raise ValueError(
                f"cost={self.cost!r} is no column of cv_results_."
                f"{did_you_mean(self.cost, names)} It has {names}."
            )
        column = np.array(np.ma.getdata(given), dtype=object)
        column[np.ma.getmaskarray(given)] = None
        if column.shape != (n,):
            raise ValueError(
                f"cost={self.cost!r} must give a number for each of the {n} rows of "
                f"cv_results_, and gave an array of shape {column.shape}."
            )
        try:
            costs = np.array([np.nan if v is None else float(v) for v in column])
        except (TypeError, ValueError):
            self._refuse(column)
        return np.where(np.isnan(costs), np.inf, costs)

    def _refuse(self, column: NDArray[Any]) -> NoReturn:
        words = next(v for v in column if not isinstance(v, int | float | type(None)))
        raise ValueError(
            f"cost={self.cost!r} must be of numbers, and holds {words!r}. Name another "
            "column, or give a function of cv_results_ that returns a number for each "
            "row."
        ) from None


def within_noise(scores: Array, n_errors: float) -> NDArray[np.bool_]:
    """Which rows are so few standard errors behind the first, (n,).

    Parameters
    ----------
    scores : ndarray of shape (n, n_splits)
    n_errors : float

    Raises
    ------
    ValueError
        If there are fewer than two splits.
    """
    n_splits = scores.shape[1]
    if n_splits == 1:
        raise ValueError(
            "A standard error needs the scores of at least two splits, and this search "
            "has one. Give the search a cv of more, or another refit."
        )
    behind = scores[0] - scores
    error = behind.std(axis=1, ddof=1) * np.sqrt(n_splits)  # of the sum
    found = behind.sum(axis=1) <= n_errors * error + rounding(scores[0])
    return np.asarray(found)
