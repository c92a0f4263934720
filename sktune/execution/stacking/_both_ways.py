"""Stacks of nets that run their epochs one time as one, one time each by itself."""

from __future__ import annotations

import time
from typing import Any

from sktune.execution.stacking._lockstep import Runner
from sktune.execution.stacking._stacks import Stacks, run_alone


class BothWays(Stacks):
    """Takes the time of either; the first epoch, which prepares more, does not count.

    Parameters
    ----------
    n_batches : int
        Of an epoch, at most.

    Attributes
    ----------
    seconds_stacked, seconds_alone : float or None
        Of one net in its quickest epoch; None where there was none.
    """

    def __init__(self, n_batches: int) -> None:
        super().__init__()
        self._n_batches = n_batches
        self.seconds_stacked: float | None = None
        self.seconds_alone: float | None = None

    def due(self, net: Any, alone: Any, iterator: Any, *args: Any, **kw: Any) -> None:
        """Wait for a part of the epoch."""
        iterator.most_batches_ = self._n_batches  # an ArrayLoader's; others are alone
        super().due(net, alone, iterator, *args, **kw)

    def run_group(self, key: Any, group: list[Runner]) -> None:
        """Run an epoch in one of the two."""
        epoch = group[0].due
        number = len(epoch.net.history)  # from 1
        start = time.perf_counter()
        if not epoch.training or number % 2:
            super().run_group(key, group)
        else:
            for runner in group:
                run_alone(runner)
        seconds = (time.perf_counter() - start) / len(group)
        if not epoch.training or number == 1:
            return
        if number % 2:
            self.seconds_stacked = _less(self.seconds_stacked, seconds)
        else:
            self.seconds_alone = _less(self.seconds_alone, seconds)


def _less(a: float | None, b: float) -> float:
    return b if a is None else min(a, b)
