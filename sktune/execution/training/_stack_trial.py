"""A few batches of nets of one shape, as one and by themselves: what is quicker.

Large batches and some layers are slower as a stack, by how much depends on the machine
and on its libraries. So it is measured, once for each shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sktune._types import Fit
from sktune.execution._job import Job
from sktune.execution.estimators._parameter_paths import last_step
from sktune.execution.guards._device_memory import give_memory_back
from sktune.execution.training._once import train_once
from sktune.execution.training._stacked import SideBySide
from sktune.execution.training._task import Task
from sktune.placement import lease

# As one to begin with, then both in turn, twice.
_EPOCHS = 5
_BATCHES = 10
_NETS = 10


@dataclass(frozen=True)
class StackTrial:
    """What came of it.

    Attributes
    ----------
    n_nets : int
        Nets that were trained.
    reason : str or None
        Why these nets cannot be stacked; None where they can.
    seconds_stacked, seconds_alone : float or None
        Of one net for some batches; None where it did not come to that.
    """

    n_nets: int
    reason: str | None = None
    seconds_stacked: float | None = None
    seconds_alone: float | None = None

    @property
    def pays(self) -> bool:
        """Whether nets of this shape are to be trained as one."""
        if self.reason is not None:
            return False
        stacked, alone = self.seconds_stacked, self.seconds_alone
        return stacked is None or alone is None or stacked < alone

    def record(self) -> dict[str, Any]:
        """For a journal."""
        return {"stacked": self.pays, **asdict(self)}


def try_stacked(job: Job, fit: Fit) -> StackTrial:
    """Train nets like that of a fit both ways for some epochs of a few batches.

    Nothing of it is kept. What the nets raise is no error here: the fits raise it too.
    """
    tried = replace(
        job,
        caller=None,
        checkpoints=None,
        error_score=np.nan,
        fit_timeout=None,
        resource=None,
        stacked=True,
        subsets=None,
        verbose=0,
    )
    n_splits = len(job.splits)
    n_nets = min(job.max_stack or _NETS, max(_NETS, n_splits))
    like = replace(
        fit, n_resources=None, pause=False, stop_rule=None, parent=None, stages=()
    )
    fits = [replace(like, split=k % n_splits) for k in range(n_nets)]
    reasons = []
    with _device_of(job) as device:
        stacks = _both_ways()
        tasks = [Task(tried, one, device) for one in fits]
        for task in SideBySide(_train_a_little, lambda: stacks).train(tasks):
            failed = None if task.error is None else f"it fails ({task.error})"
            reasons.append(failed or task.reason)
            task.end()
    reason = next((reason for reason in reasons if reason is not None), None)
    return StackTrial(n_nets, reason, stacks.seconds_stacked, stacks.seconds_alone)


@contextmanager
def _device_of(job: Job) -> Iterator[str | None]:
    if job.placement is None:
        yield None
        return
    with lease(job.placement) as held:
        try:
            yield held.device
        finally:
            give_memory_back(held.device, everything=held.is_only)


def _both_ways() -> Any:
    from sktune.execution.stacking._both_ways import BothWays

    return BothWays(_BATCHES)


def _train_a_little(task: Task, stack: ExitStack, estimator: Any, *args: Any) -> None:
    net = last_step(estimator)
    net.set_params(max_epochs=_EPOCHS)
    train_once(task, stack, estimator, *args)
