"""Reinforcement learning: a controller that learns which choices are rewarded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sktune._types import Observation, Params, Problem
from sktune.strategy._arrays import Array, Indices
from sktune.strategy._controller import Controller
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._told import Told, number_of_first
from sktune.strategy._variation import begin, next_variation, scored_alike

if TYPE_CHECKING:
    from sktune.space import Space

MOST_CHOICES = 20  # values of a list that are choices by themselves
N_BINS = 10  # of what has more values
N_PROBED = 1024  # points by which values are found
N_DRAWS = 30  # until one is new, each with more decisions that are made by chance


@dataclass(frozen=True, slots=True)
class ReinforceState(Told):
    """What has been learnt.

    Attributes
    ----------
    problem, observations : as of `Told`
    edges : tuple of ndarray
        Ends of the choices on each coordinate, from 0 to 1.
    conditional : bool
        Whether there are candidates that have not all coordinates.
    controller : Controller or None
    learnt : tuple of (int, float)
        Candidates and scores that the controller has learnt from, in their order.
    """

    edges: tuple[Array, ...] = ()
    conditional: bool = False
    controller: Controller | None = None
    learnt: tuple[tuple[int, float | None], ...] = ()


@dataclass(frozen=True)
class Reinforce:
    """Reinforcement learning: an LSTM decides parameter by parameter, and is rewarded.

    After a few points that fill the space evenly, candidates are drawn from a recurrent
    controller [1]_: an LSTM that is told what has been decided so far, and says how
    likely each value of the next parameter is. Every score moves its weights by one
    step of Adam: what scored above the moving average of all becomes more likely, what
    scored below, less (REINFORCE [2]_).

    Parameters
    ----------
    learning_rate : float, default=0.01
        Of Adam. With less the controller has hardly learnt anything after a hundred
        candidates, with more it may settle too early.
    entropy_weight : float, default=0.1
        What the loss is less for each unit of entropy of a decision, where 1 is a score
        as far above the average as scores are on average. It keeps the controller from
        settling early.
    initial_points : sequence of dict, default=()
        Candidates to try first, in this order.

    Notes
    -----
    A category is decided among its values, and so is a list of at most 20 numbers.
    Numbers from distributions and longer lists are decided among 10 equally likely
    parts of the range, and drawn within the part.

    It is there for those who look for it. With some hundred candidates, which is what
    can be trained anew, `Evolution`, `LocalSearch` and `Bayes` find better ones.

    Weights begin alike in every search. Candidates that failed are not learnt from, and
    none is tried twice. Where a schedule trains candidates rung by rung, scores are
    those of the highest rung that has three more than the space has dimensions.

    References
    ----------
    .. [1] B. Zoph and Q. V. Le, "Neural architecture search with reinforcement
       learning", ICLR 2017.
    .. [2] R. J. Williams, "Simple statistical gradient-following algorithms for
       connectionist reinforcement learning", Machine Learning 8, 1992.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import HyperbandSearchCV
    >>> from sktune.strategy import Reinforce
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"kernel": ["linear", "poly", "rbf"], "C": [0.01, 0.1, 1.0, 10.0]}
    >>> search = HyperbandSearchCV(
    ...     SVC(), space, strategy=Reinforce(learning_rate=0.02), random_state=0
    ... ).fit(X, y)
    >>> float(search.best_score_) > 0.9
    True
    """

    learning_rate: float = 0.01
    entropy_weight: float = 0.1
    initial_points: Sequence[Params] = ()

    def init(self, problem: Problem) -> ReinforceState:
        """State of a search in which nothing has been seen."""
        if not self.learning_rate > 0.0:
            raise ValueError(f"learning_rate={self.learning_rate!r} must be above 0.")
        if not self.entropy_weight >= 0.0:
            raise ValueError(
                f"entropy_weight={self.entropy_weight!r} must be at least 0."
            )
        begun = begin(self, problem)
        edges = edges_of_choices(begun.space)
        return ReinforceState(
            problem,
            edges=edges,
            conditional=bool(np.isnan(begun.space.snap(_probes(begun.space))).any()),
            controller=untaught(edges),
        )

    def tell(self, state: ReinforceState, observation: Observation) -> ReinforceState:
        """State that has learnt from one more observation."""
        state = state.tell(observation)
        scored = scored_alike(state)
        seen = tuple((one.candidate, one.score) for one in scored)
        controller, n = state.controller, len(state.learnt)
        if seen[:n] != state.learnt:  # told out of order, or of another rung
            controller, n = untaught(state.edges), 0
        for one in scored[n:]:
            assert controller is not None and one.score is not None
            controller = controller.rewarded(
                choices_at(state.edges, one.point),
                one.score,
                self.learning_rate,
                self.entropy_weight,
            )
        return replace(state, controller=controller, learnt=seen)

    def ask(
        self,
        state: ReinforceState,
        candidate: int,
        pending: Sequence[Params],
        seed: int,
    ) -> Params | None:
        """Params of the next candidate; None when the space is used up.

        Neither `candidate` nor the order in which observations were told plays a part.
        """

        def vary(
            scored: list[EncodedObservation], rng: np.random.Generator
        ) -> Iterator[Array]:
            for t in range(N_DRAWS):
                yield drawn(state, rng, t / N_DRAWS)

        return next_variation(state, self.initial_points, vary, pending, seed)

    def begins_alike(self, problem: Problem, other: Problem) -> bool:
        """Whether the first candidates of two problems are the same, told the same.

        Of problems that differ in how many candidates there will be.
        """
        return number_of_first(problem) == number_of_first(other)


def untaught(edges: tuple[Array, ...]) -> Controller:
    """A controller that knows nothing yet."""
    return Controller.of([len(one) - 1 for one in edges])


def edges_of_choices(space: Space) -> tuple[Array, ...]:
    """Ends of the choices on each coordinate: of its values, or of equal parts."""
    U = _probes(space)
    found = []
    for j in range(space.n_dims):
        n = int(space.n_categories[j]) or N_BINS
        edges = np.arange(n + 1) / n
        if not space.n_categories[j] and not space.is_continuous[j]:
            V = U.copy()
            V[:, j] = (np.arange(N_PROBED) + 0.5) / N_PROBED
            low = space.cells(space.snap(V))[0][:, j]
            begins = np.unique(low[~np.isnan(low)])
            if len(begins) <= MOST_CHOICES:
                edges = np.append(begins, 1.0)
        found.append(edges)
    return tuple(found)


def _probes(space: Space) -> Array:
    return np.random.default_rng(0).random((N_PROBED, space.n_dims))


def choices_at(edges: Sequence[Array], u: Array) -> Indices:
    """The choices that a snapped point (d,) is, -1 where it has no coordinate."""
    choices = np.full(len(u), -1)
    for j in map(int, np.flatnonzero(~np.isnan(u))):
        choices[j] = np.searchsorted(edges[j][1:-1], u[j], side="right")
    return choices


def drawn(
    state: ReinforceState, rng: np.random.Generator, evenly: float = 0.0
) -> Array:
    """A point (d,) by the controller, not snapped.

    What has been decided says which of the coordinates that follow there are. A share
    of the decisions is made evenly among the choices instead.
    """
    space, controller = state.space, state.controller
    assert controller is not None
    x, h, c = controller.start()
    u = np.full(space.n_dims, 0.5)
    for j, edges in enumerate(state.edges):
        if state.conditional and np.isnan(space.snap(u[None])[0, j]):
            continue
        p, h, c = controller.decide(j, x, h, c)
        p = (1.0 - evenly) * p + evenly / len(p)
        choice = min(int(np.searchsorted(np.cumsum(p), rng.random())), len(p) - 1)
        u[j] = rng.uniform(edges[choice], edges[choice + 1])
        x = controller.embedded(j, choice)
    return u
