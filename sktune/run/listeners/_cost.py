"""What of a search is known beforehand that its time depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sktune._types import Params
from sktune.schedule import Rung, resources_of_a_candidate, splits_of


@dataclass(frozen=True)
class Cost:
    """What the evaluations of a search cost beside each other.

    Attributes
    ----------
    rungs : tuple of Rung
        The plan. A flat search has one rung, and a resource of 1.
    continues : bool
        Whether a candidate costs no more than what it was given since its last rung.
    in_order : bool
        Whether a rung begins when the one before is over.
    max_resources : int or None
        The most that fits on one split may spend together.
    min_splits : int or None
        Splits that the lowest rungs run on; None: all run on all.
    """

    rungs: tuple[Rung, ...] = ()
    continues: bool = False
    in_order: bool = True
    max_resources: float | None = None
    min_splits: int | None = None

    def splits(self, n_splits: int) -> list[int]:
        """On how many splits a candidate is run in each rung."""
        return list(splits_of(self.rungs, n_splits, self.min_splits).values())

    def of_a_candidate(self, splits: Sequence[int]) -> list[int]:
        """What a candidate is given in each rung, on its splits together."""
        return resources_of_a_candidate(self.rungs, splits, continues=self.continues)

    def is_barrier(self, i: int) -> bool:
        """Whether nothing else runs until a rung is over."""
        if i + 1 == len(self.rungs):
            return i > 0
        return self.in_order and self.rungs[i].bracket == self.rungs[i + 1].bracket


@dataclass(frozen=True)
class RefitCost:
    """What the refit costs beside the fits.

    Attributes
    ----------
    n_resources : int
        In one go; 1 where there is no resource.
    share : float
        How many times as many rows as the fits it trains on.
    """

    n_resources: int = 1
    share: float = 1.0


@dataclass(frozen=True)
class ToCome:
    """The params of candidates, as far as they are known beforehand.

    Attributes
    ----------
    candidates : sequence of dict
    are_listed : bool
        Whether these are the candidates, in the order of their numbers; else they are
        some of the space.
    """

    candidates: Sequence[Params] = ()
    are_listed: bool = False
