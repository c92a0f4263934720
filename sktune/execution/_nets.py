"""Nets inside estimators: a skorch net may stand alone, in a pipeline or deeper."""

from __future__ import annotations

import sys
from typing import Any


def is_net(estimator: Any) -> bool:
    """Whether this is a skorch net."""
    skorch = sys.modules.get("skorch")
    # Where skorch was not imported, nobody can have made a net.
    return skorch is not None and isinstance(estimator, skorch.NeuralNet)


def find_nets(estimator: Any) -> dict[str, Any]:
    """Skorch nets in an estimator, by the prefix of their parameters.

    ``{"": net}`` for a net alone, ``{"clf__": net}`` for one in a pipeline.
    """
    if is_net(estimator):
        return {"": estimator}
    if "skorch" not in sys.modules or not hasattr(estimator, "get_params"):
        return {}
    return {
        f"{name}__": value
        for name, value in estimator.get_params(deep=True).items()
        if is_net(value)
    }


def silence(estimator: Any) -> Any:
    """Turn off the table that each net prints: fits of a search would interleave."""
    for prefix in find_nets(estimator):
        estimator.set_params(**{f"{prefix}verbose": 0})
    return estimator
