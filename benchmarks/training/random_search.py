"""`lossless`, `stacked` and `workloads`: the same candidates by RandomizedSearchCV."""

from __future__ import annotations

from typing import Any

from contest import measure
from searches import random_searches
from workloads import QUICK, SIX, SPACE, Work, on_digits


def lossless(repeats: int, quick: bool) -> list[dict[str, Any]]:
    """Bit-identical scores, in less time."""
    rows = []
    for sizes, goal in (((32, 64, 128, 256), 0.8), ((256, 512), 0.6)):
        rows += on_batches(sizes, {"lossless": goal}, repeats, quick)
    return rows


def stacked(repeats: int, quick: bool) -> list[dict[str, Any]]:
    """All nets that are of one shape as one, and only the splits of each candidate."""
    goals = {"stacked": 0.2, "stacks of 60": 0.2, "stacks of 5": 0.3}
    rows = []
    for size in (32, 64, 128, 256):
        rows += on_batches((size,), goals, repeats, quick)
    return rows


def on_batches(
    sizes: tuple[int, ...], goals: dict[str, float], repeats: int, quick: bool
) -> list[dict[str, Any]]:
    """Digits, MLP; which of the batch sizes a candidate has is drawn."""
    workload = on_digits(batch_size=sizes[0])
    space = dict(SPACE) if len(sizes) == 1 else {**SPACE, "batch_size": list(sizes)}
    warm_up(workload, goals)

    def contest(seed: int) -> Any:
        work = QUICK if quick else Work()
        return random_searches(workload, work, seed, goals, space)

    return measure(f"batch {', '.join(map(str, sizes))}", contest, repeats)


def workloads(repeats: int, quick: bool) -> list[dict[str, Any]]:
    """Never slower."""
    goals = {"lossless": 1.0, "stacked": 1.0, "auto": 1.0}
    rows = []
    for name, made in SIX.items():
        workload = made(batch_size=64)
        warm_up(workload, goals)

        def contest(seed: int, workload: Any = workload) -> Any:
            work = QUICK if quick else Work(n_iter=6, epochs=10)
            return random_searches(workload, work, seed, goals)

        rows += measure(name, contest, repeats)
    return rows


def warm_up(workload: Any, goals: dict[str, float]) -> None:
    """What a process does once is done: imports, and the first use of every layer."""
    for contestant in random_searches(workload, QUICK, 0, goals).values():
        contestant.run()
