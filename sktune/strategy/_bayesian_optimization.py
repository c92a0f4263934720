"""Bayesian optimisation: fit a surrogate, maximise an acquisition function."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sktune._errors import did_you_mean
from sktune._types import Observation, Params, Problem
from sktune.strategy import _learning_curves as curves
from sktune.strategy._acquisition import ACQUISITIONS, SampledAcquisition
from sktune.strategy._arrays import Array
from sktune.strategy._forest import random_forest
from sktune.strategy._gaussian_process import gaussian_process
from sktune.strategy._hypervolume import (
    MOST_OBJECTIVES,
    expected_hypervolume_improvement,
)
from sktune.strategy._maximize import Admissible, best_admissible, maximise
from sktune.strategy._observations import (
    MAX_RUNG_OBSERVATIONS,
    EncodedObservation,
    encoded,
    most_informative,
)
from sktune.strategy._pairs import check_categories, pairs_of_categories
from sktune.strategy._parzen import parzen_estimator
from sktune.strategy._scalarisation import scalarised
from sktune.strategy._surrogate import Surrogate, SurrogateInput, SurrogateOutput
from sktune.strategy._told import (
    Told,
    any_left,
    next_of_design,
    number_of_first,
    observed,
)
from sktune.strategy._transfer import (
    MULTI_SOURCE_SURROGATES,
    encode_warm_start,
    to_common_scale,
)

if TYPE_CHECKING:
    from sktune.space import Space

SURROGATES: dict[str, Surrogate] = {
    "gp": gaussian_process,
    "forest": random_forest,
    "tpe": parzen_estimator,
    "pairs": pairs_of_categories,
    "curves": curves.learning_curves,
}
MAX_ENUMERATED = 2048  # finite spaces up to this size are looked at point by point
SAME = 1e-9  # coordinates nearer than this may be one candidate
N_INITIAL_WARM = 3  # candidates before the surrogate is asked, after a warm start


@dataclass(frozen=True, slots=True)
class BayesState(Told):
    """What has been learnt.

    Attributes
    ----------
    problem, observations : as of `Told`
    warm_start : sequence of EncodedObservation
        Those of other searches.
    grid : ndarray of shape (size, d) or None
        All points of a small finite space.
    """

    warm_start: Sequence[EncodedObservation] = ()
    grid: Array | None = None


@dataclass(frozen=True)
class Bayes:
    """Bayesian optimisation with a Gaussian process, or another surrogate.

    After a few points that fill the space evenly, the surrogate is fitted to the
    scores, and the next candidate is the one with the greatest acquisition.

    Parameters
    ----------
    n_initial : int, default=None
        Candidates (`initial_points` and pending ones among them) before the surrogate
        is asked. None takes two more than the space has dimensions, between 4 and 8,
        and not more than half of the candidates that the search is going to ask for.
    acquisition : {"log_ei", "pi", "ucb"}, default="log_ei"
        Log expected improvement, probability of improvement, or upper confidence bound.
        With "gp", where there are no rungs, the first is augmented expected improvement
        (Huang et al. 2006), which is less where noise would hide it. With "tpe" the
        first two are the same, and the third is refused. "pairs" has none, and refuses
        all but the default.
    surrogate : {"gp", "forest", "tpe", "pairs", "curves"}, default="gp"
        The model of the scores: a Gaussian process; a random forest, which is meant for
        spaces that are large, conditional and mostly categorical; the tree-structured
        Parzen estimator; a Gaussian process on categories and pairs of these, for
        spaces that have nothing else, such as those of cells, from which the next
        candidate is drawn by Thompson sampling; or, where there are rungs, a Gaussian
        process over learning curves, which also says what paused candidates will come
        to. With the last every second candidate is spread evenly.
    initial_points : sequence of dict, default=()
        Candidates to try first, in this order.

    Notes
    -----
    All else it is told by the search: the space, how many candidates there will be, the
    largest resource, and what is known from other searches. It is given to a search as
    it stands, ``HyperbandSearchCV(net, space, strategy=Bayes(surrogate="tpe"))``.

    Failed candidates do not take part in fitting the surrogate's hyperparameters (only
    "gp" has such). They then count with the worst score seen, so that their
    neighbourhood is avoided.
    Pending candidates count with the score that the surrogate expects of them ("kriging
    believer", Ginsbourger et al. 2010), so that several at once are spread out. With
    "tpe" both are among the bad candidates.

    Of more than 500 observations, or 200 of a Gaussian process over rungs, the better
    half of that number and the latest are looked at, so that the cost of a proposal
    stays bounded.

    Where a schedule trains candidates rung by rung, the surrogate is one over params
    and resource, learns from every rung, and proposes what is best to try at the
    largest resource; "tpe" learns from the highest rung that has three scores more than
    the space has dimensions. With "curves" hyperparameters are fitted again whenever
    there are a fifth more scores, so that the order in which these are told plays a
    part.

    After a warm start, the first candidate is the one of the greatest expected score;
    two that are spread evenly follow, which tell whether the other searches are of any
    use here. From then on each of them counts as long as it helps to predict the scores
    of this search. Only their order and shape count, not level and scale. Of more than
    100 scores of other searches the better half of that number, and as many evenly
    among the rest, are looked at. Their candidates may be tried again.

    Where the problem has several objectives, two or three of them have a Gaussian
    process each, and the next candidate is the one that is expected to add the most to
    the volume which is dominated. With more of them, another surrogate or another
    acquisition, each proposal draws weights, by which they are one score.

    Examples
    --------
    >>> from scipy.stats import loguniform, uniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import HyperbandSearchCV
    >>> from sktune.strategy import Bayes
    >>> X, y = load_iris(return_X_y=True)
    >>> search = HyperbandSearchCV(
    ...     SVC(), {"C": loguniform(1e-2, 1e2)}, strategy=Bayes(surrogate="forest"),
    ...     random_state=0,
    ... ).fit(X, y)
    >>> float(search.best_score_) > 0.9
    True
    """

    n_initial: int | None = None
    acquisition: str = "log_ei"
    surrogate: str = "gp"
    initial_points: Sequence[Params] = ()

    def init(self, problem: Problem) -> BayesState:
        """State of a search in which nothing has been seen."""
        space = self._check(problem)
        grid = None
        if space.size <= MAX_ENUMERATED:
            grid = np.array([space.encode(params) for params in space.points()])
        warm_start = encode_warm_start(space, problem.warm_start)
        return BayesState(problem, warm_start=warm_start, grid=grid)

    def tell(self, state: BayesState, observation: Observation) -> BayesState:
        """State that has learnt from one more observation."""
        return state.tell(observation)

    def ask(
        self, state: BayesState, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params of the next candidate; None when the space is used up.

        Neither `candidate` nor the order in which observations were told plays a part.
        """
        space = state.space
        # Apart in the cube of a single dict is another candidate; no key need be made.
        plain = space.constraint is None and space.names[:1] != ("",)
        plain = plain and not space.is_conditional  # nan is apart from nan
        taken = state.taken(pending)
        if not space.n_dims:  # param_distributions={}: the estimator as it stands
            return None if taken else {}
        for params in self.initial_points:
            if space.key(params) not in taken:
                return params

        U_pending = encoded(space, pending)
        observed = (one.point for one in state.observations.values())
        seen = np.array([*observed, *U_pending]).reshape(-1, space.n_dims)

        def admissible(u: Array) -> bool:
            if (seen == u).all(axis=1).any():
                return False
            if plain and not (np.abs(seen - u) < SAME).all(axis=1).any():
                return True
            params = space.decode(u)
            return space.key(params) not in taken and space.allows(params)

        u = None
        if self._uses_surrogate(state, len(taken)) and not self._explores(candidate):
            u = self._maximise_acquisition(state, U_pending, admissible, seed)
            if u is not None and space.key(space.decode(u)) in taken:
                u = None  # apart in a cube so narrow that they are one number
        if u is None:
            plain = False
            u = next_of_design(state, U_pending, admissible, seed)
        if u is None:
            return any_left(space, taken)
        return space.decode(u)

    def expect(
        self,
        state: BayesState,
        candidates: Sequence[int],
        number: int,
        pending: Sequence[Params],
        seed: int,
    ) -> list[float]:
        """What is to be gained from each of the candidates, trained to the end.

        Of `number`, from the one that `ask` would name. Needs ``surrogate="curves"``.
        """
        params = None
        if number in candidates:
            params = self.ask(state, number, pending, seed)
        n_taken = len({key for key, _ in state.observations}) + len(pending)
        if not self._uses_surrogate(state, n_taken):  # new ones first
            new = -math.inf if params is None else math.inf
            return [new if c == number else 0.0 for c in candidates]
        acquisition, _ = self._acquisition(state, encoded(state.space, pending), seed)
        if not isinstance(acquisition, curves.CurveAcquisition):
            raise TypeError(f"{self!r} knows no curves. Use surrogate='curves'.")
        values = acquisition.of_candidates(candidates)
        if params is not None:
            u = state.space.encode(params)
            new = (
                math.inf if curves.explores(number) else acquisition.values(u[None])[0]
            )
            values[candidates.index(number)] = float(new)
        return values

    def begins_alike(self, problem: Problem, other: Problem) -> bool:
        """Whether the first candidates of two problems are the same, told the same.

        Of problems that differ in how many candidates there will be.
        """
        return self._n_initial(problem) == self._n_initial(other)

    def _uses_surrogate(self, state: BayesState, n_taken: int) -> bool:
        """Whether there are scores enough to say what comes next, or what is first."""
        n_initial = self._n_initial(state.problem)
        n_warm = sum(not one.failed for one in state.warm_start)
        if n_warm < 2:
            largest = state.problem.max_resources
            if self.surrogate == "curves":  # whose prior says what low rungs are worth
                largest = None
            return n_taken >= n_initial and _has_scores(state, largest)
        return not n_taken or n_taken >= max(
            n_initial - n_warm, min(n_initial, N_INITIAL_WARM)
        )

    def _explores(self, candidate: int) -> bool:
        return self.surrogate == "curves" and curves.explores(candidate)

    def _n_initial(self, problem: Problem) -> int:
        if self.n_initial is not None:
            return self.n_initial
        return number_of_first(problem)

    def _maximise_acquisition(
        self, state: BayesState, pending: Array, admissible: Admissible, seed: int
    ) -> Array | None:
        acquisition, anchors = self._acquisition(state, pending, seed)
        if isinstance(acquisition, SampledAcquisition):
            first = best_admissible(acquisition, acquisition.samples(), admissible, 1)
            if first:
                return first[0][1]
        if state.grid is not None:
            first = best_admissible(acquisition, state.grid, admissible, 1)
            return first[0][1] if first else None
        return maximise(acquisition, np.array(anchors), admissible, seed)

    def _acquisition(
        self, state: BayesState, pending: Array, seed: int
    ) -> SurrogateOutput:
        max_resources = state.problem.max_resources
        most: Any = most_informative
        if self.surrogate == "curves":  # which chooses among many by itself
            most = list
        elif self.surrogate == "gp" and max_resources is not None:
            most = partial(most_informative, limit=MAX_RUNG_OBSERVATIONS)
        observations = [*observed(state, max_resources, most), *state.warm_start]
        surrogate = SURROGATES[self.surrogate]
        if state.problem.objectives:
            if self._improves_volume(len(state.problem.objectives)):
                surrogate = expected_hypervolume_improvement
            else:
                observations = scalarised(observations, seed)
        if state.warm_start and self.surrogate not in MULTI_SOURCE_SURROGATES:
            observations = to_common_scale(state.space, observations)
        data = SurrogateInput(
            state.space, observations, pending, self.acquisition, max_resources, seed
        )
        return surrogate(data)

    def _improves_volume(self, n_objectives: int) -> bool:
        """Whether the front is searched by its volume, and not by random weights."""
        is_default = self.surrogate == "gp" and self.acquisition == "log_ei"
        return is_default and n_objectives <= MOST_OBJECTIVES

    def _check(self, problem: Problem) -> Space:
        space, max_resources = problem.space, problem.max_resources
        if problem.objectives and max_resources is not None:
            raise ValueError(
                f"{self!r} searches a front of {problem.objectives} only where every "
                "candidate gets everything at once, and here there are rungs."
            )
        if space is None:
            raise ValueError(f"{self!r} needs a space to search, and there is none.")
        for name, names in (("acquisition", ACQUISITIONS), ("surrogate", SURROGATES)):
            value = getattr(self, name)
            if value not in names:
                raise ValueError(
                    f"{name}={value!r} is not known. Choose one of "
                    f"{', '.join(map(repr, names))}.{did_you_mean(str(value), names)}"
                )
        if self.surrogate == "tpe" and self.acquisition == "ucb":
            raise ValueError(
                "acquisition='ucb' needs a surrogate that has a standard deviation, "
                "which surrogate='tpe' has not. Choose 'log_ei' or 'pi' (with 'tpe' "
                "they are the same), or another surrogate."
            )
        if self.surrogate == "pairs":
            check_categories(space)
            if self.acquisition != "log_ei":
                raise ValueError(
                    f"acquisition={self.acquisition!r} is not looked at by "
                    "surrogate='pairs', which draws the next candidate from its "
                    "posterior. Leave it out, or choose another surrogate."
                )
        if max_resources is not None and max_resources < 1:
            raise ValueError(
                f"max_resources={max_resources!r} must be at least 1, or None where "
                "every candidate gets everything at once."
            )
        if self.n_initial is not None and self.n_initial < 1:
            raise ValueError(
                f"n_initial={self.n_initial!r} must be at least 1, or None for a "
                "number that suits the space."
            )
        for params in self.initial_points:
            space.canonical(params)
        return space


def _has_scores(state: BayesState, largest: int | None) -> bool:
    """Whether there are scores that say something.

    With rungs, one at the largest resource must be among them: until then nobody knows
    what the low rungs are worth.
    """
    scored = [one for one in state.observations.values() if one.score is not None]
    if largest is not None and not any(
        one.n_resources in (None, largest) for one in scored
    ):
        return False
    return len(scored) >= 2
