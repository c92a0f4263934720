"""Why a worker is gone, and which units may be the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sktune._errors import WorkerLost
from sktune._types import Fit, Unit
from sktune._warnings import warn
from sktune.execution.dispatch._running_fits import Marker, Running, RunningFits

# Losses in a row that may be those of workers at rest, such as one that was idle.
_MAX_UNEXPLAINED = 2


class Lost(NamedTuple):
    """What went with a worker.

    Attributes
    ----------
    suspects : list of Unit
        What may be why it is gone.
    too_large : list of (Unit, int)
        What took too much memory, and how much.
    others : list of Unit
    """

    suspects: list[Unit]
    too_large: list[tuple[Unit, int]]
    others: list[Unit]


class LostWorkers:
    """What is known of the workers that a search has lost.

    Parameters
    ----------
    running : RunningFits
        What workers say of what they run.

    Attributes
    ----------
    dead : set of int
        Processes that were found gone since what was lost has last been sorted.
    """

    def __init__(self, running: RunningFits) -> None:
        self._running = running
        self._n_unexplained = 0  # losses in a row that no unit explains
        self._has_heard = False  # whether a batch ever came back
        self.dead: set[int] = set()

    def marker(self, batch: int) -> Marker:
        """Where a worker says what it runs of a batch."""
        return self._running.marker(batch)

    def hear(self) -> None:
        """A batch came back."""
        self._n_unexplained, self._has_heard = 0, True

    def sort(self, lost: Mapping[int, Sequence[Unit]]) -> Lost:
        """Sort what went with a worker by whether it may be why it is gone.

        Parameters
        ----------
        lost : dict
            Batches by their numbers.

        Raises
        ------
        WorkerLost
            Where workers end again and again before they begin.
        """
        read = {number: self._running.read(number) for number in lost}
        running = {number: one for number, one in read.items() if one is not None}
        guilty = self._guilty(lost, running)
        sorted_out = Lost([], [], [])
        for number, batch in lost.items():
            one = running.get(number)
            at = range(len(batch)) if one is None else [one.position]
            for position, unit in enumerate(batch):
                if number not in guilty or position not in at:
                    sorted_out.others.append(unit)
                elif one is not None and one.taken:
                    sorted_out.too_large.append((unit, one.taken))
                else:
                    sorted_out.suspects.append(unit)
        return sorted_out

    def _guilty(
        self, lost: Mapping[int, Sequence[Unit]], running: Mapping[int, Running]
    ) -> set[int]:
        """Batches that may be why a worker is gone, among those that were lost."""
        dead, self.dead = self.dead, set()
        guilty = {number for number, one in running.items() if one.taken}
        guilty = guilty or {k for k, one in running.items() if one.pid in dead}
        if guilty:
            return guilty
        self._n_unexplained += 1
        if not (running or self._has_heard) and self._n_unexplained > _MAX_UNEXPLAINED:
            raise WorkerLost(
                "Worker processes end before they begin with a fit. See what they "
                "print, and whether the search runs with n_jobs=1."
            )
        if dead and self._n_unexplained <= _MAX_UNEXPLAINED:
            return set()  # it had nothing to do
        return set(running) or set(lost)


def warn_of(suspects: Sequence[Unit]) -> None:
    """Say which fits run once more, if there are any."""
    if suspects:
        fits = (fit for unit in suspects for fit in unit)
        names = (f"candidate {fit.candidate} on split {fit.split}" for fit in fits)
        warn(
            f"A worker was killed while running {' or '.join(names)}. What it may have "
            "died of runs once more, with nothing beside it. If this happens often, "
            "look at the memory that the fits take, or use a smaller n_jobs."
        )


def lost_twice(fit: Fit) -> WorkerLost:
    """What a fit fails with that has cost a worker with nothing beside it."""
    at = "" if fit.n_resources is None else f" with {fit.n_resources} resources"
    return WorkerLost(
        f"The worker was killed twice while running candidate {fit.candidate} on split "
        f"{fit.split}{at}, the second time with nothing beside it. Most often the "
        "system ends a process that needs more memory than there is: look at the "
        "memory that this candidate takes (`dmesg` tells of processes that were "
        "killed), and at code that ends its process, such as a crash in an extension."
    )
