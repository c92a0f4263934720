"""What a landscape is, and which of them were held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Params = dict[str, Any]
Spaces = dict[str, Any] | list[dict[str, Any]]
NOISE_MARK = "~"

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


# What a search is told, of params, its seed and how many were evaluated before.
Observe = Callable[[Params, int, int], float]


@dataclass(frozen=True)
class Landscape:
    """Greater is better.

    Attributes
    ----------
    score : callable
        What counts, without noise.
    best : float
        The best score known.
    noisy : dict of str -> callable
        What a search is told instead where there is noise, by the kind of noise.
    observe : callable or None
        The one of them that holds here; None where the score itself is told.
    """

    name: str
    space: Spaces
    score: Callable[[Params], float]
    best: float
    noisy: Mapping[str, Observe] = field(default_factory=dict)
    observe: Observe | None = None

    def with_noise(self) -> list[Landscape]:
        """The same for each kind of noise, named by it: branin-2~1%."""
        return [
            replace(self, name=f"{self.name}{NOISE_MARK}{kind}", observe=observe)
            for kind, observe in self.noisy.items()
        ]


def is_noisy(name: str) -> bool:
    return NOISE_MARK in name


def is_held_out(name: str) -> bool:
    return name.partition(NOISE_MARK)[0] in HELD_OUT
