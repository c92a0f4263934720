"""Candidates that are known beforehand: grids, random draws, a user's own list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sktune._types import Observation, Params, Problem


@dataclass(frozen=True)
class Listed:
    """Name the given candidates, in the given order.

    Parameters
    ----------
    candidates : sequence of dict
        Handed on as they are.

    Examples
    --------
    >>> from sktune.strategy import Listed
    >>> strategy = Listed([{"lr": 0.1}, {"lr": 0.2}])
    >>> strategy.ask(None, 1, pending=(), seed=0)
    {'lr': 0.2}
    >>> strategy.ask(None, 2, pending=(), seed=0) is None
    True
    """

    candidates: Sequence[Params]

    def init(self, problem: Problem) -> None:
        """Nothing to remember."""

    def tell(self, state: None, observation: Observation) -> None:
        """Nothing to learn."""

    def ask(
        self, state: None, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params at position `candidate`; None behind the last."""
        try:
            return self.candidates[candidate]
        except IndexError:
            return None
