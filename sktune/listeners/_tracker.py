"""What all trackers share: what there is to log of each candidate, and when."""

from __future__ import annotations

import copy
import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple

from sktune._protocols import Listener
from sktune._types import (
    Candidate,
    Evaluation,
    Fit,
    FitOutcome,
    Observation,
    SearchInfo,
    is_finite,
)

_LONGEST = 250  # characters of a value


class Point(NamedTuple):
    """A value of a metric, at an epoch or a resource."""

    name: str
    value: float
    step: int


@dataclass
class CandidateLog:
    """What is known of a candidate that is logged.

    Attributes
    ----------
    candidate : Candidate
    so_far : Evaluation
        All that it was run on at the resource that it came to last.
    score : float or None
        Its mean score there, by the metric that decides; None where it failed.
    is_over : bool
        Whether it will not be run again.
    is_open : bool
        Whether anything of it was logged in this call of `fit`.
    traceback : str or None
        Of the first of its fits that raised.
    """

    candidate: Candidate
    so_far: Evaluation
    score: float | None = None
    is_over: bool = False
    is_open: bool = False
    traceback: str | None = None
    _epochs: dict[int, int] = field(default_factory=dict)  # logged, by split
    _n_epochs: int = 0  # logged, of the mean
    _curves: dict[int, dict[int, float]] = field(default_factory=dict)  # by epoch

    @property
    def failed(self) -> bool:
        """Whether it failed on any split."""
        return self.score is None

    def add(self, one: Evaluation, seen: Observation) -> list[Point]:
        """What is new in an evaluation."""
        self.so_far = so_far = one.with_those_of(self.so_far)
        self.score = None if seen.failed else seen.score
        points = [point for k in one.splits for point in self._curve(k, one)]
        step = self._step()
        for what, by_split in _scores(so_far).items():
            for k in one.splits:
                if is_finite(by_split[k]):
                    name = f"split{k}_{what}"
                    points.append(Point(name, float(by_split[k]), step))
            if all(map(is_finite, by_split.values())):
                values = [float(by_split[k]) for k in sorted(by_split)]
                points.append(Point(f"mean_{what}", statistics.fmean(values), step))
                points.append(Point(f"std_{what}", statistics.pstdev(values), step))
        times = [o.fit_time for o in so_far.outcomes.values()]
        points.append(Point("mean_fit_time", statistics.fmean(times), step))
        for outcome in one.outcomes.values():
            self.traceback = self.traceback or outcome.traceback
        return points

    def mean_curve(self) -> list[Point]:
        """The mean curve of the splits that were run, from where it was logged to."""
        by_epoch: dict[int, list[float]] = {}
        for _, curve in sorted(self._curves.items()):
            for epoch, value in curve.items():
                by_epoch.setdefault(epoch, []).append(value)
        new = sorted(epoch for epoch in by_epoch if epoch > self._n_epochs)
        self._n_epochs = new[-1] if new else self._n_epochs
        return [Point("mean_curve", statistics.fmean(by_epoch[e]), e) for e in new]

    def _curve(self, split: int, one: Evaluation) -> Iterator[Point]:
        outcome = one.outcomes[split]
        if outcome.curve is None:
            return
        pairs = zip(outcome.epochs, outcome.curve, strict=True)
        curve = {epoch: float(v) for epoch, v in pairs if is_finite(v)}
        self._curves[split] = curve
        logged = self._epochs.get(split, 0)
        self._epochs[split] = max([logged, *outcome.epochs])
        for epoch, value in curve.items():
            if epoch > logged:
                yield Point(f"split{split}_curve", value, epoch)

    def _step(self) -> int:
        """Where scores are on the axis of the curves."""
        if self.so_far.n_resources is not None:
            return self.so_far.n_resources
        reached = [outcome.reached or 0 for outcome in self.so_far.outcomes.values()]
        return max([*reached, *self._epochs.values()], default=0)


def _scores(one: Evaluation) -> dict[str, dict[int, Any]]:
    """Scores by split, under the names that they have in `cv_results_`."""
    found: dict[str, dict[int, Any]] = {}
    for k, outcome in one.outcomes.items():
        for part, scores in (
            ("test", outcome.test_scores),
            ("train", outcome.train_scores or {}),
        ):
            for metric in scores:
                value = scores[metric] if outcome.fit_error is None else None
                found.setdefault(f"{part}_{metric}", {})[k] = value
    splits = one.outcomes.keys()
    return {
        what: {k: by_split.get(k) for k in splits} for what, by_split in found.items()
    }


class Tracker(Listener):
    """Logs each candidate as it is done; subclasses say where.

    It is told of what a journal has as well, to know what was logged of a candidate
    that goes on, and logs none of that again. Nothing is opened before there is
    something to log. At rest it has its arguments only, and can be sent and copied.
    """

    wants_replayed = True

    def of_search(self, info: SearchInfo) -> Tracker:
        """A copy with a state of its own."""
        tracker = copy.copy(self)
        tracker._begin(info)
        return tracker

    def _begin(self, info: SearchInfo) -> None:
        self._info = info
        self._logs: dict[int, CandidateLog] = {}
        self._goes_on: dict[int, bool] = {}
        self._is_open = False

    # -- what subclasses do --------------------------------------------------------

    def _open(self) -> None:
        """Get ready to log; called once, before what follows."""

    def _log(self, log: CandidateLog, points: list[Point]) -> None:
        """Log points of a candidate."""

    def _end(self, log: CandidateLog) -> None:
        """A candidate that was logged will not be run again."""

    def _end_search(self, search: Any, error: BaseException | None) -> None:
        """`fit` is over."""

    # -- what it is told -----------------------------------------------------------

    def on_fit(self, fit: Fit, outcome: FitOutcome) -> None:
        self._goes_on[fit.candidate] = fit.pause

    def on_evaluation(self, evaluation: Evaluation, observation: Observation) -> None:
        candidate = evaluation.candidate
        log = self._logs.setdefault(candidate.id, CandidateLog(candidate, evaluation))
        points = log.add(evaluation, observation)
        in_all_splits = len(observation.scores) == self._info.n_splits
        has_rungs = evaluation.n_resources is not None
        if in_all_splits or has_rungs:
            points = log.mean_curve() + points
        self._put(log, points)
        if in_all_splits and not self._goes_on.get(candidate.id):
            self._put_end(log)

    def on_stop(self, candidate: int) -> None:
        log = self._logs.get(candidate)
        if log is not None and not log.is_over:
            self._put(log, log.mean_curve())
            self._put_end(log)

    def on_close(self, search: Any, error: BaseException | None) -> None:
        if not self._is_open:
            return
        for log in self._logs.values():
            if not log.is_over and log.is_open:
                if points := log.mean_curve():
                    self._log(log, points)
                self._end(log)
        self._end_search(search, error)

    def _put(self, log: CandidateLog, points: list[Point]) -> None:
        if self._info.is_replaying() or not points:
            return
        if not self._is_open:
            self._open()
            self._is_open = True
        self._log(log, points)
        log.is_open = True

    def _put_end(self, log: CandidateLog) -> None:
        log.is_over = True
        if log.is_open and not self._info.is_replaying():
            self._end(log)

    @property
    def _name_of_search(self) -> str:
        """A name that a search keeps when it is continued."""
        return f"{type(self._info.search).__name__}-{self._info.id[:8]}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


# -- values ----------------------------------------------------------------------------


def plain(value: Any) -> bool | int | float | str | None:
    """A value as one that every tracker can store."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    text = getattr(value, "__name__", None) or " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def plain_params(params: Any) -> dict[str, bool | int | float | str | None]:
    """Params as ones that every tracker can store."""
    return {str(name): plain(value) for name, value in params.items()}


def arguments_of(search: Any) -> dict[str, bool | int | float | str | None]:
    """The arguments of a search that say how it searches."""
    params = search.get_params(deep=False)
    params["estimator"] = type(params["estimator"]).__name__
    params.pop("listeners", None)
    return plain_params(params)


def package(name: str, tracker: str, extra: str) -> Any:
    """A package that a tracker needs.

    Raises
    ------
    ImportError
        Where it is not installed; names the extra that has it.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f'{tracker} needs {name}: pip install "sktune[{extra}]"'
        ) from error
