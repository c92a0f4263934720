"""One parameter and its coordinate on the unit interval.

Every value owns a cell of [0, 1] as wide as its probability: a uniform coordinate draws
from the distribution. The canonical coordinate of a discrete value is the middle of its
cell; a continuous value is its own cell.
"""

from __future__ import annotations

import math
import reprlib
from bisect import bisect_right
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sktune.space._distributions import (
    NEGLIGIBLE,
    Floats,
    Law,
    cumulated,
    is_distribution,
    read_law,
    same_law,
    table,
)
from sktune.space._values import Distinct, is_number, to_python


class Dimension(Protocol):
    """What a space needs of each of its coordinates."""

    size: float
    is_continuous: bool
    n_categories: int
    """0 where values have an order."""

    def value(self, u: float) -> Any:
        """The value whose cell holds u."""

    def token(self, value: Any) -> Hashable | None:
        """Identity of a value, hashable though the value may not be; None: not ours."""

    def coordinate(self, value: Any) -> float | None:
        """The canonical coordinate of a value; None where it is not ours."""

    def outline(self, value: Any) -> float | None:
        """As `coordinate`, and beyond [0, 1] for some numbers out of the range."""

    def snap(self, column: Floats) -> Floats:
        """Coordinates, each replaced by the canonical one of its value."""

    def cells(self, column: Floats) -> tuple[Floats, Floats]:
        """Where the cells of snapped coordinates begin and end."""

    def positions(self, column: Floats) -> Floats:
        """Snapped coordinates as positions on [0, 1]; the index of a category."""

    def values(self) -> Iterator[Any]:
        """All values, where they are countable."""

    def equals(self, other: Dimension) -> bool:
        """Whether both have the same values, equally likely."""

    def __str__(self) -> str:
        """What the values are, as the end of 'is not ...'."""


_QUARTILES = np.array([0.25, 0.5, 0.75])
_BEYOND = 1.0  # as far as this, in widths of the range, what lies outside is of use


def _even(quartiles: Floats, ends: Floats) -> bool:
    """Whether a distribution is even between its ends."""
    expected = ends[0] + _QUARTILES * (ends[1] - ends[0])
    return bool(np.allclose(quartiles, expected, rtol=1e-9, atol=1e-9 * np.ptp(ends)))


class Continuous:
    """A continuous distribution: u = cdf(x), x = ppf(u)."""

    size = math.inf
    is_continuous = True
    n_categories = 0

    def __init__(self, law: Law) -> None:
        self.law = law
        # Between two finite ends, the ends are values that the user named. An infinite
        # end never is one, nor is the zero at which expon or gamma begins.
        self._bounded = math.isfinite(law.low) and math.isfinite(law.high)
        self._u_low, self._u_high = (
            (0.0, 1.0) if self._bounded else (NEGLIGIBLE, 1 - NEGLIGIBLE)
        )

    def value(self, u: float) -> float:
        low, high = self.law.low, self.law.high
        if self._bounded and u <= NEGLIGIBLE:  # where ppf may fail to converge
            return low
        if self._bounded and u >= 1 - NEGLIGIBLE:
            return high
        u = min(max(u, self._u_low), self._u_high)
        # ppf may be rounded to just outside of the support.
        return min(max(float(self.law.ppf(u)), low), high)

    def token(self, value: Any) -> float | None:
        inside = is_number(value) and self.law.low <= value <= self.law.high
        return float(value) if inside and math.isfinite(value) else None

    def coordinate(self, value: Any) -> float | None:
        x = self.token(value)
        if x is None:
            return None
        return min(max(float(self.law.cdf(x)), self._u_low), self._u_high)

    def outline(self, value: Any) -> float | None:
        """A range that is even, or even in the logarithm, goes on beyond its ends."""
        if self.token(value) is not None:
            return self.coordinate(value)
        if not is_number(value) or not self._bounded:
            return None
        ends = np.array([self.law.low, self.law.high])
        x = float(value)
        quartiles = np.asarray(self.law.ppf(_QUARTILES), dtype=float)
        if not _even(quartiles, ends):
            if ends[0] <= 0.0 or x <= 0.0 or not _even(np.log(quartiles), np.log(ends)):
                return None
            x, ends = math.log(x), np.log(ends)
        width = float(ends[1] - ends[0])
        u = (x - float(ends[0])) / width if width else math.inf
        return u if -_BEYOND <= u <= 1.0 + _BEYOND else None

    def snap(self, column: Floats) -> Floats:
        return np.clip(column, self._u_low, self._u_high)

    def cells(self, column: Floats) -> tuple[Floats, Floats]:
        return column, column

    def positions(self, column: Floats) -> Floats:
        return column

    def values(self) -> Iterator[Any]:
        raise TypeError(f"the values of {self.law.label} cannot be counted")

    def equals(self, other: Dimension) -> bool:
        return isinstance(other, Continuous) and same_law(self.law, other.law)

    def __str__(self) -> str:
        return (
            f"within [{self.law.low:g}, {self.law.high:g}], "
            f"the support of {self.law.label}"
        )


class Countable:
    """A discrete distribution of more values than a table should hold.

    Values are one apart. They begin and end where a value is likely enough to have a
    cell of its own, which in a long tail it is not.
    """

    is_continuous = False
    n_categories = 0

    _NARROWEST_CELL = 1e-15
    _TAIL = 1e-6

    def __init__(self, law: Law) -> None:
        self.law = law
        # Values are counted from here, so that a `loc` of 0.1 is not lost in rounding.
        self._origin = law.low if math.isfinite(law.low) else 0.0
        self._as_python = int if self._origin.is_integer() else float
        low, high = self._on_grid(np.asarray(law.ppf([self._TAIL, 1 - self._TAIL])))
        if math.isfinite(law.low) and self._width(law.low) > self._NARROWEST_CELL:
            low = law.low
        if math.isfinite(law.high) and self._width(law.high) > self._NARROWEST_CELL:
            high = law.high
        self._low, self._high = float(low), float(high)
        self._u_low, self._u_high = self._middle(np.array([low, high]))
        self.size = self._high - self._low + 1

    def _on_grid(self, x: Floats) -> Floats:
        return self._origin + np.round(x - self._origin)

    def _width(self, k: float) -> float:
        before, at = cumulated(self.law, np.array([k - 1, k]))
        return float(at - before)

    def _middle(self, k: Floats) -> Floats:
        return (cumulated(self.law, k - 1) + cumulated(self.law, k)) / 2

    def _nearest(self, column: Floats) -> Floats:
        x = self.law.ppf(np.clip(column, self._u_low, self._u_high))
        return np.clip(self._on_grid(x), self._low, self._high)

    def value(self, u: float) -> int | float:
        return self._as_python(float(self._nearest(np.array(u))))

    def token(self, value: Any) -> int | float | None:
        if not is_number(value) or not self.law.low <= value <= self.law.high:
            return None
        if value != self._on_grid(np.asarray(value, dtype=float)):
            return None
        return self._as_python(value)

    def coordinate(self, value: Any) -> float | None:
        k = self.token(value)
        if k is None:
            return None
        middle = float(self._middle(np.array(float(k))))
        return min(max(middle, float(self._u_low)), float(self._u_high))

    def outline(self, value: Any) -> float | None:
        return self.coordinate(value)

    def snap(self, column: Floats) -> Floats:
        return self._middle(self._nearest(column))

    def cells(self, column: Floats) -> tuple[Floats, Floats]:
        k = self._nearest(column)
        # What lies beyond the first and the last value is decoded to them.
        low = np.where(k == self._low, 0.0, cumulated(self.law, k - 1))
        high = np.where(k == self._high, 1.0, cumulated(self.law, k))
        return low, high

    def positions(self, column: Floats) -> Floats:
        return column

    def values(self) -> Iterator[Any]:
        for step in range(int(self.size)):
            yield self._as_python(self._low + step)

    def equals(self, other: Dimension) -> bool:
        return isinstance(other, Countable) and same_law(self.law, other.law)

    def __str__(self) -> str:
        return f"one of the values of {self.law.label}"


class Finite:
    """Values that are held in a table: a list, or a discrete distribution.

    Parameters
    ----------
    values : sequence
        All different; ascending numbers where `ordered`.
    ordered : bool
        Whether one may lie between two others. Categories are equally far apart.
    edges : array of shape (n_values + 1,), default=None
        Bounds of the values' cells, from 0 to 1; equally wide cells by default.
    """

    is_continuous = False

    def __init__(
        self, values: Sequence[Any], ordered: bool, edges: Floats | None = None
    ) -> None:
        n_values = len(values)
        self.listed = list(values)
        self._found = Distinct(() if ordered else values)
        # Numbers find each other over types: 1.0 is the 1 of an ordered list.
        self._rank = {x: i for i, x in enumerate(values)} if ordered else {}
        self.size = float(n_values)
        self.n_categories = 0 if ordered else n_values
        if edges is None:
            edges = np.arange(n_values + 1) / n_values
            self.centres = (np.arange(n_values) + 0.5) / n_values
        else:
            self.centres = (edges[:-1] + edges[1:]) / 2
        self._edges = edges
        # Python's own bisection is several times quicker than numpy's for one number.
        self._inner = edges[1:-1]
        self._inner_list: list[float] = self._inner.tolist()
        if ordered:
            # First to last value is a distance of 1, as between two categories.
            length = self.centres[-1] - self.centres[0]
            self._positions = (self.centres - self.centres[0]) / (length or 1.0)
        else:
            self._positions = np.arange(n_values, dtype=float)

    def value(self, u: float) -> Any:
        return self.listed[self.index(u)]

    def token(self, value: Any) -> int | None:
        if self.n_categories:
            return self._found.find(value)
        return self._rank.get(value) if is_number(value) else None

    def coordinate(self, value: Any) -> float | None:
        index = self.token(value)
        return None if index is None else float(self.centres[index])

    def outline(self, value: Any) -> float | None:
        return self.coordinate(value)

    def snap(self, column: Floats) -> Floats:
        return self.centres[self.indices(column)]

    def cells(self, column: Floats) -> tuple[Floats, Floats]:
        index = self.indices(column)
        return self._edges[index], self._edges[index + 1]

    def positions(self, column: Floats) -> Floats:
        return self._positions[self.indices(column)]

    def index(self, u: float) -> int:
        """Position in `listed` of the value whose cell holds u."""
        return bisect_right(self._inner_list, u)

    def indices(self, column: Floats) -> NDArray[np.intp]:
        """Positions in `listed` of the values of coordinates."""
        return np.searchsorted(self._inner, column, side="right")

    def values(self) -> Iterator[Any]:
        return iter(self.listed)

    def equals(self, other: Dimension) -> bool:
        return (
            isinstance(other, Finite)
            and self.n_categories == other.n_categories
            and np.array_equal(self._edges, other._edges)
            and all(other.token(value) == i for i, value in enumerate(self.listed))
        )

    def __str__(self) -> str:
        return f"one of {reprlib.repr(self.listed)}"


def from_list(values: Sequence[Any]) -> Finite:
    """Numbers are ordered, anything else is a category; duplicates are one value."""
    plain = [to_python(value) for value in values]
    if all(map(is_number, plain)):
        return Finite(sorted(dict.fromkeys(plain)), ordered=True)
    return Finite(Distinct(plain).values, ordered=False)


def from_distribution(dist: Any, where: str) -> Dimension:
    """The dimension of a distribution; `where` names it in messages."""
    law = read_law(dist, where)
    if not law.is_discrete:
        return Continuous(law)
    found = table(law)
    if found is None:
        return Countable(law)
    values, probabilities = found
    edges = np.concatenate([[0.0], np.cumsum(probabilities)])
    edges /= edges[-1]
    whole = bool(np.all(values == np.round(values)))
    numbers = [int(x) if whole else x for x in values.tolist()]
    return Finite(numbers, ordered=True, edges=edges)


def make_dimension(name: str, given: Any) -> Dimension:
    """The dimension of one entry of `param_distributions`, which has been checked."""
    if is_distribution(given):
        return from_distribution(
            given, f"Parameter distribution for parameter {name!r}"
        )
    return from_list(given)
