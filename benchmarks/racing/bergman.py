"""The two rules of Bergman, Purucker and Hutter, as schedules.

E. Bergman, L. Purucker and F. Hutter, "Don't waste your time: early stopping
cross-validation", AutoML 2024. One candidate at a time, split by split. After each
split a candidate is spared the rest if the mean of its scores so far is below

- "aggressive": the mean of the best candidate's scores on all splits,
- "forgiving": the worst of the best candidate's scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from sktune._types import Decision, Report, Resume, Start, Stop, mean_score


@dataclass(frozen=True)
class BergmanState:
    """The candidate whose turn it is, its scores, and those of the best."""

    n_splits: int
    n_started: int = 0
    scores: Mapping[int, float | None] = field(default_factory=dict)
    best: tuple[float, ...] = ()
    in_flight: bool = False
    over: bool = True  # whether the candidate whose turn it is has come to its end
    to_stop: bool = False
    closed: bool = False


@dataclass(frozen=True)
class Bergman:
    """Spare a candidate its rest when its mean so far is below a bar."""

    n_candidates: int
    forgiving: bool = False
    in_order: ClassVar[bool] = True

    def init(self, n_splits: int) -> BergmanState:
        return BergmanState(n_splits)

    def next(self, state: BergmanState) -> tuple[Decision | None, BergmanState]:
        one = state.n_started - 1
        if state.in_flight:
            return None, state
        if state.to_stop:
            return Stop(one), replace(state, to_stop=False)
        if not state.over:
            k = len(state.scores)
            pause = k + 1 < state.n_splits
            resume = Resume(one, None, 0, pause, (k,))
            return resume, replace(state, in_flight=True)
        if state.closed or state.n_started >= self.n_candidates:
            return None, state
        start = Start(pause=state.n_splits > 1, splits=(0,))
        n_started = state.n_started + 1
        state = replace(state, n_started=n_started, in_flight=True, scores={})
        return start, replace(state, over=False)

    def tell(self, state: BergmanState, report: Report) -> BergmanState:
        scores = {**state.scores, **report.scores}
        is_complete = len(scores) == state.n_splits
        over = is_complete or self._is_behind(scores, state.best)
        state = replace(state, scores=scores, in_flight=False, over=over)
        if not is_complete:
            return replace(state, to_stop=over)
        found = tuple(s for s in scores.values() if s is not None)
        is_valid = len(found) == state.n_splits
        if is_valid and (not state.best or sum(found) > sum(state.best)):
            return replace(state, best=found)
        return state

    def close(self, state: BergmanState) -> BergmanState:
        return replace(state, closed=True)

    def _is_behind(
        self, scores: Mapping[int, float | None], best: tuple[float, ...]
    ) -> bool:
        if None in scores.values():
            return True
        if not best:
            return False
        bar = min(best) if self.forgiving else sum(best) / len(best)
        return mean_score(scores) < bar
