"""What a landscape is, and which of them were held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Params = dict[str, Any]
Spaces = dict[str, Any] | list[dict[str, Any]]

# Never looked at while the strategy was made, so that it could be seen whether what was
# gained elsewhere holds.
HELD_OUT = frozenset(
    {
        "styblinski-5",
        "levy-6",
        "branches-5",
        "knn-digits-5",
        "sgd-cancer-6",
        "ridge-diabetes-cond",
        "mlp-diabetes-6",
        "forest-digits-5",
        "fcnet-0",
        "fcnet-1",
        "nasbench201",
        "taskset-3",
        "taskset-4",
        "taskset-5",
    }
)


@dataclass(frozen=True)
class Landscape:
    """Greater is better; `noise` is the standard deviation of what is observed."""

    name: str
    space: Spaces
    score: Callable[[Params], float]
    best: float
    noise: float = 0.0
