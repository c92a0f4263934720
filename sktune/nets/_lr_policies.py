"""Learning rates over a training by name, as closed forms.

Each policy is a function of the step ``k = 0, ..., n - 1`` and gives a share of the
net's own rate. It has no state, so that a training that goes on somewhere is in the
same schedule as one that never paused. Arguments that are a length are in steps here.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# A cycle or a milestone that falls on a step begins with it, whatever was rounded.
_ROUNDING = 1e-9


def constant(k: float, n: float) -> float:
    return 1.0


def exponential(k: float, n: float, *, gamma: float = 0.1, period: Any = 1.0) -> float:
    return float(gamma ** (k / period))


def natural_exponential(
    k: float, n: float, *, decay: float = 3.0, period: Any = 1.0
) -> float:
    return math.exp(-decay * k / period)


def inverse_time(k: float, n: float, *, decay: float = 9.0, period: Any = 1.0) -> float:
    return 1 / (1 + decay * k / period)


def step(k: float, n: float, *, gamma: float = 0.1, period: Any = 1 / 3) -> float:
    return float(gamma ** _whole(k / period))


def piecewise(
    k: float,
    n: float,
    *,
    milestones: Sequence[Any] = (0.5, 0.75),
    values: Sequence[float] | None = None,
    gamma: float = 0.1,
) -> float:
    passed = sum(k >= milestone - _ROUNDING * n for milestone in milestones)
    return float(gamma**passed if values is None else values[passed])


def polynomial(
    k: float, n: float, *, power: float = 1.0, floor: float = 0.0, cycles: int = 1
) -> float:
    period = n / cycles
    end = period * min(_whole(k / period) + 1, cycles)  # of the cycle
    return floor + (1 - floor) * float((1 - k / end) ** power)


def cosine(k: float, n: float, *, floor: float = 0.0) -> float:
    return floor + (1 - floor) * (1 + math.cos(math.pi * k / n)) / 2


def warm_restarts(
    k: float,
    n: float,
    *,
    cycles: int = 2,
    cycle_mult: float = 2.0,
    gamma: float = 1.0,
    floor: float = 0.0,
) -> float:
    lengths = [cycle_mult**cycle for cycle in range(cycles)]
    at, cycle = k / n * sum(lengths), 0
    while cycle < cycles - 1 and at >= lengths[cycle] - _ROUNDING:
        at -= lengths[cycle]
        cycle += 1
    height = gamma**cycle * (1 + math.cos(math.pi * at / lengths[cycle])) / 2
    return floor + (1 - floor) * height


def triangular(
    k: float, n: float, *, cycles: int = 3, floor: float = 0.1, gamma: float = 1.0
) -> float:
    height = height_of_triangle(k, n, cycles=cycles, floor=floor, gamma=gamma)
    return floor + (1 - floor) * height


def height_of_triangle(
    k: float, n: float, *, cycles: int = 3, floor: float = 0.1, gamma: float = 1.0
) -> float:
    at = k / n * cycles
    cycle = min(_whole(at), cycles - 1)
    return float(gamma**cycle) * max(0.0, 1 - abs(2 * (at - cycle) - 1))


def one_cycle(
    k: float,
    n: float,
    *,
    pct_start: float = 0.3,
    start: float = 0.04,
    floor: float = 4e-6,
) -> float:
    height = height_of_cycle(k, n, pct_start=pct_start, start=start, floor=floor)
    low = start if k < pct_start * n - 1 else floor
    return low + (1 - low) * height


def height_of_cycle(
    k: float,
    n: float,
    *,
    pct_start: float = 0.3,
    start: float = 0.04,
    floor: float = 4e-6,
) -> float:
    top, last = max(pct_start * n - 1, 0), n - 1
    if k < top:
        at = 1 - k / top
    else:
        at = (k - top) / (last - top) if last > top else 0.0
    return (1 + math.cos(math.pi * at)) / 2


def _whole(number: float) -> int:
    return math.floor(number + _ROUNDING)


POLICIES: dict[str, Callable[..., float]] = {
    "constant": constant,
    "exponential": exponential,
    "natural_exponential": natural_exponential,
    "inverse_time": inverse_time,
    "step": step,
    "piecewise": piecewise,
    "polynomial": polynomial,
    "cosine": cosine,
    "warm_restarts": warm_restarts,
    "triangular": triangular,
    "one_cycle": one_cycle,
}
# From 0 to 1: the momentum is lowest where the rate is highest.
HEIGHTS: dict[str, Callable[..., float]] = {
    "triangular": height_of_triangle,
    "one_cycle": height_of_cycle,
}
MOMENTUM_DROP = 0.1


def defaults_of(policy: str) -> dict[str, Any]:
    """Arguments that a policy takes, with their defaults."""
    parameters = inspect.signature(POLICIES[policy]).parameters.values()
    found = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    return found | ({"momentum_drop": MOMENTUM_DROP} if policy in HEIGHTS else {})


# Arguments of any policy.
OPTIONS = tuple(sorted({name for policy in POLICIES for name in defaults_of(policy)}))


@dataclass(frozen=True)
class LRCourse:
    """Rate and momentum of one training, as shares of the net's own.

    Parameters
    ----------
    policy : str
    options : tuple of (str, object)
        Its arguments, lengths in steps.
    n_steps : int
        Of the whole training.
    n_warmup : int
        Steps of the warm-up, which is before the policy.
    momentum_drop : float
    """

    policy: str
    options: tuple[tuple[str, Any], ...]
    n_steps: int
    n_warmup: int = 0
    momentum_drop: float = 0.0

    def rate(self, step: int) -> float:
        """The share at a step; after the last it stays."""
        share = self._at(POLICIES[self.policy], step)
        if step < self.n_warmup:
            share *= (step + 1) / (self.n_warmup + 1)
        return share

    def momentum(self, step: int) -> float:
        """The share at a step; 1 where the policy cycles no momentum."""
        if not self.momentum_drop:
            return 1.0
        return 1 - self.momentum_drop * self._at(HEIGHTS[self.policy], step)

    def _at(self, formula: Callable[..., float], step: int) -> float:
        k = min(step, self.n_steps - 1) - self.n_warmup
        return formula(max(k, 0), self.n_steps - self.n_warmup, **dict(self.options))
