"""Ranges as other packages write them, which would be read as something else."""

from __future__ import annotations

from typing import Any

from sktune._errors import SpaceError, SpaceTypeError
from sktune.space._values import is_number

_PACKAGES = {
    "ConfigSpace": "ConfigSpace",
    "hyperopt": "hyperopt",
    "keras_tuner": "Keras Tuner",
    "optuna": "Optuna",
    "ray": "Ray Tune",
    "skopt": "scikit-optimize",
}
_PRIORS = ("uniform", "log-uniform")


def refuse_foreign(name: str, given: Any) -> None:
    """Refuse a dimension of another package, and scikit-optimize's tuples.

    A tuple such as ``(1e-3, 1e3, "log-uniform")`` would be three values.
    """
    package = _PACKAGES.get(type(given).__module__.partition(".")[0])
    if package is not None:
        raise SpaceTypeError(
            f"Parameter distribution for parameter {name!r} is one of {package}: "
            f"{given!r}. Give a distribution of scipy.stats, such as loguniform(low, "
            "high), uniform(low, high - low) or randint(low, high + 1), or a list of "
            "values."
        )
    if not isinstance(given, tuple | list) or len(given) not in (3, 4):
        return
    low, high, prior = given[:3]
    is_range = is_number(low) and is_number(high)
    if is_range and isinstance(prior, str) and prior in _PRIORS:
        law = f"uniform({low!r}, {high - low!r})"
        if prior == "log-uniform":
            law = f"loguniform({low!r}, {high!r})"
        raise SpaceError(
            f"Parameter distribution for parameter {name!r} is {given!r}, which lists "
            f"values and is no range. Give scipy.stats.{law} for a range."
        )
