"""When each candidate was complete, and which of them led."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

N_SPLITS = 5


@dataclass(frozen=True)
class Incumbent:
    """A candidate that leads.

    Attributes
    ----------
    cpu, wall : float
        Seconds from the start of the search until its last split was scored.
    epochs : int
        What it was trained for until then.
    score : float
        The mean over splits.
    """

    cpu: float
    wall: float
    epochs: int
    score: float
    params: dict[str, Any]


@dataclass
class Clock:
    """Seconds since `start`, of this process's processor and of the wall."""

    cpu: float = 0.0
    wall: float = 0.0

    def start(self) -> None:
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def read(self) -> tuple[float, float]:
        return time.process_time() - self.cpu, time.perf_counter() - self.wall


@dataclass
class NotedScores:
    """A scorer that is the estimator's own, and notes the clock after each score.

    With ``n_jobs=1`` every fit of a search is scored in this process.

    Parameters
    ----------
    names : sequence of str
        The parameters of the space.
    """

    names: tuple[str, ...]
    clock: Clock = field(default_factory=Clock)
    noted: list[tuple[str, int, float, float, float]] = field(default_factory=list)

    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        score = math.nan
        try:
            score = float(estimator.score(X, y))
        finally:
            params = estimator.get_params()
            key = key_of({name: params[name] for name in self.names})
            epochs = len(estimator[-1].history)
            self.noted.append((key, epochs, score, *self.clock.read()))
        return score

    def __deepcopy__(self, memo: Any) -> NotedScores:
        return self  # what is noted belongs together

    def incumbents(self, least_epochs: int) -> list[Incumbent]:
        """Each candidate that led when its last split was scored, in order.

        It leads that has been trained longer, and of those the one with the better
        mean: as in searches with rungs the best is one of the last rung.

        Parameters
        ----------
        least_epochs : int
            Candidates are not complete before that.
        """
        n_splits = self._n_splits()
        scores: dict[tuple[str, int], list[float]] = {}
        found: list[Incumbent] = []
        best = (0, -math.inf)
        for key, epochs, score, cpu, wall in self.noted:
            of_splits = scores.setdefault((key, epochs), [])
            of_splits.append(score)
            if len(of_splits) != n_splits[epochs] or epochs < least_epochs:
                continue
            mean = float(np.mean(of_splits))
            if math.isfinite(mean) and (epochs, mean) > best:
                best = epochs, mean
                found.append(Incumbent(cpu, wall, epochs, mean, json.loads(key)))
        return found

    def _n_splits(self) -> dict[int, int]:
        """Splits that complete a candidate, by its epochs: few in a low rung."""
        counts = Counter((key, epochs) for key, epochs, *_ in self.noted)
        most: dict[int, int] = {}
        for (_, epochs), n in counts.items():
            most[epochs] = max(most.get(epochs, 0), n)
        return most


def key_of(params: Mapping[str, Any]) -> str:
    plain = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in sorted(params.items())
    }
    return json.dumps(plain)
