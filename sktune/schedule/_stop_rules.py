"""When a fit may end early, by its learning curve and those of earlier candidates.

Curves are of one split, greater is better, and a rule sees how many values there are
and never a clock: one for each epoch, or for each point of a grid of epochs that all
candidates share.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from statistics import median
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sktune._types import StopRule

Values = NDArray[np.float64]

N_BEST = 3  # values of a curve whose mean is its level
PROJECTED = 3.0  # how many times what was gained lately is still expected
RATIO = 1.3  # of a point at which Growth decides to the one before
N_RANKED = 2  # as many must be above before a fit is stopped
TOP = 0.07  # a fit within the noise of this share goes on
N_NOISE = 5  # finished curves that tell of the noise, the best ones


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """What an earlier candidate scored on the split, epoch by epoch.

    Attributes
    ----------
    values : tuple of float
        Greater is better; NaN and infinities where there was no score.
    finished : bool
        Whether it was trained to its end, and not stopped by a rule.
    """

    values: tuple[float, ...]
    finished: bool


class EarlyStopping(Protocol):
    """Makes the rule of each fit from what is known when it starts."""

    def rule(self, curves: Sequence[LearningCurve]) -> StopRule | None:
        """Rule for a fit that starts now; None: it is trained to its end.

        Parameters
        ----------
        curves : sequence of LearningCurve
            Of earlier candidates on the same split, in the order of their ids.
        """


class Floor(NamedTuple):
    """What a curve of a length must come to, in one of two measures."""

    n_values: int
    level: float
    projection: float


@dataclass(frozen=True, slots=True)
class BelowFloors:
    """Stop where a curve is below both floors, or has no finite score.

    Attributes
    ----------
    floors : tuple of Floor
        In the order of their lengths; between these nothing is decided.
    """

    floors: tuple[Floor, ...]

    def __call__(self, curve: Sequence[float]) -> bool:
        """Whether to stop after the epochs whose values are in the curve."""
        for floor in self.floors:
            if floor.n_values == len(curve):
                (level,), (projection,) = _measures(_floats(curve)[None])
                return not math.isfinite(curve[-1]) or bool(
                    level < floor.level and projection < floor.projection
                )
        return False


@dataclass(frozen=True, slots=True)
class Growth:
    """Stop what neither is nor grows among the best at its epoch.

    A curve has a level, the mean of its three best values so far, and a projection: its
    best value plus three times what that has gained over the last quarter of its
    epochs. At a few epochs, each 1.3 times the one before, a fit is stopped if both are
    below those of a share `keep` of the candidates that came as far, a share that
    shrinks from epoch to epoch, and of two at least. What is within the noise of the
    best goes on, too; that is read off the ends of the best finished curves. Ranks are
    not moved by scores that explode, and need no scale.

    Parameters
    ----------
    keep : float, default=0.65
        Share of the candidates that may be above a fit which goes on, at the first
        decision; it shrinks by a factor of e over a whole training. More trains longer
        and loses less.
    grace : float, default=0.1
        Share of a whole training before which nothing is decided.
    noise : float, default=6.0
        How far below the best a fit may be and go on, in mean steps from one epoch to
        the next at the end of finished curves.

    Notes
    -----
    A whole training is as long as the longest finished curve. A finished curve that is
    shorter counts as if it had stayed where it ended.

    Examples
    --------
    >>> from sktune.schedule import Growth, LearningCurve
    >>> curve = tuple(0.5 + 0.03 * epoch for epoch in range(10))
    >>> rule = Growth().rule([LearningCurve(curve, finished=True)] * 9)
    >>> rule((0.1, 0.1, 0.1)), rule((0.5, 0.53, 0.55))
    (True, False)
    """

    keep: float = 0.65
    grace: float = 0.1
    noise: float = 6.0

    def __post_init__(self) -> None:
        _check("keep", self.keep, 0.0, 1.0)
        _check("grace", self.grace, 0.0, 1.0)
        _check("noise", self.noise, 0.0, math.inf)

    def rule(self, curves: Sequence[LearningCurve]) -> StopRule | None:
        """As of `EarlyStopping`; None until a candidate has finished."""
        finished = [_floats(c.values) for c in curves if c.finished and c.values]
        if not finished:
            return None
        length = max(map(len, finished))
        noise = self.noise * _noise(finished)
        lengths = [length if c.finished else len(c.values) for c in curves if c.values]
        table = np.array([_filled(c, length) for c in curves if c.values])
        floors = []
        for n in self._points(length):
            keep = self.keep * math.exp(self.grace - n / length)
            measures = _measures(table[np.array(lengths) >= n, :n])
            level, projection = (_floor(each, keep, noise) for each in measures)
            floors.append(Floor(n, level, projection))
        return BelowFloors(tuple(floors))

    def _points(self, length: int) -> list[int]:
        """Lengths of a curve at which it is decided."""
        points, point = set(), max(1.0, self.grace * length)
        while round(point) < length:
            points.add(round(point))
            point *= RATIO
        return sorted(points)


def _check(name: str, value: Any, least: float, most: float) -> None:
    if not isinstance(value, Real) or not least <= float(value) <= most:
        raise ValueError(f"{name}={value!r} must be from {least:g} to {most:g}.")


def _floats(values: Sequence[float]) -> Values:
    """An array in which no score is the least there is."""
    array = np.asarray(values, dtype=float)
    return np.where(np.isfinite(array), array, -np.inf)


def _filled(curve: LearningCurve, length: int) -> Values:
    """A curve of that length: one that is shorter stays where it ended."""
    values = _floats(curve.values[:length])
    return np.pad(values, (0, length - len(values)), mode="edge")


def _measures(table: Values) -> tuple[Values, Values]:
    """Levels and projections of curves of one length."""
    n = table.shape[1]
    n_best = min(n, N_BEST)
    levels = (np.sort(table, axis=1)[:, -n_best:] / n_best).sum(axis=1)
    best = table.max(axis=1)
    before = table[:, : n - max(1, n // 4)].max(axis=1, initial=-np.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        gained = PROJECTED * (best - before)
        return levels, best + np.where(np.isfinite(gained), gained, 0.0)


def _floor(measures: Values, keep: float, noise: float) -> float:
    """The least with fewer than a share above it, or within the noise of the best."""
    descending = -np.sort(-measures)
    rank = _rank(descending, keep, N_RANKED)
    if rank > len(descending):
        return -math.inf
    top = descending[_rank(descending, TOP, 1) - 1]
    with np.errstate(over="ignore"):  # a score may be the least that there is
        return float(min(descending[rank - 1], top - noise))


def _rank(values: Values, share: float, least: int) -> int:
    return max(least, math.ceil(share * (len(values) + 1)))


def _noise(finished: Sequence[Values]) -> float:
    """Mean step of a curve in its last third, in the median over the best."""
    best = sorted(finished, key=lambda values: -values[-1])[:N_NOISE]
    steps = [_step(values) for values in best if math.isfinite(values[-1])]
    noise = median(steps) if steps else 0.0
    return noise if math.isfinite(noise) else 0.0


def _step(values: Values) -> float:
    last = values[len(values) * 2 // 3 :]
    last = last[np.isfinite(last)]
    with np.errstate(over="ignore"):
        return float(np.abs(np.diff(last)).mean()) if len(last) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class BelowAtEpoch:
    """Stop where the last score is below the one that is asked of its epoch, or is NaN.

    Attributes
    ----------
    least : tuple of float
        Of each epoch from the first on; -inf where nothing is asked.
    """

    least: tuple[float, ...]

    def __call__(self, curve: Sequence[float]) -> bool:
        """Whether to stop after the epochs whose values are in the curve."""
        if not 0 < len(curve) <= len(self.least):
            return False
        least = self.least[len(curve) - 1]
        return least > -math.inf and not curve[-1] >= least


@dataclass(frozen=True, slots=True)
class Percentile:
    """Stop a fit whose score is below a percentile of the scores at its epoch.

    Those of all candidates that came as far. The median rule is `Percentile(50)`.

    Parameters
    ----------
    q : float, default=50
        Greater is stricter: at 100 only what is as good as the best goes on.
    grace : int, default=3
        Epochs that every fit is given.
    n_curves : int, default=5
        Candidates that must have come as far.
    """

    q: float = 50.0
    grace: int = 3
    n_curves: int = 5

    def __post_init__(self) -> None:
        _check("q", self.q, 0.0, 100.0)
        _check("grace", self.grace, 0, math.inf)
        _check("n_curves", self.n_curves, 1, math.inf)

    def rule(self, curves: Sequence[LearningCurve]) -> StopRule | None:
        """As of `EarlyStopping`; None until enough candidates are there."""
        every = [_floats(curve.values) for curve in curves]
        lengths = sorted((len(values) for values in every), reverse=True)
        if len(lengths) < self.n_curves:
            return None
        n_epochs = lengths[self.n_curves - 1]
        least = [-math.inf] * min(self.grace, n_epochs)
        for n in range(len(least), n_epochs):
            scores = sorted(float(values[n]) for values in every if len(values) > n)
            rank = math.ceil(self.q / 100 * len(scores))
            least.append(scores[max(rank, 1) - 1])
        return BelowAtEpoch(tuple(least))


@dataclass(frozen=True, slots=True)
class Patience:
    """Stop a fit that has not bettered its best score for some epochs.

    Parameters
    ----------
    n_epochs : int, default=5
        Epochs without a better score after which a fit is stopped.
    min_delta : float, default=0.0
        By how much a score must be better.
    """

    n_epochs: int = 5
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        _check("n_epochs", self.n_epochs, 1, math.inf)
        _check("min_delta", self.min_delta, 0.0, math.inf)

    def __call__(self, curve: Sequence[float]) -> bool:
        """Whether to stop after the epochs whose values are in the curve."""
        best, since = -math.inf, 0
        for value in curve:
            if value > best + self.min_delta:
                best, since = value, 0
            else:
                since += 1
        return since >= self.n_epochs
