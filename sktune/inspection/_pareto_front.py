"""The candidates than which no other is better in everything that counts."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sktune._errors import did_you_mean
from sktune._pareto import non_dominated
from sktune.inspection._ranked_scores import scores_of
from sktune.inspection._search_record import RecordedRow, SearchRecord, record_of
from sktune.inspection._table import Table

Objectives = Sequence[str] | Mapping[str, str] | None

# What is there of every fit beside its scores, in seconds.
_TIMES = ("fit_time", "score_time")
_SIGNS = {"max": 1.0, "min": -1.0}


@dataclass(frozen=True)
class Front:
    """Candidates by several objectives, and which of them are on the front.

    Attributes
    ----------
    record : SearchRecord
    rows : list of int
        Rows of the record that came furthest and have all objectives, n of them.
    names : tuple of str
        Of the m objectives.
    signs : ndarray of shape (m,)
        1 where greater is better, -1 where less is.
    values, errors : ndarrays of shape (n, m)
        As they are told, and their standard errors over the splits; NaN where there is
        none.
    is_on : ndarray of shape (n,), bool
    """

    record: SearchRecord
    rows: list[int]
    names: tuple[str, ...]
    signs: NDArray[Any]
    values: NDArray[Any]
    errors: NDArray[Any]
    is_on: NDArray[np.bool_]

    @property
    def best_first(self) -> list[int]:
        """Positions of the front, the best in the first objective first."""
        on = np.flatnonzero(self.is_on)
        order = np.lexsort((-self.signs * self.values[on]).T[::-1])
        return [int(i) for i in on[order]]


def pareto_front(search: Any, objectives: Objectives = None) -> Table:
    """Return the Pareto front of a search: candidates that no other beats.

    A candidate beats another that is better in none of the objectives and worse in one.
    So each of the front is the best there is for some weighing of the objectives.

    Parameters
    ----------
    search : fitted search, or path of a journal
        Any search with scikit-learn's ``cv_results_``; a journal may still grow.
    objectives : sequence of str, or dict, default=None
        What counts: metrics of `scoring`, of which greater is better, "fit_time" and
        "score_time", the mean seconds of a fit and of its scoring, and
        ``"param_<name>"`` of a parameter that is a number, of all of which less is. The
        names of their columns, such as "mean_test_accuracy", will do too. A dict says
        for each "max" or "min". None takes the `objectives` of the search, or else all
        of its metrics.

    Returns
    -------
    table : Table
        A list with a dict for each candidate of the front, the best in the first
        objective first: `candidate`, the mean of each objective and, of metrics, its
        standard error over the splits as ``"<name> se"``, `n_resources` in a search
        with rungs, and its params. Prints as a table.

    Raises
    ------
    ValueError
        For fewer than two objectives, and for one that the search has not.

    Notes
    -----
    Candidates are compared that came as far as the best, with the most resources, on
    the most splits, and were not stopped; those that failed in any objective are left
    out. The standard error is the standard deviation over the splits divided by the
    root of their number: two candidates that are nearer than that may be the other way
    round on other data.

    See Also
    --------
    ParetoFrontDisplay : Its picture.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import pareto_front
    >>> def neg_n_leaves(tree, X, y):
    ...     return -tree.get_n_leaves()
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> scoring = {"accuracy": "accuracy", "neg_n_leaves": neg_n_leaves}
    >>> space = {"max_leaf_nodes": [2, 3, 30]}
    >>> search = GridSearchCV(tree, space, scoring=scoring, refit="accuracy", cv=3)
    >>> front = pareto_front(search.fit(*load_iris(return_X_y=True)))
    >>> [row["max_leaf_nodes"] for row in front]
    [30, 3, 2]
    """
    front = front_of(search, objectives)
    return Table(_row_of_table(front, i) for i in front.best_first)


def _row_of_table(front: Front, i: int) -> dict[str, Any]:
    row = front.record.rows[front.rows[i]]
    told: dict[str, Any] = {"candidate": row.candidate}
    for j, name in enumerate(front.names):
        told[name] = float(front.values[i, j])
        if math.isfinite(front.errors[i, j]):
            told[f"{name} se"] = float(front.errors[i, j])
    if row.n_resources is not None:
        told["n_resources"] = row.n_resources
    return {**told, **row.params}


def front_of(search: Any, objectives: Objectives = None) -> Front:
    """The front of a search, and all who are compared for it."""
    record = record_of(search, with_fits=False)
    given = objectives
    if given is None:
        own = getattr(search, "objectives", None)
        given = own or _recorded(record) or record.metrics
    names, signs = _named(given, record)
    values = np.array([[_value(row, name) for name in names] for row in record.rows])
    values = values.reshape(len(record.rows), len(names))
    for j, name in enumerate(names):
        if name in record.metrics and not isinstance(search, str | os.PathLike):
            # A number that stands for a failure is no score.
            failed = ~np.isfinite(scores_of(search, name).mean)
            values[failed, j] = np.nan
    # Failed in another metric, a candidate is whole in these.
    whole = np.isfinite(values).all(axis=1)
    reached = [_how_far(row) for row in record.rows]
    furthest = max((reached[i] for i in np.flatnonzero(whole)), default=None)
    rows = [int(i) for i in np.flatnonzero(whole) if reached[i] == furthest]
    errors = [[_error(record.rows[i], name) for name in names] for i in rows]
    return Front(
        record=record,
        rows=rows,
        names=names,
        signs=signs,
        values=values[rows],
        errors=np.array(errors).reshape(len(rows), len(names)),
        is_on=non_dominated(signs * values[rows]),
    )


def _recorded(record: SearchRecord) -> Sequence[str] | None:
    """The `objectives` of a search that is known by its journal."""
    told = record.arguments.get("objectives")
    return told.get("tuple") if isinstance(told, Mapping) else told


def _named(
    given: Sequence[str] | Mapping[str, str], record: SearchRecord
) -> tuple[tuple[str, ...], NDArray[Any]]:
    """Names as rows know them, and the sign of each."""
    if isinstance(given, str) or len(given) < 2:
        raise ValueError(
            f"A front needs two objectives or more, and objectives={given!r} has one. "
            f"Give some of {_known(record)}."
        )
    names, signs = [], []
    for name in given:
        known = _short(name, record)
        names.append(known)
        way = "max" if known in record.metrics else "min"
        if isinstance(given, Mapping):
            way = given[name]
        if way not in _SIGNS:
            raise ValueError(
                f"objectives={given!r} has {way!r} for {name!r}. Give 'max' where "
                "greater is better, 'min' where less is."
            )
        signs.append(_SIGNS[way])
    return tuple(names), np.array(signs)


def _known(record: SearchRecord) -> list[str]:
    numbers = [f"param_{n}" for n, kind in record.scales.items() if kind != "category"]
    return [*record.metrics, *_TIMES, *numbers]


def _short(name: str, record: SearchRecord) -> str:
    known = _known(record)
    for prefix in ("", "mean_test_", "mean_"):
        if name.startswith(prefix) and name.removeprefix(prefix) in known:
            return name.removeprefix(prefix)
    raise ValueError(
        f"objectives has {name!r}, which this search has not; it has {known}."
        + did_you_mean(name, known)
    )


def _value(row: RecordedRow, name: str) -> float:
    if name in row.scores:
        return row.mean(name)
    if name in _TIMES:
        return float(getattr(row, name))
    value = row.params.get(name.removeprefix("param_"))
    return math.nan if value is None else float(value)


def _error(row: RecordedRow, name: str) -> float:
    """Standard error over the splits; NaN of one split, and of what is no score."""
    scores = list(row.scores.get(name, {}).values())
    if len(scores) < 2:
        return math.nan
    return float(np.std(scores, ddof=1)) / math.sqrt(len(scores))


def _how_far(row: RecordedRow) -> tuple[float, ...]:
    return (row.n_resources or 0, not row.stopped, row.n_run)
