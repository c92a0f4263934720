"""A Gaussian process as the surrogate: what is known, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sktune.strategy import _gp as gp
from sktune.strategy._acquisition import ACQUISITIONS, Acquisition
from sktune.strategy._gp import Array, Indices
from sktune.strategy._question import Answer, Question, first_distinct
from sktune.strategy._rungs import DEPTH, Known, depths, levels
from sktune.strategy._warp import blend, warp

if TYPE_CHECKING:
    from sktune.space import Space

MAX_EVIDENCE = 150
MAX_RUNG_EVIDENCE = 100  # there is one more candidate to ask for each cheap score


@dataclass(frozen=True, slots=True)
class ProcessPromise:
    """The acquisition as a function of points (m, d) of a space.

    `constants` are features that the surrogate has beside the space's own, such as the
    resource at which the promise is meant.
    """

    space: Space
    posterior: gp.Posterior
    acquisition: Acquisition
    best: float
    constants: tuple[float, ...] = ()

    def values(self, U: Array) -> Array:
        """(m,) for snapped points."""
        mu, variance = self.posterior.predict(self._features(U))
        return self.acquisition(mu, np.sqrt(variance), self.best)[0]

    def value_and_slope(self, u: Array) -> tuple[float, Array]:
        """At one snapped point (d,); the slope is 0 where a coordinate is discrete."""
        row = u[None]
        mu, variance, dmu, dvariance = self.posterior.predict_with_slopes(
            self._features(row)[0]
        )
        sigma = np.sqrt(variance)
        value, by_mu, by_sigma = self.acquisition(
            np.asarray(mu), np.asarray(sigma), self.best
        )
        slope = by_mu * dmu + by_sigma * dvariance / (2.0 * sigma)
        slope = slope[: self.space.n_features] * self.space.feature_slopes(row)[0]
        by_coordinate = np.zeros(self.space.n_dims)
        np.add.at(by_coordinate, self.space.groups, slope)
        return float(value), by_coordinate

    def _features(self, U: Array) -> Array:
        return _with_constants(self.space.features(U), self.constants)


def process(question: Question) -> Answer:
    """The belief of a Gaussian process, and the points of which it expects most."""
    space = question.space
    points, posterior = _believe(question)
    # Pending points included: what they are believed to bring is no gain any more.
    points = np.concatenate([points, question.waiting])
    at_the_end = () if question.max_resources is None else (DEPTH,)
    mu, _ = posterior.predict(_with_constants(space.features(points), at_the_end))
    promise = ProcessPromise(
        space,
        posterior,
        ACQUISITIONS[question.acquisition],
        float(mu.max()),
        at_the_end,
    )
    return promise, first_distinct(points[np.argsort(-mu, kind="stable")])


def _believe(question: Question) -> tuple[Array, gp.Posterior]:
    """Points that have a score (n, d), and the belief that follows from all."""
    space, known = question.space, question.known
    waiting, max_resources = question.waiting, question.max_resources
    scored = [one for one in known if one.score is not None]
    failures = [one for one in known if one.score is None]
    scores = np.array([one.score for one in scored])
    y = warp(scores) if max_resources is None else blend(scores)
    F, groups, n_dims = _features(space, scored, max_resources)
    some = _telling(y, MAX_EVIDENCE if max_resources is None else MAX_RUNG_EVIDENCE)
    B = None if max_resources is None else levels(F[some, -1:])
    evidence = gp.Evidence.of(F[some], groups, n_dims, y[some], gp.Prior(), B)
    theta = evidence.maximise([evidence.loc])
    if failures:
        F = np.concatenate([F, _features(space, failures, max_resources)[0]])
        y = np.concatenate([y, np.full(len(failures), y.min())])
    B = None if max_resources is None else levels(F[:, -1:])
    posterior = gp.Posterior.of(theta, F, groups, y, B)
    if len(waiting):
        at_the_end = [Known(-1, point, None) for point in waiting]
        F_waiting = _features(space, at_the_end, max_resources)[0]
        expected, _ = posterior.predict(F_waiting)
        F, y = np.concatenate([F, F_waiting]), np.concatenate([y, expected])
        # What is expected has no level of a rung in it.
        B = None if B is None else np.pad(B, (0, len(waiting)))
        posterior = gp.Posterior.of(theta, F, groups, y, B)
    return np.array([one.point for one in scored]), posterior


def _features(
    space: Space, known: Sequence[Known], max_resources: int | None
) -> tuple[Array, Indices, int]:
    """Features (n, p), the coordinate that each belongs to, number of coordinates."""
    F = space.features(np.array([one.point for one in known]))
    if max_resources is None:
        return F, space.groups, space.n_dims
    F = np.hstack([F, depths(known, max_resources)])
    return F, np.append(space.groups, space.n_dims), space.n_dims + 1


def _telling(y: Array, limit: int) -> Indices:
    """Indices of the scores that hyperparameters are fitted to: all, or enough.

    Beyond `limit` it is the better half of that number, and as many evenly among the
    rest; the cost of a fit does not grow further, and the posterior has them all.
    """
    if len(y) <= limit:
        return np.arange(len(y))
    best_first = np.argsort(-y, kind="stable")
    half = limit // 2
    rest = np.sort(best_first[half:])
    evenly = np.linspace(0, len(rest) - 1, limit - half).astype(int)
    return np.sort(np.concatenate([best_first[:half], rest[evenly]]))


def _with_constants(F: Array, constants: tuple[float, ...]) -> Array:
    """F (m, p) and a further column for each constant."""
    if not constants:
        return F
    return np.hstack([F, np.tile(constants, (len(F), 1))])
