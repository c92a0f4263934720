"""Whether `param_distributions` can be searched, said in scikit-learn's words."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence, Set, Sized
from typing import Any

import numpy as np

from sktune._errors import SpaceError, SpaceTypeError, did_you_mean
from sktune._types import Params
from sktune.space._distributions import is_distribution
from sktune.space._foreign import refuse_foreign
from sktune.space._structured import Structured, is_structured
from sktune.space._values import to_python

# Listed values are held in tables; longer ones would take minutes to write.
MAX_LISTED = 1_000_000


def subspaces_of(param_distributions: Any) -> list[Any]:
    """Its dicts as a list, unchecked: one dict stands for itself."""
    if isinstance(param_distributions, Mapping):
        return [param_distributions]
    return list(param_distributions)


def check_subspaces(param_distributions: Any) -> list[Mapping[str, Any]]:
    """The dicts of `param_distributions`, every entry a distribution or list."""
    if not isinstance(param_distributions, (Mapping, Iterable)):
        raise SpaceTypeError(
            "Parameter distribution is not a dict or a list, got: "
            f"{param_distributions!r} of type {type(param_distributions).__name__}. "
            "Give a dict of parameter names to lists or distributions, or a list of "
            "such dicts."
        )
    subspaces = subspaces_of(param_distributions)
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
    check_kind(name, given)
    if is_distribution(given) or is_structured(given):
        return  # looked at more closely where it is read
    shape = given.shape if isinstance(given, np.ndarray) else (None,)
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


def check_kind(name: str, given: Any) -> None:
    """Refuse what is neither a distribution nor several values."""
    refuse_foreign(name, given)
    if is_structured(given):
        Structured(given, f"Parameter distribution for parameter {name!r}")
        return
    if is_distribution(given):
        return
    if not isinstance(given, Iterable) or (hasattr(given, "ndim") and given.ndim == 0):
        raise SpaceTypeError(
            f"Parameter grid for parameter {name!r} is not iterable or a distribution "
            f"(value={given}). Put a single value in a list, [value]; freeze a "
            "distribution of scipy.stats."
        )


def why_not_here(params: Params, branches: Sequence[Mapping[str, Any]]) -> SpaceError:
    """Why a candidate is in no branch, told by the one that comes nearest to it."""
    nearest = min(branches, key=lambda b: len(b.keys() ^ params.keys()))
    for name in params:
        if name not in nearest:
            names = list(itertools.chain.from_iterable(branches))
            reason = (
                "stands in param_distributions, but with others than these."
                if name in names
                else "is not in param_distributions."
            )
            return SpaceError(
                f"Parameter {name!r} of params {dict(params)!r} {reason}"
                f"{'' if name in names else did_you_mean(str(name), names)} "
                f"Give a value for each of {list(nearest)} and no other."
            )
    for name in nearest:
        if name not in params:
            return SpaceError(
                f"Parameter {name!r} is missing in params {dict(params)!r}. Give a "
                f"value for each of {list(nearest)}."
            )
    for name, dimension in nearest.items():
        value = to_python(params[name])
        if dimension.token(value) is None:
            reason = ""
            if isinstance(dimension, Structured) and dimension.why_not(value):
                reason = f": {dimension.why_not(value)}"
            reason += "" if reason.endswith("?") else "."
            return SpaceError(
                f"Value {value!r} of parameter {name!r} is not {dimension}{reason} "
                "Choose one that is, or add it to param_distributions."
            )
    raise AssertionError("a candidate that is in a branch was looked for in none")
