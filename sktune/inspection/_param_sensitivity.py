"""How far each parameter may be moved from the best before the score falls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sktune.inspection._record_surrogate import is_words, surrogate_of
from sktune.inspection._search_record import RecordedRow, record_of
from sktune.inspection._surrogate_maps import encoded, grid_of, shown
from sktune.inspection._table import Table
from sktune.strategy import FittedSurrogate


def param_sensitivity(
    search: Any,
    *,
    metric: str | None = None,
    params: Sequence[str] | None = None,
    tolerance: float | None = None,
) -> Table:
    """Return how far each parameter may be moved from the best, the others held there.

    A parameter whose good values are a narrow part of what was tried has to be set with
    care, and is worth a second search around the best. One whose good values are all
    that was tried may be left alone.

    Parameters
    ----------
    search : fitted search, or path of a journal
        Any search with scikit-learn's ``cv_results_``; a journal may still grow.
    metric : str, default=None
        The metric of the scores, where `scoring` has several; by default the one that
        `refit` names.
    params : sequence of str, default=None
        The parameters; by default the four that matter most.
    tolerance : float, default=None
        By how much the expected score may be below that of the best. None is the
        standard error of the best candidate's mean over its splits, and with one split
        the standard deviation of the surrogate there.

    Returns
    -------
    table : Table
        A list with a dict for each parameter, the most sensitive first: `param`, its
        value in the `best` candidate, `low` and `high`, between which the expected
        score stays within the tolerance (of words, `low` is a list of those that do,
        and `high` is None), the `share` of what was tried that this is, on the scale on
        which it was searched, and `fall`, by how much the expected score is lower at
        the worst value that was tried, with its standard deviation, `std`. Prints as a
        table.

    Raises
    ------
    ValueError
        Where fewer than two candidates have a score, where one value was tried of each
        parameter, and for a tolerance below 0.

    See Also
    --------
    param_importances : Over the whole space, and with what parameters do together.
    SurrogateDisplay : The same slices as a picture.

    Notes
    -----
    One parameter is moved at a time, along the Gaussian process that is fitted to all
    scores. Where two have to be moved together, as a learning rate with a batch size,
    each by itself looks more sensitive than both are.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import param_sensitivity
    >>> grid = {"C": [0.001, 0.01, 0.1, 1, 10], "shrinking": [True, False]}
    >>> search = GridSearchCV(SVC(), grid).fit(*load_iris(return_X_y=True))
    >>> [row["param"] for row in param_sensitivity(search)]
    ['C', 'shrinking']
    """
    if tolerance is not None and not tolerance >= 0:
        raise ValueError(f"tolerance={tolerance!r} must be a number of at least 0.")
    record = record_of(search, metric)
    surrogate = surrogate_of(record)
    best = record.rows[record.best or 0]
    if tolerance is None:
        tolerance = _standard_error(best, record.metric, surrogate)
    rows = []
    for name in shown(record, best.params, params):
        values = grid_of(record, name)
        is_word = is_words(values, record.scales[name])
        at = best.params[name]
        if not is_word:
            values = sorted({*values, float(at)})
        points = [{**best.params, name: value} for value in values]
        found = surrogate.predict(encoded(surrogate.space, points))
        where = None if is_word else _places(values, record.scales[name])
        told = _slice(values, at, found, tolerance, where)
        rows.append({"param": name, "best": at, **told})
    return Table(sorted(rows, key=lambda row: (row["share"], -row["fall"])))


def _standard_error(
    best: RecordedRow, metric: str, surrogate: FittedSurrogate
) -> float:
    scores = list(best.scores.get(metric, {}).values())
    if len(scores) > 1:
        return float(np.std(scores, ddof=1) / math.sqrt(len(scores)))
    _, low, high = surrogate.predict(encoded(surrogate.space, [best.params]))
    return float(high[0] - low[0]) / 2


def _places(values: list[Any], kind: str) -> NDArray[np.float64]:
    """Numbers on the scale on which they were searched."""
    numbers = np.asarray(values, dtype=float)
    return np.log(numbers) if kind == "log" else numbers


def _slice(
    values: list[Any],
    at: Any,
    found: tuple[NDArray[np.float64], ...],
    tolerance: float,
    places: NDArray[np.float64] | None,
) -> dict[str, Any]:
    """Where the expected score stays near that of the best, and where it is worst.

    Words have no `places`.
    """
    mean, below, above = found
    # A truth value equals a number, and is another value.
    here = [type(v) is type(at) and v == at for v in values]
    place = here.index(True) if any(here) else values.index(float(at))
    is_good = mean >= mean[place] - tolerance
    worst = int(mean.argmin())
    told = {
        "fall": float(mean[place] - mean[worst]),
        "std": float(above[worst] - below[worst]) / 2,
    }
    if places is None:
        good = [value for value, yes in zip(values, is_good, strict=True) if yes]
        return {"low": good, "high": None, "share": len(good) / len(values), **told}
    first = last = place
    while first > 0 and is_good[first - 1]:
        first -= 1
    while last + 1 < len(values) and is_good[last + 1]:
        last += 1
    share = float((places[last] - places[first]) / (places[-1] - places[0]))
    return {"low": values[first], "high": values[last], "share": share, **told}
