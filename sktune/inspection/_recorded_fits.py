"""The fits of one candidate as they were recorded, and where that was."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sktune._random import derive_seed
from sktune._types import Stage
from sktune.inspection._ranked_scores import best_row, scores_of
from sktune.inspection._search_record import record_of
from sktune.journal import (
    is_same_json,
    read_environment,
    read_search,
    stages_in_results,
    stages_in_rows,
)


@dataclass(frozen=True)
class RecordedFit:
    """One fit, with all that it takes to run it again.

    Attributes
    ----------
    candidate, split, seed : int
    params : dict
    n_resources : int or None
    scores : dict of str -> float
        By metric; NaN where it failed.
    curve : tuple of float or None
    stopped : bool
    n_stacked : int
        Nets that it was trained as one with, itself among them.
    device : str or None
        The one that was leased.
    unit : int or None
        Fits of one number were trained together; None where that is not recorded.
    iter, bracket : int
        Its rung.
    stages : tuple of Stage
        How its ancestors were trained, in a population.
    """

    candidate: int
    split: int
    seed: int
    params: Mapping[str, Any]
    n_resources: int | None
    scores: Mapping[str, float]
    curve: tuple[float, ...] | None = None
    stopped: bool = False
    n_stacked: int = 1
    device: str | None = None
    unit: int | None = None
    iter: int = 0
    bracket: int = 0
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True)
class RecordedCandidate:
    """The fits of a candidate at the most that it was given, and what they ran under.

    Attributes
    ----------
    fits : list of RecordedFit
        In the order of the splits.
    mates : dict of int -> list of RecordedFit
        By unit, all fits that were trained together with some of these.
    root : int
        Of the seeds.
    environment : dict
        Versions, hardware, threads, precision and fingerprints of the data, as far as
        they are recorded.
    """

    fits: list[RecordedFit]
    mates: Mapping[int, list[RecordedFit]]
    root: int
    environment: Mapping[str, Any]


def recorded_candidate(search: Any, candidate: int | None) -> RecordedCandidate:
    """Find the fits of a candidate, in the journal if there is one.

    Parameters
    ----------
    search : BaseSearch
        Fitted, or with a journal.
    candidate : int or None
        None is the best.

    Raises
    ------
    NotFittedError
        Where it is not fitted and has no journal.
    ValueError
        Where there is no such candidate, and where its seeds or params are not known.
    """
    path = getattr(search, "journal", None)
    if path is not None and not os.path.isfile(path):
        path = None
    is_fitted = hasattr(search, "cv_results_")
    if path is None and not is_fitted:
        try:
            check_is_fitted(search, "cv_results_")
        except NotFittedError as error:
            raise NotFittedError(
                f"{error} Or give it the journal that a search has written, journal=..."
            ) from None
    if path is not None:
        header, fits = read_search(path)
        if not is_fitted or header.get("root") == _root_of(search):
            return _of_journal(search, path, header, fits, candidate)
    return _of_search(search, candidate)


# -- of a fitted search --------------------------------------------------------------


def _root_of(search: Any) -> int | None:
    provenance = getattr(search, "provenance_", {})
    return provenance.get("root")


def _of_search(search: Any, candidate: int | None) -> RecordedCandidate:
    root = _root_of(search)
    if root is None:
        raise ValueError(
            f"{type(search).__name__} was fitted by a version of sktune that kept no "
            "seeds. Fit it again."
        )
    results, scores = search.cv_results_, scores_of(search, _any_metric(search))
    if candidate is None:
        candidate = int(scores.candidate[best_row(search, scores, None)])
    rows = np.flatnonzero(scores.candidate == candidate)
    if not len(rows):
        raise _no_such(candidate, scores.candidate.tolist())
    place = int(rows[-1])
    if scores.n_resources is not None:
        place = int(rows[np.argmax(scores.n_resources[rows])])
    record = record_of(search, with_fits=False)
    row = record.rows[place]
    n_resources = None if row.n_resources is None else int(row.n_resources)
    by_split = {
        k: {metric: of[k] for metric, of in row.scores.items()}
        for k in next(iter(row.scores.values()))
    }
    of = (candidate, n_resources)
    curves = _by_split(getattr(search, "curves_", ()), *of)
    paths = _by_split(getattr(search, "paths_", ()), *of)
    leases = _by_split(getattr(search, "leases_", ()), *of)
    stages = stages_in_results(results, candidate)
    origin = stages[0].candidate if stages else candidate
    fits = [
        RecordedFit(
            candidate,
            split,
            derive_seed(root, "fit", origin, split),
            results["params"][place],
            n_resources,
            of_split,
            curve=tuple(curves[split]["scores"]) if split in curves else None,
            stopped=bool(split in curves and curves[split]["stopped"]),
            n_stacked=paths.get(split, {}).get("stacked") or 1,
            device=leases.get(split, {}).get("device"),
            iter=row.iter or 0,
            bracket=row.bracket or 0,
            stages=stages,
        )
        for split, of_split in sorted(by_split.items())
    ]
    environment = {k: v for k, v in search.provenance_.items() if k != "root"}
    return RecordedCandidate(fits, {}, root, environment)


def _any_metric(search: Any) -> str:
    """Ranks do not matter where a candidate is named."""
    names = [n for n in search.cv_results_ if n.startswith("mean_test_")]
    metrics = [name.removeprefix("mean_test_") for name in names]
    return search.refit if search.refit in metrics else metrics[0]


def _by_split(
    rows: Sequence[Mapping[str, Any]], candidate: int, n_resources: int | None
) -> dict[int, Mapping[str, Any]]:
    return {
        row["split"]: row
        for row in rows
        if row["candidate"] == candidate
        and row["split"] is not None
        and row["n_resources"] == n_resources
    }


# -- of a journal --------------------------------------------------------------------


def _of_journal(
    search: Any,
    path: Any,
    header: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    candidate: int | None,
) -> RecordedCandidate:
    if candidate is None:
        record = record_of(path)
        if record.best is None:
            raise ValueError(f"journal={str(path)!r} has no candidate with a score.")
        candidate = record.rows[record.best].candidate
    mine = [row for row in rows if row["candidate"] == candidate]
    if not mine:
        raise _no_such(candidate, [row["candidate"] for row in rows])
    most = max(row.get("n_resources") or 0 for row in mine)
    mine = [row for row in mine if (row.get("n_resources") or 0) == most]
    read = _Reader(search, rows)
    latest = {row["split"]: read.fit(row) for row in mine}  # of several the last
    fits = [latest[split] for split in sorted(latest)]
    units = {fit.unit for fit in fits if fit.n_stacked > 1 and fit.unit is not None}
    mates = {
        unit: [read.fit(row) for row in rows if row.get("unit") == unit]
        for unit in units
    }
    environment = {**read_environment(path, candidate), **header.get("data", {})}
    return RecordedCandidate(fits, mates, int(header["root"]), environment)


class _Reader:
    """Makes fits of rows of a journal; params that JSON cannot hold are looked up.

    Parameters
    ----------
    search : BaseSearch
    rows : sequence of mapping
        All of the journal.
    """

    def __init__(self, search: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = rows
        self._known: dict[int, Mapping[str, Any]] = {}
        if hasattr(search, "cv_results_"):
            results = search.cv_results_
            numbers = results.get("candidate", range(len(results["params"])))
            self._known = dict(zip(map(int, numbers), results["params"], strict=True))
        self._search = search

    def fit(self, row: Mapping[str, Any]) -> RecordedFit:
        """The fit that a row tells of."""
        candidate = int(row["candidate"])
        return RecordedFit(
            candidate,
            int(row["split"]),
            int(row["seed"]),
            self._params(row),
            row.get("n_resources"),
            {
                name.removeprefix("test_"): math.nan if score is None else float(score)
                for name, score in row.items()
                if name.startswith("test_")
            },
            curve=row.get("curve"),
            stopped=bool(row.get("stopped")),
            n_stacked=row.get("path_stacked") or 1,
            device=row.get("lease_device"),
            unit=row.get("unit"),
            iter=row.get("iter") or 0,
            bracket=row.get("bracket") or 0,
            stages=stages_in_rows(self._rows, candidate, self._params),
        )

    def _params(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        known = self._known.get(int(row["candidate"]))
        return known or {
            name.removeprefix("param_"): self._value(name.removeprefix("param_"), value)
            for name, value in row.items()
            if name.startswith("param_")
        }

    def _value(self, name: str, recorded: Any) -> Any:
        if not isinstance(recorded, Mapping):
            return recorded
        for value in self._search._searched_values(name):
            if is_same_json(value, recorded):
                return value
        raise ValueError(
            f"The journal has no value of parameter {name!r} that can be read again, "
            "and none in the space of the search is like it. Fit the search with its "
            "journal first, which runs no fit again."
        )


def _no_such(candidate: int, numbers: Sequence[int]) -> ValueError:
    return ValueError(
        f"candidate={candidate!r} is none of this search, which has {min(numbers)} to "
        f"{max(numbers)}."
    )
