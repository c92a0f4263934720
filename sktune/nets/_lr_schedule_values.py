"""What the arguments of a learning-rate schedule may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch

from sktune._errors import EstimatorError, did_you_mean
from sktune.nets._lr_policies import OPTIONS, POLICIES, defaults_of

_LENGTH = "a share of the training (a float above 0, up to 1.0) or a number of epochs"
# Lowest and highest of each number, and whether these two are allowed.
_RANGES: dict[str, tuple[float, float, bool, bool]] = {
    "gamma": (0, 1, False, True),
    "power": (0, np.inf, False, False),
    "decay": (0, np.inf, False, False),
    "cycle_mult": (1, np.inf, True, False),
    "floor": (0, 1, True, False),
    "start": (0, 1, False, True),
    "pct_start": (0, 1, True, True),
    "momentum_drop": (0, 1, True, False),
}


def check_options(policy: Any, options: Mapping[str, Any]) -> None:
    """Refuse arguments that a policy does not take.

    Parameters
    ----------
    policy : str
    options : dict
        Values by name; None is not given, and names that no policy takes are left out.

    Raises
    ------
    EstimatorError
    """
    _check_policy(policy)
    taken = defaults_of(policy)
    given = [name for name in OPTIONS if options.get(name) is not None]
    for name in given:
        if name not in taken:
            raise EstimatorError(
                f"LRSchedule: {name} is no argument of policy={policy!r}, which takes "
                f"{_listed(taken)}. Leave it out, or set it to None."
            )
    if {"values", "gamma"} <= set(given):
        raise EstimatorError("LRSchedule: give values or gamma, and not both.")


def check_value(name: str, value: Any) -> None:
    """Refuse a value that an argument cannot have, whatever the policy.

    Parameters
    ----------
    name : str
    value : object

    Raises
    ------
    EstimatorError
    """
    if name == "policy":
        _check_policy(value)
    else:
        needed = _needed(name, value)
        if needed:
            raise EstimatorError(f"LRSchedule: {name}={value!r} must be {needed}.")


def _check_policy(policy: Any) -> None:
    if isinstance(policy, str) and policy in POLICIES:
        return
    hint = did_you_mean(str(policy).lower().removesuffix("lr"), POLICIES)
    is_of_torch = isinstance(policy, type) or hasattr(
        torch.optim.lr_scheduler, str(policy)
    )
    if is_of_torch:
        hint += " RelativeLRScheduler takes schedules of torch."
    raise EstimatorError(
        f"LRSchedule has no policy {policy!r}.{hint} There are {_listed(POLICIES)}."
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _needed(name: str, value: Any) -> str:
    """What a value would have to be; empty where it is right."""
    if name == "step_every":
        return "" if value in ("batch", "epoch") else "'batch' or 'epoch'"
    if name == "warmup":
        is_none = _is_number(value) and value == 0
        is_right = is_none or (_is_length(value) and not _is_whole_training(value))
        needed = "a number of epochs, or a share of the training (a float below 1)"
        return "" if is_right else needed
    if value is None:
        return ""
    if name == "period":
        return "" if _is_length(value) else _LENGTH
    if name == "milestones":
        is_right = _is_sequence(value) and all(map(_is_length, value))
        return "" if is_right else f"a sequence, each {_LENGTH}"
    if name == "values":
        is_right = _is_sequence(value) and all(_is_number(v) and v >= 0 for v in value)
        return "" if is_right else "a sequence of numbers from 0 up"
    if name in ("cycles", "epochs"):
        return "" if _is_epochs(value) else "an integer from 1 up"
    return _out_of_range(name, value) if name in _RANGES else ""


def _out_of_range(name: str, value: Any) -> str:
    low, high, with_low, with_high = _RANGES[name]
    if _is_number(value) and (
        low < value < high
        or (with_low and value == low)
        or (with_high and value == high)
    ):
        return ""
    below = f", {'up to' if with_high else 'below'} {high}" if high < np.inf else ""
    return f"a number {'from' if with_low else 'above'} {low}{below or ' up'}"


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    return is_number and bool(np.isfinite(value))


def _is_epochs(value: Any) -> bool:
    return _is_number(value) and isinstance(value, Integral) and int(value) >= 1


def _is_length(value: Any) -> bool:
    is_share = _is_number(value) and not isinstance(value, Integral) and 0 < value <= 1
    return is_share or _is_epochs(value)


def _is_whole_training(value: Any) -> bool:
    return not isinstance(value, Integral) and bool(value == 1.0)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray) and len(value) > 0
