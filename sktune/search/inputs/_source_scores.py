"""The scores in a table of candidates, whatever has written it."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from sktune._errors import WarmStartError
from sktune._types import rounded
from sktune.strategy import as_of_all_splits

Array = NDArray[Any]

FORMS = (
    "Give a fitted search, its cv_results_, a data frame of these, the path of a "
    "journal, a study of Optuna, or a list of such."
)


class _Missing:
    """What stands for a value where there is none."""


ABSENT: Final = _Missing()  # the candidate has no such parameter
BLANK: Final = _Missing()  # nothing, None or NaN: a table does not tell which


def score_column(columns: Mapping[str, Any], metrics: Sequence[str]) -> str:
    for metric in metrics:
        if f"mean_test_{metric}" in columns:
            return f"mean_test_{metric}"
    there = [name for name in columns if name.startswith("mean_test_")]
    wanted = " or ".join(repr(f"mean_test_{metric}") for metric in metrics)
    raise WarmStartError(
        f"warm_start_from has no column {wanted}, the metric that steers this search; "
        f"it has {there if there else 'no mean_test_ column'}. Search by one that is "
        "there (see scoring and refit), or rename the column that is meant."
    )


def scores_in(columns: Mapping[str, list[Any]], name: str) -> list[float | None]:
    """Mean scores, None where it or the score of any split that was run is not finite.

    Of candidates that were spared some splits, what their means are expected to be.
    """
    metric = name.removeprefix("mean_test_")
    of_splits = [
        key
        for key in columns
        if key.startswith("split") and key.endswith(f"_test_{metric}")
        if key.removeprefix("split").removesuffix(f"_test_{metric}").isdecimal()
    ]
    table = np.column_stack([numbers_in(columns, key) for key in [name, *of_splits]])
    failed: Array = ~np.isfinite(table).all(axis=1)
    has_rungs = "n_resources" in columns
    if has_rungs and "n_splits_run" in columns:  # within a rung all run on the same
        n_run = numbers_in(columns, "n_splits_run")
        finite = np.isfinite(table[:, 1:]).sum(axis=1)
        failed = ~np.isfinite(table[:, 0]) | (finite < n_run)
    elif "n_splits_run" in columns and of_splits:
        n_run, ranks = numbers_in(columns, "n_splits_run"), np.full(len(table), np.nan)
        if f"rank_test_{metric}" in columns:
            ranks = numbers_in(columns, f"rank_test_{metric}")
        return _as_of_all_splits(table, n_run, ranks)
    if f"rank_test_{metric}" in columns and not has_rungs:
        ranks = numbers_in(columns, f"rank_test_{metric}")
        failed |= _out_of_rank(table[:, 0], ranks)
    # As rounded as those of the new search; a file may have changed the last digit.
    return [
        None if out else rounded(score)
        for score, out in zip(table[:, 0].tolist(), failed, strict=True)
    ]


def _as_of_all_splits(table: Array, n_run: Array, ranks: Array) -> list[float | None]:
    """Of means in the first column and the scores of splits, some of them not run."""
    means, splits = table[:, 0], table[:, 1:]
    failed = np.isfinite(splits).sum(axis=1) < n_run
    failed |= _out_of_rank_in_a_race(splits, n_run, ranks)
    splits = np.where(np.isfinite(splits) & ~failed[:, None], splits, np.nan)
    if np.isfinite(splits).all(axis=1).any():
        means, _ = as_of_all_splits(splits)
    return [
        None if out else rounded(score)
        for score, out in zip(means.tolist(), failed, strict=True)
    ]


def _out_of_rank(scores: Array, ranks: Array) -> Array:
    """Rows that rank last whatever they scored: failures with a numeric error_score."""
    last = ranks == np.max(ranks, initial=-np.inf)
    rest = ~last
    if not rest.any() or not np.isfinite(scores[rest]).all():
        return np.zeros(len(scores), dtype=bool)
    is_ranking = bool((ranks[last] == rest.sum() + 1).all()) and np.array_equal(
        ranks[rest], rankdata(-scores[rest], method="min")
    )
    is_odd = bool((scores[last] >= scores[rest].min()).any())
    return last if is_ranking and is_odd else np.zeros(len(scores), dtype=bool)


def _out_of_rank_in_a_race(splits: Array, n_run: Array, ranks: Array) -> Array:
    """As `_out_of_rank`, where who was run on more splits ranks before who was not."""
    last = ranks == np.max(ranks, initial=-np.inf)
    rest, none = ~last, np.zeros(len(splits), dtype=bool)
    if last.all() or not last.any() or not (ranks[last] == rest.sum() + 1).all():
        return none
    # Who was spared was behind the best on its splits; who failed may be before it.
    ahead = splits[last] - splits[np.argmin(ranks)]
    was_run = np.isfinite(ahead)
    is_ahead = np.where(was_run, ahead, 0.0).sum(axis=1) >= 0.0
    further = n_run[last].max() > n_run[rest].min()
    return last if (is_ahead & was_run.any(axis=1)).any() or further else none


def numbers_in(columns: Mapping[str, list[Any]], name: str) -> Array:
    """A column as floats; NaN where it is blank."""
    numbers = []
    for value in columns[name]:
        try:
            is_none = value is ABSENT or is_blank(value)
            numbers.append(math.nan if is_none else float(value))
        except (TypeError, ValueError, OverflowError):
            raise WarmStartError(
                f"warm_start_from holds {reprlib.repr(value)} in column {name!r}, "
                "which is no number. Give results as a search made them."
            ) from None
    return np.array(numbers, dtype=float)


def is_blank(value: Any) -> bool:
    is_nan = isinstance(value, float) and math.isnan(value)
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")
