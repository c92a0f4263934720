"""Fits on a leased device: memory is given back, and a lack of it survived.

What runs out of the device's memory runs once more, with the device for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sktune._types import FitOutcome
from sktune.execution.guards._device_memory import give_memory_back
from sktune.execution.guards._timeout import stop_event
from sktune.placement import Placement, lease

_T = TypeVar("_T")


@dataclass(frozen=True)
class Attempt:
    """One of the two times that fits on a leased device are tried.

    Attributes
    ----------
    device : str
    is_last : bool
        Whether running out of memory is a failure like any other.
    """

    device: str
    is_last: bool


def run_leased(
    placement: Placement,
    fits: Sequence[_T],
    run: Callable[[Sequence[_T], Attempt], Mapping[int, FitOutcome]],
) -> dict[int, FitOutcome]:
    """Run fits under one lease, and once more those that ran out of memory.

    Parameters
    ----------
    placement : Placement
    fits : sequence
    run : callable
        ``run(fits, attempt)``: outcomes by position, but for those that are to be tried
        again.
    """
    done, first = _try(placement, fits, run, None)
    outcomes = {k: replace(outcome, lease=first) for k, outcome in done.items()}
    left = [k for k in range(len(fits)) if k not in done]
    if left:
        again = [fits[k] for k in left]
        retried, second = _try(placement, again, run, first["device"])
        both = {**second, "retry_of": first}
        outcomes |= {left[k]: replace(o, lease=both) for k, o in retried.items()}
    return outcomes


def _try(
    placement: Placement,
    fits: Sequence[_T],
    run: Callable[[Sequence[_T], Attempt], Mapping[int, FitOutcome]],
    exclusive_on: str | None,
) -> tuple[Mapping[int, FitOutcome], dict[str, Any]]:
    """What came of the fits, and their lease."""
    stopped = stop_event()
    with lease(placement, exclusive_on=exclusive_on, stopped=stopped) as held:
        try:
            done = run(fits, Attempt(held.device, is_last=exclusive_on is not None))
            if len(done) < len(fits):
                held.ran_out()
            elif all(outcome.fit_error is None for outcome in done.values()):
                held.measure()
        finally:
            give_memory_back(held.device, everything=held.is_only)
    return done, held.record()
