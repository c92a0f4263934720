"""Every candidate gets everything at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from sktune._types import Report, Start


class FlatState(NamedTuple):
    """Counts are all that a flat schedule has to know."""

    started: int = 0
    closed: bool = False


@dataclass(frozen=True)
class Flat:
    """Start `n_candidates`, each with `n_resources` where there is a resource."""

    n_candidates: int
    n_resources: int | None = None
    in_order: ClassVar[bool] = True

    def init(self, n_splits: int) -> FlatState:
        return FlatState()

    def next(self, state: FlatState) -> tuple[Start | None, FlatState]:
        if state.closed or state.started >= self.n_candidates:
            return None, state
        return Start(self.n_resources), state._replace(started=state.started + 1)

    def tell(self, state: FlatState, report: Report) -> FlatState:
        return state

    def close(self, state: FlatState) -> FlatState:
        return state._replace(closed=True)
