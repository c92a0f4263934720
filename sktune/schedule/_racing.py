"""Every candidate gets everything, unless its rest cannot matter: splits in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from sktune._types import Decision, Report, Resume, Start, Stop, mean_score
from sktune.schedule._paired_differences import PairedDifferences, Scores
from sktune.schedule._rungs import in_random_order
from sktune.schedule._stop_rules import EarlyStopping, LearningCurve

N_FIRST = 2  # splits that a race begins with
MOST_SHUFFLED = 100_000


@dataclass(frozen=True, slots=True)
class RacingState:
    """What has been decided and told.

    Attributes
    ----------
    order : tuple of int
        The splits, as candidates are run on them.
    scores : dict of int -> dict of int -> float
        By candidate and split; of candidates that failed or were stopped, nothing.
    in_flight : frozenset of int
        Candidates that were decided for and have not been told since.
    undecided : tuple of int
        Candidates that have been told, and may go on.
    spared : tuple of int
        Candidates that are run no further, still to be stopped.
    best : int or None
        The complete candidate of the best mean, the earlier one of equals.
    differences : PairedDifferences or None
        To the best; None as long as there is none.
    curves : tuple of LearningCurve
        On the first split, those of candidates that did not fail.
    n_started : int
    closed : bool
        Whether no further candidate can be started.
    filling : bool
        Whether decisions may be added to those that are in flight.
    """

    order: tuple[int, ...]
    scores: Mapping[int, Scores] = field(default_factory=dict)
    in_flight: frozenset[int] = frozenset()
    undecided: tuple[int, ...] = ()
    spared: tuple[int, ...] = ()
    best: int | None = None
    differences: PairedDifferences | None = None
    curves: tuple[LearningCurve, ...] = ()
    n_started: int = 0
    closed: bool = False
    filling: bool = True


@dataclass(frozen=True)
class Racing:
    """Run the splits of a candidate in turn, as long as it may become the best.

    With `z`, a candidate begins with two splits. As soon as there is one that has all,
    whoever is clearly behind the best of these is spared its rest; else who is nearest
    to it goes on, one step further. So a few that lead are run on all splits early, and
    many are compared with these after two.

    With `early_stopping`, a candidate begins with one split, on which a rule may end
    its training; then it is spared the others. On these nothing is ended: with a rule
    for each split there would be as many chances to lose the best.

    Parameters
    ----------
    n_candidates : int
    z : float or None
        Standard errors that a candidate has to be behind, see
        `_paired_differences.py`; None spares nobody for that.
    early_stopping : EarlyStopping or None
        Makes the rules of first splits; None makes none.
    n_pending : int
        Candidates in flight at once. What a decision knows follows from it, and not
        from how many workers there are: all that was told before, in the order of the
        decisions.
    step : int
        Splits by which a candidate goes on.
    in_rounds : bool
        Whether nothing is decided as long as anything is in flight. Then fits are
        decided on together, and can be trained as one.
    seed : int
        Of the order of the splits, the same for all candidates.
    shuffle : bool
        Whether candidates are started in a random order, too. In a grid neighbours are
        much alike, and often each is better than the one before: then none is clearly
        behind. One of more than 100,000 keeps its order.
    """

    n_candidates: int
    z: float | None = None
    early_stopping: EarlyStopping | None = None
    n_pending: int = 8
    step: int = 1
    in_rounds: bool = False
    seed: int = 0
    shuffle: bool = False
    in_order: ClassVar[bool] = True

    def init(self, n_splits: int) -> RacingState:
        return RacingState(in_random_order(n_splits, self.seed))

    def next(self, state: RacingState) -> tuple[Decision | None, RacingState]:
        if state.spared:
            candidate, *rest = state.spared
            return Stop(candidate), replace(state, spared=tuple(rest))
        if not state.filling or len(state.in_flight) >= self.n_pending:
            return None, state
        for candidate in state.undecided:
            n_run = len(state.scores[candidate])
            if self.z is None:
                return self._resume(state, candidate, len(state.order))
            if n_run < N_FIRST:
                return self._resume(state, candidate, N_FIRST - n_run)
        n_open = len(state.undecided) + len(state.in_flight)
        is_over = state.closed or state.n_started >= self.n_candidates
        if not is_over and (n_open < self.n_pending or not state.undecided):
            return self._start(state)
        if not state.undecided:
            return None, state
        if state.differences is not None:
            nearest = state.differences.nearest(state.undecided)
            return self._resume(state, nearest, self.step)
        # Who leads after two splits may do so by luck, so there are several.
        n_leading = len(state.in_flight & state.scores.keys())
        if n_leading >= self._n_leaders:
            return None, state
        leader = min(state.undecided, key=lambda c: (-mean_score(state.scores[c]), c))
        return self._resume(state, leader, len(state.order))

    @property
    def _shuffles(self) -> bool:
        return self.shuffle and self.n_candidates <= MOST_SHUFFLED

    @cached_property
    def _numbers(self) -> Sequence[int]:
        """Of candidates, in the order in which they are started."""
        if not self._shuffles:
            return range(self.n_candidates)
        return np.random.default_rng(self.seed).permutation(self.n_candidates).tolist()

    @cached_property
    def _n_leaders(self) -> int:
        return -(-3 * min(self.n_pending, self.n_candidates) // 8)

    def tell(self, state: RacingState, report: Report) -> RacingState:
        candidate, n_run = report.candidate, len(report.scores)
        state = replace(state, in_flight=state.in_flight - {candidate})
        is_first = candidate not in state.scores
        if is_first and not report.failed:
            state = replace(state, curves=(*state.curves, *self._curve(state, report)))
        if report.failed or report.stopped:
            scores = {c: s for c, s in state.scores.items() if c != candidate}
            state = replace(state, scores=scores)
            if state.differences is not None:
                differences = state.differences.without(candidate)
                state = replace(state, differences=differences)
            if n_run < len(state.order):
                state = replace(state, spared=(*state.spared, candidate))
        else:
            state = self._scored(state, report)
        in_rounds = self.in_rounds or (self.z is not None and state.best is None)
        return replace(state, filling=not (in_rounds and state.in_flight))

    def close(self, state: RacingState) -> RacingState:
        return replace(state, closed=True)

    # -- deciding ------------------------------------------------------------------

    def _start(self, state: RacingState) -> tuple[Decision, RacingState]:
        n, rule = N_FIRST, None
        if self.early_stopping is not None:
            n, rule = 1, self.early_stopping.rule(state.curves)
        number = self._numbers[state.n_started]
        start = Start(
            pause=n < len(state.order),
            splits=state.order[:n],
            stop_rule=rule,
            candidate=number if self._shuffles else None,
        )
        in_flight = state.in_flight | {number}
        n_started = state.n_started + 1
        return start, replace(state, n_started=n_started, in_flight=in_flight)

    def _resume(
        self, state: RacingState, candidate: int, n_more: int
    ) -> tuple[Decision, RacingState]:
        n_run = len(state.scores[candidate])
        splits = state.order[n_run : n_run + n_more]
        pause = n_run + n_more < len(state.order)
        undecided = tuple(c for c in state.undecided if c != candidate)
        in_flight = state.in_flight | {candidate}
        state = replace(state, undecided=undecided, in_flight=in_flight)
        return Resume(candidate, None, 0, pause, splits), state

    # -- telling -------------------------------------------------------------------

    def _curve(self, state: RacingState, report: Report) -> list[LearningCurve]:
        first = state.order[0]
        if self.early_stopping is None or first not in report.curves:
            return []
        finished = first not in report.stopped
        return [LearningCurve(report.curves[first], finished)]

    def _scored(self, state: RacingState, report: Report) -> RacingState:
        """State that has the scores of a candidate which may still become the best."""
        candidate = report.candidate
        scores: Scores = {k: s for k, s in report.scores.items() if s is not None}
        state = replace(state, scores={**state.scores, candidate: scores})
        is_complete = len(scores) == len(state.order)
        if not is_complete:
            state = replace(state, undecided=(*state.undecided, candidate))
        if self.z is None:
            return state
        if is_complete and self._is_best(state, candidate):
            others = {c: s for c, s in state.scores.items() if c != candidate}
            differences = PairedDifferences.to(scores, others)
            state = replace(state, best=candidate, differences=differences)
        elif state.differences is not None:
            differences = state.differences.with_scores(candidate, scores)
            state = replace(state, differences=differences)
        return self._without_those_behind(state)

    def _is_best(self, state: RacingState, candidate: int) -> bool:
        if state.best is None:
            return True
        mine, best = (mean_score(state.scores[c]) for c in (candidate, state.best))
        return mine > best or (mine == best and candidate < state.best)

    def _without_those_behind(self, state: RacingState) -> RacingState:
        if state.differences is None or self.z is None:
            return state
        raced = [c for c in state.undecided if len(state.scores[c]) >= N_FIRST]
        behind = state.differences.behind(raced, self.z)
        undecided = tuple(c for c in state.undecided if c not in behind)
        return replace(state, undecided=undecided, spared=(*state.spared, *behind))
