"""What a surrogate is asked, and what it answers.

A surrogate is a function of a `Question`: it learns from what is known, and answers
with a promise, which can be evaluated anywhere in the space, and with the points around
which it is worth looking closely, the best first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sktune.strategy._gp import Array
from sktune.strategy._maximize import Promise, same
from sktune.strategy._multi_fidelity import Known

if TYPE_CHECKING:
    from sktune.space import Space

N_ANCHORS = 4


@dataclass(frozen=True, slots=True)
class Question:
    """What is known, and what is meant by a promise.

    Attributes
    ----------
    space : Space
    known : sequence of Known
        In an order that does not depend on which score came first; at least two have
        a score. With a `source`, it is of an earlier search.
    waiting : ndarray of shape (k, d)
        Snapped points of pending candidates.
    acquisition : str
    max_resources : int or None
        The resource at which the promise is meant; None where there are no rungs.
    seed : int
    """

    space: Space
    known: Sequence[Known]
    waiting: Array
    acquisition: str
    max_resources: int | None
    seed: int


Answer = tuple[Promise, Sequence[Array]]
Surrogate = Callable[[Question], Answer]


def first_distinct(points: Iterable[Array], n: int = N_ANCHORS) -> list[Array]:
    """The first n different points: a candidate has one for each rung it was at."""
    chosen: list[Array] = []
    for point in points:
        if len(chosen) < n and not any(same(point, other) for other in chosen):
            chosen.append(point)
    return chosen
