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
    """One candidate on one split: the smallest piece of work.

    `context` is handed to the worker as it is; the engine never looks inside.
    """

    candidate: int
    split: int
    params: Params
    seed: int
    context: Any = None


class FitOutcome(TypedDict, total=False):
    """What comes back from a fit; scikit-learn's own keys, and `failed`."""

    fit_error: str | None
    test_scores: float | dict[str, float]
    train_scores: float | dict[str, float]
    n_test_samples: int
    fit_time: float
    score_time: float
    failed: frozenset[str]


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
    """A schedule's decision: start the next candidate."""

    n_resources: int | None = None


@dataclass(slots=True)
class Candidate:
    """What the engine knows of one candidate."""

    id: int
    params: Params
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
    """How far each candidate goes. Frozen like a strategy; sees ids and scores only."""

    def init(self) -> Any:
        """State before anything has started."""

    def next(self, state: Any) -> tuple[Start | None, Any]:
        """The next decision, or None when an observation has to come first."""

    def tell(self, state: Any, candidate: int, score: float | None) -> Any:
        """State that knows one more score; None is the score of a failure."""
