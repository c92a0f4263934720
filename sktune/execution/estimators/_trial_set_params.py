"""What `set_params` of an estimator says to a name, tried on a clone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import islice
from typing import Any

from sklearn.base import clone

from sktune._errors import SktuneError
from sktune.space import Space

_N_TRIED = 10


def error_of_setting(
    estimator: Any, name: str, values: Any, others: Mapping[str, Any] | None = None
) -> Exception | None:
    """What every value that is tried raises when it is set; None if one can be set.

    Parameters
    ----------
    estimator : estimator
    name : str
    values : list or distribution
        What is searched.
    others : mapping or None
        Parameters that are set with it.
    """
    last: Exception | None = None
    for value in _some(values):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the fits will say it
                copied = clone(estimator)
                copied.set_params(**dict(others or {}), **{name: clone_of(value)})
        except Exception as error:
            last = error
        else:
            return None
    return last


def clone_of(value: Any) -> Any:
    """A value that may be changed without changing the user's."""
    return clone(value, safe=False)


def _some(values: Any) -> list[Any]:
    """A few of the values; the middle one of a distribution, without drawing."""
    if values is None or isinstance(values, str):
        return [values]
    if hasattr(values, "rvs") or not hasattr(values, "__iter__"):
        try:
            return [Space({"value": values}).decode([0.5])["value"]]
        except SktuneError:
            return [None]
    return list(islice(values, _N_TRIED)) or [None]
