"""What every surrogate is given, and what it returns.

A surrogate is a function of a `SurrogateInput`: it is fitted to the observations, and
returns an acquisition function, which can be evaluated anywhere in the space, and the
anchors, points around which it is worth looking closely, the best first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sktune.strategy._acquisition import (
    ACQUISITIONS,
    AcquisitionFormula,
    AcquisitionFunction,
    posterior_mean,
)
from sktune.strategy._arrays import Array
from sktune.strategy._maximize import is_same
from sktune.strategy._observations import EncodedObservation

if TYPE_CHECKING:
    from sktune.space import Space

N_ANCHORS = 4


@dataclass(frozen=True, slots=True)
class SurrogateInput:
    """What a surrogate is fitted to, and where its acquisition is evaluated.

    Attributes
    ----------
    space : Space
    observations : sequence of EncodedObservation
        In an order that does not depend on which score came first; at least two have
        a score. With a `source`, it is of another search.
    pending : ndarray of shape (k, d)
        Snapped points of pending candidates.
    acquisition : str
    max_resources : int or None
        The resource at which candidates are compared; None where there are no rungs.
    seed : int
    """

    space: Space
    observations: Sequence[EncodedObservation]
    pending: Array
    acquisition: str
    max_resources: int | None
    seed: int

    @property
    def formula(self) -> AcquisitionFormula:
        """The one of `acquisition`, or the mean where nothing is to be beaten yet.

        After a warm start the first candidate is what the sources lead one to expect.
        """
        own = any(not one.source and not one.failed for one in self.observations)
        return (
            ACQUISITIONS[self.acquisition]
            if own or len(self.pending)
            else posterior_mean
        )


SurrogateOutput = tuple[AcquisitionFunction, Sequence[Array]]
Surrogate = Callable[[SurrogateInput], SurrogateOutput]


def first_distinct(points: Iterable[Array], n: int = N_ANCHORS) -> list[Array]:
    """The first n different points: a candidate has one for each rung it was at."""
    chosen: list[Array] = []
    for point in points:
        if len(chosen) < n and not any(is_same(point, other) for other in chosen):
            chosen.append(point)
    return chosen
