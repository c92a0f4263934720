"""A Gaussian process as the surrogate, over rungs and over other searches too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from sktune.strategy import _gp_regression as gp
from sktune.strategy._acquisition import AcquisitionFormula, knowing_noise
from sktune.strategy._arrays import Array, Indices
from sktune.strategy._multi_fidelity import (
    LEVEL_VARIANCE,
    RESOURCE_SCALE,
    level_covariance,
    resource_coordinates,
)
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._surrogate import SurrogateInput, SurrogateOutput, first_distinct
from sktune.strategy._transfer import (
    of_sources,
    source_coordinates,
    transform_by_source,
)
from sktune.strategy._warp import blend, warp

if TYPE_CHECKING:
    from sktune.space import Space

# Scores that hyperparameters are fitted to. With rungs there is one more candidate to
# ask for each cheap score.
MAX_SCORES = 150
MAX_RUNG_SCORES = 100
MOST_DOUBT = 100.0  # variance of a y in which nothing can be read
MIN_OWN_SCORES = 3  # scores of this search from which on its sources are judged


class FinalPosterior(Protocol):
    """What is expected of new candidates, by their features."""

    def predict(self, F: Array) -> tuple[Array, Array]:
        """Mean and variance (m,) of the scores of candidates (m, p)."""
        ...

    def predict_with_slopes(self, f: Array) -> tuple[float, float, Array, Array]:
        """Of one candidate (p,), and their gradients by its features."""
        ...


@dataclass(frozen=True, slots=True)
class GaussianProcessAcquisition:
    """The acquisition as a function of points (m, d) of a space.

    `target` are the features that the surrogate has beside the space's own, where
    candidates are compared: of this search, at the largest resource.
    """

    space: Space
    posterior: FinalPosterior
    formula: AcquisitionFormula
    best: float
    target: tuple[float, ...] = ()

    def values(self, U: Array) -> Array:
        """(m,) for snapped points."""
        mu, variance = self.posterior.predict(self.features(U))
        return self.formula(mu, np.sqrt(variance), self.best)[0]

    def value_and_slope(self, u: Array) -> tuple[float, Array]:
        """At one snapped point (d,); the slope is 0 where a coordinate is discrete."""
        row = u[None]
        mu, variance, dmu, dvariance = self.posterior.predict_with_slopes(
            self.features(row)[0]
        )
        sigma = np.sqrt(variance)
        value, by_mu, by_sigma = self.formula(
            np.asarray(mu), np.asarray(sigma), self.best
        )
        slope = by_mu * dmu + by_sigma * dvariance / (2.0 * sigma)
        slope = slope[: self.space.n_features]
        return float(value), slope_by_coordinate(self.space, row, slope)

    def features(self, U: Array) -> Array:
        """Features (m, p) of snapped points."""
        return with_target(self.space.features(U), self.target)


def slope_by_coordinate(space: Space, row: Array, slope: Array) -> Array:
    """Slope (d,) at one point (1, d), of that by the features of the space."""
    by_coordinate = np.zeros(space.n_dims)
    np.add.at(by_coordinate, space.groups, slope * space.feature_slopes(row)[0])
    return by_coordinate


def gaussian_process(data: SurrogateInput) -> SurrogateOutput:
    """The acquisition by a Gaussian process, and the points of the highest means."""
    space = data.space
    fitted = fitted_to_useful_sources(data)
    formula = data.formula
    if data.max_resources is None:  # else the noise is mostly that of low rungs
        formula = knowing_noise(formula, fitted.noise)
    posterior = posterior_of(data, fitted)
    target = fitted.feature_map.target
    # Pending points included: what they are expected to bring is no gain any more.
    points = np.concatenate([fitted.points(fitted.own), data.pending])
    if not len(points):
        points = fitted.points(~fitted.own)
    mu, _ = posterior.predict(with_target(space.features(points), target))
    acquisition = GaussianProcessAcquisition(
        space, posterior, formula, float(mu.max()), target
    )
    return acquisition, first_distinct(points[np.argsort(-mu, kind="stable")])


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """The features of an observation: the space's, and what else tells it from others.

    Attributes
    ----------
    max_resources : int or None
        With it, the rung is a coordinate.
    sources : tuple of int
        Other searches, each of which has a coordinate.
    """

    space: Space
    max_resources: int | None
    sources: tuple[int, ...]

    @property
    def target(self) -> tuple[float, ...]:
        """Further features of what is compared: this search, at the end."""
        end = () if self.max_resources is None else (RESOURCE_SCALE,)
        return end + (0.0,) * len(self.sources)

    @property
    def n_dims(self) -> int:
        return self.space.n_dims + len(self.target)

    @property
    def groups(self) -> Indices:
        """The coordinate that each feature belongs to."""
        others = np.arange(self.space.n_dims, self.n_dims)
        return np.append(self.space.groups, others)

    def features(self, observations: Sequence[EncodedObservation]) -> Array:
        """Features (n, p) of observations."""
        points = np.array([one.point for one in observations])
        blocks = [self.space.features(points.reshape(-1, self.space.n_dims))]
        if self.max_resources is not None:
            blocks.append(resource_coordinates(observations, self.max_resources))
        if self.sources:
            blocks.append(source_coordinates(observations, self.sources))
        return np.hstack(blocks)

    def level_covariance(self, F: Array) -> Array | None:
        """Covariance of the levels of observations, by their features."""
        n = len(self.target)
        return level_covariance(F[:, -n:]) if n else None


@dataclass(frozen=True, slots=True)
class FittedGP:
    """Observations that have a score, n of them, and hyperparameters fitted to these.

    Attributes
    ----------
    scored : list of EncodedObservation
    own : ndarray of shape (n,), bool
        Which of them are of this search.
    y, F, theta : ndarrays
        As in `_gp_regression.py`.
    doubt : ndarray of shape (n,)
        Variance of each y beyond that of the noise.
    subset : ndarray of int
        The observations that `theta` was fitted to.
    """

    feature_map: FeatureMap
    scored: list[EncodedObservation]
    own: NDArray[np.bool_]
    y: Array
    F: Array
    doubt: Array
    theta: Array
    subset: Indices

    @classmethod
    def of(
        cls,
        data: SurrogateInput,
        sources: tuple[int, ...],
        transform: Callable[[Array], Array] | None = None,
    ) -> FittedGP:
        """Fitted to what `transform` makes of scores; by default what leads best."""
        feature_map = FeatureMap(data.space, data.max_resources, sources)
        observations = of_sources(data.observations, sources)
        scored = [one for one in observations if not one.failed]
        own = np.array([not one.source for one in scored], dtype=bool)
        is_flat = data.max_resources is None
        y = transform_by_source(scored, transform or (warp if is_flat else blend))
        F = feature_map.features(scored)
        doubt = _doubt(scored, y)
        limit = MAX_SCORES if is_flat else MAX_RUNG_SCORES
        subset = np.concatenate(
            [np.flatnonzero(own)[_subset(y[own], limit)], np.flatnonzero(~own)]
        )
        B = _explained_away(feature_map, F[subset], doubt[subset])
        likelihood = _likelihood(feature_map, F[subset], y[subset], B)
        theta = likelihood.maximise([likelihood.loc])
        return cls(feature_map, scored, own, y, F, doubt, theta, subset)

    @property
    def noise(self) -> float:
        """The variance of the noise, where that of the scores is about 1."""
        return float(np.exp(self.theta[-1]))

    def points(self, which: NDArray[np.bool_]) -> Array:
        """Where some of the observations are, (m, d)."""
        points = [one.point for one, yes in zip(self.scored, which, strict=True) if yes]
        return np.array(points).reshape(-1, self.feature_map.space.n_dims)

    def log_predictive(self) -> float:
        """Log density of this search's scores, given those of its sources."""
        own = self.own[self.subset]
        given = self._log_likelihood(self.subset[~own]) if not own.all() else 0.0
        return self._log_likelihood(self.subset) - given

    def _log_likelihood(self, which: Indices) -> float:
        F, y, doubt = self.F[which], self.y[which], self.doubt[which]
        levels = self.feature_map.level_covariance(F)
        if levels is None:  # beside another search, this one has a level
            levels = np.full((len(F), len(F)), LEVEL_VARIANCE)
        likelihood = _likelihood(self.feature_map, F, y, levels + np.diag(doubt))
        return likelihood.log_likelihood(self.theta)[0]


def _likelihood(
    feature_map: FeatureMap, F: Array, y: Array, B: Array | None
) -> gp.MarginalLikelihood:
    groups, n_dims = feature_map.groups, feature_map.n_dims
    return gp.MarginalLikelihood.of(F, groups, n_dims, y, gp.Prior(), B)


def _explained_away(feature_map: FeatureMap, F: Array, doubt: Array) -> Array | None:
    """B: the levels of observations, and what each is in doubt by."""
    B = feature_map.level_covariance(F)
    if not doubt.any():
        return B
    return np.diag(doubt) if B is None else B + np.diag(doubt)


def _doubt(scored: Sequence[EncodedObservation], y: Array) -> Array:
    """The variance of observations on the scale of y, which is even at the top."""
    variance = np.array([one.variance for one in scored])
    if not variance.any():
        return variance
    scores = np.array([one.score for one in scored], dtype=float)
    best_first = np.argsort(-scores, kind="stable")
    top, middle = best_first[0], best_first[len(scores) // 2]
    gap = scores[top] - scores[middle]
    slope = (y[top] - y[middle]) / gap if gap > 0.0 else 0.0
    return np.minimum(variance * slope**2, MOST_DOUBT)


def fitted_to_useful_sources(
    data: SurrogateInput, transform: Callable[[Array], Array] | None = None
) -> FittedGP:
    """Fitted to this search and to those sources that help to predict it."""
    sources = tuple(sorted({one.source for one in data.observations} - {0}))
    if not sources:
        return FittedGP.of(data, (), transform)
    n_own = sum(not one.failed for one in of_sources(data.observations, ()))
    if n_own < MIN_OWN_SCORES:
        return FittedGP.of(data, sources, transform)
    without = FittedGP.of(data, (), transform)
    to_beat = without.log_predictive()
    each = {source: FittedGP.of(data, (source,), transform) for source in sources}
    useful = tuple(k for k, one in each.items() if one.log_predictive() >= to_beat)
    if len(useful) > 1:
        return FittedGP.of(data, useful, transform)
    return each[useful[0]] if useful else without


def posterior_of(data: SurrogateInput, fitted: FittedGP) -> gp.Posterior:
    """The posterior given all, failures and pending candidates among them."""
    feature_map, F, y = fitted.feature_map, fitted.F, fitted.y
    groups, theta = feature_map.groups, fitted.theta
    observations = of_sources(data.observations, feature_map.sources)
    failures = [one for one in observations if one.failed]
    doubt = np.concatenate([fitted.doubt, np.zeros(len(failures))])
    if failures:
        F = np.concatenate([F, feature_map.features(failures)])
        y = np.concatenate([y, np.full(len(failures), y.min())])
    B = _explained_away(feature_map, F, doubt)
    posterior = gp.Posterior.of(theta, F, groups, y, B)
    n_pending = len(data.pending)
    if n_pending:
        pending = [EncodedObservation(-1, point, None) for point in data.pending]
        F_pending = feature_map.features(pending)
        expected, _ = posterior.predict(F_pending)
        F, y = np.concatenate([F, F_pending]), np.concatenate([y, expected])
        # What is expected has no level in it.
        B = None if B is None else np.pad(B, (0, n_pending))
        posterior = gp.Posterior.of(theta, F, groups, y, B)
    return posterior


def _subset(y: Array, limit: int) -> Indices:
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


def with_target(F: Array, target: tuple[float, ...]) -> Array:
    """F (m, p) and a further column for each feature of the target."""
    if not target:
        return F
    return np.hstack([F, np.tile(target, (len(F), 1))])
