"""Whether the first rung has rows enough, where the resource is ``n_samples``.

A sampler looks for neighbours within a class, or leaves few rows of it; a net splits
its rows once more. Both are tried on such rows as they will get; nothing is trained.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from functools import partial
from itertools import islice, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier

from sktune._compat import num_samples, safe_split
from sktune._warnings import warn
from sktune.execution.estimators._last_steps import is_pipeline
from sktune.execution.estimators._nets import is_net
from sktune.execution.estimators._parameter_paths import (
    UNKNOWN,
    alternatives,
    find_parameters,
)
from sktune.execution.estimators._subsets import Subset, subsets

# More differences between samplers of candidates than these are not tried.
_MAX_VARIANTS = 50
# Splits differ a little in the shares of the classes.
_MARGIN = 1.1
# Of more values than these, none is tried.
_MAX_VALUES = 1_000
# Columns of what stands in for rows that are transformed before they are resampled.
_N_COLUMNS = 4


class _Lack(Exception):
    """What a step says of too few rows."""


def enough_resources(
    estimator: Any,
    dicts: Sequence[Mapping[str, Any]],
    X: Any,
    y: Any,
    n_splits: int,
    *,
    least: int,
    most: int,
) -> int:
    """The smallest resource from `least` on at which no step lacks rows.

    And at which samplers leave as many as `least` comes with. Where no resource does,
    it is `least`.

    Parameters
    ----------
    estimator : estimator
    dicts : sequence of dict
        The dicts that are searched.
    X, y : data
    n_splits : int
        Training parts are taken to be those of so many folds, with the shares of the
        classes that y has.
    least, most : int
    """
    found = _variants(estimator, dicts)
    if y is None or not found or num_samples(X) != num_samples(y):
        return least
    (subset,) = _subsets_of(estimator, y, num_samples(X), n_splits)
    wanted = subset.n_rows(least)

    def is_enough(n_resources: int) -> bool:
        X_part, y_part = safe_split(estimator, X, y, subset.rows(n_resources))
        return all(_n_left(one, X_part, y_part) >= wanted for one in found)

    enough = _first(is_enough, least, most)
    if enough is None or enough == least:
        return least
    return min(int(enough * _MARGIN), most)


def warn_of_first_rung(
    estimator: Any,
    dicts: Sequence[Mapping[str, Any]],
    subsets: Sequence[Subset],
    X: Any,
    y: Any,
    n_resources: int,
) -> None:
    """Say that fits of the first rung will fail since they have too few rows.

    Only where the same step would not fail with the whole training part.

    Parameters
    ----------
    estimator : estimator
    dicts : sequence of dict
        The dicts that are searched.
    subsets : sequence of Subset
        One for each split.
    X, y : data
    n_resources : int
        That of the first rung.
    """
    found = _variants(estimator, dicts) if y is not None else []
    said: list[str] = []
    enough = n_resources
    for (split, subset), one in product(enumerate(subsets), found):
        lack = partial(_lack, one, subset, X, y)
        why = lack(n_resources)
        more = None
        if why:
            more = _first(_not(lack), n_resources, num_samples(X))
        if more is not None:
            enough = max(enough, more)
            n_rows, n_all = subset.n_rows(n_resources), len(subset.train)
            said.append(f"{n_rows} of {n_all} training rows in split {split}, {why}")
    if said:
        warn(
            f"min_resources={n_resources} leaves {said[0]}. "
            f"Pass min_resources={enough} or more."
        )


def _not(lack: Callable[[int], str]) -> Callable[[int], bool]:
    return lambda n_resources: not lack(n_resources)


def _subsets_of(
    estimator: Any, y: Any, n_samples: int, n_splits: int
) -> Sequence[Subset]:
    """Subsets of what a training part may be, before there is one."""

    def of(rows: NDArray[np.int64]) -> list[Subset]:
        stratify = is_classifier(estimator)
        parts = [(rows, None)]
        return subsets(parts, y, None, stratify=stratify, n_samples=n_samples, seed=0)

    everything = of(np.arange(n_samples))[0]
    return of(everything.rows(n_samples - n_samples // max(n_splits, 2)))


def _first(is_enough: Callable[[int], bool], least: int, most: int) -> int | None:
    """The first number from `least` to `most`, if what is enough stays so."""
    short, enough = least - 1, least
    while not is_enough(enough):
        if enough >= most:
            return None
        short, enough = enough, min(2 * enough, most)
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if is_enough(middle) else (middle, enough)
    return enough


# -- what is tried ---------------------------------------------------------------------


def _variants(estimator: Any, dicts: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Estimators with all that candidates may have for samplers; none without any."""
    found = []
    for subspace in dicts or [{}]:
        values = {
            name: _extremes(subspace, name) or [_current(estimator, name)]
            for name in subspace
            if _reaches_sampler(estimator, name, subspace)
        }
        if not values and not any(map(_lacks_rows, _steps(estimator))):
            continue
        for chosen in islice(product(*values.values()), _MAX_VARIANTS):
            params = dict(zip(values, chosen, strict=True))
            with suppress(ValueError):  # such as a parameter that only others have
                found.append(clone(estimator).set_params(**clone(params, safe=False)))
    return found[:_MAX_VARIANTS]


def _reaches_sampler(estimator: Any, name: str, subspace: Mapping[str, Any]) -> bool:
    if any(hasattr(value, "fit_resample") for value in _extremes(subspace, name)):
        return True
    found = find_parameters(estimator, name, subspace)
    return any(hasattr(parameter.estimator, "fit_resample") for parameter in found)


def _extremes(subspace: Mapping[str, Any], name: str) -> list[Any]:
    """Values of a searched parameter, of numbers the smallest and the largest.

    None where they cannot be told.
    """
    if all(hasattr(subspace[name], a) for a in ("dist", "support")):  # frozen, of scipy
        values = [float(value) for value in subspace[name].support()]
        is_whole = all(value.is_integer() for value in values)
        return [int(value) for value in values] if is_whole else []
    if hasattr(subspace[name], "__len__") and len(subspace[name]) > _MAX_VALUES:
        return []
    values = alternatives(subspace, name, UNKNOWN)
    if all(isinstance(value, int | float | np.number) for value in values):
        return [min(values), max(values)] if values else []
    return [value for value in values if value is not UNKNOWN]


def _current(estimator: Any, name: str) -> Any:
    return estimator.get_params(deep=True).get(name)


def _steps(estimator: Any) -> Iterator[Any]:
    """Steps of (nested) pipelines, the last included."""
    while is_pipeline(estimator):
        yield from (step for _, step in estimator.steps[:-1])
        estimator = estimator.steps[-1][1]
    yield estimator


def _lacks_rows(step: Any) -> bool:
    """Whether a step may need more rows than there are classes."""
    if hasattr(step, "fit_resample"):
        return True
    if not is_net(step):
        return False
    from skorch.dataset import ValidSplit

    split = step.train_split
    return type(split) is ValidSplit and isinstance(split.cv, int | float | None)


def _lack(estimator: Any, subset: Subset, X: Any, y: Any, n_resources: int) -> str:
    """What is said of too few rows; empty where there are enough."""
    try:
        _try(estimator, *safe_split(estimator, X, y, subset.rows(n_resources)))
    except _Lack as lack:
        return str(lack)
    return ""


def _n_left(estimator: Any, X: Any, y: Any) -> int:
    """Rows that the last step is trained on; 0 where some step has too few."""
    try:
        return _try(estimator, X, y)
    except _Lack:
        return 0


def _try(estimator: Any, X: Any, y: Any) -> int:
    """Rows after all samplers; raises `_Lack` where these or an inner split fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for step in _steps(estimator):
            if step is None or isinstance(step, str):
                continue
            if not _lacks_rows(step):
                # Neither number nor class of the rows is changed.
                X = np.random.default_rng(0).normal(size=(num_samples(y), _N_COLUMNS))
                continue
            try:
                if is_net(step):
                    split = _seeded(step.train_split)
                    split(np.arange(num_samples(y)), np.asarray(y))
                else:
                    X, y = _seeded(step).fit_resample(X, y)
            except ValueError as error:
                name = type(step.train_split if is_net(step) else step).__name__
                line = str(error).strip().partition("\n")[0]
                raise _Lack(f"with which {name} fails ({line})") from error
            except Exception:
                break  # what is wrong here, if anything, the fits will say
    return num_samples(y)


def _seeded(step: Any) -> Any:
    """A copy that draws from no generator of the process."""
    if not hasattr(step, "get_params"):  # an inner split
        step = deepcopy(step)
        if isinstance(step.cv, float):
            step.random_state = 0
        return step
    params = step.get_params(deep=True).items()
    names = [name for name, value in params if name.endswith("random_state")]
    return clone(step).set_params(**dict.fromkeys(names, 0))
