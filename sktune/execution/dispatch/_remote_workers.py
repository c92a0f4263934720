"""Workers on machines that do not see the folders of a search.

A batch first goes out as if every worker saw them. A remote worker, which does not,
answers with a request for what it lacks, and the batch is sent again with that as its
payload. States of paused fits come back with the outcomes, and are kept in the folder
of the search, where workers that see it write theirs.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sktune._errors import EstimatorError
from sktune._types import FitOutcome, Unit
from sktune.execution._job import Job
from sktune.execution.checkpoint._paused_fit import warn_once
from sktune.execution.dispatch._shared_data import PickledValue, Shared
from sktune.execution.fitting._unit import run_unit
from sktune.persistence import (
    Checkpoints,
    Files,
    goes_with_process,
    remove_folder,
)

StateKey = tuple[int, int]
"""A candidate and a split."""

States = Mapping[StateKey, Files]
"""Files of paused fits."""

# Workers that may be lost with one batch; as many as dask allows a task of its own.
_MAX_LOST = 3


@dataclass(frozen=True)
class Request:
    """A worker's answer to a batch that it cannot run as it was sent.

    Attributes
    ----------
    job : bool
        Whether it lacks the job; else it lacks the states of paused fits.
    """

    job: bool


@dataclass(frozen=True)
class Payload:
    """What goes with a batch to a worker that may be remote.

    Attributes
    ----------
    states : dict or None
        None where there may be some: a remote worker requests them.
    job : PickledValue or None
    """

    states: States | None = None
    job: PickledValue | None = None


@dataclass(frozen=True)
class Left:
    """What a fit on another machine left behind: new files, and the names of all."""

    key: StateKey
    files: Files
    names: frozenset[str]


class OwnCheckpoints(Checkpoints):
    """A folder of a worker that cannot see the search's; it goes with the object.

    That is when the worker is given a fit of another search, or ends.
    """

    def __init__(self) -> None:
        super().__init__()
        goes_with_process(self.path)
        weakref.finalize(self, remove_folder, str(self.path))


def with_own_checkpoints(job: Job) -> Job:
    """The job; with checkpoints of its own where a worker does not see the search's."""
    if job.checkpoints is None or job.checkpoints.is_seen():
        return job
    return replace(job, checkpoints=OwnCheckpoints())


def is_remote(job: Job) -> bool:
    """Whether states of paused fits have to be sent to and from this worker."""
    return isinstance(job.checkpoints, OwnCheckpoints)


def run_remote(
    job: Job, unit: Unit, states: States
) -> tuple[list[FitOutcome], list[Left]]:
    """As `run_unit`; brings along what the fits left behind."""
    own = job.checkpoints
    assert own is not None
    keys = list(_keys(unit))
    for key in keys:
        own.drop(*key)  # of a search that sent the fit once before
    try:
        for key in keys:
            own.unpack(*key, states.get(key, {}))
        before = {key: own.stamps(*key) for key in keys}
        outcomes = run_unit(job, unit)
        left = []
        for fit in unit:
            key = fit.candidate, fit.split
            after = own.stamps(*key)
            new = [name for name in after if after[name] != before[key].get(name)]
            left.append(Left(key, own.pack(*key, new), frozenset(after)))
        return outcomes, left
    finally:
        for key in keys:
            own.drop(*key)


def _keys(unit: Unit) -> Iterator[StateKey]:
    """What the fits of a unit may read: their own states, and those of parents."""
    for fit in unit:
        yield fit.candidate, fit.split
        if fit.parent is not None:
            yield fit.parent, fit.split


def check_workers(client: Any) -> None:
    """Refuse workers of dask that could not even read a unit of work.

    They would end themselves, and the search would wait for them for ever.
    """
    # Something that every Python has: a function of ours could not be read either.
    seen = client.run(eval, "__import__('sktune').__version__", on_error="return")
    ours = sys.modules["sktune"].__version__
    for address, version in seen.items():
        if version == ours:
            continue
        has = f"has sktune {version}"
        if isinstance(version, BaseException):
            has = f"cannot import sktune ({type(version).__name__}: {version})"
        raise EstimatorError(
            f"The dask worker at {address} {has}, and here is {ours}. "
            "Install what this process uses where the workers run, in the same "
            "versions, and restart them."
        )


class RemoteWorkers:
    """What a search knows of its workers, and sends to those that are remote."""

    def __init__(self, job: Job, shared: Shared) -> None:
        self._checkpoints = job.checkpoints
        self._shared = shared
        self._some_are_remote = False
        # By the batch: the job that was sent with it, and how many workers were lost.
        self._pickled: dict[int, PickledValue] = {}
        self._n_lost: dict[int, int] = {}

    def payload(self, batch: Sequence[Unit], request: Request | None) -> Payload:
        """What goes with a batch, after a worker's request if there was one."""
        kept = self._checkpoints
        self._pickled.pop(id(batch), None)
        if request is None:
            self._n_lost.pop(id(batch), None)
        else:
            self._some_are_remote = True
        if not self._some_are_remote:
            return Payload()
        keys = dict.fromkeys(key for unit in batch for key in _keys(unit))
        keys_of_states = [key for key in keys if kept is not None and kept.has(*key)]
        if request is None:
            return Payload(None if keys_of_states else {})
        states = {key: self._pack(*key) for key in keys_of_states}
        if not request.job:
            return Payload(states)
        self._pickled[id(batch)] = pickled = self._shared.pickled()
        return Payload(states, pickled)

    def lost(self, batch: Sequence[Unit], error: BaseException) -> Request | None:
        """What to send again where dask gave a batch up without having run it.

        That is when it lost a pickled job with the worker that held it. None when that
        has come so often that what the batch does must be what ends the workers. Any
        other error is raised.
        """
        # A private name of dask's, and a reason that no worker is to blame for.
        gave_up = type(error).__name__ == "FutureCancelledError"
        if not gave_up or "scheduler-connection-lost" in str(error):
            raise error
        n_lost = self._n_lost[id(batch)] = self._n_lost.get(id(batch), 0) + 1
        if n_lost > _MAX_LOST:
            return None
        pickled = self._pickled.get(id(batch))
        if pickled is not None:
            self._shared.discard(pickled)
        return Request(job=True)

    def _pack(self, candidate: int, split: int) -> Files:
        kept = self._checkpoints
        assert kept is not None
        try:
            return kept.pack(candidate, split, kept.stamps(candidate, split))
        except OSError as error:
            warn_once(kept, "read", error)
            return {}

    def unpack(self, left: Left) -> None:
        """Keep what a fit on another machine left behind."""
        kept = self._checkpoints
        if kept is None:
            return
        if not left.names:
            kept.drop(*left.key)
            return
        try:
            kept.unpack(*left.key, left.files, left.names)
        except OSError as error:
            warn_once(kept, "saved", error)
