"""What a search may spend: seconds, and resources in all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import TIMEOUT_MAX
from time import monotonic

from sktune._types import Evaluation, Resume, Start


class Budget:
    """Says whether a search may go on.

    Parameters
    ----------
    max_time : float or None
        Seconds from now.
    max_resources : int or None
        Of all fits on all splits together.
    n_splits : int
    continues : bool
        Whether a candidate spends no more than what it is given since its last rung.
    is_replaying : callable
        Whether fits are told that a journal has, which takes no time.
    """

    def __init__(
        self,
        max_time: float | None = None,
        max_resources: int | None = None,
        n_splits: int = 1,
        *,
        continues: bool = False,
        is_replaying: Callable[[], bool] = lambda: False,
    ) -> None:
        # An int may be too large to be added.
        seconds = TIMEOUT_MAX if max_time is None else min(max_time, TIMEOUT_MAX)
        self._end = monotonic() + seconds
        self._limits = {"max_time": max_time, "max_resources_total": max_resources}
        self._max_resources = max_resources
        self._n_splits = n_splits
        self._continues = continues
        self._is_replaying = is_replaying
        self._n_seen = 0
        self._reached: dict[tuple[int, int], int] = {}  # by candidate and split
        self.spent = 0
        self.over: str | None = None  # the argument that has ended the search

    def has_time(self) -> bool:
        """Whether a fit may be started now; once it may not, it never will."""
        if self.over is None and monotonic() >= self._end:
            self.over = "max_time"
        return self.over != "max_time"

    def seconds_left(self) -> float:
        """Seconds in which fits may still be started."""
        return max(0.0, self._end - monotonic())

    def allows(
        self, decision: Start | Resume, evaluations: Sequence[Evaluation]
    ) -> bool:
        """Whether a decision may be carried out after those that were."""
        for one in evaluations[self._n_seen :]:
            candidate, n_resources = one.candidate.id, one.n_resources or 0
            self._inherit(candidate, one.candidate.parent)
            self.spent += self._cost(candidate, n_resources, one.splits)
            for split in one.splits:
                self._reached[candidate, split] = n_resources
        self._n_seen = len(evaluations)
        if isinstance(decision, Resume) and decision.is_anew:
            for split in range(self._n_splits):
                self._reached.pop((decision.candidate, split), None)
        if self.over is None and self._max_resources is not None:
            candidate = _goes_on_from(decision)
            cost = self._cost(candidate, decision.n_resources or 0, decision.splits)
            if self.spent + cost > self._max_resources:
                self.over = "max_resources_total"
        return self.over is None and (self._is_replaying() or self.has_time())

    def __str__(self) -> str:
        return f"{self.over}={self._limits.get(self.over or '')!r}"

    def _inherit(self, candidate: int, parent: int | None) -> None:
        """Note how far a candidate begins that goes on from another."""
        if parent is None:
            return
        for split in range(self._n_splits):
            if (parent, split) in self._reached:
                reached = self._reached[parent, split]
                self._reached.setdefault((candidate, split), reached)

    def _cost(
        self, candidate: int, n_resources: int, splits: Iterable[int] | None
    ) -> int:
        cost = 0
        for split in range(self._n_splits) if splits is None else splits:
            before = self._reached.get((candidate, split), 0) if self._continues else 0
            cost += n_resources - before
        return cost


def _goes_on_from(decision: Start | Resume) -> int:
    """The candidate whose training goes on; -1 where one begins."""
    if isinstance(decision, Resume):
        return decision.candidate
    return -1 if decision.parent is None else decision.parent
