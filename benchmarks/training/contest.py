"""Runs the same work by several, in turns, and says what each took."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Scores = Mapping[str, tuple[float, ...]]
"""The scores of each candidate on its splits, by what the candidate is."""


@dataclass(frozen=True)
class Found:
    """What the work came to.

    Attributes
    ----------
    scores : dict
    trained : str
        How the nets were trained, where a search says so.
    """

    scores: Scores
    trained: str = ""


@dataclass(frozen=True)
class Contestant:
    """One who does the work.

    Attributes
    ----------
    run : callable
        Does the work.
    goal : float or None
        The ratio to the first contestant that is to be reached.
    exact : bool
        Whether it has to find the very scores of the first contestant.
    may_miss : int
        Candidates of the first contestant that it need not have: of two with equal
        scores either may go on to the next rung.
    """

    run: Callable[[], Found]
    goal: float | None = None
    exact: bool = False
    may_miss: int = 0


Contest = Callable[[int], dict[str, Contestant]]
"""The contestants by name, for one seed; the others are compared with the first."""


@dataclass(frozen=True)
class Spent:
    cpu: float
    wall: float
    found: Found


def spent_by(run: Callable[[], Found]) -> Spent:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    found = run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Spent(cpu, wall, found)


def measure(
    setting: str, contest: Contest, repeats: int, clock: str = "cpu"
) -> list[dict[str, Any]]:
    """A row for each contestant; each repetition has a seed, and the order alternates.

    Seconds are medians; a ratio is the median of those within a repetition.
    """
    spent: dict[str, list[Spent]] = {}
    for seed in range(repeats):
        contestants = contest(seed)
        for name in contestants:
            spent.setdefault(name, [])
        for name in contestants if seed % 2 else reversed(contestants):
            spent[name].append(spent_by(contestants[name].run))
            print(f"  {setting}, {name}: {spent[name][-1].cpu:.2f} s", flush=True)
    base = next(iter(spent.values()))
    return [
        {"setting": setting, **row(name, contestants[name], runs, base, clock)}
        for name, runs in spent.items()
    ]


def row(
    name: str, contestant: Contestant, runs: list[Spent], base: list[Spent], clock: str
) -> dict[str, Any]:
    ratios = [
        getattr(own, clock) / getattr(other, clock)
        for own, other in zip(runs, base, strict=True)
    ]
    compared = [
        agreement(own.found.scores, other.found.scores)
        for own, other in zip(runs, base, strict=True)
    ]
    different = {
        key: max(one[key] for one in compared) for key in ("missing", "difference")
    }
    return {
        "contestant": name,
        "cpu_seconds": statistics.median(run.cpu for run in runs),
        "wall_seconds": statistics.median(run.wall for run in runs),
        "ratio": statistics.median(ratios),
        "goal": contestant.goal,
        "exact": contestant.exact,
        "may_miss": contestant.may_miss,
        "trained": "; ".join(sorted({run.found.trained for run in runs})),
        **different,
        "n_candidates": max(one["candidates"] for one in compared),
        "cpu_of_each_repeat": [run.cpu for run in runs],
        "wall_of_each_repeat": [run.wall for run in runs],
    }


def agreement(own: Scores, other: Scores) -> dict[str, float]:
    """How many candidates of the other are missing, and how far scores differ."""
    common = own.keys() & other.keys()
    pairs = [pair for key in common for pair in zip(own[key], other[key], strict=True)]
    return {
        "candidates": len(other),
        "missing": len(other) - len(common),
        "difference": max((distance(*pair) for pair in pairs), default=0.0),
    }


def distance(a: float, b: float) -> float:
    if math.isnan(a) or math.isnan(b):
        return 0.0 if math.isnan(a) and math.isnan(b) else math.inf
    return abs(a - b)


def broken(rows: list[dict[str, Any]]) -> list[str]:
    """Rows whose scores are not what they have to be."""
    return [
        f"{row['setting']}, {row['contestant']}: scores differ by {row['difference']}"
        f", {row['missing']} of {row['n_candidates']} candidates are missing"
        for row in rows
        if row["exact"] and (row["difference"] or row["missing"] > row["may_miss"])
    ]
