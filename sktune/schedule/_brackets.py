"""Successive halving and Hyperband: rung by rung, bracket by bracket."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

from sktune._types import Decision, Report, Resume, Start, Stop
from sktune.schedule._best import Best, with_score
from sktune.schedule._rungs import (
    Place,
    Rung,
    first_numbers,
    first_splits,
    in_random_order,
    splits_of,
)


@dataclass(frozen=True, slots=True)
class BracketState:
    """One bracket, at one of its rungs.

    Attributes
    ----------
    iter : int
        Rung that the bracket is at.
    n_decided : int
        Candidates that were decided on in this rung.
    n_told : int
        Those of them that have a score here, or failed.
    to_resume : tuple of int
        Candidates that are to be resumed in this rung, best first.
    best : tuple of (float, int)
        Those with a score here that may go on; no more than the next rung will have.
    """

    iter: int = 0
    n_decided: int = 0
    n_told: int = 0
    to_resume: tuple[int, ...] = ()
    best: Best = ()


@dataclass(frozen=True, slots=True)
class BracketsState:
    """All brackets.

    Attributes
    ----------
    brackets : tuple of BracketState
        Those that have begun.
    n_started : int
        Candidates that were started.
    eliminated : tuple of int
        Paused candidates that will not be resumed, and are still to be stopped.
    closed : bool
        Whether no further candidate can be started.
    order : tuple of int
        The splits, as candidates come to them.
    n_splits : dict
        Of each rung, by its place.
    """

    brackets: tuple[BracketState, ...] = (BracketState(),)
    n_started: int = 0
    eliminated: tuple[int, ...] = ()
    closed: bool = False
    order: tuple[int, ...] = ()
    n_splits: Mapping[Place, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Brackets:
    """Train the candidates of each rung, and the best of them further in the next.

    A bracket begins when the one before has decided on its last rung, so that workers
    have something to do while that rung ends.

    Parameters
    ----------
    rungs : tuple of Rung
        The plan; what `halving` and `hyperband` return.
    min_splits : int or None
        Splits that the lowest rungs run on, see `splits_of`; None: all run on all.
    seed : int
        Of the order in which candidates come to the splits, the same for all.

    Notes
    -----
    A candidate that failed is never resumed. Of equal scores the earlier candidate goes
    on. If fewer candidates could be started than planned, the share that goes on stays.
    """

    rungs: tuple[Rung, ...]
    min_splits: int | None = None
    seed: int = 0
    in_order: ClassVar[bool] = True

    @cached_property
    def table(self) -> tuple[tuple[Rung, ...], ...]:
        """Rungs of each bracket."""
        n_brackets = max((rung.bracket for rung in self.rungs), default=-1) + 1
        brackets = [
            [r for r in self.rungs if r.bracket == b] for b in range(n_brackets)
        ]
        return tuple(tuple(rungs) for rungs in brackets)

    @cached_property
    def _first_numbers(self) -> tuple[int, ...]:
        return first_numbers(self.rungs)

    def init(self, n_splits: int) -> BracketsState:
        return BracketsState(
            brackets=(BracketState(),) if self.rungs else (),
            order=in_random_order(n_splits, self.seed),
            n_splits=splits_of(self.rungs, n_splits, self.min_splits),
        )

    def next(self, state: BracketsState) -> tuple[Decision | None, BracketsState]:
        if state.eliminated:
            return Stop(state.eliminated[0]), replace(
                state, eliminated=state.eliminated[1:]
            )
        state = self._advance(state)
        if state.eliminated:
            return self.next(state)
        for b, bracket in enumerate(state.brackets):
            decision, bracket = self._decide(b, bracket, state)
            if decision is not None:
                state = _with(state, b, bracket)
                if isinstance(decision, Start):
                    state = replace(state, n_started=state.n_started + 1)
                return decision, state
        return None, state

    def tell(self, state: BracketsState, report: Report) -> BracketsState:
        b = bisect(self._first_numbers, report.candidate) - 1
        bracket = state.brackets[b]
        best, behind = bracket.best, None
        if bracket.iter + 1 < len(self.table[b]):
            limit = self.table[b][bracket.iter + 1].n_candidates
            best, behind = with_score(best, report.candidate, report.score, limit)
        bracket = replace(bracket, n_told=bracket.n_told + 1, best=best)
        state = _with(state, b, bracket)
        if behind is not None:
            # Whatever scores are still to come, that one will not go on.
            state = replace(state, eliminated=(*state.eliminated, behind))
        return state

    def close(self, state: BracketsState) -> BracketsState:
        return replace(state, closed=True)

    def _decide(
        self, b: int, bracket: BracketState, state: BracketsState
    ) -> tuple[Decision | None, BracketState]:
        rungs = self.table[b]
        rung, pause = rungs[bracket.iter], bracket.iter + 1 < len(rungs)
        splits = first_splits(state.order, state.n_splits[Place(b, rung.iter)])
        if bracket.iter == 0:
            if self._is_decided(b, bracket, state):
                return None, bracket
            start = Start(rung.n_resources, b, 0, pause, splits)
            return start, replace(bracket, n_decided=bracket.n_decided + 1)
        if not bracket.to_resume:
            return None, bracket
        first, rest = bracket.to_resume[0], bracket.to_resume[1:]
        return (
            Resume(first, rung.n_resources, rung.iter, pause, splits),
            replace(bracket, n_decided=bracket.n_decided + 1, to_resume=rest),
        )

    def _advance(self, state: BracketsState) -> BracketsState:
        """Brackets whose rung is over at their next; the next bracket, when it's time.

        A rung is over when every candidate that was planned for it has a score.
        """
        for b, bracket in enumerate(state.brackets):
            is_over = self._is_decided(b, bracket, state) and self._is_told(bracket)
            if is_over and bracket.iter + 1 < len(self.table[b]):
                state = self._promote(b, bracket, state)
        b = len(state.brackets) - 1
        if b >= 0 and b + 1 < len(self.table) and not state.closed:
            last = state.brackets[b]
            if self._is_over_but_for_scores(b, last, state):
                brackets = (*state.brackets, BracketState())
                state = replace(state, brackets=brackets)
        return state

    def _promote(
        self, b: int, bracket: BracketState, state: BracketsState
    ) -> BracketsState:
        """The bracket at its next rung, unless nobody can go there."""
        if not bracket.best:
            return state
        best_first = tuple(candidate for _, candidate in bracket.best)
        n = self._n_survivors(b, bracket, state)
        advanced = BracketState(bracket.iter + 1, to_resume=best_first[:n])
        eliminated = (*state.eliminated, *best_first[n:])
        return replace(_with(state, b, advanced), eliminated=eliminated)

    def _is_decided(self, b: int, bracket: BracketState, state: BracketsState) -> bool:
        """Whether every candidate of the rung has been decided on."""
        if bracket.iter:
            return not bracket.to_resume
        planned = self.table[b][0].n_candidates
        return state.closed or bracket.n_decided >= planned

    def _is_told(self, bracket: BracketState) -> bool:
        return bracket.n_told == bracket.n_decided

    def _is_over_but_for_scores(
        self, b: int, bracket: BracketState, state: BracketsState
    ) -> bool:
        """Whether nothing more will be decided on in the bracket."""
        if not self._is_decided(b, bracket, state):
            return False
        is_last = bracket.iter + 1 == len(self.table[b])
        return is_last or (self._is_told(bracket) and not bracket.best)

    def _n_survivors(self, b: int, bracket: BracketState, state: BracketsState) -> int:
        """Candidates that go on from a rung that is over."""
        planned = self.table[b][bracket.iter + 1].n_candidates
        n_planned = self.table[b][0].n_candidates
        n_started = min(n_planned, state.n_started - self._first_numbers[b])
        return max(1, -(-planned * n_started // n_planned))


def _with(state: BracketsState, b: int, bracket: BracketState) -> BracketsState:
    brackets = (*state.brackets[:b], bracket, *state.brackets[b + 1 :])
    return replace(state, brackets=brackets)
