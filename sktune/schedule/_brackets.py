"""Successive halving and Hyperband: rung by rung, bracket by bracket."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

from sktune._types import Decision, Resume, Start, Stop
from sktune.schedule._plan import Rung


@dataclass(frozen=True, slots=True)
class BracketState:
    """One bracket, at one of its rungs.

    Attributes
    ----------
    iter : int
        Rung that the bracket is at.
    members : tuple of int
        Candidates that were decided on in this rung.
    waiting : tuple of int
        Candidates that are to be resumed in this rung, best first.
    scores : dict
        Scores told in this rung; None is a failure.
    """

    iter: int = 0
    members: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()
    scores: Mapping[int, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BracketsState:
    """All brackets.

    Attributes
    ----------
    brackets : tuple of BracketState
        Those that have begun.
    home : dict
        Bracket of each candidate.
    hopeless : tuple of int
        Paused candidates of which it is known that they will not be resumed.
    closed : bool
        Whether no further candidate can be started.
    """

    brackets: tuple[BracketState, ...] = (BracketState(),)
    home: Mapping[int, int] = field(default_factory=dict)
    hopeless: tuple[int, ...] = ()
    closed: bool = False


@dataclass(frozen=True)
class Brackets:
    """Train the candidates of each rung, and the best of them further in the next.

    A bracket begins when the one before has decided on its last rung, so that workers
    have something to do while that rung ends.

    Parameters
    ----------
    rungs : tuple of Rung
        The plan; what `halving` and `hyperband` return.

    Notes
    -----
    A candidate that failed is never resumed. Of equal scores the earlier candidate goes
    on. If fewer candidates could be started than planned, the share that goes on stays.
    """

    rungs: tuple[Rung, ...]
    in_order: ClassVar[bool] = True

    @cached_property
    def table(self) -> tuple[tuple[Rung, ...], ...]:
        """Rungs of each bracket."""
        n_brackets = max((rung.bracket for rung in self.rungs), default=-1) + 1
        brackets = [
            [r for r in self.rungs if r.bracket == b] for b in range(n_brackets)
        ]
        return tuple(tuple(rungs) for rungs in brackets)

    def init(self) -> BracketsState:
        return BracketsState(brackets=(BracketState(),) if self.rungs else ())

    def next(self, state: BracketsState) -> tuple[Decision | None, BracketsState]:
        if state.hopeless:
            first, *rest = state.hopeless
            return Stop(first), replace(state, hopeless=tuple(rest))
        state = self._climb(state)
        if state.hopeless:
            return self.next(state)
        for b, bracket in enumerate(state.brackets):
            decision, bracket = self._decide(b, bracket, state)
            if decision is not None:
                state = _with(state, b, bracket)
                if isinstance(decision, Start):
                    home = {**state.home, len(state.home): b}
                    state = replace(state, home=home)
                return decision, state
        return None, state

    def tell(
        self,
        state: BracketsState,
        candidate: int,
        n_resources: int | None,
        score: float | None,
    ) -> BracketsState:
        b = state.home[candidate]
        bracket = state.brackets[b]
        before = self._hopeless(b, bracket)
        if score is not None and not math.isfinite(score):
            score = None
        bracket = replace(bracket, scores={**bracket.scores, candidate: score})
        state = _with(state, b, bracket)
        new = tuple(c for c in self._hopeless(b, bracket) if c not in before)
        return replace(state, hopeless=state.hopeless + new)

    def close(self, state: BracketsState) -> BracketsState:
        return replace(state, closed=True)

    def _decide(
        self, b: int, bracket: BracketState, state: BracketsState
    ) -> tuple[Decision | None, BracketState]:
        rungs = self.table[b]
        rung, pause = rungs[bracket.iter], bracket.iter + 1 < len(rungs)
        if bracket.iter == 0:
            if state.closed or len(bracket.members) >= rung.n_candidates:
                return None, bracket
            number = len(state.home)
            start = Start(rung.n_resources, b, 0, pause)
            return start, replace(bracket, members=(*bracket.members, number))
        if not bracket.waiting:
            return None, bracket
        first, *rest = bracket.waiting
        members = (*bracket.members, first)
        return (
            Resume(first, rung.n_resources, rung.iter, pause),
            replace(bracket, members=members, waiting=tuple(rest)),
        )

    def _climb(self, state: BracketsState) -> BracketsState:
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
        best_first = _best_first(bracket)
        if not best_first:
            return state
        n = self._n_survivors(b, bracket, state)
        climbed = BracketState(bracket.iter + 1, waiting=tuple(best_first[:n]))
        # Beyond the planned number they were said to be hopeless when it was known.
        planned = self.table[b][bracket.iter + 1].n_candidates
        hopeless = (*state.hopeless, *best_first[n:planned])
        return replace(_with(state, b, climbed), hopeless=hopeless)

    def _is_decided(self, b: int, bracket: BracketState, state: BracketsState) -> bool:
        """Whether every candidate of the rung has been decided on."""
        if bracket.iter:
            return not bracket.waiting
        planned = self.table[b][0].n_candidates
        return state.closed or len(bracket.members) >= planned

    def _is_told(self, bracket: BracketState) -> bool:
        return len(bracket.scores) == len(bracket.members)

    def _is_over_but_for_scores(
        self, b: int, bracket: BracketState, state: BracketsState
    ) -> bool:
        """Whether nothing more will be decided on in the bracket."""
        if not self._is_decided(b, bracket, state):
            return False
        is_last = bracket.iter + 1 == len(self.table[b])
        return is_last or (self._is_told(bracket) and not _best_first(bracket))

    def _n_survivors(self, b: int, bracket: BracketState, state: BracketsState) -> int:
        """Candidates that go on from a rung that is over."""
        planned = self.table[b][bracket.iter + 1].n_candidates
        n_started = sum(home == b for home in state.home.values())
        return max(1, -(-planned * n_started // self.table[b][0].n_candidates))

    def _hopeless(self, b: int, bracket: BracketState) -> list[int]:
        """Candidates that will not go on, whatever scores are still to come."""
        if bracket.iter + 1 == len(self.table[b]):
            return []
        limit = self.table[b][bracket.iter + 1].n_candidates
        best_first = _best_first(bracket)
        failed = [c for c, score in bracket.scores.items() if score is None]
        return [*best_first[limit:], *failed]


def _with(state: BracketsState, b: int, bracket: BracketState) -> BracketsState:
    brackets = (*state.brackets[:b], bracket, *state.brackets[b + 1 :])
    return replace(state, brackets=brackets)


def _best_first(bracket: BracketState) -> list[int]:
    """Candidates of the rung that have a score; of equals the earlier first."""
    scored = [(-score, c) for c, score in bracket.scores.items() if score is not None]
    return [c for _, c in sorted(scored)]
