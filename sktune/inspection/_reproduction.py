"""Whether a candidate came out as it did before, and if not, what may be why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import fill
from typing import Any, NamedTuple

from sktune._text import aligned, html_table

_DATA = ("X", "y", "splits")
# What differs from machine to machine and decides on no digit.
_IDLE = ("hardware host", "hardware processors", "threads OMP_NUM_THREADS")


class Difference(NamedTuple):
    """What was otherwise.

    Attributes
    ----------
    what : str
        Such as "versions torch", or "X".
    then, now : object
    """

    what: str
    then: Any
    now: Any

    def __str__(self) -> str:
        if str(self.then).startswith("fingerprint "):
            return f"{self.what} (other data)"
        return f"{self.what} ({self.then} then, {self.now} now)"


@dataclass(frozen=True)
class ComparedFit:
    """The scores of one split, then and now.

    Attributes
    ----------
    split : int
    then, now : dict of str -> float
        By metric; NaN where it failed.
    curve : float or None
        Largest difference of the learning curves; infinite where they have not the same
        length, None where there are none.
    device_then, device_now : str or None
        Where a device was leased.
    n_stacked : int
        Nets that it was trained as one with then, itself among them.
    """

    split: int
    then: Mapping[str, float]
    now: Mapping[str, float]
    curve: float | None
    device_then: str | None
    device_now: str | None
    n_stacked: int

    @property
    def difference(self) -> float:
        """The largest of any score."""
        return max(_apart(self.then[metric], self.now[metric]) for metric in self.then)

    @property
    def is_equal(self) -> bool:
        """Whether scores and curve are, to the last bit."""
        return self.difference == 0.0 and not self.curve


def _apart(before: float, after: float) -> float:
    if before == after or (math.isnan(before) and math.isnan(after)):
        return 0.0
    apart = abs(before - after)
    return math.inf if math.isnan(apart) else apart


def curve_difference(
    then: Sequence[float] | None, now: Sequence[float] | None
) -> float | None:
    """The largest between two curves; None where one is not there."""
    if then is None or now is None:
        return None
    if len(then) != len(now):
        return math.inf
    return max(map(_apart, then, now), default=0.0)


@dataclass(frozen=True, repr=False)
class Reproduction:
    """What `reproduce` has found; prints as a table and some sentences.

    Attributes
    ----------
    candidate : int
    params : dict
    n_resources : int or None
        What it was given, in a search with rungs.
    fits : list of ComparedFit
        One for each split that it was run on.
    differences : list of Difference
        What was recorded of versions, hardware, threads, precision and data, and is
        otherwise now.
    is_unit_known : bool
        Whether nets that were trained as one with others then were so now.
    """

    candidate: int
    params: Mapping[str, Any]
    n_resources: int | None
    fits: list[ComparedFit]
    differences: list[Difference]
    is_unit_known: bool = True

    @property
    def is_equal(self) -> bool:
        """Whether all scores and curves are, to the last bit."""
        return all(fit.is_equal for fit in self.fits)

    @property
    def difference(self) -> float:
        """The largest of any score."""
        return max(fit.difference for fit in self.fits)

    @property
    def reasons(self) -> list[str]:
        """What may be why it is not equal, the likeliest first; empty if it is."""
        if self.is_equal:
            return []
        found = {one.what: str(one) for one in self.differences}
        reasons = [text for what, text in found.items() if what in _DATA]
        rest = [what for what in found if what not in (*_DATA, *_IDLE)]
        reasons += [found[what] for what in rest]
        if not self.is_unit_known:
            reasons.append(
                "it was trained as one with other nets (stacked), and by itself it is "
                "rounded otherwise"
            )
        devices = {fit.device_then for fit in self.fits} - {None}
        if any("cpu" not in str(device) for device in devices):
            reasons.append(
                f"it ran on {', '.join(sorted(map(str, devices)))}, whose kernels may "
                "add up in any order; torch.use_deterministic_algorithms(True) forbids "
                "that"
            )
        return reasons or [
            "nothing that is recorded differs, so that the estimator may draw numbers "
            "that no seed of Python, NumPy or torch decides on, or read the clock or a "
            "file; or it ran into a limit of time or memory"
        ]

    @property
    def verdict(self) -> str:
        """Whether it is equal, and if not, what may be why, in words."""
        n = len(self.fits)
        if self.is_equal:
            told = f"All {n} splits are equal, to the last bit"
            if self.differences:
                other = "; ".join(map(str, self.differences))
                return f"{told}, although this differs: {other}."
            return f"{told}."
        n_equal = sum(fit.is_equal for fit in self.fits)
        by = (
            "" if math.isinf(self.difference) else f", by {self.difference:.2g} at most"
        )
        said = f"{n - n_equal} of {n} splits differ{by}"
        return f"{said}. It may be that: {'; '.join(self.reasons)}."

    def to_frame(self) -> Any:
        """Return the scores as a pandas data frame, with a row for each split.

        Returns
        -------
        frame : pandas.DataFrame
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "split": fit.split,
                **{f"{metric}, then": score for metric, score in fit.then.items()},
                **{f"{metric}, now": score for metric, score in fit.now.items()},
                "curve": fit.curve,
                "equal": fit.is_equal,
            }
            for fit in self.fits
        )

    def __repr__(self) -> str:
        resource = "" if self.n_resources is None else f", at {self.n_resources}"
        head = f"Candidate {self.candidate}{resource}"
        return f"{head}\n{aligned(self._cells())}\n{fill(self.verdict, 88)}"

    def _repr_html_(self) -> str:
        head, *body = self._cells()
        return f"{html_table(head, body)}<p>{escape(self.verdict)}</p>"

    def _cells(self) -> list[list[str]]:
        has_curves = any(fit.curve is not None for fit in self.fits)
        head = ["split", "metric", "then", "now", "apart"]
        head += ["curves apart"] * has_curves
        return [head] + [
            [
                str(fit.split),
                metric,
                f"{score:.17g}",
                f"{fit.now[metric]:.17g}",
                f"{_apart(score, fit.now[metric]):.2g}",
                *([_told(fit.curve)] * has_curves),
            ]
            for fit in self.fits
            for metric, score in fit.then.items()
        ]


def _told(curve: float | None) -> str:
    if curve is None:
        return ""
    return "other epochs" if math.isinf(curve) else f"{curve:.2g}"
