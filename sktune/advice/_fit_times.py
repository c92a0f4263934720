"""How long fits take, told from a few that were really run."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of a net these say how well it learns, and not how long it takes.
_TIMELESS = ("lr", "optimizer__", "callbacks__")
# How little a parameter is believed to matter before anything was measured.
_RIDGE = 0.3
_MOST_CATEGORIES = 4


@dataclass(frozen=True)
class Timed:
    """Units of one candidate that were run, by how much of the resource they got.

    Attributes
    ----------
    params : dict
    n_fits : int
        Of a unit.
    steps : tuple of int
        What each unit was given from where it was.
    resumes : tuple of bool
        Whether it went on.
    seconds : tuple of float
    """

    params: dict[str, Any]
    n_fits: int
    steps: tuple[int, ...]
    resumes: tuple[bool, ...]
    seconds: tuple[float, ...]

    def line(self) -> tuple[float, float, float]:
        """Seconds to begin, to go on, and for each step.

        The slope is that of the least and the most of what went the same course.
        """
        last = self.resumes[-1]
        alike = [
            (step, s)
            for step, resumes, s in zip(
                self.steps, self.resumes, self.seconds, strict=True
            )
            if resumes == last
        ]
        (a, low), (b, high) = min(alike), max(alike)
        slope = (high - low) / (b - a) if b > a else 0.0
        slope = min(max(slope, 0.0), high / b if b else 0.0)
        go_on = max(high - slope * b, 0.0)
        if not last:
            return go_on, go_on, slope
        begin = max(self.seconds[0] - slope * self.steps[0], 0.0)
        return begin, go_on, slope

    def at(self, step: float) -> float:
        """Seconds for a step, by a power law between those that were measured."""
        pairs = sorted(zip(self.steps, self.seconds, strict=True))
        x = np.log([max(1, one) for one, _ in pairs])
        y = np.log([max(1e-6, s) for _, s in pairs])
        at = math.log(max(1.0, step))
        if at <= x[-1] or len(x) < 2 or x[-1] == x[-2]:
            return float(np.exp(np.interp(at, x, y)))
        power = np.clip((y[-1] - y[-2]) / (x[-1] - x[-2]), 0.0, 3.0)
        return float(np.exp(y[-1] + power * (at - x[-1])))


class FitTimes:
    """Seconds of units, by the params and the resource.

    Parameters
    ----------
    timed : sequence of Timed
    of_net : bool
        Whether a net is trained, of which rates take no time.
    by_power : bool
        Whether time is a power of the resource, as with rows; else it is a line.
    """

    def __init__(
        self, timed: Sequence[Timed], *, of_net: bool, by_power: bool = False
    ) -> None:
        self._timed = timed
        self._features = _Features([one.params for one in timed], of_net)
        rows = [self._features.row(one.params, one.n_fits) for one in timed]
        self._by_power = by_power
        if by_power:
            most = max(max(one.steps) for one in timed)
            self._most = most
            self._regression = _Regression(rows, [one.at(most) for one in timed])
        else:
            begin, go_on, slope = np.array([one.line() for one in timed]).T
            sizes = np.array([one.n_fits for one in timed])
            self._begin = float(np.mean(begin / sizes))
            self._go_on = float(np.mean(go_on / sizes))
            slope = np.maximum(slope, 0.05 * np.median(slope))
            self._regression = _Regression(rows, list(slope))

    @property
    def spread(self) -> float:
        """How far off one candidate is, as a share."""
        return self._regression.error

    def of_mean_step(self) -> float:
        """Seconds of one more of the resource, in the mean; 0 by a power."""
        if self._by_power:
            return 0.0
        return float(np.mean([one.line()[2] for one in self._timed]))

    def seconds(
        self, params: dict[str, Any], n_fits: int, step: float, resumes: bool
    ) -> float:
        """Of one unit."""
        row = self._features.row(params, n_fits)
        if self._by_power:
            shares = [one.at(step) / one.at(self._most) for one in self._timed]
            return self._regression.of(row) * float(np.mean(shares))
        fixed = self._go_on if resumes else self._begin
        return fixed * n_fits + self._regression.of(row) * step


class RoughScores:
    """Which candidates are likely to be good, told from few scores after little.

    Where a search goes to decides on how long it takes: small batches, say, train
    longer, and score better at first.

    Parameters
    ----------
    scored : sequence of (dict, float)
        Params and scores.
    """

    def __init__(self, scored: Sequence[tuple[dict[str, Any], float]]) -> None:
        self._features = _Features([params for params, _ in scored], of_net=False)
        rows = [self._features.row(params, 1) for params, _ in scored]
        scores = np.array([score for _, score in scored])
        scale = scores.std() or 1.0
        self._line = _Ridge(rows, (scores - scores.mean()) / scale)

    def __call__(self, params: Mapping[str, Any]) -> float:
        """From about -0.1 to 0.1."""
        noise = zlib.crc32(repr(sorted(params.items(), key=str)).encode()) / 2**32 - 0.5
        value = self._line.of(self._features.row(params, 1))
        return 0.05 * float(np.clip(value, -2, 2)) + 0.05 * noise


class _Features:
    """What of the params may matter to time, as numbers."""

    def __init__(self, candidates: Sequence[dict[str, Any]], of_net: bool) -> None:
        names = sorted({name for params in candidates for name in params})
        if of_net:
            names = [n for n in names if not _is_timeless(n)]
        self._numbers: dict[str, bool] = {}
        self._categories: list[tuple[str, str]] = []
        for name in names:
            values = [params[name] for params in candidates if name in params]
            if all(_is_number(value) for value in values):
                self._numbers[name] = min(values) > 0
                continue
            labels = sorted({repr(value) for value in values})
            if len(labels) <= _MOST_CATEGORIES:
                self._categories += [(name, label) for label in labels[1:]]

    def row(self, params: Mapping[str, Any], n_fits: int) -> list[float]:
        row = [math.log(n_fits)]
        for name, is_log in self._numbers.items():
            value: Any = params.get(name)
            if not _is_number(value) or (is_log and not value > 0):
                row.append(math.nan)  # as in the mean
            else:
                row.append(math.log(value) if is_log else float(value))
        return row + [
            float(name in params and repr(params[name]) == label)
            for name, label in self._categories
        ]


class _Ridge:
    """A plane with small slopes where little was measured."""

    def __init__(self, rows: Sequence[Sequence[float]], y: NDArray[Any]) -> None:
        X: NDArray[Any] = np.array(rows, dtype=float)
        is_there = ~np.isnan(X)
        counts = np.maximum(is_there.sum(axis=0), 1)
        self._mean = np.where(is_there, X, 0).sum(axis=0) / counts
        spread = np.nan_to_num(X - self._mean).std(axis=0)
        self._scale = np.where(spread > 1e-9, spread, np.inf)
        Z = self._scaled(X)
        self._level = float(y.mean())
        gram = Z.T @ Z + _RIDGE * np.eye(Z.shape[1])
        self._slopes = np.linalg.solve(gram, Z.T @ (y - self._level))
        self.fitted = self._level + Z @ self._slopes

    def of(self, row: Sequence[float]) -> float:
        return float(self._level + self._scaled(np.array(row)) @ self._slopes)

    def _scaled(self, X: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.nan_to_num(X - self._mean) / self._scale)


class _Regression:
    """Of the logarithm of seconds, so that their mean is right."""

    def __init__(
        self, rows: Sequence[Sequence[float]], seconds: Sequence[float]
    ) -> None:
        given = np.maximum(np.asarray(seconds, dtype=float), 1e-7)
        self._line = _Ridge(rows, np.log(given))
        found = np.exp(self._line.fitted)
        self._low, self._high = given.min() / 4, given.max() * 4
        self._bias = float(given.sum() / found.sum())
        self.error = float(np.std(np.log(given / found)))

    def of(self, row: Sequence[float]) -> float:
        value = self._bias * np.exp(self._line.of(row))
        return float(np.clip(value, self._low, self._high))


def _is_timeless(name: str) -> bool:
    *_, first, last = ["", *name.split("__")]
    inner = f"{first}__"
    return last in _TIMELESS or inner in _TIMELESS or "callbacks__" in name


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return math.isfinite(float(value))
