"""The surrogate of searches that freeze and thaw: what curves end at.

A Gaussian process over params and resource, see `_curve_regression.py`. It says of a
new candidate what it would score at the largest resource, and of one that was trained
in part what it will, which is more: its own curve tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sktune.strategy._arrays import Array
from sktune.strategy._curve_regression import (
    CurveLikelihood,
    CurvePosterior,
    Curves,
    left_to_train,
)
from sktune.strategy._gaussian_process import GaussianProcessAcquisition, _subset
from sktune.strategy._maximize import is_same
from sktune.strategy._observations import EncodedObservation, in_order
from sktune.strategy._surrogate import SurrogateInput, SurrogateOutput, first_distinct
from sktune.strategy._warp import blend

MAX_POINTS = 400  # of curves that the posterior is given
MAX_CANDIDATES = 250  # that these are of
MAX_FITTED = 100  # points that hyperparameters are fitted to
GROWTH = 1.2  # they are fitted again when there are so many times as many points
FIRST_FIT = 8
MIN_SCORES = 2
EXPLORING = 2  # of so many candidates, one is spread evenly


@dataclass(frozen=True, slots=True)
class CurveAcquisition(GaussianProcessAcquisition):
    """The acquisition of new candidates, at points (m, d), and of observed ones.

    `rows` says where the posterior has each candidate that it knows.
    """

    rows: Mapping[int, int] = field(default_factory=dict)

    def of_candidates(self, candidates: Sequence[int]) -> list[float]:
        """Of candidates that were observed; -inf where nothing is known any more."""
        assert isinstance(self.posterior, CurvePosterior)
        known = [c for c in candidates if c in self.rows]
        rows = np.array([self.rows[c] for c in known], dtype=np.intp)
        mean, variance = self.posterior.of_candidates(rows)
        values = self.formula(mean, np.sqrt(variance), self.best)[0]
        found = dict(zip(known, values.tolist(), strict=True))
        return [found.get(candidate, -math.inf) for candidate in candidates]


def explores(candidate: int) -> bool:
    """Whether a candidate is spread evenly, whatever the surrogate knows.

    Curves that are all on a plateau say nothing of what leads off it, and those that
    have left it are few. One more that is trained a little costs next to nothing.
    """
    return candidate % EXPLORING == EXPLORING - 1


def learning_curves(data: SurrogateInput) -> SurrogateOutput:
    """The acquisition at the largest resource, and the points expected to be best."""
    observations = _told_apart(data.observations)
    chosen = _most_telling(observations)
    table = _Table.of(data, chosen)
    theta = _theta(data, observations)
    posterior = _posterior(theta, table.curves)
    if len(data.pending):
        table = table.with_pending(data, posterior)
        posterior = _posterior(theta, table.curves)
    everyone = np.arange(len(table.points))
    mean, _ = posterior.of_candidates(everyone)
    judged = np.flatnonzero(table.complete) if table.complete.any() else everyone
    acquisition = CurveAcquisition(
        data.space,
        posterior,
        data.formula,
        float(mean[judged].max()),
        rows=table.rows,
    )
    best_first = np.argsort(-mean, kind="stable")
    return acquisition, first_distinct(table.points[best_first])


def _told_apart(seen: Sequence[EncodedObservation]) -> list[EncodedObservation]:
    """Observations in which those of other searches are of candidates of their own."""
    return [
        replace(one, candidate=-1 - i) if one.source else one
        for i, one in enumerate(seen)
    ]


@dataclass(frozen=True, slots=True)
class _Table:
    """Points of curves, as the regression takes them.

    Attributes
    ----------
    points : ndarray of shape (c, d)
        Of the candidates.
    complete : ndarray of shape (c,), bool
        Whether they have a score at the largest resource, or are expected to have one.
    """

    curves: Curves
    points: Array
    rows: Mapping[int, int]
    complete: Array

    @classmethod
    def of(cls, data: SurrogateInput, seen: Sequence[EncodedObservation]) -> _Table:
        rows: dict[int, int] = {}
        for one in seen:
            rows.setdefault(one.candidate, len(rows))
        by_candidate = {one.candidate: one.point for one in seen}
        points = np.array([by_candidate[candidate] for candidate in rows])
        points = points.reshape(-1, data.space.n_dims)
        which = np.array([rows[one.candidate] for one in seen], dtype=np.intp)
        curves = Curves(
            data.space.features(points),
            data.space.groups,
            data.space.n_dims,
            which,
            _left(data, seen),
            _warped(seen),
        )
        scored = np.array([not one.failed for one in seen], dtype=bool)
        complete = np.zeros(len(points), dtype=bool)
        complete[which[(curves.u == 0.0) & scored]] = True
        return cls(curves, points, rows, complete)

    def with_pending(self, data: SurrogateInput, posterior: CurvePosterior) -> _Table:
        """One in which pending candidates have come to the score expected of them."""
        points, curves, complete = self.points, self.curves, self.complete.copy()
        which, y = list(curves.which), list(curves.y)
        for point in data.pending:
            same = [i for i, other in enumerate(points) if is_same(other, point)]
            if same:
                row = same[0]
                mean, _ = posterior.of_candidates(np.array([row]))
            else:
                row = len(points)
                points = np.concatenate([points, point[None]])
                complete = np.append(complete, False)
                mean, _ = posterior.predict(data.space.features(point[None]))
            complete[row] = True
            which.append(row)
            y.append(float(mean[0]))
        expecting = Curves(
            data.space.features(points),
            curves.groups,
            curves.n_dims,
            np.array(which, dtype=np.intp),
            np.concatenate([curves.u, np.zeros(len(data.pending))]),
            np.array(y),
        )
        return _Table(expecting, points, self.rows, complete)


def _left(data: SurrogateInput, seen: Sequence[EncodedObservation]) -> Array:
    largest = data.max_resources or 1
    resources = np.array([one.n_resources or largest for one in seen])
    return left_to_train(resources, largest)


def _warped(seen: Sequence[EncodedObservation]) -> Array:
    """What the process is told: a failure being as bad as the worst of the others."""
    scored = np.array([not one.failed for one in seen], dtype=bool)
    y = np.empty(len(seen))
    y[scored] = blend(np.array([one.score for one in seen if not one.failed]))
    y[~scored] = y[scored].min()
    return y


def _most_telling(seen: list[EncodedObservation]) -> list[EncodedObservation]:
    """All points, or as many as the regression can bear.

    Of candidates the better half of what is allowed, by their latest scores, and the
    newest of the rest. Of each of them the last point, and of the best of them the
    whole curve.
    """
    curves: dict[int, list[EncodedObservation]] = {}
    for one in seen:  # by candidate and resource
        curves.setdefault(one.candidate, []).append(one)

    def rank(candidate: int) -> float:
        score = curves[candidate][-1].score
        return math.inf if score is None else -score

    best_first = sorted(curves, key=rank)
    if len(curves) > MAX_CANDIDATES:
        half = MAX_CANDIDATES // 2
        newest = sorted(best_first[half:])[half - MAX_CANDIDATES :]
        kept = {*best_first[:half], *newest}
        best_first = [candidate for candidate in best_first if candidate in kept]
    room = MAX_POINTS - len(best_first)
    chosen = []
    for candidate in best_first:
        curve = curves[candidate]
        whole = len(curve) - 1 <= room
        chosen += curve if whole else curve[-1:]
        room -= len(curve) - 1 if whole else 0
    return in_order(chosen)


def _theta(data: SurrogateInput, seen: Sequence[EncodedObservation]) -> Array:
    """Hyperparameters, fitted to what had been told when there was a fit last.

    They follow from these observations only, however often they are needed.
    """
    n = last = min(FIRST_FIT, len(seen))
    while n <= len(seen):
        last, n = n, max(n + 1, int(GROWTH * n))
    told = sorted(seen, key=lambda one: one.told)[:last]
    told = [one for one in told if not one.failed]
    if len(told) < MIN_SCORES:
        told = [one for one in seen if not one.failed]
    curves = _Table.of(data, told).curves
    chosen = _subset(curves.y, MAX_FITTED)
    fitted = replace(
        curves, which=curves.which[chosen], u=curves.u[chosen], y=curves.y[chosen]
    )
    return _fitted(_content(fitted))


# -- computed once for equal contents ------------------------------------------------


class _Content(NamedTuple):
    """Curves as something that can be looked up."""

    arrays: tuple[bytes, ...]
    groups: tuple[int, ...]
    n_dims: int
    n_candidates: int

    def curves(self) -> Curves:
        F, u, y = (np.frombuffer(self.arrays[i]) for i in (0, 2, 3))
        which = np.frombuffer(self.arrays[1], dtype=np.intp)
        F = F.reshape(self.n_candidates, len(self.groups))
        return Curves(F, np.array(self.groups, np.intp), self.n_dims, which, u, y)


def _content(curves: Curves) -> _Content:
    arrays = (curves.F, curves.which, curves.u, curves.y)
    groups = tuple(int(group) for group in curves.groups)
    content = tuple(array.tobytes() for array in arrays)
    return _Content(content, groups, curves.n_dims, len(curves.F))


@lru_cache(maxsize=4)
def _fitted(content: _Content) -> Array:
    return CurveLikelihood.of(content.curves()).maximise()


@lru_cache(maxsize=4)
def _posterior_of(theta: bytes, content: _Content) -> CurvePosterior:
    return CurvePosterior.of(np.frombuffer(theta), content.curves())


def _posterior(theta: Array, curves: Curves) -> CurvePosterior:
    """The posterior; asked for the same again, without computing it again."""
    return _posterior_of(theta.tobytes(), _content(curves))
