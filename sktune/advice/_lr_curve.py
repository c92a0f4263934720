"""The losses of one net over all rates, smoothed and read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
# A fall of the loss that is smaller than its own noise is none: this many times.
CLEAR = 3.0
# Nor is one that may be rounding, of numbers with seven digits.
ROUNDING = 1e-5


@dataclass(frozen=True)
class LRCurve:
    """One net, swept over all rates.

    Attributes
    ----------
    label : str
        What was set in it.
    losses : ndarray of shape (n_seeds, n_steps)
        Training loss of each batch; NaN from where the loss exploded.
    n_rows : ndarray of shape (n_batches,)
        Rows of each batch, as far as the longest sweep went.
    smoothed : ndarray of shape (n_steps,)
        Mean over the seeds, as far as all of them come, smoothed.
    steepest : float
        Rate at which the loss falls fastest; NaN where it never falls.
    lowest : float
        Rate at which the loss is lowest; NaN where it never falls.
    factor : float
        How sure that is: single seeds have their lowest loss at the same rate, times or
        by this (one standard deviation).
    begins_late : bool
        Whether the loss falls from the first rate on.
    """

    label: str
    losses: Floats
    n_rows: Floats
    smoothed: Floats
    steepest: float
    lowest: float
    factor: float
    begins_late: bool = False

    @property
    def suggestion(self) -> float:
        """A tenth of the rate at which the loss is lowest; NaN where it never falls."""
        return self.lowest / 10


class Average:
    """A moving average, corrected for its bias at the beginning."""

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self._sum = self._total = 0.0

    def add(self, value: float, n_rows: float) -> float:
        """The last batch of an epoch may have few rows, and its loss says less."""
        self._sum = self._weight * self._sum + n_rows * value
        self._total = self._weight * self._total + n_rows
        return self.value

    @property
    def value(self) -> float:
        return self._sum / self._total


def smooth(losses: Floats, weight: float, n_rows: Floats) -> Floats:
    """Moving average of one sweep, (n_steps,), by the rows of each batch."""
    average = Average(weight)
    pairs = zip(losses, n_rows, strict=True)
    return np.array([average.add(float(loss), float(n)) for loss, n in pairs])


def both_ways(losses: Floats, weight: float, n_rows: Floats) -> Floats:
    """Moving average from both ends, which does not lag; of one sweep, without NaN."""
    back = smooth(losses[::-1], weight, n_rows[::-1])[::-1]
    return (smooth(losses, weight, n_rows) + back) / 2


def read_curve(
    label: str,
    rates: Floats,
    losses: Floats,
    smoothing: float,
    n_rows: Floats,
) -> LRCurve:
    """What the sweeps of some seeds, (n_seeds, n_steps), say together.

    Sweeps have the same batches, of `n_rows`, and differ in where they end.
    """
    n = int(np.isfinite(losses).sum(axis=1).min())
    mean = losses[:, :n].mean(axis=0)
    smoothed = np.full(len(rates), np.nan)
    smoothed[:n] = both_ways(mean, smoothing, n_rows[:n])
    known = [one[np.isfinite(one)] for one in losses]
    alone = [both_ways(one, smoothing, n_rows[: len(one)]) for one in known]
    steepest, lowest, begin = _read(rates, mean, smoothed[:n], n_rows)
    places = [np.log(rates[one.argmin()]) for one in alone if one.size]
    factor = float(np.exp(np.std(places))) if math.isfinite(lowest) else math.nan
    is_late = begin < len(rates) // 20
    return LRCurve(label, losses, n_rows, smoothed, steepest, lowest, factor, is_late)


def _read(
    rates: Floats, mean: Floats, curve: Floats, n_rows: Floats
) -> tuple[float, float, int]:
    """The steepest rate, the lowest, and the step from which on the loss falls."""
    nothing = math.nan, math.nan, len(rates)
    if len(curve) < 5:
        return nothing
    lowest = int(curve.argmin())
    n_first = max(3, len(curve) // 10)
    start = float(np.median(curve[:n_first]))
    # What goes up and down before anything is learnt does so by chance. A batch of few
    # rows does so more than others.
    apart = (mean - curve)[: max(5, len(curve) // 3)]
    share = np.sqrt(n_rows[: len(apart)] / n_rows.max())
    noise = max(float(np.std(apart * share)), ROUNDING * abs(start))
    fall = start - curve[lowest]
    if fall <= CLEAR * noise:
        return nothing
    above = curve[: lowest + 1] > start - 0.1 * fall
    begin = int(np.flatnonzero(above)[-1]) if above.any() else 0
    slopes = np.gradient(curve, np.log(rates[: len(curve)]))[begin : lowest + 1]
    return float(rates[begin + slopes.argmin()]), float(rates[lowest]), begin
