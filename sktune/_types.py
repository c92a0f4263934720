"""The words that rooms speak with each other: plain records.

One sign throughout: a score is greater-is-better. One failure path: what went wrong is
a score of None, and never a NaN that somebody has to notice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from sktune.space import Space

Params = Mapping[str, Any]

Scores = Mapping[str, float | None]
"""A number for each metric; None: there is none."""

NAMELESS = "score"
"""The metric of a scorer that returns a number."""


def refit_metric(refit: Any, metrics: Iterable[str]) -> str:
    """The metric that `refit` names, else the first."""
    metrics = list(metrics)
    return refit if refit in metrics else metrics[0]


Curve = tuple[float, ...]
"""A value for each epoch, greater is better."""


# -- what is asked for --------------------------------------------------------------


class StopRule(Protocol):
    """Says of a fit that is being trained whether it may as well end.

    Frozen and pure, and read in other processes: it travels with the fit.
    """

    def __call__(self, curve: Sequence[float]) -> bool:
        """Whether to stop after the epochs whose values are in the curve."""


@dataclass(frozen=True, slots=True)
class Start:
    """A schedule's decision: start the next candidate, and train it to `n_resources`.

    Attributes
    ----------
    n_resources : int or None
        None where a candidate gets everything at once.
    bracket, iter : int
        The rung.
    pause : bool
        Whether the candidate may be resumed from there; else that is as far as it will
        ever go.
    splits : tuple of int or None
        The splits to run on; None is all of them.
    stop_rule : StopRule or None
        What may end its fits before they have come that far.
    parent : int or None
        The candidate that it goes on from, which is paused: its weights, the state of
        its optimizer and its history are inherited on each split, and trained further
        with the params of its own. `n_resources` counts what the parent was given.
    candidate : int or None
        Its number, where candidates of a list are not started in its order; None is the
        next one.
    """

    n_resources: int | None = None
    bracket: int = 0
    iter: int = 0
    pause: bool = False
    splits: tuple[int, ...] | None = None
    stop_rule: StopRule | None = None
    parent: int | None = None
    candidate: int | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """A schedule's decision: let a candidate go on, to `n_resources` in all.

    On the splits that are named, which may be such that it has not run on yet. With
    `is_anew` its state was forgotten, so that it costs all that it is given.
    """

    candidate: int
    n_resources: int | None
    iter: int
    pause: bool = False
    splits: tuple[int, ...] | None = None
    stop_rule: StopRule | None = None
    is_anew: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """A schedule's decision: a candidate that might be resumed never will be."""

    candidate: int


@dataclass(frozen=True, slots=True)
class Forget:
    """A schedule's decision: the state of a paused candidate is kept no longer.

    If it is resumed all the same, it is trained anew, to the same state.
    """

    candidate: int


Decision = Start | Resume | Stop | Forget


class Stage(NamedTuple):
    """Training with some params, up to a resource that is counted from the start.

    Attributes
    ----------
    candidate : int
        Whose params these are.
    n_resources : int or None
    params : dict
    """

    candidate: int
    n_resources: int | None
    params: Params


@dataclass(frozen=True, slots=True)
class Fit:
    """One candidate on one split, up to a resource: the smallest piece of work.

    Attributes
    ----------
    candidate, split : int
    params : dict
    seed : int
        The same at every resource, so that going on and starting over are one training;
        who has a parent has the parent's.
    n_resources : int or None
        How far to train, counted from the start; None where all is given at once.
    pause : bool
        Whether the candidate may be resumed from there, and its state is to be kept.
    iter, bracket : int
        The rung.
    stop_rule, parent : as of `Start`
    unit : int
        Fits of one number are trained together, and are done together.
    callback_ctx : object
        scikit-learn's context for the callbacks of this fit, if there are any.
    stages : tuple of Stage
        How its ancestors were trained, the first of them first; none without a parent.
    """

    candidate: int
    split: int
    params: Params
    seed: int
    n_resources: int | None = None
    pause: bool = False
    iter: int = 0
    bracket: int = 0
    stop_rule: StopRule | None = None
    parent: int | None = None
    unit: int = 0
    callback_ctx: Any = None
    stages: tuple[Stage, ...] = ()

    @property
    def all_stages(self) -> tuple[Stage, ...]:
        """Those of its ancestors, and its own."""
        own = Stage(self.candidate, self.n_resources, self.params)
        return (*self.stages, own)


Unit = tuple[Fit, ...]
"""Fits that are trained together; what is in one follows from decisions alone."""


# -- what comes of it ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FitOutcome:
    """What came of a fit.

    Attributes
    ----------
    test_scores : dict of str -> float or None
        None where there is no score, since the fit or the scorer raised.
    train_scores : dict or None
        None where they were not asked for.
    is_multimetric : bool
        Whether the scorer named its metrics.
    fit_error : str or None
        Traceback of what the training raised.
    score_error : str or None
        Traceback of what the scorer raised first.
    raised : bytes or None
        The exception of which one of the two tells, pickled; None where it cannot be.
    n_test_samples : int
    fit_time, score_time : float
        Seconds.
    lease : dict or None
        The device that was leased.
    reached : int or None
        The resource that the training came to: less than it was given where a rule or
        a callback has stopped it. Of a net that is given everything at once, its
        epochs; None where it is not known.
    curve : tuple of float or None
        What the net recorded of its validation part at each epoch, greater is better;
        where it has none and a rule needs it, scores on the test part at some epochs.
    curve_epochs : tuple of int or None
        The epochs that these are of; None where they are of all.
    stopped : bool
        Whether the rule of the fit has ended the training.
    path : dict or None
        How a net was trained: `batches`, `stacked` and `reason`, as a search has them
        in `paths_`. None where no net was.
    """

    test_scores: Scores
    train_scores: Scores | None = None
    is_multimetric: bool = False
    fit_error: str | None = None
    n_test_samples: int = 0
    fit_time: float = 0.0
    score_time: float = 0.0
    lease: Mapping[str, Any] | None = None
    reached: int | None = None
    curve: Curve | None = None
    score_error: str | None = None
    curve_epochs: tuple[int, ...] | None = None
    stopped: bool = False
    raised: bytes | None = field(default=None, repr=False, compare=False)
    path: Mapping[str, Any] | None = field(default=None, compare=False)

    @property
    def traceback(self) -> str | None:
        """Of what the training or the scorer raised."""
        return self.score_error if self.fit_error is None else self.fit_error

    @property
    def epochs(self) -> tuple[int, ...]:
        """Those that the values of the curve are of."""
        if self.curve_epochs is not None:
            return self.curve_epochs
        return tuple(range(1, len(self.curve or ()) + 1))

    @property
    def failed(self) -> frozenset[str]:
        """The metrics without a finite test score."""
        return frozenset(m for m, s in self.test_scores.items() if not is_finite(s))

    def score(self, metric: str) -> float | None:
        """Test score in a metric; None where the fit or the metric failed."""
        score = self.test_scores.get(metric)
        return score if self.fit_error is None and is_finite(score) else None


def is_finite(score: float | None) -> bool:
    """Whether a score can be compared with others."""
    try:
        return score is not None and math.isfinite(score)
    except OverflowError:  # an int that no float can hold
        return False


def rounded(score: float | None) -> float | None:
    """Score without the digits that depend on how many threads added up.

    They say nothing of a candidate, and a strategy that learnt from them would propose
    other params.
    """
    return None if score is None else float(f"{score:.10g}")


@dataclass(frozen=True, slots=True)
class Report:
    """What a schedule is told: how a candidate did at a resource.

    Attributes
    ----------
    candidate : int
    n_resources : int or None
        What it was given; None where candidates get everything at once.
    scores : dict of int -> float or None
        By split, greater is better; of the metric that decides. All that have been run
        up to this resource; a split that is absent was not run, and None is the score
        of a failure.
    reached : dict of int -> int
        How far each of these splits came, where that is known.
    curves : dict of int -> tuple of float
        The curve of each of these that has one.
    stopped : frozenset of int
        Those of them that a rule has ended.
    """

    candidate: int
    n_resources: int | None
    scores: Mapping[int, float | None]
    reached: Mapping[int, int] = field(default_factory=dict)
    curves: Mapping[int, Curve] = field(default_factory=dict)
    stopped: frozenset[int] = frozenset()

    @property
    def failed(self) -> bool:
        """Whether the candidate failed on any split."""
        return None in self.scores.values()

    @property
    def score(self) -> float | None:
        """Mean over the splits that were run; None where the candidate failed."""
        return None if self.failed else mean_score(self.scores)


@dataclass(frozen=True, slots=True)
class Observation:
    """What a strategy is told: a candidate's scores at a resource.

    Attributes
    ----------
    candidate : int
    params : dict
    scores : dict of int -> float or None
        As of `Report`.
    n_resources : int or None
        None where candidates get everything at once.
    objectives : dict of str -> dict of int -> float or None
        The same as `scores` for each of the problem's objectives, in their order.
    """

    candidate: int
    params: Params
    scores: Mapping[int, float | None]
    n_resources: int | None = None
    objectives: Mapping[str, Mapping[int, float | None]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the candidate failed on any split, in any objective."""
        return any(
            None in of.values() for of in (self.scores, *self.objectives.values())
        )

    @property
    def score(self) -> float:
        """Mean over the splits that were run; not to be asked for after a failure."""
        return mean_score(self.scores)


def mean_score(scores: Mapping[int, float | None]) -> float:
    """Mean of the scores that are there, in the order of the splits."""
    finite = [scores[k] for k in sorted(scores) if scores[k] is not None]
    return sum(finite) / len(finite)  # type: ignore[arg-type]


@dataclass(slots=True)
class Candidate:
    """What the engine knows of one candidate, whatever its resource.

    Attributes
    ----------
    id : int
    params : dict
    bracket : int
    parent : int or None
        The candidate that it has gone on from.
    stages : tuple of Stage
        As of `Fit`.
    """

    id: int
    params: Params
    bracket: int = 0
    parent: int | None = None
    stages: tuple[Stage, ...] = ()

    @property
    def origin(self) -> int:
        """The first of its ancestors, or itself: whose seeds it has."""
        return self.stages[0].candidate if self.stages else self.id


@dataclass(slots=True)
class Evaluation:
    """One decision carried out.

    A row of `cv_results_` once all its splits are in, together with those that ran the
    candidate on other splits up to the same resource.

    Attributes
    ----------
    splits : tuple of int
        The splits that it runs on.
    outcomes : dict of int -> FitOutcome
        By split.
    """

    candidate: Candidate
    n_resources: int | None = None
    iter: int = 0
    splits: tuple[int, ...] = ()
    outcomes: dict[int, FitOutcome] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether every split is in."""
        return len(self.outcomes) == len(self.splits)

    @property
    def as_stages(self) -> tuple[Stage, ...]:
        """How the candidate was trained so far, its ancestors first."""
        one = self.candidate
        return (*one.stages, Stage(one.id, self.n_resources, one.params))

    def with_those_of(self, other: Evaluation | None) -> Evaluation:
        """One that has the splits of both, if the other came as far; else this one."""
        if other is None or other.n_resources != self.n_resources:
            return self
        splits = tuple(sorted({*self.splits, *other.splits}))
        outcomes = {**other.outcomes, **self.outcomes}
        return replace(self, splits=splits, outcomes=outcomes)


@dataclass(frozen=True, slots=True)
class SearchInfo:
    """What a listener is told of a search before its first fit.

    Attributes
    ----------
    search : object
        The search itself; its results are there when it is over.
    id : str
        32 hexadecimal digits. A search that is continued from its journal has the id
        that it had, and any other call of `fit` one of its own.
    n_splits : int
    resource : str or None
        What candidates are given more of; None where they get everything at once.
    n_recorded : int
        Fits that a journal has of it.
    is_replaying : callable
        ``is_replaying() -> bool``: whether what is told now was told before, by the
        search that has written the journal.
    """

    search: Any
    id: str
    n_splits: int
    resource: str | None = None
    n_recorded: int = 0
    is_replaying: Callable[[], bool] = lambda: False


# -- what is known beforehand --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WarmStartObservation:
    """A candidate of another search, from which a strategy may learn.

    Attributes
    ----------
    params : dict
        Numbers of an even or a logarithmic scale may lie beyond its ends.
    score : float or None
        Greater is better; None where it failed.
    source : int
        Which search it is of, counted from 1.
    objectives : tuple of float
        Its score in each of the problem's objectives; none where it failed.
    """

    params: Params
    score: float | None
    source: int = 1
    objectives: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """What a strategy is given at `init`: all that the search knows beforehand.

    Attributes
    ----------
    space : Space or None
        None where candidates are given and nothing is searched.
    n_candidates : int or None
        How many will be asked for at most, where that is known.
    max_resources : int or None
        The resource at which candidates are compared in the end; None where every
        candidate gets everything at once.
    n_splits : int
    warm_start : sequence of WarmStartObservation
        What is known from other searches.
    objectives : tuple of str
        The metrics whose front is searched; none where one score decides.
    """

    space: Space | None
    n_candidates: int | None = None
    max_resources: int | None = None
    n_splits: int = 1
    warm_start: Sequence[WarmStartObservation] = ()
    objectives: tuple[str, ...] = ()


class NetShape(NamedTuple):
    """What fits have in common that may be trained as one.

    Attributes
    ----------
    n_resources, pause : as of `Fit`
    params : tuple of (str, str)
        What of the net is searched and has to be equal, with its values.
    """

    n_resources: int | None
    pause: bool
    params: tuple[tuple[str, str], ...]


StackKey = NetShape | Hashable | None
"""Fits of equal keys may be trained as one; None is a fit that may not."""
