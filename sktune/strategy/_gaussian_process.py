"""A Gaussian process as the surrogate: what is known, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sktune.strategy import _gp as gp
from sktune.strategy._acquisition import ACQUISITIONS, Acquisition, expectation
from sktune.strategy._gp import Array, Indices
from sktune.strategy._multi_fidelity import DEPTH, LEVEL, Known, depths, levels
from sktune.strategy._surrogate import Answer, Question, first_distinct
from sktune.strategy._transfer import coordinates, of_sources, source_by_source
from sktune.strategy._warp import blend, warp

if TYPE_CHECKING:
    from sktune.space import Space

MAX_EVIDENCE = 150
MAX_RUNG_EVIDENCE = 100  # there is one more candidate to ask for each cheap score
N_JUDGING = 3  # scores of this search from which on earlier ones are judged


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
    space, acquisition = question.space, ACQUISITIONS[question.acquisition]
    fit = _helped(question)
    posterior = _believe(question, fit)
    constants = fit.layout.constants
    # Pending points included: what they are believed to bring is no gain any more.
    points = np.concatenate([fit.points(fit.own), question.waiting])
    if not len(points):  # nothing to beat yet: what earlier searches lead one to expect
        points, acquisition = fit.points(~fit.own), expectation
    mu, _ = posterior.predict(_with_constants(space.features(points), constants))
    promise = ProcessPromise(space, posterior, acquisition, float(mu.max()), constants)
    return promise, first_distinct(points[np.argsort(-mu, kind="stable")])


@dataclass(frozen=True, slots=True)
class Layout:
    """The features of an observation: the space's, and what else tells it from others.

    Attributes
    ----------
    max_resources : int or None
        With it, the rung is a coordinate.
    sources : tuple of int
        Earlier searches, each of which has a coordinate.
    """

    space: Space
    max_resources: int | None
    sources: tuple[int, ...]

    @property
    def constants(self) -> tuple[float, ...]:
        """Further features of what is judged: this search, at the end."""
        end = () if self.max_resources is None else (DEPTH,)
        return end + (0.0,) * len(self.sources)

    @property
    def n_dims(self) -> int:
        return self.space.n_dims + len(self.constants)

    @property
    def groups(self) -> Indices:
        """The coordinate that each feature belongs to."""
        others = np.arange(self.space.n_dims, self.n_dims)
        return np.append(self.space.groups, others)

    def features(self, known: Sequence[Known]) -> Array:
        """Features (n, p) of observations."""
        points = np.array([one.point for one in known])
        blocks = [self.space.features(points.reshape(-1, self.space.n_dims))]
        if self.max_resources is not None:
            blocks.append(depths(known, self.max_resources))
        if self.sources:
            blocks.append(coordinates(known, self.sources))
        return np.hstack(blocks)

    def levels(self, F: Array) -> Array | None:
        """Covariance of the levels of observations, by their features."""
        n = len(self.constants)
        return levels(F[:, -n:]) if n else None


@dataclass(frozen=True, slots=True)
class Fit:
    """Observations that have a score, n of them, and hyperparameters fitted to these.

    Attributes
    ----------
    scored : list of Known
    own : ndarray of shape (n,), bool
        Which of them are of this search.
    y, F, theta : ndarrays
        As in `_gp.py`.
    some : ndarray of int
        The observations that `theta` was fitted to.
    """

    layout: Layout
    scored: list[Known]
    own: NDArray[np.bool_]
    y: Array
    F: Array
    theta: Array
    some: Indices

    @classmethod
    def of(cls, question: Question, sources: tuple[int, ...]) -> Fit:
        layout = Layout(question.space, question.max_resources, sources)
        scored = [one for one in of_sources(question.known, sources) if not one.failed]
        own = np.array([not one.source for one in scored], dtype=bool)
        is_flat = question.max_resources is None
        y = source_by_source(scored, warp if is_flat else blend)
        F = layout.features(scored)
        limit = MAX_EVIDENCE if is_flat else MAX_RUNG_EVIDENCE
        some = np.concatenate(
            [np.flatnonzero(own)[_telling(y[own], limit)], np.flatnonzero(~own)]
        )
        evidence = _evidence(layout, F[some], y[some])
        theta = evidence.maximise([evidence.loc])
        return cls(layout, scored, own, y, F, theta, some)

    def points(self, which: NDArray[np.bool_]) -> Array:
        """Where some of the observations are, (m, d)."""
        points = [one.point for one, yes in zip(self.scored, which, strict=True) if yes]
        return np.array(points).reshape(-1, self.layout.space.n_dims)

    def log_predictive(self) -> float:
        """Log density of this search's scores, given those of the earlier ones."""
        own = self.own[self.some]
        F, y = self.F[self.some], self.y[self.some]
        given = 0.0
        if not own.all():
            given = _log_likelihood(self.layout, self.theta, F[~own], y[~own])
        return _log_likelihood(self.layout, self.theta, F, y) - given


def _evidence(
    layout: Layout, F: Array, y: Array, B: Array | None = None
) -> gp.Evidence:
    """B is the levels of the observations unless it is given."""
    B = layout.levels(F) if B is None else B
    return gp.Evidence.of(F, layout.groups, layout.n_dims, y, gp.Prior(), B)


def _log_likelihood(layout: Layout, theta: Array, F: Array, y: Array) -> float:
    B = layout.levels(F)
    if B is None:  # beside an earlier search, this one has a level
        B = np.full((len(F), len(F)), LEVEL)
    return _evidence(layout, F, y, B).log_likelihood(theta)[0]


def _helped(question: Question) -> Fit:
    """The fit to this search and to those earlier ones that help to predict it."""
    sources = tuple(sorted({one.source for one in question.known} - {0}))
    if not sources:
        return Fit.of(question, ())
    n_own = sum(not one.failed for one in of_sources(question.known, ()))
    if n_own < N_JUDGING:
        return Fit.of(question, sources)
    alone = Fit.of(question, ())
    to_beat = alone.log_predictive()
    fits = {source: Fit.of(question, (source,)) for source in sources}
    help = tuple(k for k, fit in fits.items() if fit.log_predictive() >= to_beat)
    if len(help) > 1:
        return Fit.of(question, help)
    return fits[help[0]] if help else alone


def _believe(question: Question, fit: Fit) -> gp.Posterior:
    """The belief that follows from all, failures and pending candidates among them."""
    layout, groups, F, y = fit.layout, fit.layout.groups, fit.F, fit.y
    known = of_sources(question.known, layout.sources)
    failures = [one for one in known if one.failed]
    if failures:
        F = np.concatenate([F, layout.features(failures)])
        y = np.concatenate([y, np.full(len(failures), y.min())])
    B = layout.levels(F)
    posterior = gp.Posterior.of(fit.theta, F, groups, y, B)
    waiting = question.waiting
    if len(waiting):
        F_waiting = layout.features([Known(-1, point, None) for point in waiting])
        expected, _ = posterior.predict(F_waiting)
        F, y = np.concatenate([F, F_waiting]), np.concatenate([y, expected])
        # What is expected has no level in it.
        B = None if B is None else np.pad(B, (0, len(waiting)))
        posterior = gp.Posterior.of(fit.theta, F, groups, y, B)
    return posterior


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
