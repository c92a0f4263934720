"""Bayesian optimisation: believe, then try what promises most."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from sktune._errors import SpaceError, did_you_mean
from sktune._types import Observation, Params
from sktune.strategy import _gp as gp
from sktune.strategy._acquisition import ACQUISITIONS
from sktune.strategy._design import most_even_first, sobol
from sktune.strategy._gp import Array, Indices
from sktune.strategy._maximize import Admissible, Promise, leaders, maximise
from sktune.strategy._warp import warp

if TYPE_CHECKING:
    from sktune.space import Space

SURROGATES = ("gp",)
MAX_ENUMERATED = 2048  # finite spaces up to this size are looked at point by point
MAX_SCANNED = 100_000
MAX_EVIDENCE = 300
N_ANCHORS = 4
LOG2_DESIGN_POOL = 8
N_TRIES = 20  # pools drawn before a constraint is taken to refuse everything


@dataclass(frozen=True, slots=True)
class Known:
    """A candidate that is known: where it lies, and its score unless it failed."""

    candidate: int
    point: Array  # (d,) snapped
    score: float | None


@dataclass(frozen=True, slots=True)
class BayesState:
    """What has been learnt. `known` has one entry for each candidate, by its key."""

    space: Space
    known: Mapping[Hashable, Known] = field(default_factory=dict)
    grid: Array | None = None  # (size, d), all points of a small finite space

    def in_order(self) -> list[Known]:
        """Known candidates by candidate: no sum depends on which score came first."""
        return sorted(self.known.values(), key=lambda one: one.candidate)


@dataclass(frozen=True)
class Bayes:
    """Bayesian optimisation with a Gaussian process.

    After a few points that fill the space evenly, a Gaussian process is fitted to the
    scores, and the next candidate is the one with the greatest acquisition.

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
    surrogate : {"gp"}, default="gp"
        The model of the scores.
    initial_points : sequence of dict, default=()
        Candidates to try first, in this order.

    Notes
    -----
    Failed candidates do not take part in fitting the surrogate's hyperparameters. They
    then count with the worst score seen, so that their neighbourhood is avoided.
    Pending candidates count with the score that the surrogate expects of them ("kriging
    believer", Ginsbourger et al. 2010), so that several at once are spread out.

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

    def init(self, space: Space) -> BayesState:
        """State of a search in which nothing has been seen."""
        self._check(space)
        grid = None
        if space.size <= MAX_ENUMERATED:
            grid = np.array([space.encode(params) for params in space.points()])
        return BayesState(space, grid=grid)

    def tell(self, state: BayesState, observation: Observation) -> BayesState:
        """State that has learnt from one more observation."""
        params = observation.params
        failed = observation.failed or not math.isfinite(observation.score)
        one = Known(
            observation.candidate,
            state.space.encode(params),
            None if failed else float(observation.score),
        )
        key = state.space.key(params)
        return replace(state, known={**state.known, key: one})

    def ask(
        self, state: BayesState, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params of the next candidate; None when the space is used up.

        Neither `candidate` nor the order in which observations were told plays a part.
        """
        space = state.space
        taken = set(state.known).union(space.key(params) for params in pending)
        if not space.n_dims:  # param_distributions={}: the estimator as it stands
            return None if taken else {}
        for params in self.initial_points:
            if space.key(params) not in taken:
                return params

        def admissible(u: Array) -> bool:
            params = space.decode(u)
            return space.key(params) not in taken and space.allows(params)

        waiting = np.array([space.encode(p) for p in pending]).reshape(-1, space.n_dims)
        n_scores = sum(one.score is not None for one in state.known.values())
        u = None
        if len(taken) >= self._n_initial(space) and n_scores >= 2:
            u = self._most_promising(state, waiting, admissible, seed)
        if u is None:
            u = _most_even(state, waiting, admissible, seed)
        if u is None:
            return _any_left(space, taken)
        return space.decode(u)

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
        space = state.space
        points, posterior = _believe(state, waiting)
        # Pending points included: what they are believed to bring is no gain any more.
        points = np.concatenate([points, waiting])
        mu, _ = posterior.predict(space.features(points))
        promise = Promise(
            space, posterior, ACQUISITIONS[self.acquisition], float(mu.max())
        )
        if state.grid is not None:
            first = leaders(promise, state.grid, admissible, 1)
            return first[0][1] if first else None
        anchors = points[np.argsort(-mu, kind="stable")[:N_ANCHORS]]
        return maximise(promise, anchors, admissible, seed)

    def _check(self, space: Space) -> None:
        for name, known in (("acquisition", ACQUISITIONS), ("surrogate", SURROGATES)):
            value = getattr(self, name)
            if value not in known:
                raise ValueError(
                    f"{name}={value!r} is not known. Choose one of "
                    f"{', '.join(map(repr, known))}.{did_you_mean(str(value), known)}"
                )
        if self.n_initial is not None and self.n_initial < 1:
            raise ValueError(
                f"n_initial={self.n_initial!r} must be at least 1, or None for a "
                "number that suits the space."
            )
        for params in self.initial_points:
            space.canonical(params)


def _believe(state: BayesState, waiting: Array) -> tuple[Array, gp.Posterior]:
    """Points that have a score (n, d), and the belief that follows from all."""
    space = state.space
    known = state.in_order()
    points = np.array([r.point for r in known if r.score is not None])
    failures = np.array([r.point for r in known if r.score is None])
    y = warp(np.array([r.score for r in known if r.score is not None]))
    F = space.features(points)
    some = _telling(y)
    evidence = gp.Evidence.of(F[some], space.groups, space.n_dims, y[some], gp.Prior())
    theta = evidence.maximise([evidence.loc])
    if len(failures):
        F = np.concatenate([F, space.features(failures)])
        y = np.concatenate([y, np.full(len(failures), y.min())])
    posterior = gp.Posterior.of(theta, F, space.groups, y)
    if len(waiting):
        F_waiting = space.features(waiting)
        expected, _ = posterior.predict(F_waiting)
        F, y = np.concatenate([F, F_waiting]), np.concatenate([y, expected])
        posterior = gp.Posterior.of(theta, F, space.groups, y)
    return points, posterior


def _telling(y: Array) -> Indices:
    """Indices of the scores that hyperparameters are fitted to: all, or enough.

    Beyond `MAX_EVIDENCE` it is the better half of that number, and as many evenly among
    the rest; the cost of a fit does not grow further, and the posterior has them all.
    """
    if len(y) <= MAX_EVIDENCE:
        return np.arange(len(y))
    best_first = np.argsort(-y, kind="stable")
    half = MAX_EVIDENCE // 2
    rest = np.sort(best_first[half:])
    evenly = np.linspace(0, len(rest) - 1, MAX_EVIDENCE - half).astype(int)
    return np.sort(np.concatenate([best_first[:half], rest[evenly]]))


def _most_even(
    state: BayesState, waiting: Array, admissible: Admissible, seed: int
) -> Array | None:
    """The admissible point that best completes an even design."""
    space = state.space
    known = [one.point for one in state.in_order()]
    design = np.array([*known, *waiting]).reshape(-1, space.n_dims)
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
