"""Recorded work, searched again and again: streams of candidates drawn from a table."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bergman import Bergman

from sktune._protocols import Schedule
from sktune._types import NAMELESS, Fit, FitOutcome, Problem, Unit
from sktune.engine import Engine
from sktune.schedule import Flat, Racing
from sktune.strategy import Listed

TABLES = Path(__file__).with_name("tables.npz")
DEFAULT = "racing, z 2.33"
METHODS: dict[str, Callable[[int], Schedule]] = {
    "aggressive": Bergman,
    "forgiving": lambda n: Bergman(n, forgiving=True),
    DEFAULT: lambda n: Racing(n, z=2.33),
}
# In the first setting only.
OTHERS: dict[str, Callable[[int], Schedule]] = {
    "no racing": Flat,
    "racing, z 1.64": lambda n: Racing(n, z=1.64),
    "racing, z 3": lambda n: Racing(n, z=3.0),
    "1 in flight": lambda n: Racing(n, z=2.33, n_pending=1),
    "4 in flight": lambda n: Racing(n, z=2.33, n_pending=4),
    "16 in flight": lambda n: Racing(n, z=2.33, n_pending=16),
    "as for stacks": lambda n: Racing(n, z=2.33, n_pending=16, step=4, in_rounds=True),
}


@dataclass(frozen=True)
class Setting:
    """How much there is to search."""

    n_candidates: int = 100
    n_splits: int = 10


class RecordedWorkers:
    """Fits that look their score up, in the order in which they were submitted."""

    n_workers = 1

    def __init__(self, scores: np.ndarray) -> None:
        self._scores = scores
        self._queue: deque[Fit] = deque()
        self.n_fits = 0

    def submit(self, unit: Unit) -> None:
        self._queue.extend(unit)

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        if not self._queue:
            return []
        self.n_fits += 1
        fit = self._queue.popleft()
        score = float(self._scores[fit.params["row"], fit.split])
        return [(fit, FitOutcome({NAMELESS: score}))]


def searched(scores: np.ndarray, schedule: Schedule) -> tuple[float, int]:
    """Share of the fits that were run, and the row that came out as the best."""
    n_rows, n_splits = scores.shape
    workers = RecordedWorkers(scores)
    engine = Engine(
        Listed([{"row": row} for row in range(n_rows)]),
        schedule,
        Problem(None, n_rows, None, n_splits),
        workers,
        root=0,
        score=lambda outcome: outcome.score(NAMELESS),
    )
    run: dict[int, set[int]] = {}
    for one in engine.run():
        run.setdefault(one.candidate.params["row"], set()).update(one.splits)
    means = means_of(scores)
    complete = [row for row, splits in run.items() if len(splits) == n_splits]
    best = max(complete, key=lambda row: means[row])
    return workers.n_fits / scores.size, best


def means_of(scores: np.ndarray) -> np.ndarray:
    """Over all splits; that of a candidate which failed is below all."""
    means = scores.mean(axis=1)
    return np.where(np.isfinite(means), means, -np.inf)


def streams(job: tuple[str, str, Setting, int]) -> dict[str, list[float]]:
    """Share of fits, whether the winner was lost, and regret, of each stream.

    The regret is what the best of the stream has more than what the search calls best,
    in hundredths of what the best of the whole table has more than its median.
    """
    work, method, setting, n_streams = job
    table = np.load(TABLES)[work].astype(float)
    means = means_of(table)
    scale = means.max() - np.median(means)
    found: dict[str, list[float]] = {"fits": [], "lost": [], "regret": []}
    for stream in range(n_streams):
        rng = np.random.default_rng(stream)
        rows = rng.permutation(len(table))[: setting.n_candidates]
        splits = rng.permutation(table.shape[1])[: setting.n_splits]
        scores = table[rows][:, splits]
        schedule = (METHODS | OTHERS)[method](setting.n_candidates)
        share, best = searched(scores, schedule)
        of_stream = means_of(scores)
        behind = of_stream.max() - of_stream[best]
        found["fits"].append(share)
        found["lost"].append(float(behind > 1e-9 * abs(of_stream.max())))
        found["regret"].append(100.0 * behind / scale)
    return found
