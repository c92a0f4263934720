"""How much each parameter matters, by what its candidates have scored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sktune.inspection._forest_anova import Coordinate, anova
from sktune.inspection._param_scales import ParamScale, scales_of, value_of
from sktune.inspection._ranked_scores import floor_of
from sktune.inspection._search_record import SearchRecord, record_of
from sktune.inspection._table import Table

N_TREES = 64
MAX_PAIRS = 28  # all of eight parameters
_FEWEST = 4  # candidates of which anything can be told
_ONE_BY_ONE = 12  # numbers that have not more different values are atoms


def param_importances(
    search: Any,
    *,
    metric: str | None = None,
    n_trees: int = N_TREES,
    random_state: int = 0,
) -> Table:
    """Return how much of the variance of the scores is due to each parameter.

    That is the functional analysis of variance of a random forest that is fitted to the
    scores [1]_: an importance of 0.6 says that six tenths of what scores vary by, over
    the whole space, are due to this parameter by itself, and that of a pair, what is
    due to both together beyond what each does alone.

    Parameters
    ----------
    search : fitted search, or path of a journal
        Any search with scikit-learn's ``cv_results_``; a journal may still grow.
    metric : str, default=None
        The metric of the scores, where `scoring` has several; by default the one that
        `refit` names.
    n_trees : int, default=64
        Trees of the forest.
    random_state : int, default=0
        Of the forest.

    Returns
    -------
    table : Table
        A list with a dict for each parameter, the most important first, and then for
        each pair: `param`, `with` ("" for one by itself), `importance`, and `std`, the
        standard deviation over the trees. With more than eight parameters only pairs of
        those that matter are looked at. Prints as a table.

    Raises
    ------
    ValueError
        Where fewer than four candidates have a score.

    Notes
    -----
    Parameters are looked at on the scale on which they were searched, between the least
    and the greatest value that was tried. In a search with rungs the resource is one
    more coordinate of the forest, and the analysis is that of the largest. That a
    parameter is not set, in a space of several dicts, is one more value of it.
    Candidates that failed have no score and are left out; scores far below the others
    count as if they were at the lower end of these.

    References
    ----------
    .. [1] F. Hutter, H. H. Hoos, K. Leyton-Brown, "An efficient approach for assessing
           hyperparameter importance", ICML 2014.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import param_importances
    >>> grid = {"C": [0.001, 0.1, 1, 10], "shrinking": [True, False]}
    >>> search = GridSearchCV(SVC(), grid).fit(*load_iris(return_X_y=True))
    >>> [row["param"] for row in param_importances(search)]
    ['C', 'shrinking', 'C']
    """
    if n_trees < 1:
        raise ValueError(f"n_trees={n_trees!r} must be at least 1.")
    return importances_of(record_of(search, metric), n_trees, random_state)


def importances_of(
    record: SearchRecord, n_trees: int = N_TREES, seed: int = 0
) -> Table:
    """Importances of what was recorded, as `param_importances` has them."""
    rows = [row for row in record.rows if np.isfinite(row.score(record.metric))]
    n_candidates = len({row.candidate for row in rows})
    if n_candidates < _FEWEST:
        raise ValueError(
            f"Importances need the scores of at least {_FEWEST} candidates, and "
            f"{record.search} has {n_candidates}. Try more candidates."
        )
    scales = scales_of(record)
    columns = [
        np.array([scale.place(value_of(row, name)) for row in rows])
        for name, scale in scales.items()
    ]
    coordinates = [
        _coordinate(scale, column)
        for scale, column in zip(scales.values(), columns, strict=True)
    ]
    fixed = {}
    levels = np.array([row.n_resources or 1 for row in rows], dtype=float)
    if len(np.unique(levels)) > 1:
        fixed[len(columns)] = float(np.log(levels.max()))
        columns.append(np.log(levels))
    X = np.column_stack(columns) if columns else np.empty((len(rows), 0))
    if not scales:
        return Table()
    scores = np.array([row.mean(record.metric) for row in rows])
    floor = floor_of(scores)
    # One pit must not be all the variance; where most are equal, the others are it.
    y = np.maximum(scores, floor) if floor < scores.max() else scores
    shares = anova(
        X, y, coordinates, fixed, n_trees=n_trees, max_pairs=MAX_PAIRS, seed=seed
    )
    names = list(scales)
    found: list[dict[str, Any]] = [
        {
            "param": names[key[0]],
            "with": names[key[1]] if len(key) > 1 else "",
            "importance": float(share.mean()),
            "std": float(share.std()),
        }
        for key, share in shares.items()
    ]
    return Table(sorted(found, key=lambda row: (row["with"] != "", -row["importance"])))


def _coordinate(scale: ParamScale, places: NDArray[np.float64]) -> Coordinate:
    """Where a parameter has values one by one, and where it is an interval."""
    found, counts = np.unique(places, return_counts=True)
    if scale.kind == "category" or len(scale.numbers) <= _ONE_BY_ONE:
        is_number = found >= 0.0
    else:
        is_number = np.zeros(len(found), dtype=bool)
    # What is no number has the measure of those candidates that had it.
    weights = counts / counts.sum()
    beside = found < 0.0
    each = weights[~beside].sum() / max(is_number.sum(), 1)
    atoms = beside | is_number
    return Coordinate(found[atoms], np.where(beside, weights, each)[atoms])
