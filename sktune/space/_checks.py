"""Whether `param_distributions` can be searched, said in scikit-learn's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set, Sized
from typing import Any

import numpy as np

from sktune._errors import SpaceError, SpaceTypeError
from sktune.space._distributions import is_distribution

# Listed values are held in tables; longer ones would take minutes to write.
MAX_LISTED = 1_000_000


def check_subspaces(param_distributions: Any) -> list[Mapping[str, Any]]:
    """The dicts of `param_distributions`, every entry a distribution or list."""
    if not isinstance(param_distributions, (Mapping, Iterable)):
        raise SpaceTypeError(
            "Parameter distribution is not a dict or a list, got: "
            f"{param_distributions!r} of type {type(param_distributions).__name__}. "
            "Give a dict of parameter names to lists or distributions, or a list of "
            "such dicts."
        )
    if isinstance(param_distributions, Mapping):
        param_distributions = [param_distributions]
    subspaces = list(param_distributions)
    if not subspaces:
        raise SpaceError(
            "Parameter distribution is an empty list: there is nothing to search. Give "
            "a dict of parameter names to lists or distributions; {} is the estimator "
            "as it stands."
        )
    for subspace in subspaces:
        if not isinstance(subspace, Mapping):
            raise SpaceTypeError(
                f"Parameter distribution is not a dict ({subspace!r}). Give a dict of "
                "parameter names to lists or distributions, or a list of such dicts."
            )
        for name, given in subspace.items():
            _check_entry(name, given)
    return subspaces


def _check_entry(name: Any, given: Any) -> None:
    if not isinstance(name, str):
        raise SpaceTypeError(
            f"Parameter names are strings, got: {name!r} of type "
            f"{type(name).__name__}. Write it as the estimator's set_params takes it."
        )
    if is_distribution(given):
        return  # looked at more closely where it is read
    shape = given.shape if isinstance(given, np.ndarray) else (None,)
    if not isinstance(given, Iterable) or len(shape) == 0:
        raise SpaceTypeError(
            f"Parameter grid for parameter {name!r} is not iterable or a distribution "
            f"(value={given}). Put a single value in a list, [value]; freeze a "
            "distribution of scipy.stats."
        )
    unordered = isinstance(given, (str, bytes, Mapping, Set))
    if unordered or not isinstance(given, Sized):
        raise SpaceTypeError(
            f"Parameter grid for parameter {name!r} needs to be a list or a numpy "
            f"array, but got {given!r} (of type {type(given).__name__}) instead. "
            "Single values need to be wrapped in a list with one element."
        )
    if len(shape) > 1:
        raise SpaceError(
            f"Parameter array for {name!r} should be one-dimensional, got: {given!r} "
            f"with shape {shape}. If its rows are the values, give list(array)."
        )
    if len(given) > MAX_LISTED:
        raise SpaceError(
            f"Parameter grid for parameter {name!r} lists {len(given)} values, more "
            f"than {MAX_LISTED}. Give a distribution: integers from low to high are "
            "scipy.stats.randint(low, high + 1)."
        )
    if len(given) == 0:
        raise SpaceError(
            f"Parameter grid for parameter {name!r} need to be a non-empty sequence, "
            f"got: {given!r}. Give at least one value, or leave the parameter out."
        )
