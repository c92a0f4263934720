"""What `warm_start_from` holds, read as observations in the space that is searched.

Another search comes as itself, as its `cv_results_`, as its journal, as a study of
Optuna, or as a data frame of the first three, be it one that was written to a file and
read again: there, what is no number is text, and nothing, None and NaN are the same.
"""

from __future__ import annotations

import math
import reprlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sktune._errors import JournalError, WarmStartError
from sktune._types import Params, WarmStartObservation
from sktune._warnings import warn
from sktune.journal import is_same_json, value_of_json
from sktune.search.inputs._journal_table import as_table
from sktune.search.inputs._source_scores import (
    ABSENT,
    BLANK,
    FORMS,
    Array,
    is_blank,
    numbers_in,
    score_column,
    scores_in,
)
from sktune.search.inputs._study_table import is_study, table_of_study
from sktune.space import Space, Structured, Values, to_python

# Of rungs, the highest one with as many scores is read.
MIN_SCORES = 5
MAX_COMPARED = 100_000  # values of one parameter


class Source(NamedTuple):
    """The candidates of one other search; the score of one that failed is None."""

    rows: list[dict[str, Any]]
    scores: list[float | None]
    objectives: list[tuple[float | None, ...]]


def read_warm_start(
    given: Any,
    space: Space,
    estimator: Any,
    metrics: Sequence[str],
    *,
    objectives: Sequence[str] = (),
    verbose: int = 0,
) -> tuple[WarmStartObservation, ...]:
    """What was observed in other searches, as far as it lies in the space.

    Parameters
    ----------
    given : object
        The argument `warm_start_from`.
    space : Space
    estimator : estimator
        Has the values of parameters that another search did not search.
    metrics : sequence of str
        Names that the refit metric may have, see `sktune.run.refit_metric_names`.
    objectives : sequence of str
        Metrics that are read beside it; who has no score in one has failed.
    verbose : int
        Whether to print how much was read.

    Raises
    ------
    WarmStartError
        If something is no search, or has not the metric.
    """
    if given is None:
        return ()
    given = given if isinstance(given, list | tuple) else [given]
    sources = [read_source(one, metrics, objectives) for one in given]
    fixed = _params_of(estimator)
    found: list[WarmStartObservation] = []
    culprits: Counter[str] = Counter()
    for number, source in enumerate(sources, 1):
        told = zip(source.scores, source.objectives, strict=True)
        for row, (score, each) in zip(source.rows, told, strict=True):
            params, culprit = params_in_space(row, space, fixed)
            if params is None:
                culprits[culprit] += 1
            else:
                found.append(_observation(params, score, each, number))
    _warn_of_unsearched(sources, space)
    _tell_of_left_out(len(found), culprits, verbose)
    return tuple(found)


def _observation(
    params: Params,
    score: float | None,
    objectives: tuple[float | None, ...],
    source: int,
) -> WarmStartObservation:
    if None in objectives:
        return WarmStartObservation(params, None, source)
    told: Any = objectives if score is not None else ()
    return WarmStartObservation(params, score, source, told)


# -- tables --------------------------------------------------------------------------


def read_source(
    one: Any, metrics: Sequence[str], objectives: Sequence[str] = ()
) -> Source:
    """The candidates of one other search, those of one rung if it had rungs."""
    columns = _columns(one, metrics)
    name = score_column(columns, metrics)
    n_rows = len(columns[name])
    for key, column in columns.items():
        if len(column) != n_rows:
            raise WarmStartError(
                f"warm_start_from has {len(column)} rows in column {key!r} and "
                f"{n_rows} in {name!r}. {FORMS}"
            )
    rows, scores = _rows(columns, n_rows), scores_in(columns, name)
    if "n_resources" not in columns:
        # What a fit scored when a rule ended it is no score of its params.
        stopped = columns.get("stopped", [False] * n_rows)
        chosen = [i for i in range(n_rows) if str(stopped[i]) not in ("True", "1.0")]
    else:
        chosen = _one_rung(numbers_in(columns, "n_resources"), scores)
    each = [scores_in(columns, score_column(columns, (m,))) for m in objectives]
    return Source(
        [rows[i] for i in chosen],
        [scores[i] for i in chosen],
        [tuple(of[i] for of in each) for i in chosen],
    )


def _columns(one: Any, metrics: Sequence[str]) -> dict[str, list[Any]]:
    """The columns of `cv_results_`, whatever they came in."""
    shown = reprlib.repr(one)
    if isinstance(one, type):
        raise WarmStartError(f"warm_start_from={shown} is a class. {FORMS}")
    try:
        one = as_table(one)
    except JournalError as error:
        raise WarmStartError(
            f"warm_start_from={shown} is no earlier search. {FORMS} As a journal: "
            f"{error}"
        ) from error
    if is_study(one):
        one = table_of_study(one, metrics[0])
    elif hasattr(one, "cv_results_"):
        one = one.cv_results_
    elif hasattr(one, "get_params"):
        raise WarmStartError(
            f"warm_start_from={shown} is not fitted, or is no search: it has no "
            "cv_results_. Fit it first, or leave it out."
        )
    is_frame = hasattr(one, "columns") and hasattr(one, "iloc")
    if not isinstance(one, Mapping) and not is_frame:
        raise WarmStartError(f"warm_start_from={shown} is no earlier search. {FORMS}")
    columns = {}
    for name in one.columns if is_frame else one:
        column = one[name]
        if is_frame and column.ndim > 1:
            raise WarmStartError(
                f"warm_start_from has more than one column {name!r}. Drop all but one."
            )
        is_list = hasattr(column, "__len__") and hasattr(column, "__iter__")
        is_list = is_list and getattr(column, "ndim", 1) > 0
        if not is_list or isinstance(column, str | Mapping):
            raise WarmStartError(
                f"warm_start_from holds {reprlib.repr(column)} as {name!r}, which is "
                f"no list of values. {FORMS}"
            )
        columns[str(name)] = _values(column)
    return columns


def _values(column: Any) -> list[Any]:
    """Values in Python's types; what is masked is absent."""
    if isinstance(column, np.ma.MaskedArray):
        masked = np.ma.getmaskarray(column)
        pairs = zip(np.ma.getdata(column), masked, strict=True)
        return [ABSENT if out else to_python(value) for value, out in pairs]
    return [to_python(value) for value in column]


def _rows(columns: Mapping[str, list[Any]], n_rows: int) -> list[dict[str, Any]]:
    """The params of each row."""
    params = columns.get("params", [])
    if params and all(isinstance(one, Mapping) for one in params):
        return [
            {str(name): to_python(value) for name, value in one.items()}
            for one in params
        ]
    # Of a file, where params are text: each has a column too.
    named = {
        name.removeprefix("param_"): column
        for name, column in columns.items()
        if name.startswith("param_")
    }
    if not named and n_rows:
        raise WarmStartError(
            "warm_start_from has neither dicts in a column 'params' nor columns "
            f"'param_...'. {FORMS}"
        )
    return [
        {
            name: BLANK if is_blank(column[i]) else column[i]
            for name, column in named.items()
            if column[i] is not ABSENT
        }
        for i in range(n_rows)
    ]


def _one_rung(n_resources: Array, scores: Sequence[float | None]) -> list[int]:
    """Rows of the highest rung that tells enough, and those that failed in any."""
    scored = np.array([score is not None for score in scores], dtype=bool)
    chosen, most = math.nan, 0
    for reached in np.unique(n_resources[scored & np.isfinite(n_resources)])[::-1]:
        n = int((scored & (n_resources == reached)).sum())
        if n > most:
            chosen, most = float(reached), n
        if most >= MIN_SCORES:
            break
    return np.flatnonzero(~scored | (n_resources == chosen)).tolist()


# -- candidates ----------------------------------------------------------------------


def params_in_space(
    row: Mapping[str, Any], space: Space, fixed: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, str]:
    """A row as params of the space, and else the parameter that keeps it out.

    It goes to the dict of `param_distributions` that needs the fewest values which the
    row has not, and leaves the fewest out that it has. `fixed` are the parameters of
    the estimator, which the row had where it has no others.
    """
    best: tuple[int, dict[str, Any]] | None = None
    culprit = ""
    for branch in space.branches:
        params: dict[str, Any] = {}
        n_off = sum(name not in branch and row[name] is not BLANK for name in row)
        for name, dimension in branch.items():
            given = row.get(name, ABSENT)
            value = value_of(dimension, given)
            if value is ABSENT and (given is ABSENT or given is BLANK):
                value = value_of(dimension, fixed.get(name, ABSENT))
                n_off += 1
            if value is ABSENT:
                culprit = culprit or name
                break
            params[name] = value
        if len(params) == len(branch) and (best is None or n_off < best[0]):
            best = n_off, params
    return (None, culprit) if best is None else (best[1], "")


def value_of(dimension: Values, given: Any) -> Any:
    """The value that is meant by what a table holds; ABSENT where it is none."""
    if given is ABSENT:
        return ABSENT
    if isinstance(dimension, Structured):
        value = dimension.read(value_of_json(given))
        return ABSENT if value is None else value
    if dimension.n_categories:
        if dimension.token(given) is not None:
            return given
        return next((v for v in dimension.values() if _alike(v, given)), ABSENT)
    try:
        number = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError, OverflowError):
        return ABSENT
    if dimension.is_continuous:
        # A file may have changed the last digit, which must not count.
        rounded = float(f"{number:.12g}")
        for one in (rounded, number):
            if dimension.outline(one) is not None:
                return one
        return ABSENT
    if dimension.token(number) is not None:
        return number
    if not math.isfinite(number):
        return ABSENT
    # Too many to look through are one apart.
    is_small = dimension.size <= MAX_COMPARED
    among = dimension.values() if is_small else [round(number)]
    near = (v for v in among if math.isclose(v, number, rel_tol=1e-9))
    return next((v for v in near if dimension.token(v) is not None), ABSENT)


def _alike(value: Any, given: Any) -> bool:
    """Whether a table may hold a value like this; text and numbers have no types."""
    if given is BLANK or is_blank(given):
        return is_blank(value)
    if isinstance(given, str):
        return str(value) == given
    if isinstance(given, Mapping):
        return is_same_json(value, given)
    if hasattr(given, "get_params") and not isinstance(given, type):
        return type(value) is type(given) and str(value) == str(given)
    is_number = isinstance(value, int | float) and isinstance(given, int | float)
    return is_number and not isinstance(value, bool) and bool(value == given)


def _params_of(estimator: Any) -> Mapping[str, Any]:
    return estimator.get_params() if hasattr(estimator, "get_params") else {}


# -- what users are told -------------------------------------------------------------


def _warn_of_unsearched(sources: Sequence[Source], space: Space) -> None:
    """Warn of parameters that had several values and are not searched here."""
    searched = {name for branch in space.branches for name in branch}
    varied = set()
    for source in sources:
        for name in {name for row in source.rows for name in row} - searched:
            if len({repr(row.get(name, BLANK)) for row in source.rows}) > 1:
                varied.add(name)
    if varied:
        names = ", ".join(map(repr, sorted(varied)))
        warn(
            f"warm_start_from also varied {names}, which this search does not: its "
            "scores differ by that, too, and tell less."
        )


def _tell_of_left_out(n_found: int, culprits: Counter[str], verbose: int) -> None:
    n_left_out = culprits.total()
    n_rows = n_found + n_left_out
    if not n_rows:
        return
    text = f"{n_found} of the {n_rows} candidates of warm_start_from are in the space"
    if culprits:
        name, n = culprits.most_common(1)[0]
        text += f"; {n} are not because of parameter {name!r}"
    if n_left_out > n_found:
        learns = f"from {n_found} only" if n_found else "nothing from it"
        warn(
            f"{text}: it had other values there, or none. The search learns {learns}; "
            "widen param_distributions to learn from more."
        )
    elif verbose > 0:
        print(text)
