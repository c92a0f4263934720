"""What a worker does with a batch of units."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

from sktune._types import FitOutcome, Unit
from sktune.execution._job import Job
from sktune.execution.dispatch._gc_freeze import spare_collections
from sktune.execution.dispatch._loky_memory import allow_memory
from sktune.execution.dispatch._orphans import end_with
from sktune.execution.dispatch._remote_workers import (
    Left,
    Payload,
    Request,
    is_remote,
    run_remote,
    with_own_checkpoints,
)
from sktune.execution.dispatch._running_fits import Marker
from sktune.execution.dispatch._shared_data import (
    NotSeenError,
    Shared,
    loads,
    portable_errors,
)
from sktune.execution.fitting._unit import failed, run_unit
from sktune.execution.guards._interrupts import ignored_interrupts
from sktune.execution.guards._memory_limit import expendable, too_much
from sktune.execution.guards._timeout import stoppable


@dataclass
class Answer:
    """What came of a batch.

    Attributes
    ----------
    outcomes : list of list of FitOutcome
        Of each fit of each unit.
    left : list of Left
        What fits on a remote worker left behind.
    seconds : float
        That all of it took.
    """

    outcomes: list[list[FitOutcome]] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    seconds: float = 0.0


def run_batch(
    shared: Shared, batch: Sequence[Unit], stopped: threading.Event | None = None
) -> Answer:
    """Run a batch in the process of the search, in whatever thread of it."""
    start, answer = time.perf_counter(), Answer()
    # Else the event of a search around this one stays in force.
    around = nullcontext() if stopped is None else stoppable(stopped)
    with around, expendable(None):
        job: Job = shared.get()
        for unit in batch:
            if stopped is not None and stopped.is_set():
                break
            answer.outcomes.append(run_unit(job, unit))
    answer.seconds = time.perf_counter() - start
    return answer


def run_batch_in_worker(
    shared: Shared, content: bytes, payload: Payload, marker: Marker
) -> Answer | Request:
    """Run a batch in a process of its own, on whatever machine."""
    start, answer = time.perf_counter(), Answer()
    end_with(marker.search)
    before = marker.read()  # by a worker that is gone: dask sends a batch again itself
    marker.write(0)
    # Ctrl-C reaches workers too; what becomes of them is decided where the search is.
    with ignored_interrupts():
        try:
            job: Job = shared.get(payload.job, with_own_checkpoints)
        except NotSeenError:
            return Request(job=True)
        remote = is_remote(job)
        if remote and payload.states is None:
            return Request(job=False)
        batch: list[Unit] = loads(content)
        for position, unit in enumerate(batch):
            if position:
                marker.write(position)
            ends = expendable(partial(marker.write, position))
            with portable_errors(), ends:
                if before is not None and before.taken and before.position == position:
                    outcomes = too_large(job, unit, before.taken)
                elif remote:
                    outcomes, left = run_remote(job, unit, payload.states or {})
                    answer.left += left
                else:
                    outcomes = run_unit(job, unit)
                answer.outcomes.append(outcomes)
    marker.remove()
    spare_collections(job)
    allow_memory(job)
    answer.seconds = time.perf_counter() - start
    return answer


def too_large(job: Job, unit: Unit, taken: int) -> list[FitOutcome]:
    """Outcomes of a unit that took so much memory that its worker ended."""
    error = too_much(job.fit_memory, taken, ", and its worker ended")
    return [failed(job, fit, error) for fit in unit]
