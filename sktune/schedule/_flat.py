"""Every candidate gets everything at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sktune._types import Start


class FlatState(NamedTuple):
    """Counts are all that a flat schedule has to know."""

    started: int = 0
    told: int = 0


@dataclass(frozen=True)
class Flat:
    """Start `n_candidates`, at most `n_pending` of them without a score.

    Observations arrive one by one in the order in which candidates started. So what is
    known when candidate i is asked for is always the candidates 0 to i - n_pending, and
    does not depend on which worker was faster.
    """

    n_candidates: int
    n_pending: int

    def init(self) -> FlatState:
        return FlatState()

    def next(self, state: FlatState) -> tuple[Start | None, FlatState]:
        pending = state.started - state.told
        if state.started >= self.n_candidates or pending >= self.n_pending:
            return None, state
        return Start(), state._replace(started=state.started + 1)

    def tell(self, state: FlatState, candidate: int, score: float | None) -> FlatState:
        return state._replace(told=state.told + 1)
