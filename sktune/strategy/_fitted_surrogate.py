"""What the Gaussian process says of the scores of a search, wherever one asks.

The surrogate is that of `Bayes`, fitted to all that was observed. A search asks where
to go next, so that only what is near the top counts, and all below is one
(`_warp.py`). Here it is asked how scores vary over the space, so that all count as they
are, but for pits: with q the lower quartile, those below q - (best - q) are raised to
that.

With rungs it is fitted as in a search, since of all rungs together the low ones would
decide what counts. Its mean is then without the level that all scores at the largest
resource share, which is added again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sktune._types import Observation, Problem
from sktune.strategy._arrays import Array
from sktune.strategy._bayesian_optimization import Bayes, BayesState
from sktune.strategy._gaussian_process import (
    FinalPosterior,
    FittedGP,
    posterior_of,
    with_target,
)
from sktune.strategy._surrogate import SurrogateInput
from sktune.strategy._told import observed
from sktune.strategy._warp import raised

if TYPE_CHECKING:
    from sktune.space import Space


@dataclass(frozen=True)
class Scale:
    """From what the surrogate is fitted to back to scores.

    Attributes
    ----------
    y, scores : ndarrays of shape (n,)
        Ascending; between them the scale is straight.
    slope : float
        Of the scores by y beyond, which is that over the better half.
    """

    y: Array
    scores: Array
    slope: float

    @classmethod
    def of(cls, y: Array, scores: Array) -> Scale:
        by_y: dict[float, float] = {}
        for one, score in zip(y.tolist(), scores.tolist(), strict=True):
            by_y[one] = max(score, by_y.get(one, score))
        ascending = sorted(by_y)
        if len(ascending) > 2:  # the least may be a pit that was raised
            del ascending[0]
        found = np.array([by_y[one] for one in ascending])
        y, middle = np.array(ascending), (len(ascending) - 1) // 2
        width = float(y[-1] - y[middle])
        slope = float(found[-1] - found[middle]) / width if width > 0.0 else 0.0
        return cls(y, found, slope)

    def back(self, y: Array) -> Array:
        """The scores of some y."""
        beyond = np.minimum(y - self.y[0], 0.0) + np.maximum(y - self.y[-1], 0.0)
        return np.interp(y, self.y, self.scores) + self.slope * beyond


@dataclass(frozen=True)
class FittedSurrogate:
    """A Gaussian process over the candidates of a search that is known so far.

    Attributes
    ----------
    space : Space
    posterior : FinalPosterior
    target : tuple of float
        Further features of what is asked for.
    scale : Scale
        Of the scores.
    level : float
        What is added to the mean, on the scale of the surrogate.
    """

    space: Space
    posterior: FinalPosterior
    target: tuple[float, ...]
    scale: Scale
    level: float

    @classmethod
    def of(
        cls, problem: Problem, observations: Sequence[Observation]
    ) -> FittedSurrogate:
        """Fitted to observations of a search, at least two of which have a score.

        Parameters
        ----------
        problem : Problem
            With the space, the number of splits and the largest resource.
        observations : sequence of Observation
        """
        strategy = Bayes()
        state: BayesState = strategy.init(replace(problem, n_candidates=None))
        for observation in observations:
            state = strategy.tell(state, observation)
        largest = problem.max_resources
        known = observed(state, largest)
        if sum(not one.failed for one in known) < 2:
            raise ValueError(
                "A surrogate needs at least two candidates that have a score."
            )
        none = np.empty((0, state.space.n_dims))
        data = SurrogateInput(state.space, known, none, "log_ei", largest, 0)
        seen = [one.score for one in state.observations.values()]
        every = np.array([score for score in seen if score is not None])
        transform = partial(raised, of=every) if largest is None else None
        fitted = FittedGP.of(data, (), transform)
        posterior, target = posterior_of(data, fitted), fitted.feature_map.target
        level = 0.0
        if largest is not None:
            top = np.array([one.n_resources == largest for one in fitted.scored])
            if top.any():
                points = fitted.points(top)
                F = with_target(state.space.features(points), target)
                level = float(np.median(fitted.y[top] - posterior.predict(F)[0]))
        scores = np.array([one.score for one in fitted.scored], dtype=float)
        scale = Scale.of(fitted.y, scores)
        return cls(state.space, posterior, target, scale, level)

    def predict(self, U: Array) -> tuple[Array, Array, Array]:
        """Mean, and mean less and plus a standard deviation, of scores; (m,) each.

        Of snapped points (m, d). Without noise: it is the candidate that is in doubt,
        and not its next score.
        """
        F = with_target(self.space.features(U), self.target)
        mu, variance = self.posterior.predict(F)
        mu, sigma = mu + self.level, np.sqrt(variance)
        back = self.scale.back
        return back(mu), back(mu - sigma), back(mu + sigma)
