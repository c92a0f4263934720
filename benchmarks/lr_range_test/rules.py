"""Ways to read a rate from the losses of a sweep, sktune's and those of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sktune.advice._lr_curve import LRCurve, read_curve, smooth


def _read(rates: np.ndarray, losses: np.ndarray, n_rows: np.ndarray) -> LRCurve:
    return read_curve("", rates, losses, 0.6, n_rows)


def _between(rates: np.ndarray, losses: np.ndarray, n_rows: np.ndarray) -> float:
    curve = _read(rates, losses, n_rows)
    return float(np.sqrt(curve.steepest * curve.lowest / 10))


def _one_sided(rates: np.ndarray, losses: np.ndarray, weight: float) -> float:
    """The steepest point of a moving average that lags, of the first seed alone."""
    known = losses[0][np.isfinite(losses[0])]
    curve = smooth(known, weight, np.ones(len(known)))
    if len(curve) < 15:
        return float("nan")
    # The first ten and the last are left out, as others do.
    return float(rates[10 + int(np.gradient(curve[10:-1]).argmin())])


RULES = {
    "lowest / 10 (sktune)": lambda r, x, n: _read(r, x, n).suggestion,
    "the same, one seed": lambda r, x, n: _read(r, x[:1], n).suggestion,
    "steepest": lambda r, x, n: _read(r, x, n).steepest,
    "between": _between,
    "steepest, average from one end, one seed": lambda r, x, n: _one_sided(r, x, 0.98),
}


def chosen(
    rule: str, rates: Sequence[float], losses: Any, n_rows: Sequence[float]
) -> float:
    """The rate that a rule reads from sweeps, (n_seeds, n_steps); None is NaN."""
    rows = np.asarray(n_rows)
    return RULES[rule](np.asarray(rates), np.array(losses, dtype=float), rows)
