"""Which candidates' fitted estimators are still worth keeping."""

from __future__ import annotations

from typing import NamedTuple

from sktune._protocols import Listener
from sktune._types import Evaluation, Observation
from sktune.persistence import Checkpoints


class Standing(NamedTuple):
    """How far a candidate has come, and how well it did; greater is better."""

    n_resources: int
    score: float


class KeptCandidates(Listener):
    """Drops what is kept of candidates that are not among the best few any more.

    Those that are as good as the last of these stay: which of them rank first is known
    when the table is made.

    Parameters
    ----------
    kept : Checkpoints
    n_candidates : int
        How many are asked for.
    n_splits : int
    """

    def __init__(self, kept: Checkpoints, n_candidates: int, n_splits: int) -> None:
        self._kept = kept
        self._n_candidates = n_candidates
        self._n_splits = n_splits
        self._best: dict[int, Standing] = {}

    def on_evaluation(self, one: Evaluation, seen: Observation) -> None:
        candidate = one.candidate.id
        stopped = any(outcome.stopped for outcome in one.outcomes.values())
        if seen.failed or stopped:
            self._best.pop(candidate, None)
            self._kept.drop(candidate)
            return
        if len(seen.scores) < self._n_splits:  # it may go on
            return
        self._best[candidate] = Standing(one.n_resources or 0, seen.score)
        if len(self._best) <= self._n_candidates:
            return
        least = sorted(self._best.values(), reverse=True)[self._n_candidates - 1]
        for other in [c for c, standing in self._best.items() if standing < least]:
            del self._best[other]
            # With rungs it may be training on, and about to write: see `on_stop`.
            if one.n_resources is None:
                self._kept.drop(other)

    def on_stop(self, candidate: int) -> None:
        if candidate not in self._best:
            self._kept.drop(candidate)
