"""Params as numbers, for what the seconds of a fit may depend on."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The logarithm of seconds goes with that of these, by about so much: 1 is in
# proportion. Small batches take longer, if not in inverse proportion.
_SLOPES = {
    "batch_size": -0.6,
    "epochs": 1.0,
    "max_epochs": 1.0,
    "max_iter": 0.7,
    "n_estimators": 1.0,
}
# By how much these may be otherwise; and what a standard deviation of any other param,
# or a category, may do to the logarithm of seconds.
_SD_OF_SLOPE, _SD = 0.3, 0.1
_MOST_CATEGORIES = 20
# From so many such columns on, each is expected to do less.
_FEW = 4


class ParamColumns:
    """Numbers and their logarithms, and an indicator for each category.

    Parameters
    ----------
    candidates : sequence of dict
        Those that will be run, or some like them. A param that has one value in all of
        them has no column. They need not have the same params.

    Attributes
    ----------
    slopes, sd : ndarray of shape (n_columns,)
        How the logarithm of seconds is expected to go with each column before any fit
        has been seen, and by how much that may be otherwise.
    """

    def __init__(self, candidates: Sequence[Mapping[str, Any]]) -> None:
        # By name: the column, whether it is of logarithms, their mean and their unit.
        self._numbers: dict[str, tuple[int, bool, float, float]] = {}
        self._categories: dict[str, dict[str, int]] = {}
        values: dict[str, list[Any]] = defaultdict(list)
        for params in candidates:
            for name, value in params.items():
                values[name].append(value)
        priors: list[tuple[float, float]] = []
        for name, given in values.items():
            place = self._place_numbers if all(map(_is_number, given)) else self._place
            priors += place(name, given, len(priors))
        self.slopes, self.sd = np.array(priors, dtype=float).reshape(-1, 2).T
        # Of many few matter.
        is_other = self.sd == _SD
        self.sd[is_other] *= min(1.0, math.sqrt(_FEW / max(1, is_other.sum())))

    def _place_numbers(
        self, name: str, given: list[Any], column: int
    ) -> list[tuple[float, float]]:
        is_log = min(given) > 0
        x = np.array([_number(value, is_log) for value in given])
        with np.errstate(over="ignore", invalid="ignore"):
            spread = float(x.std())
        if not 1e-9 * float(np.abs(x).max()) < spread < math.inf:
            return []
        slope = _SLOPES.get(name.rpartition("__")[2]) if is_log else None
        unit = spread if slope is None else 1.0
        self._numbers[name] = column, is_log, float(x.mean()), unit
        return [(0.0, _SD) if slope is None else (slope, _SD_OF_SLOPE)]

    def _place(
        self, name: str, given: list[Any], column: int
    ) -> list[tuple[float, float]]:
        kinds = dict.fromkeys(map(_kind, given))
        if not 1 < len(kinds) <= _MOST_CATEGORIES:
            return []
        self._categories[name] = {kind: column + i for i, kind in enumerate(kinds)}
        return [(0.0, _SD)] * len(kinds)

    def row(self, params: Mapping[str, Any]) -> Floats:
        """The columns of a candidate; 0 where it is as in the middle, or has none."""
        row = np.zeros(len(self.slopes))
        for name, (column, is_log, mean, unit) in self._numbers.items():
            value: Any = params.get(name)
            if _is_number(value) and (not is_log or value > 0):
                row[column] = (_number(value, is_log) - mean) / unit
        for name, columns in self._categories.items():
            if name in params and (kind := _kind(params[name])) in columns:
                row[columns[kind]] = 1.0
        return row


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return False
    try:
        return math.isfinite(value)
    except (OverflowError, TypeError):  # no float can hold it, or it is complex
        return False


def _number(value: Any, is_log: bool) -> float:
    return math.log(value) if is_log else float(value)


def _kind(value: Any) -> str:
    """Its name; of an object, that of its class, for it may be long to print."""
    if value is None or isinstance(value, str | bool | tuple | np.generic):
        return repr(value)
    return getattr(value, "__name__", None) or type(value).__name__
