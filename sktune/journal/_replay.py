"""What a journal says of a search: what was asked for, and how every fit ended.

All that a search decides follows from how its fits ended, in the order in which they
did. So a search is continued by running it again, from the first decision, with
outcomes that are known where the journal has them: a live search and one that is
replayed are the same.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from sktune._errors import JournalError
from sktune._types import Fit, FitOutcome, Observation, Params, Strategy
from sktune.journal._fingerprints import describe, differences, encode, is_plain
from sktune.journal._schema import (
    environment,
    has_raised,
    moment,
    outcome_of,
    record_of,
)
from sktune.persistence import Journal
from sktune.strategy import Listed

# Arguments that change nothing that was recorded. `cv` is told by the splits that it
# made, `random_state` by the root of the seeds, `warm_start_from` by what was learnt.
_FREE = (
    "checkpoints",
    "cv",
    "devices",
    "error_score",
    "fit_timeout",
    "fits_per_device",
    "journal",
    "max_resources_total",
    "max_time",
    "n_jobs",
    "pre_dispatch",
    "random_state",
    "refit",
    "verbose",
    "warm_start_from",
)

Key = tuple[int, int, int, int | None]


class Known(NamedTuple):
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


@contextmanager
def history_in(path: str | os.PathLike[str] | None) -> Iterator[History | None]:
    """The history in a journal, which nobody else writes to; None for no journal."""
    if path is None:
        yield None
        return
    with Journal(path) as journal:
        yield History(journal)


class History:
    """What is known of a search from its journal, and where the rest is written.

    Parameters
    ----------
    journal : Journal

    Attributes
    ----------
    id : str
        Of the search; its checkpoints are found by it.
    is_new : bool
        Whether the journal has just been begun.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.is_new = not journal.records
        self.id = uuid.uuid4().hex
        if not self.is_new:
            self.id = str(journal.records[0].get("id"))
            if not re.fullmatch("[0-9a-f]{32}", self.id):
                raise self._broken(1, "id")

    @property
    def path(self) -> str:
        return str(self._journal.path)

    def checkpoints(self) -> str:
        """Folder beside the journal for checkpoints that are as safe as it is."""
        folder = f"{self.path}.checkpoints"
        if self.is_new:  # of a journal that had the same name
            shutil.rmtree(folder, ignore_errors=True)
        return folder

    def root(self, search: Any) -> int | None:
        """Root of the seeds, where the journal has it and the search has none."""
        if self.is_new or getattr(search, "random_state", None) is not None:
            return None
        root = self._journal.records[0].get("root")
        if not isinstance(root, int):
            raise self._broken(1, "root")
        return root

    def begin(
        self, search: Any, root: int, data: Mapping[str, Any], steers: str | None
    ) -> None:
        """Write the first record, or see that it is of this very search.

        Parameters
        ----------
        search : BaseSearchCV
        root : int
        data : dict
            Fingerprints of all that `fit` was given, and of the splits.
        steers : str or None
            The metric that decides on what comes next.
        """
        arguments = search.get_params(deep=False)
        random_state = arguments.get("random_state")
        if isinstance(random_state, np.integer):
            random_state = int(random_state)
        now = {
            "search": f"{type(search).__module__.partition('.')[0]}."
            f"{type(search).__qualname__}",
            "random_state": random_state
            if is_plain(random_state)
            else type(random_state).__name__,
            "root": root,
            "arguments": {
                name: describe(value)
                for name, value in arguments.items()
                if name not in _FREE
            },
            "steered_by": steers,
            "data": dict(data),
        }
        if self.is_new:
            about = {"id": self.id, "began": moment(), **now, **environment()}
            self._journal.begin(about)
        else:
            self._compare(now)

    def _compare(self, now: Mapping[str, Any]) -> None:
        header = self._journal.records[0]
        found = list(differences({key: header.get(key) for key in now}, dict(now)))
        # The root follows from the random state, unless that is a generator.
        named = [text for text in found if not text.startswith("root")]
        if found and not named:
            named = ["random_state (a generator that had drawn other numbers then)"]
        if named:
            which = "; ".join(
                text.removeprefix("arguments.").removeprefix("data.")
                for text in named[:4]
            )
            hint = ""
            if named == ["data.splits"]:
                hint = " A splitter that shuffles needs a random_state of its own."
            raise JournalError(
                f"journal={self.path!r} is of another search, which differs in: "
                f"{which}. Continue it with what it was begun with, or name a new "
                f"file.{hint}"
            )

    def strategy(self, strategy: Strategy) -> Strategy:
        """The strategy, which is not asked again for what the journal has."""
        params = {
            record["candidate"]: record["params"] for _, record in self._fit_records()
        }
        return Remembered(strategy, params, self.path) if params else strategy

    def workers(self, workers: Any, *, raises: bool) -> Recorded:
        """The workers, which are not asked again for what the journal has.

        Where an error `raises`, fits that failed are run again to raise it.
        """
        known: dict[Key, Known] = {}
        for n_workers, record in self._fit_records():
            outcome = outcome_of(record)
            key = (
                record["candidate"],
                record["split"],
                record["iter"],
                record["n_resources"],
            )
            known.pop(key, None)
            if not (raises and has_raised(outcome)):
                known[key] = Known(outcome, n_workers)
        return Recorded(workers, self._journal, known)

    def _fit_records(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Records of fits, with the number of workers that there were then."""
        n_workers = 1
        for line, record in enumerate(self._journal.records[1:], 2):
            if record.get("record") == "session":
                n_workers = record.get("n_workers", 1)
            if record.get("record") != "fit":
                continue
            for key in ("candidate", "split", "iter", "n_resources", "params"):
                if key not in record:
                    raise self._broken(line, key)
            if "test_scores" not in record:
                raise self._broken(line, "test_scores")
            yield n_workers, record

    def _broken(self, line: int, key: str) -> JournalError:
        return JournalError(
            f"journal={self.path!r} has no valid {key!r} in line {line}. Restore the "
            "file, or name a new one."
        )


class Remembered:
    """A strategy that has been asked for some candidates before.

    The answers are taken from the journal, as far as values come back from it as they
    were. Others are asked for again, which changes nothing, and compared; so are those
    of a list, where asking costs nothing.
    """

    def __init__(
        self, strategy: Strategy, params: Mapping[int, dict[str, Any]], path: str
    ) -> None:
        self._strategy = strategy
        self._params = params
        self._path = path
        self.init = strategy.init

    def tell(self, state: Any, observation: Observation) -> Any:
        return self._strategy.tell(state, observation)

    def ask(
        self, state: Any, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        recorded = self._params.get(candidate)
        is_known = recorded is not None and all(map(is_plain, recorded.values()))
        if is_known and not isinstance(self._strategy, Listed):
            return recorded
        asked = self._strategy.ask(state, candidate, pending, seed)
        if recorded is not None:
            now = None if asked is None else encode(asked)
            found = list(differences(recorded, now, f"candidate {candidate}"))
            if found:
                raise JournalError(
                    f"journal={self._path!r} is of another search, which differs in: "
                    f"{'; '.join(found[:4])}. Continue it with what it was begun with, "
                    "or name a new file."
                )
        return asked


class Recorded:
    """Workers that return what the journal has, in its order, and write what it lacks.

    No fit is run before all that is known has been told.

    Parameters
    ----------
    workers : Workers
    journal : Journal
    known : dict of Known
        In the order of the journal.

    Attributes
    ----------
    n_known : int
    is_telling : bool
        Whether what is known has not all been told.
    """

    def __init__(
        self, workers: Any, journal: Journal, known: Mapping[Key, Known]
    ) -> None:
        self._workers = workers
        self._journal = journal
        self._known = dict(known)
        self._order = iter(known)
        self._next: Key | None = next(self._order, None)
        self._waiting: dict[Key, Fit] = {}  # submitted, known and not yet told
        self._n_out = 0  # fits that the workers have
        self._has_begun = False
        self.n_known = len(known)
        self.is_telling = bool(known)
        first = self._known.get(self._next) if self._next is not None else None
        self._n_workers: int | None = None if first is None else first.n_workers

    @property
    def n_workers(self) -> int:
        """Fits that run at the same time; while known ones are told, that ran."""
        if self._n_workers is not None:
            return self._n_workers
        return int(self._workers.n_workers)

    def submit(self, fit: Fit) -> None:
        """Queue one fit."""
        key = (fit.candidate, fit.split, fit.iter, fit.n_resources)
        if key in self._known:
            self._waiting[key] = fit
        else:
            self._workers.submit(fit)
            self._n_out += 1

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        """The next fit that is known; else wait for fits to end, and write them."""
        if self._waiting:
            return [self._tell()]
        self.is_telling = False
        if not self._has_begun and self._n_out:
            self._has_begun = True
            began = {"record": "session", "began": moment(), "pid": os.getpid()}
            n_workers = {"n_workers": self._workers.n_workers}
            self._journal.append({**began, **n_workers, **environment()})
        done: list[tuple[Fit, FitOutcome]] = self._workers.next_done()
        for fit, outcome in done:
            self._journal.append(record_of(fit, outcome))
        self._n_out -= len(done)
        self._n_workers = None
        return done

    def _tell(self) -> tuple[Fit, FitOutcome]:
        while self._next is not None and self._next not in self._known:
            self._next = next(self._order, None)
        # Out of turn only where this version decides otherwise than the one that wrote.
        key = self._next if self._next in self._waiting else next(iter(self._waiting))
        assert key is not None
        known = self._known.pop(key)
        self._n_workers = known.n_workers
        return self._waiting.pop(key), known.outcome
