"""Bayesian optimisation: believe, then try what promises most."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from sktune._errors import SpaceError, did_you_mean
from sktune._types import Observation, Params
from sktune.strategy._acquisition import ACQUISITIONS
from sktune.strategy._design import most_even_first, sobol
from sktune.strategy._forest import forest
from sktune.strategy._gaussian_process import process
from sktune.strategy._gp import Array
from sktune.strategy._maximize import Admissible, ChoosyPromise, leaders, maximise
from sktune.strategy._multi_fidelity import Known, most_telling, without_hope
from sktune.strategy._parzen import parzen
from sktune.strategy._surrogate import Question, Surrogate
from sktune.strategy._transfer import (
    TELLS_SOURCES,
    Earlier,
    learnt,
    on_one_scale,
)

if TYPE_CHECKING:
    from sktune.space import Space

SURROGATES: dict[str, Surrogate] = {"gp": process, "forest": forest, "tpe": parzen}
MAX_ENUMERATED = 2048  # finite spaces up to this size are looked at point by point
MAX_SCANNED = 100_000
SAME = 1e-9  # coordinates nearer than this may be one candidate
LOG2_DESIGN_POOL = 8
N_OWN = 3  # candidates before the surrogate is asked, if there is knowledge enough
N_TRIES = 20  # pools drawn before a constraint is taken to refuse everything


@dataclass(frozen=True, slots=True)
class BayesState:
    """What has been learnt. `known` goes by the key of a candidate and its resource."""

    space: Space
    known: Mapping[tuple[Hashable, int | None], Known] = field(default_factory=dict)
    earlier: Sequence[Known] = ()
    grid: Array | None = None  # (size, d), all points of a small finite space


@dataclass(frozen=True)
class Bayes:
    """Bayesian optimisation with a Gaussian process, or another surrogate.

    After a few points that fill the space evenly, the surrogate is fitted to the
    scores, and the next candidate is the one that promises most.

    Parameters
    ----------
    n_initial : int, default=None
        Candidates (`initial_points` and pending ones among them) before the surrogate
        is asked. None takes two more than the space has dimensions, between 4 and 8,
        and not more than half of `n_candidates`.
    n_candidates : int, default=None
        How many will be asked for, if that is known.
    acquisition : {"log_ei", "pi", "ucb"}, default="log_ei"
        Log expected improvement, probability of improvement, or upper confidence bound.
        With "tpe" the first two are the same, and the third is refused.
    surrogate : {"gp", "forest", "tpe"}, default="gp"
        The model of the scores: a Gaussian process; a random forest, which is meant for
        spaces that are large, conditional and mostly categorical; or the
        tree-structured Parzen estimator.
    initial_points : sequence of dict, default=()
        Candidates to try first, in this order.
    max_resources : int, default=None
        Resource at which candidates are compared in the end, where a schedule trains
        them rung by rung. The surrogate then is one over params and resource, learns
        from every rung, and proposes what promises most at `max_resources`; "tpe"
        learns from the highest rung that has three scores more than the space has
        dimensions. None where every candidate gets everything at once.
    knowledge : sequence of Earlier, default=()
        Candidates of earlier searches, to learn from. They may be tried again.

    Notes
    -----
    Failed candidates do not take part in fitting the surrogate's hyperparameters (only
    "gp" has such). They then count with the worst score seen, so that their
    neighbourhood is avoided.
    Pending candidates count with the score that the surrogate expects of them ("kriging
    believer", Ginsbourger et al. 2010), so that several at once are spread out. With
    "tpe" both are among the bad candidates.

    Of more than 500 observations the better half of that number and the latest are
    looked at, so that the cost of a question stays bounded.

    With `knowledge`, the first candidate is the one of the greatest expected score; two
    that are spread evenly follow, which tell whether the earlier searches are of any
    use here. From then on each of them counts as long as it helps to predict the scores
    of this search. Only their order and shape count, not level and scale. Of more than
    100 scores of earlier searches the better half of that number, and as many evenly
    among the rest, are looked at.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sktune.space import Space
    >>> from sktune.strategy import Bayes
    >>> strategy = Bayes(initial_points=({"lr": 0.01},))
    >>> state = strategy.init(Space({"lr": loguniform(1e-4, 1.0)}))
    >>> strategy.ask(state, 0, pending=(), seed=0)
    {'lr': 0.01}
    """

    n_initial: int | None = None
    n_candidates: int | None = None
    acquisition: str = "log_ei"
    surrogate: str = "gp"
    initial_points: Sequence[Params] = ()
    max_resources: int | None = None
    knowledge: Sequence[Earlier] = ()

    def init(self, space: Space) -> BayesState:
        """State of a search in which nothing has been seen."""
        self._check(space)
        grid = None
        if space.size <= MAX_ENUMERATED:
            grid = np.array([space.encode(params) for params in space.points()])
        return BayesState(space, earlier=learnt(space, self.knowledge), grid=grid)

    def tell(self, state: BayesState, observation: Observation) -> BayesState:
        """State that has learnt from one more observation."""
        params = observation.params
        failed = observation.failed or not math.isfinite(observation.score)
        one = Known(
            observation.candidate,
            state.space.encode(params),
            None if failed else float(observation.score),
            None if self.max_resources is None else observation.n_resources,
        )
        key = state.space.key(params), one.n_resources
        return replace(state, known={**state.known, key: one})

    def ask(
        self, state: BayesState, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params of the next candidate; None when the space is used up.

        Neither `candidate` nor the order in which observations were told plays a part.
        """
        space = state.space
        # Apart in the cube of a single dict is another candidate; no key need be made.
        plain = space.constraint is None and space.names[:1] != ("",)
        taken = {key for key, _ in state.known}
        taken.update(space.key(params) for params in pending)
        if not space.n_dims:  # param_distributions={}: the estimator as it stands
            return None if taken else {}
        for params in self.initial_points:
            if space.key(params) not in taken:
                return params

        waiting = np.array([space.encode(p) for p in pending]).reshape(-1, space.n_dims)
        seen = np.array([*(one.point for one in state.known.values()), *waiting])
        seen = seen.reshape(-1, space.n_dims)

        def admissible(u: Array) -> bool:
            if plain and not (np.abs(seen - u) < SAME).all(axis=1).any():
                return True
            params = space.decode(u)
            return space.key(params) not in taken and space.allows(params)

        u = None
        if self._asks_surrogate(state, len(taken)):
            u = self._most_promising(state, waiting, admissible, seed)
            if u is not None and space.key(space.decode(u)) in taken:
                u = None  # apart in a cube so narrow that they are one number
        if u is None:
            plain = False
            u = _most_even(state, waiting, admissible, seed)
        if u is None:
            return _any_left(space, taken)
        return space.decode(u)

    def _asks_surrogate(self, state: BayesState, n_taken: int) -> bool:
        """Whether enough is known to ask what comes next, or what comes first."""
        n_initial = self._n_initial(state.space)
        n_learnt = sum(not one.failed for one in state.earlier)
        if n_learnt < 2:
            return n_taken >= n_initial and self._has_learnt(state)
        return not n_taken or n_taken >= max(
            n_initial - n_learnt, min(n_initial, N_OWN)
        )

    def _has_learnt(self, state: BayesState) -> bool:
        """Whether there are scores that say something.

        With rungs, one at the largest resource must be among them: until then nobody
        knows what the low rungs are worth.
        """
        scored = [one for one in state.known.values() if one.score is not None]
        if self.max_resources is not None and not any(
            one.n_resources in (None, self.max_resources) for one in scored
        ):
            return False
        return len(scored) >= 2

    def _n_initial(self, space: Space) -> int:
        if self.n_initial is not None:
            return self.n_initial
        enough = min(max(space.n_dims + 2, 4), 8)
        if self.n_candidates is None:
            return enough
        return max(2, min(enough, self.n_candidates // 2))

    def _most_promising(
        self, state: BayesState, waiting: Array, admissible: Admissible, seed: int
    ) -> Array | None:
        known = [*_observed(state, self.max_resources), *state.earlier]
        if state.earlier and self.surrogate not in TELLS_SOURCES:
            known = on_one_scale(state.space, known)
        question = Question(
            state.space,
            known,
            waiting,
            self.acquisition,
            self.max_resources,
            seed,
        )
        promise, anchors = SURROGATES[self.surrogate](question)
        if isinstance(promise, ChoosyPromise):
            first = leaders(promise, promise.proposals(), admissible, 1)
            if first:
                return first[0][1]
        if state.grid is not None:
            first = leaders(promise, state.grid, admissible, 1)
            return first[0][1] if first else None
        return maximise(promise, np.array(anchors), admissible, seed)

    def _check(self, space: Space) -> None:
        for name, known in (("acquisition", ACQUISITIONS), ("surrogate", SURROGATES)):
            value = getattr(self, name)
            if value not in known:
                raise ValueError(
                    f"{name}={value!r} is not known. Choose one of "
                    f"{', '.join(map(repr, known))}.{did_you_mean(str(value), known)}"
                )
        if self.surrogate == "tpe" and self.acquisition == "ucb":
            raise ValueError(
                "acquisition='ucb' needs a surrogate that has a standard deviation, "
                "which surrogate='tpe' has not. Choose 'log_ei' or 'pi' (with 'tpe' "
                "they are the same), or another surrogate."
            )
        if self.max_resources is not None and self.max_resources < 1:
            raise ValueError(
                f"max_resources={self.max_resources!r} must be at least 1, or None "
                "where every candidate gets everything at once."
            )
        if self.n_initial is not None and self.n_initial < 1:
            raise ValueError(
                f"n_initial={self.n_initial!r} must be at least 1, or None for a "
                "number that suits the space."
            )
        for params in self.initial_points:
            space.canonical(params)


def _observed(state: BayesState, max_resources: int | None) -> list[Known]:
    """What the surrogate learns from, by candidate and resource.

    In this order no sum depends on which score came first.
    """
    known = list(state.known.values())
    if max_resources is not None:
        known = without_hope(state.known, max_resources)
    return sorted(
        most_telling(known), key=lambda one: (one.candidate, one.n_resources or 0)
    )


def _most_even(
    state: BayesState, waiting: Array, admissible: Admissible, seed: int
) -> Array | None:
    """The admissible point that best completes an even design."""
    space = state.space
    by_candidate = {one.candidate: one.point for one in _observed(state, None)}
    design = np.array([*by_candidate.values(), *waiting]).reshape(-1, space.n_dims)
    U = sobol(space.n_dims, LOG2_DESIGN_POOL, seed)
    rng = np.random.default_rng(seed)
    for _ in range(N_TRIES):
        U = space.snap(U)
        for i in most_even_first(U, design):
            if admissible(U[i]):
                return U[i]
        U = rng.random(U.shape)
    return None


def _any_left(space: Space, taken: set[Hashable]) -> Params | None:
    """Some candidate that is left, where chance has found none."""
    if space.size <= MAX_SCANNED:
        for params in space.points():
            if space.key(params) not in taken and space.allows(params):
                return params
    if not taken:
        raise SpaceError(
            "constraint refused every candidate that was drawn. Make it wider, or "
            "give initial_points that it allows."
        )
    return None
