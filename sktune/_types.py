"""The words that rooms speak with each other: plain records and protocols.

One sign throughout: a score is greater-is-better. One failure path: what went wrong is
said by a flag, and never by a NaN that somebody has to notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypedDict

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fit:
    """One candidate on one split, up to a resource: the smallest piece of work.

    Attributes
    ----------
    candidate, split : int
    params : dict
    seed : int
        The same at every resource, so that going on and starting over are one training.
    n_resources : int or None
        How far to train, counted from the start; None where all is given at once.
    pause : bool
        Whether the candidate may be resumed from there, and its state is to be kept.
    iter, bracket : int
        The rung.
    context : object
        Handed to the worker as it is; the engine never looks inside.
    """

    candidate: int
    split: int
    params: Params
    seed: int
    n_resources: int | None = None
    pause: bool = False
    context: Any = None
    iter: int = 0
    bracket: int = 0


class FitOutcome(TypedDict, total=False):
    """What comes back from a fit; scikit-learn's own keys, and more.

    A score is None where there is none, since the fit or the scorer raised. `failed`
    names the metrics without a finite test score, `lease` the device that was leased:
    plain values, and not there where none was.
    """

    fit_error: str | None
    test_scores: Any  # float or None, or a dict of such
    train_scores: Any
    n_test_samples: int
    fit_time: float
    score_time: float
    failed: frozenset[str]
    lease: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Observation:
    """A candidate's scores at a resource, all splits in.

    Attributes
    ----------
    candidate : int
    params : dict
    scores : tuple of float or None, one for each split, greater is better
        Of the metric that steers; None where the split raised or scored something that
        is not finite.
    n_resources : int or None
        None where candidates get everything at once.
    """

    candidate: int
    params: Params
    scores: tuple[float | None, ...]
    n_resources: int | None = None

    @property
    def failed(self) -> bool:
        """Whether the candidate failed on any split."""
        return any(score is None for score in self.scores)

    @property
    def score(self) -> float:
        """Mean over the splits; not to be asked for where the candidate failed."""
        finite = [score for score in self.scores if score is not None]
        return sum(finite) / len(finite)


@dataclass(frozen=True, slots=True)
class Start:
    """A schedule's decision: start the next candidate, and train it to `n_resources`.

    It pauses there if `pause`; else that is as far as it will ever go.
    """

    n_resources: int | None = None
    bracket: int = 0
    iter: int = 0
    pause: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """A schedule's decision: train a paused candidate on, to `n_resources` in all."""

    candidate: int
    n_resources: int
    iter: int
    pause: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """A schedule's decision: a paused candidate will never be resumed."""

    candidate: int


Decision = Start | Resume | Stop


@dataclass(slots=True)
class Candidate:
    """What the engine knows of one candidate, whatever its resource."""

    id: int
    params: Params
    bracket: int = 0


@dataclass(slots=True)
class Evaluation:
    """One candidate at one resource: a row of `cv_results_` once all splits are in."""

    candidate: Candidate
    n_resources: int | None = None
    iter: int = 0
    outcomes: dict[int, FitOutcome] = field(default_factory=dict)


class Strategy(Protocol):
    """Which params next. Frozen; all that it learns is in a state it is handed.

    No clock, no file, no device, no estimator and no global random state: the same
    calls give the same answers, so that a search can be replayed.
    """

    def init(self, space: Any) -> Any:
        """State of a search of a `Space`, in which nothing has been seen."""

    def tell(self, state: Any, observation: Observation) -> Any:
        """State that has learnt from one more observation."""

    def ask(
        self, state: Any, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params of the next candidate; None when the space is used up.

        `candidate` counts from 0, `pending` are the candidates that were asked for and
        not yet told. Asking changes nothing: the same question has the same answer.
        """


class Schedule(Protocol):
    """How far each candidate goes. Frozen like a strategy; sees ids and scores only.

    Candidates are counted from 0 in the order in which they are started.
    """

    @property
    def in_order(self) -> bool:
        """Whether scores are told in the order of the decisions.

        If so, results do not depend on which worker is fast. If not, scores are told as
        they arrive, and decisions are asked for only when a worker is free.
        """

    def init(self) -> Any:
        """State before anything has started."""

    def next(self, state: Any) -> tuple[Decision | None, Any]:
        """The next decision, or None when a score has to come first."""

    def tell(
        self, state: Any, candidate: int, n_resources: int | None, score: float | None
    ) -> Any:
        """State that knows one more score; None is the score of a failure."""

    def close(self, state: Any) -> Any:
        """State in which no further candidate can be started: the space is used up."""
