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
    tried = _some(values)
    last: Exception | None = None
    for value in tried if tried is not None else [None]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the fits will say it
                copied = clone(estimator)
                copied.set_params(**dict(others or {}), **{name: clone_of(value)})
        except Exception as error:
            last = error
        else:
            return None
    if tried is None and last is not None and not is_about_the_name(last):
        return None  # what is searched may be right where None is not
    return last


def is_about_the_name(error: Exception) -> bool:
    """Whether this is scikit-learn's own error for names that are not there."""
    is_unknown = str(error).startswith("Invalid parameter")
    is_below_a_value = str(error).endswith("has no attribute 'set_params'")
    return is_unknown or (isinstance(error, AttributeError) and is_below_a_value)


def clone_of(value: Any) -> Any:
    """A value that may be changed without changing the user's."""
    return clone(value, safe=False)


def _some(values: Any) -> list[Any] | None:
    """A few of the values; the middle one of a distribution, without drawing.

    None where they cannot be seen.
    """
    if values is None or isinstance(values, str):
        return None
    if hasattr(values, "rvs") or not hasattr(values, "__iter__"):
        try:
            space = Space({"value": values})
            return [space.decode([0.5] * space.n_dims)["value"]]
        except SktuneError:
            return None
    return list(islice(values, _N_TRIED)) or None
