"""A search that is continued from its journal runs again, with recorded answers.

All that a search decides follows from how its fits ended, in the order in which they
did. So neither the strategy nor the workers are asked again for what the journal has.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from itertools import groupby
from typing import Any, NamedTuple

from sktune._errors import JournalError
from sktune._protocols import Strategy, StrategyAround, Workers
from sktune._types import Fit, FitOutcome, Params, Unit
from sktune.execution import threads_of_a_net
from sktune.journal._fingerprints import differences, is_plain, params_as_json
from sktune.journal._schema import environment, moment, record_of
from sktune.persistence import Journal
from sktune.strategy import Listed

FitKey = tuple[int, int, int, int | None]
"""Candidate, split, iter and resource of a fit."""


def key_of(fit: Fit) -> FitKey:
    """What a fit is found by in a journal."""
    return fit.candidate, fit.split, fit.iter, fit.n_resources


def another_search(path: str, found: Sequence[str], hint: str = "") -> JournalError:
    """The error for a journal that is of another search."""
    return JournalError(
        f"journal={path!r} is of another search, which differs in: "
        f"{'; '.join(found[:4])}. Continue it with what it was begun with, or name a "
        f"new file.{hint}"
    )


def params_that_differ(
    candidate: int, recorded: Mapping[str, Any], proposed: Params | None
) -> list[str]:
    """Where a candidate is not the one that the journal has, and how."""
    now = None if proposed is None else params_as_json(proposed)
    return list(differences(recorded, now, f"candidate {candidate}"))


class RecordedFit(NamedTuple):
    """A fit that the journal has.

    Attributes
    ----------
    outcome : FitOutcome
    n_workers : int
        Fits that ran at the same time then; schedules that are not in order decide by
        it.
    """

    outcome: FitOutcome
    n_workers: int


class ReplayedStrategy(StrategyAround):
    """A strategy that has been asked for some candidates before.

    The answers are taken from the journal, as far as values come back from it as they
    were. Others are asked for again, which changes nothing, and compared; so are those
    of a list, where asking costs nothing.
    """

    def __init__(
        self, strategy: Strategy, params: Mapping[int, dict[str, Any]], path: str
    ) -> None:
        super().__init__(strategy)
        self._params = params
        self._path = path

    def ask(
        self, state: Any, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        recorded = self._params.get(candidate)
        comes_back = recorded is not None and all(map(is_plain, recorded.values()))
        if comes_back and not isinstance(self._strategy, Listed):
            return recorded
        proposed = self._strategy.ask(state, candidate, pending, seed)
        return self._checked(candidate, proposed)

    def explore(
        self, state: Any, candidate: int, parent: Params, seed: int
    ) -> Params | None:
        recorded = self._params.get(candidate)
        if recorded is not None and all(map(is_plain, recorded.values())):
            return recorded
        return self._checked(candidate, super().explore(state, candidate, parent, seed))

    def _checked(self, candidate: int, proposed: Params | None) -> Params | None:
        """What was proposed, if it is what the journal has."""
        recorded = self._params.get(candidate)
        if recorded is not None:
            found = params_that_differ(candidate, recorded, proposed)
            if found:
                raise another_search(self._path, found)
        return proposed


class RecordedUnits:
    """Units of fits that the journal has, told in its order as they are asked for.

    Parameters
    ----------
    recorded : dict of RecordedFit
        In the order of the journal.

    Attributes
    ----------
    n_workers : int or None
        Fits that ran at the same time when the unit that was told last did, at first
        when the first of all did; None where nothing is recorded.
    """

    def __init__(self, recorded: Mapping[FitKey, RecordedFit]) -> None:
        self._recorded = dict(recorded)
        self._numbers = {key: number for number, key in enumerate(recorded)}
        # Taken and not yet told, by the number of its first fit in the journal. One
        # that was recorded earlier may be asked for later, by a search that has grown.
        self._taken: list[tuple[int, Unit]] = []
        first = next(iter(recorded.values()), None)
        self.n_workers = None if first is None else first.n_workers

    def take(self, unit: Unit) -> bool:
        """Whether the journal has the unit; of one that it has in part, nothing."""
        keys = [key_of(fit) for fit in unit]
        if all(key in self._recorded for key in keys):
            heappush(self._taken, (min(self._numbers[key] for key in keys), unit))
            return True
        for key in keys:
            self._recorded.pop(key, None)
        return False

    def tell(self) -> list[tuple[Fit, FitOutcome]]:
        """The earliest unit of those that were taken; empty when there is none."""
        if not self._taken:
            return []
        _, unit = heappop(self._taken)
        fits = [(fit, self._recorded.pop(key_of(fit))) for fit in unit]
        self.n_workers = fits[0][1].n_workers  # of one write, so of one session
        return [(fit, one.outcome) for fit, one in fits]


class ReplayedWorkers:
    """Workers that return what the journal has, in its order, and write what it lacks.

    No unit is run before all that is recorded has been told. A unit is run again whole
    where one of its fits is not recorded.

    Parameters
    ----------
    workers : Workers
    journal : Journal
    recorded : dict of RecordedFit
        In the order of the journal.

    Attributes
    ----------
    n_recorded : int
    is_replaying : bool
        Whether what is recorded has not all been told.
    tells_recorded : bool
        Whether what was told last is recorded, and so was told before.
    """

    def __init__(
        self, workers: Workers, journal: Journal, recorded: Mapping[FitKey, RecordedFit]
    ) -> None:
        self._workers = workers
        self._journal = journal
        self._recorded = RecordedUnits(recorded)
        self._keys = frozenset(recorded)
        self._run_again: set[FitKey] = set()  # of units that were recorded in part
        self._n_out = 0  # fits that the workers have
        self._has_begun = False
        self.n_recorded = len(recorded)
        self.is_replaying = self.tells_recorded = bool(recorded)
        self._n_workers = self._recorded.n_workers

    @property
    def n_workers(self) -> int:
        """Fits that run at the same time; while recorded ones are told, that ran."""
        if self._n_workers is not None:
            return self._n_workers
        return int(self._workers.n_workers)

    def was_recorded(self, fit: Fit) -> bool:
        """Whether the outcome of a fit is out of the journal."""
        key = key_of(fit)
        return key in self._keys and key not in self._run_again

    def submit(self, unit: Unit) -> None:
        """Queue one unit."""
        if not self._recorded.take(unit):
            self._run_again.update(map(key_of, unit))
            self._workers.submit(unit)
            self._n_out += len(unit)

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        """The next unit that is recorded; else wait for some to end, and write them."""
        if told := self._recorded.tell():
            self._n_workers = self._recorded.n_workers
            self.tells_recorded = True
            return told
        self.is_replaying = self.tells_recorded = False
        if not self._has_begun and self._n_out:
            self._has_begun = True
            began = {"record": "session", "began": moment(), "pid": os.getpid()}
            n_workers = {"n_workers": self._workers.n_workers}
            about = environment(threads_of_a_net())
            self._journal.append({**began, **n_workers, **about})
        done = self._workers.next_done()
        for _, unit in groupby(done, key=lambda one: one[0].unit):
            self._journal.append(*(record_of(fit, outcome) for fit, outcome in unit))
        self._n_out -= len(done)
        self._n_workers = None
        return done
