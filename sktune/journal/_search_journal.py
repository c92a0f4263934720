"""The journal of one search: what was asked for, and how every fit ended.

All that a search decides follows from how its fits ended, in the order in which they
did. So a search is continued by running it again, from the first decision, with
the outcomes that the journal has: a search that is replayed is the same as one that is
not.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sktune._errors import JournalError
from sktune._protocols import Strategy, Workers
from sktune.journal._fingerprints import as_json, differences, is_plain
from sktune.journal._rehearsal import Rehearsal
from sktune.journal._replay import (
    FitKey,
    RecordedFit,
    ReplayedStrategy,
    ReplayedWorkers,
    another_search,
)
from sktune.journal._schema import environment, has_raised, moment, outcome_of
from sktune.persistence import Journal

# Arguments that change nothing that was recorded. `cv` is told by the splits that it
# made, `random_state` by the root of the seeds, `warm_start_from` by what was learnt.
_FREE = (
    "checkpoints",
    "cv",
    "devices",
    "error_score",
    "fit_memory",
    "fit_timeout",
    "fits_per_device",
    "journal",
    "keep",
    "listeners",
    "max_resources_total",
    "max_time",
    "n_jobs",
    "pre_dispatch",
    "random_state",
    "refit",
    "verbose",
    "warm_start_from",
)
# Arguments that searches of earlier versions had not, as these did without.
_WITHOUT = {
    "stacked": False,
    "max_stack": None,
    "racing": False,
    "early_stopping": None,
    "min_splits": None,
    "objectives": None,
}
# How much is searched. With more of it the first part may be the same search, and with
# less the search be over sooner: decisions tell.
_HOW_MUCH = ("n_candidates", "n_iter", "n_rounds", "param_grid")


@contextmanager
def journal_in(
    path: str | os.PathLike[str] | None,
) -> Iterator[SearchJournal | None]:
    """The journal of a search, which nobody else writes to; None for no journal."""
    if path is None:
        yield None
        return
    with Journal(path) as journal:
        yield SearchJournal(journal)


class SearchJournal:
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
    changed : list of str
        What of how much is searched is not what it was, and how.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.is_new = not journal.records
        self.changed: list[str] = []
        self._arguments: dict[str, Any] = {}  # as they are now
        self._n_candidates: int | None = None
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
        self,
        search: Any,
        root: int,
        data: Mapping[str, Any],
        refit_metric: str | None,
        precision: Mapping[str, str],
        n_candidates: int | None = None,
        max_stack: int | None = None,
        resource: str | None = None,
        threads_of_a_net: int | None = None,
    ) -> None:
        """Write the first record, or see that it is of this very search.

        Parameters
        ----------
        search : BaseSearchCV
        root : int
        data : dict
            Fingerprints of all that `fit` was given, and of the splits.
        refit_metric : str or None
            The metric that decides on what comes next.
        precision : dict
            What the program has set of the digits that nets compute with.
        n_candidates : int or None
            How many candidates there will be at most.
        max_stack : int or None
            How many nets are trained as one at most.
        resource : str or None
            The parameter that candidates are given more of, or "n_samples".
        threads_of_a_net : int or None
            With which each net is trained.
        """
        arguments = search.get_params(deep=False)
        random_state = arguments.get("random_state")
        if isinstance(random_state, np.integer):
            random_state = int(random_state)
        self._arguments = {
            name: as_json(value)
            for name, value in arguments.items()
            if name not in _FREE
        }
        self._n_candidates = n_candidates
        now = {
            "search": f"{type(search).__module__.partition('.')[0]}."
            f"{type(search).__qualname__}",
            "random_state": random_state
            if is_plain(random_state)
            else type(random_state).__name__,
            "root": root,
            "arguments": self._arguments,
            "refit_metric": refit_metric,
            "data": dict(data),
            "precision": dict(precision),
        }
        if self.is_new:
            about = {"id": self.id, "began": moment(), **now}
            about["n_candidates"] = n_candidates
            about["max_stack"] = max_stack
            about["resource"] = resource
            # Any may be asked for later; readers rank by the one that was asked for.
            about["refit"] = as_json(getattr(search, "refit", None))
            self._journal.begin({**about, **environment(threads_of_a_net)})
        else:
            self._compare(now)

    def _compare(self, now: Mapping[str, Any]) -> None:
        header = self._header()
        if "precision" not in header:  # of an earlier version
            header = {**header, "precision": now["precision"]}
        without = {k: v for k, v in _WITHOUT.items() if k in self._arguments}
        header["arguments"] = {**without, **header.get("arguments", {})}
        found = list(differences({key: header.get(key) for key in now}, dict(now)))
        # The root follows from the random state, unless that is a generator.
        named = [
            re.sub(r"^(arguments|data|precision)\.", "", text)
            for text in found
            if not text.startswith("root")
        ]
        if found and not named:
            named = ["random_state (a generator that had drawn other numbers then)"]
        self.changed = [text for text in named if _says_how_much(text)]
        if len(self.changed) < len(named):
            hint = ""
            if set(named) - set(self.changed) == {"splits"}:
                hint = " A splitter that shuffles needs a random_state of its own."
            raise another_search(self.path, named, hint)

    def _header(self) -> dict[str, Any]:
        """The first record, with what of it has changed since."""
        header = dict(self._journal.records[0])
        for line, record in enumerate(self._journal.records[1:], 2):
            if record.get("record") == "arguments":
                if not isinstance(record.get("arguments"), dict):
                    raise self._broken(line, "arguments")
                changed = {**header.get("arguments", {}), **record["arguments"]}
                header["arguments"] = changed
                header["n_candidates"] = record.get("n_candidates")
        return header

    def rehearsal(self, *, in_order: bool) -> Rehearsal:
        """The search up to where the journal ends, with the arguments of now.

        Parameters
        ----------
        in_order : bool
            Whether decisions are, see `Schedule`.
        """
        params = {
            record["candidate"]: record["params"] for _, record in self._fit_records()
        }
        before = self._header().get("n_candidates")
        return Rehearsal(
            params,
            self._recorded_fits(),
            self._begins_otherwise,
            before if in_order and isinstance(before, int) else None,
        )

    def go_on(self) -> None:
        """Write down how much is searched from here on."""
        if self.changed:
            arguments = {k: v for k, v in self._arguments.items() if k in _HOW_MUCH}
            record = {"record": "arguments", "began": moment(), "arguments": arguments}
            self._journal.append({**record, "n_candidates": self._n_candidates})

    def stacked_shapes(self) -> dict[str, bool]:
        """Whether nets of a shape are trained as one, where that has been tried."""
        return {
            record["shape"]: bool(record.get("stacked"))
            for record in self._journal.records[1:]
            if record.get("record") == "stacked" and "shape" in record
        }

    def write_stacked(self, shape: str, **tried: Any) -> None:
        """Write down whether nets of a shape are trained as one, and what was seen."""
        record = {"record": "stacked", "ended": moment(), "shape": shape}
        self._journal.append({**record, **as_json(tried)})

    def max_stack(self) -> int | None:
        """How many nets are trained as one at most, where the journal has that."""
        if self.is_new:
            return None
        max_stack = self._journal.records[0].get("max_stack")
        return max_stack if isinstance(max_stack, int) else None

    def _begins_otherwise(self, found: list[str]) -> JournalError:
        """The error for a search whose first part is not the one in the journal."""
        other = Path(self.path)
        other = other.with_name(f"{other.stem}-2{other.suffix}")
        hint = ""
        if any(text.startswith("param_grid") for text in self.changed):
            hint = (
                " A grid goes on with a second one behind it: param_grid=[the grid it "
                "was, a grid of what is new]."
            )
        return JournalError(
            f"journal={self.path!r} cannot go on to this search, which begins with "
            f"other decisions: it differs in: {'; '.join([*self.changed, *found][:4])}."
            f" Continue it with what it was begun with.{hint} Or begin anew with what "
            "it has found: BayesSearchCV(estimator, param_distributions, "
            f"warm_start_from={self.path!r}, journal={str(other)!r}) learns from it, "
            "and initial_points=[search.best_params_] has BayesSearchCV or "
            "RandomizedSearchCV begin with its best."
        )

    def strategy(self, strategy: Strategy) -> Strategy:
        """The strategy, which is not asked again for what the journal has."""
        params = {
            record["candidate"]: record["params"] for _, record in self._fit_records()
        }
        return ReplayedStrategy(strategy, params, self.path) if params else strategy

    def workers(self, workers: Workers, *, raises: bool) -> ReplayedWorkers:
        """The workers, which are not asked again for what the journal has.

        Where an error `raises`, fits that failed are run again to raise it.
        """
        recorded = self._recorded_fits()
        if raises:
            recorded = {
                key: one for key, one in recorded.items() if not has_raised(one.outcome)
            }
        return ReplayedWorkers(workers, self._journal, recorded)

    def _recorded_fits(self) -> dict[FitKey, RecordedFit]:
        """The fits that the journal has, in its order."""
        recorded: dict[FitKey, RecordedFit] = {}
        for n_workers, record in self._fit_records():
            key = (
                record["candidate"],
                record["split"],
                record["iter"],
                record["n_resources"],
            )
            recorded.pop(key, None)
            recorded[key] = RecordedFit(outcome_of(record), n_workers)
        return recorded

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


def _says_how_much(difference: str) -> bool:
    """Whether a difference is one in how much is searched."""
    return re.split(r"[. ]", difference, maxsplit=1)[0] in _HOW_MUCH
