"""What stored records say: seconds over those of the reference, and who reached it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

REFERENCE = "sklearn-random"
TOLERANCE = 1e-6  # of a score: what rounding may do
NEARLY = 0.005  # half a percentage point
GOAL = 1 / 40

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """A record of one method beside the reference on the same data and seed.

    Attributes
    ----------
    whole, whole_wall : float
        Time of the whole search over that of the reference.
    difference : float
        Of the scores on rows held out.
    reached : float
        Time until an incumbent, refitted, is as good as the reference, over the
        reference's whole time; infinite where none was.
    for_good : float
        Likewise, until all incumbents from there on are nearly as good or better.
    refit : float
        Time of the last refit, likewise.
    """

    data: str
    seed: int
    whole: float
    whole_wall: float
    difference: float
    reached: float
    for_good: float
    refit: float


def compared(records: Mapping[str, Record]) -> dict[str, list[Compared]]:
    """By method; only where the reference is there."""
    found: dict[str, list[Compared]] = {}
    for key, record in records.items():
        data, seed, method = key.split("/")
        reference = records.get(f"{data}/{seed}/{REFERENCE}")
        if reference is not None:
            one = beside(data, int(seed), record, reference)
            found.setdefault(method, []).append(one)
    return found


def beside(data: str, seed: int, record: Record, reference: Record) -> Compared:
    time, aim = reference["cpu"], reference["held_out"]
    steps = steps_of(record)
    reached = (at for at, score in steps if score >= aim - TOLERANCE)
    for_good = math.inf
    for at, score in reversed(steps):
        if not score >= aim - NEARLY:
            break
        for_good = at
    return Compared(
        data,
        seed,
        whole=record["cpu"] / time,
        whole_wall=record["wall"] / reference["wall"],
        difference=record["held_out"] - aim,
        reached=next(reached, math.inf) / time,
        for_good=for_good / time,
        refit=record["incumbents"][-1]["refit"]["cpu"] / time,
    )


def steps_of(record: Record) -> list[tuple[float, float]]:
    """When each incumbent is refitted, and its score; the search's own best is last.

    That may be another than the last incumbent, with an equal mean over splits.
    """
    steps = [
        (one["cpu"] + one["refit"]["cpu"], one["refit"]["held_out"])
        for one in record["incumbents"]
    ]
    return [*steps, (record["cpu"], record["held_out"])]


def median(values: Iterable[float]) -> float:
    """Infinite ones are the greatest."""
    ordered = sorted(values)
    return statistics.median(ordered) if ordered else math.nan
