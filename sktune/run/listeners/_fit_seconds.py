"""How long fits take, learnt from those that are done."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sktune.run.listeners._param_columns import Floats, ParamColumns

# What params do not tell of the logarithm of seconds; as if so many candidates said it.
_NOISE, _LEAST_NOISE, _N_NOISE = 0.15, 0.03, 4
_N_ITER = 6
# Fits that slopes are learnt from, the latest, and by which share they have to grow.
_LATEST, _GROWTH = 400, 1.05
# What a fit needs whatever it is given, in units of that: so likely is each, and the
# less, the more seconds it would be.
_SET_UP = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
_LIKELY = np.log([2.0, 1.0, 1.0, 1.0, 0.5, 0.25, 0.125])
_SECONDS_OF_SET_UP = 0.05
# By how much the logarithm of seconds is otherwise by chance, for one candidate.
_SD_OF_A_STEP, _MOST_CANDIDATES = 0.25, 4


class FitSeconds:
    """Seconds of a fit by what it is given, and by the params of its candidate.

    The logarithm of seconds is a sum over params, whose slopes are shrunken toward what
    is expected of them, each the less the more plainly it matters [1]_. Beyond that
    fits that are given as much take what such have taken; others as much less or more
    as follows from a part that is the same for all and a part in proportion.

    Parameters
    ----------
    candidates : sequence of dict
        Those that will be run, or some like them.

    Attributes
    ----------
    n_learnt : int
        How many times slopes were learnt.

    References
    ----------
    .. [1] M. Tipping, "Sparse Bayesian learning and the relevance vector machine",
       JMLR 1, 2001.
    """

    def __init__(self, candidates: Sequence[Mapping[str, Any]] = ()) -> None:
        self._columns = ParamColumns(candidates)
        self._slopes = self._columns.slopes
        self._steps: list[float] = []
        self._rows: list[Floats] = []
        self._numbers: list[tuple[float, float]] = []  # seconds and weights
        self._n_at_last = 0
        self.n_learnt = 0
        # By step: candidates, their seconds, and what params say of these.
        self._sums: dict[float, Floats] = {}
        self._shares: Floats | None = None

    def __len__(self) -> int:
        return len(self._steps)

    def row(self, params: Mapping[str, Any]) -> Floats:
        """The params of a candidate as numbers."""
        return self._columns.row(params)

    def factors(self, rows: Floats) -> Any:
        """How many times as long as in the middle fits of some params take."""
        factors: Any = np.exp(np.clip(rows @ self._slopes, -20.0, 20.0))
        return factors

    def add(self, step: float, row: Floats, seconds: float, weight: float) -> None:
        """A fit that was given `step` took so long; it is part of a candidate."""
        seconds = max(seconds, 1e-6)
        self._steps.append(step)
        self._rows.append(row)
        self._numbers.append((seconds, weight))
        self._shares = None
        if len(self._slopes) and len(self) > _GROWTH * self._n_at_last:
            self._learn()
            return
        factor = float(self.factors(row))
        one = weight * np.array([1.0, seconds, factor])
        self._sums[step] = self._sums.get(step, 0.0) + one

    def of(self, step: float, factor: float | None = None) -> float | None:
        """Of one fit; `factor` is that of its params, None if these are not known."""
        if not self._sums:
            return None
        if not step:
            return 0.0
        nearest = min(self._sums, key=lambda other: abs(math.log(other / step)))
        n, seconds, factors = self._sums[nearest].tolist()
        if factor is None:
            seconds /= n
        else:
            seconds *= factor / factors
        return float(seconds * self._ratio(step, nearest))

    def _ratio(self, step: float, other: float) -> float:
        """How many times as long as one that is given `other` a fit takes."""
        if step == other:
            return 1.0
        if self._shares is None:
            self._shares = self._shares_of_set_up()
        return float(self._shares @ ((step + _SET_UP) / (other + _SET_UP)))

    def _shares_of_set_up(self) -> Floats:
        """How likely each is, now that fits of some steps have been seen."""
        n, seconds, factors = np.array(list(self._sums.values())).T
        weights = np.minimum(n, _MOST_CANDIDATES) / _SD_OF_A_STEP**2
        expected = np.log(np.array(list(self._sums)) + _SET_UP[:, None])
        beyond = np.log(seconds / factors) - expected
        beyond -= (beyond @ weights / weights.sum())[:, None]
        set_up = seconds[0] / n[0] * _SET_UP / (next(iter(self._sums)) + _SET_UP)
        likely = _LIKELY - np.log1p(set_up / _SECONDS_OF_SET_UP)
        likely -= beyond**2 @ weights / 2
        shares: Floats = np.exp(likely - likely.max())
        return shares / shares.sum()

    def _learn(self) -> None:
        self._n_at_last = len(self)
        self.n_learnt += 1
        rows = np.array(self._rows[-_LATEST:])
        seconds, weights = np.array(self._numbers[-_LATEST:]).T
        steps = np.array(self._steps[-_LATEST:])
        expected = self._columns.slopes
        beyond, x = np.log(seconds) - rows @ expected, rows.copy()
        each = [steps == step for step in np.unique(steps)]
        for of_step in each:
            w = weights[of_step] / weights[of_step].sum()
            x[of_step] -= w @ x[of_step]
            beyond[of_step] -= w @ beyond[of_step]
        n = max(0.0, float(weights.sum()) - len(each))
        slopes = _shrunken(x, beyond, weights, n, self._columns.sd)
        self._slopes = expected + slopes
        sums = weights * np.array([np.ones(len(x)), seconds, self.factors(rows)])
        self._sums = {float(steps[one][0]): sums[:, one].sum(axis=1) for one in each}


def _shrunken(x: Floats, y: Floats, weights: Floats, n: float, sd: Floats) -> Floats:
    """Slopes toward 0, each by its own variance, which is learnt as well."""
    xx, xy, yy = (x.T * weights) @ x, x.T @ (weights * y), float(weights @ (y * y))
    variances, noise = sd**2, _NOISE**2
    slopes = np.zeros(len(sd))
    for _ in range(_N_ITER):
        covariance = np.linalg.inv(xx / noise + np.diag(1 / variances))
        slopes = covariance @ xy / noise
        rest = max(0.0, float(yy - 2 * slopes @ xy + slopes @ xx @ slopes))
        noise = max(_LEAST_NOISE**2, (_N_NOISE * _NOISE**2 + rest) / (_N_NOISE + n))
        variances = (2 * sd**2 + slopes**2 + np.diag(covariance)) / 3
    return slopes
