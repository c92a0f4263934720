"""Workers on machines that do not see the folders of a search.

A unit of work first goes out as if every worker saw them. One that does not answers
what it lacks, and the unit is sent again with that. States of paused fits come back
with the outcomes, and are kept in the folder of the search, where workers that see it
write theirs.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sktune._errors import EstimatorError
from sktune._types import Fit, FitOutcome
from sktune.execution.checkpoint._paused_fit import warn_once
from sktune.execution.dispatch._shared_data import Parcel, Shared
from sktune.execution.fitting._fit import Job, run_fit
from sktune.persistence import (
    Checkpoints,
    Files,
    goes_with_process,
    remove_folder,
)

# Files of paused fits, by candidate and split.
States = Mapping[tuple[int, int], Files]

# Workers that may be lost with one unit; as many as dask allows a task of its own.
_MAX_LOST = 3

# Where an outcome has what its fit left behind, on its way to the search.
_LEFT = "left"


@dataclass(frozen=True)
class Asks:
    """A worker's answer to a unit that it cannot run as it was sent.

    Attributes
    ----------
    job : bool
        Whether it lacks the job; else it lacks the states of paused fits.
    """

    job: bool


class OwnCheckpoints(Checkpoints):
    """A folder of a worker that cannot see the search's; it goes with the object.

    That is when the worker is given a fit of another search, or ends.
    """

    def __init__(self) -> None:
        super().__init__()
        goes_with_process(self.path)
        weakref.finalize(self, remove_folder, str(self.path))


def arrange(job: Job) -> Job:
    """The job as a worker can run it, which may not see the checkpoints."""
    if job.checkpoints is None or job.checkpoints.is_seen():
        return job
    return replace(job, checkpoints=OwnCheckpoints())


def is_away(job: Job) -> bool:
    """Whether states of paused fits have to travel to and from this worker."""
    return isinstance(job.checkpoints, OwnCheckpoints)


def run_away(job: Job, fit: Fit, states: States) -> FitOutcome:
    """As `run_fit`; the outcome brings along what the fit left behind."""
    own, key = job.checkpoints, (fit.candidate, fit.split)
    assert own is not None
    own.drop(*key)  # of a search that sent the fit once before
    try:
        own.unpack(*key, states.get(key, {}))
        before = own.stamps(*key)
        outcome: Any = run_fit(job, fit)
        after = own.stamps(*key)
        changed = [name for name in after if after[name] != before.get(name)]
        outcome[_LEFT] = own.pack(*key, changed), frozenset(after)
    finally:
        own.drop(*key)
    return outcome


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


class Travel:
    """What a search knows of its workers, and sends to those that are away."""

    def __init__(self, job: Job, shared: Shared) -> None:
        self._checkpoints = job.checkpoints
        self._shared = shared
        self._some_are_away = False
        # By the unit: the parcel that was sent with it, and how many were lost.
        self._parcels: dict[int, Parcel] = {}
        self._n_lost: dict[int, int] = {}

    def luggage(
        self, unit: Sequence[Fit], asks: Asks | None
    ) -> tuple[States | None, Parcel | None]:
        """What goes with a unit: the states of its fits, and the job.

        States are None where there may be some: a worker that is away asks for them.
        """
        kept = self._checkpoints
        self._parcels.pop(id(unit), None)
        if asks is None:
            self._n_lost.pop(id(unit), None)
        else:
            self._some_are_away = True
        if not self._some_are_away:
            return None, None
        keys = [(fit.candidate, fit.split) for fit in unit]
        keys = [key for key in keys if kept is not None and kept.has(*key)]
        if asks is None:
            return (None if keys else {}), None
        states = {key: self._pack(*key) for key in keys}
        if not asks.job:
            return states, None
        self._parcels[id(unit)] = parcel = self._shared.parcel()
        return states, parcel

    def lost(self, unit: Sequence[Fit], error: BaseException) -> Asks | None:
        """What to send again where dask gave a unit up without having run it.

        That is when it lost a parcel with the worker that held it. None when that has
        come so often that what the unit does must be what ends the workers. Any other
        error is raised.
        """
        # A private name of dask's, and a reason that no worker is to blame for.
        gave_up = type(error).__name__ == "FutureCancelledError"
        if not gave_up or "scheduler-connection-lost" in str(error):
            raise error
        n_lost = self._n_lost[id(unit)] = self._n_lost.get(id(unit), 0) + 1
        if n_lost > _MAX_LOST:
            return None
        parcel = self._parcels.get(id(unit))
        if parcel is not None:
            self._shared.discard(parcel)
        return Asks(job=True)

    def _pack(self, candidate: int, split: int) -> Files:
        kept = self._checkpoints
        assert kept is not None
        try:
            return kept.pack(candidate, split, kept.stamps(candidate, split))
        except OSError as error:
            warn_once(kept, "read", error)
            return {}

    def unpack(self, fit: Fit, outcome: Any) -> None:
        """Keep what a fit on another machine left behind, if it was run on one."""
        kept = self._checkpoints
        left = outcome.pop(_LEFT, None)
        if left is None or kept is None:
            return
        files, names = left
        if not names:
            kept.drop(fit.candidate, fit.split)
            return
        try:
            kept.unpack(fit.candidate, fit.split, files, names)
        except OSError as error:
            warn_once(kept, "saved", error)
