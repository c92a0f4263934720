"""Several objectives: by how much a candidate is expected to push their front.

Each objective has a Gaussian process of its own, and what comes next is the candidate
of the largest expected hypervolume improvement ([1]_): how much more would be dominated
with it. Objectives are taken to be independent given the candidate. What no candidate
dominates is cut into boxes; of a box with lower end l and upper end u a candidate whose
objectives are y has the volume

    prod_j (max(y_j - l_j, 0) - max(y_j - u_j, 0)),

so that its expectation is a product of differences of expected improvements, and that
of all boxes their sum ([2]_, for any number of objectives). It is maximised as a
logarithm, which has a slope where the expectation itself is 0 in floating point ([3]_).

The front is that of the posterior means at all candidates, which noise has not lifted;
those that are pending are among them. Two fixed references each fail somewhere: just
below the front its ends are never looked for, and far below it what is good in one
objective and hopeless in the others adds more than what is good in all. So proposals
take turns between two, by chance.

References
----------
.. [1] M. Emmerich, K. Giannakoglou, B. Naujoks, "Single- and multiobjective
       evolutionary optimization assisted by Gaussian random field metamodels", IEEE
       Transactions on Evolutionary Computation 10, 2006.
.. [2] K. Yang, M. Emmerich, A. Deutz, T. Baeck, "Efficient computation of expected
       hypervolume improvement using box decomposition algorithms", Journal of Global
       Optimization 75, 2019.
.. [3] S. Ament, S. Daulton, D. Eriksson, M. Balandat, E. Bakshy, "Unexpected
       improvements to expected improvement for Bayesian optimization", NeurIPS 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from sktune._pareto import free_boxes, non_dominated
from sktune.strategy._acquisition import log_ei
from sktune.strategy._arrays import Array
from sktune.strategy._gaussian_process import (
    FinalPosterior,
    fitted_to_useful_sources,
    posterior_of,
    slope_by_coordinate,
    with_target,
)
from sktune.strategy._surrogate import SurrogateInput, SurrogateOutput, first_distinct
from sktune.strategy._warp import raised

if TYPE_CHECKING:
    from sktune.space import Space

# Quantiles of the candidates that volumes are counted from, one of them for each
# proposal, by chance. From the least on, the ends of the front count, and much that is
# good in one objective only; from the quartile on, the middle.
LEVELS = (0.0, 0.25)
# Pits count as if they were so many times further down than the lower quartile is from
# the best. With less, as where one score decides, the scale of an objective shrinks to
# its noise once most candidates lie at one end of the front.
REACH = 20.0
# By how much the reference is lower, in ranges of the candidates: what is worse in one
# objective than all that was tried may be better in another.
MARGIN = 0.1
MOST_OBJECTIVES = 3  # with more there are too many boxes
TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Boxes:
    """What is not dominated yet, of `free_boxes`, as indices into levels.

    Attributes
    ----------
    levels : list of ndarray
        Of each objective, ascending.
    lower, upper : ndarrays of shape (n_boxes, m), int
    """

    levels: Sequence[Array]
    lower: Array
    upper: Array

    @classmethod
    def of(cls, points: Array, reference: Array) -> Boxes:
        lower, upper = free_boxes(points[non_dominated(points)], reference)
        m = len(reference)
        levels = [np.unique([*lower[:, j], *upper[:, j]]) for j in range(m)]
        at = [
            np.array([np.searchsorted(levels[j], ends[:, j]) for j in range(m)]).T
            for ends in (lower, upper)
        ]
        return cls(levels, *at)


def log_ehvi(mu: Array, sigma: Array, boxes: Boxes) -> tuple[Array, Array, Array]:
    """Logarithm of the expected hypervolume improvement of n candidates.

    Parameters
    ----------
    mu, sigma : ndarrays of shape (n, m)
        Means and standard deviations of their objectives.
    boxes : Boxes

    Returns
    -------
    value : ndarray of shape (n,)
    by_mu, by_sigma : ndarrays of shape (n, m)
        Its derivatives.
    """
    n, m = mu.shape
    log_parts = np.zeros((n, len(boxes.lower)))
    slopes = []
    for j in range(m):
        levels = boxes.levels[j][:-1]  # beyond the last, infinity, nothing is expected
        ei, by_mu, by_sigma = log_ei(mu[:, j, None], sigma[:, j, None], levels)  # type: ignore[arg-type]
        ei = np.hstack([ei, np.full((n, 1), -np.inf)])
        none = np.zeros((n, 1))
        low, high = boxes.lower[:, j], boxes.upper[:, j]
        ratio = np.exp(ei[:, high] - ei[:, low])
        rest = np.maximum(-np.expm1(ei[:, high] - ei[:, low]), TINY)
        log_parts += ei[:, low] + np.log(rest)
        slopes.append(
            [
                (by[:, low] - ratio * by[:, high]) / rest
                for by in (np.hstack([by_mu, none]), np.hstack([by_sigma, none]))
            ]
        )
    value = logsumexp(log_parts, axis=1)
    weights = np.exp(log_parts - value[:, None])
    by = [[np.sum(weights * one[k], axis=1) for one in slopes] for k in (0, 1)]
    return value, np.array(by[0]).T, np.array(by[1]).T


@dataclass(frozen=True, slots=True)
class HypervolumeAcquisition:
    """Log expected hypervolume improvement as a function of points of a space.

    `targets` are of each objective what `GaussianProcessAcquisition` has one of.
    """

    space: Space
    posteriors: Sequence[FinalPosterior]
    boxes: Boxes
    targets: Sequence[tuple[float, ...]]

    def values(self, U: Array) -> Array:
        """(m,) for snapped points."""
        F = self.space.features(U)
        found = [
            posterior.predict(with_target(F, target))
            for posterior, target in zip(self.posteriors, self.targets, strict=True)
        ]
        mu = np.array([mean for mean, _ in found]).T
        sigma = np.sqrt([variance for _, variance in found]).T
        return log_ehvi(mu, sigma, self.boxes)[0]

    def value_and_slope(self, u: Array) -> tuple[float, Array]:
        """At one snapped point (d,); the slope is 0 where a coordinate is discrete."""
        row = u[None]
        F = self.space.features(row)
        found = [
            posterior.predict_with_slopes(with_target(F, target)[0])
            for posterior, target in zip(self.posteriors, self.targets, strict=True)
        ]
        mu = np.array([[one[0] for one in found]])
        sigma = np.sqrt([[one[1] for one in found]])
        value, by_mu, by_sigma = log_ehvi(mu, sigma, self.boxes)
        slope = np.zeros(self.space.n_features)
        for j, (_, _, dmu, dvariance) in enumerate(found):
            by_feature = by_mu[0, j] * dmu
            by_feature += by_sigma[0, j] * dvariance / (2.0 * sigma[0, j])
            slope += by_feature[: self.space.n_features]
        return float(value[0]), slope_by_coordinate(self.space, row, slope)


def expected_hypervolume_improvement(data: SurrogateInput) -> SurrogateOutput:
    """The acquisition, and points of the front, any of them first."""
    space, n_objectives = data.space, _n_objectives(data)
    posteriors, targets, means = [], [], []
    on_scale = partial(raised, reach=REACH)
    points = np.empty((0, space.n_dims))
    for j in range(n_objectives):
        fitted = fitted_to_useful_sources(of_objective(data, j), on_scale)
        posterior, target = posterior_of(data, fitted), fitted.feature_map.target
        points = np.concatenate([fitted.points(fitted.own), data.pending])
        if not len(points):  # what the sources lead one to expect
            points = fitted.points(~fitted.own)
        means.append(posterior.predict(with_target(space.features(points), target))[0])
        posteriors.append(posterior)
        targets.append(target)
    Y = np.array(means).T
    rng = np.random.default_rng(data.seed)
    boxes = Boxes.of(Y, reference_of(Y, rng.choice(LEVELS)))
    anchors = points[rng.permutation(np.flatnonzero(non_dominated(Y)))]
    acquisition = HypervolumeAcquisition(space, posteriors, boxes, targets)
    return acquisition, first_distinct(anchors)


def of_objective(data: SurrogateInput, j: int) -> SurrogateInput:
    """The same with one of the objectives as the score."""
    observations = [
        one if one.failed else replace(one, score=one.objectives[j])
        for one in data.observations
    ]
    return replace(data, observations=observations)


def reference_of(Y: Array, level: float) -> Array:
    """A point (m,) from which volumes are counted: a quantile of all candidates (n, m).

    Of each objective by itself, and a little below it.
    """
    width = np.ptp(Y, axis=0)
    return np.quantile(Y, level, axis=0) - MARGIN * np.where(width > 0.0, width, 1.0)


def _n_objectives(data: SurrogateInput) -> int:
    return max(len(one.objectives) for one in data.observations)
