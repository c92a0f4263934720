"""What a search would train as one, before it trains anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sktune._text import aligned, html_table
from sktune._types import Unit
from sktune.execution import Job, StackTrial, cannot_stack, stack_key, try_stacked
from sktune.search._preview import Preview


@dataclass(frozen=True)
class Shape:
    """Fits whose nets may be of one shape.

    Attributes
    ----------
    params : dict of str to str
        What of the net is searched and has to be the same in all, with its values.
    n_fits : int
        Fits that are decided on before the first score.
    sizes : tuple of int
        Nets that are trained as one, for each stack; empty where none are.
    reason : str or None
        Why they are trained by themselves; None where they are stacked.
    speedup : float or None
        How many times quicker an epoch of a net is in the stack than by itself, as it
        was measured for a few batches; None where it was not.
    """

    params: dict[str, Any]
    n_fits: int
    sizes: tuple[int, ...]
    reason: str | None
    speedup: float | None


@dataclass(frozen=True, repr=False)
class StackPlan:
    """Which fits a search trains as one, and why not others; shown as a table.

    Attributes
    ----------
    shapes : tuple of Shape
        Of the fits that are decided on before the first score.
    """

    shapes: tuple[Shape, ...]

    _head = ("shape", "fits", "stacks", "times as quick", "why not")

    def __repr__(self) -> str:
        return aligned([self._head, *self._rows()], to_the_left=True)

    def _repr_html_(self) -> str:
        return html_table(self._head, self._rows())

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                ", ".join(f"{k}={v}" for k, v in shape.params.items()) or "all",
                str(shape.n_fits),
                _shown(shape.sizes),
                "" if shape.speedup is None else f"{shape.speedup:.1f}",
                shape.reason or "",
            )
            for shape in self.shapes
        ]


def _shown(sizes: tuple[int, ...]) -> str:
    counts = {size: sizes.count(size) for size in sizes}
    return " + ".join(f"{n} x {size}" for size, n in counts.items()) or "none"


def plan_of_stacks(one: Preview, max_shapes: int | None = None) -> StackPlan:
    """Try each shape of net among the fits that are decided on first.

    Parameters
    ----------
    one : Preview
        Of a search that stacks nets.
    max_shapes : int or None
        Shapes that are tried at most, those of most fits.
    """
    job = one.job
    units: dict[Any, list[Unit]] = {}
    for unit in one.first_units(by_shape=True):
        units.setdefault(stack_key(job, unit[0]), []).append(unit)
    of_keys = list(units.items())
    if max_shapes is not None:
        of_keys.sort(key=lambda pair: -sum(map(len, pair[1])))
    return StackPlan(tuple(_shape(job, *pair) for pair in of_keys[:max_shapes]))


def _shape(job: Job, key: Any, units: list[Unit]) -> Shape:
    fits = [fit for unit in units for fit in unit]
    reason = cannot_stack(job, fits[0])
    trial = StackTrial(0, reason)
    if reason is None:
        trial = try_stacked(job, fits[0])
    speedup = None
    if trial.seconds_alone is not None and trial.seconds_stacked is not None:
        speedup = trial.seconds_alone / trial.seconds_stacked
    reason = trial.reason
    if reason is None and job.stacked == "auto" and not trial.pays:
        reason = "by themselves they are quicker"
    sizes = tuple(len(unit) for unit in units) if reason is None else ()
    params = {} if key is None else dict(key.params)
    return Shape(params, len(fits), sizes, reason, speedup)
