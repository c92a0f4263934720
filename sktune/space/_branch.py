"""One dict of `param_distributions`: which coordinates each of its names has."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sktune._types import Params
from sktune.space._dimension import Dimension, make_dimension
from sktune.space._distributions import Floats
from sktune.space._structured import Structured, Values, is_structured
from sktune.space._values import to_python


class Entry(Protocol):
    """One name of a dict, with its columns among the coordinates."""

    @property
    def dimension(self) -> Values:
        """Its values, whichever coordinates they have."""

    @property
    def columns(self) -> Sequence[int]:
        """Its coordinates."""

    def value(self, coordinates: Sequence[float]) -> Any:
        """The value at a point."""

    def coordinates(self, value: Any) -> Sequence[float]:
        """The canonical coordinates of one of its values."""

    def outline(self, value: Any) -> Sequence[float] | None:
        """As `coordinates`, also for what lies a little outside; None beyond."""

    @property
    def optional(self) -> Sequence[int]:
        """Coordinates that not all of its values have."""

    def hide(self, snapped: Floats) -> None:
        """Write nan to what points (n, n_dims) have not because of their values."""


@dataclass(frozen=True)
class Single:
    """A parameter with one coordinate."""

    dimension: Dimension
    column: int

    @property
    def columns(self) -> Sequence[int]:
        return (self.column,)

    @property
    def optional(self) -> Sequence[int]:
        return ()

    def value(self, coordinates: Sequence[float]) -> Any:
        return self.dimension.value(coordinates[self.column])

    def coordinates(self, value: Any) -> Sequence[float]:
        u = self.dimension.coordinate(value)
        return (math.nan if u is None else u,)

    def outline(self, value: Any) -> Sequence[float] | None:
        u = self.dimension.outline(value)
        return None if u is None else (u,)

    def hide(self, snapped: Floats) -> None:
        pass


@dataclass(frozen=True)
class Several:
    """A parameter that is made of parts."""

    dimension: Structured
    columns: Sequence[int]

    @property
    def optional(self) -> Sequence[int]:
        parts = zip(self.dimension.parts, self.columns, strict=True)
        return [j for part, j in parts if part in self.dimension.conditions]

    def value(self, coordinates: Sequence[float]) -> Any:
        return self.dimension.value_at([coordinates[j] for j in self.columns])

    def coordinates(self, value: Any) -> Sequence[float]:
        us = self.dimension.coordinates(value)
        return [math.nan] * len(self.columns) if us is None else us

    def outline(self, value: Any) -> Sequence[float] | None:
        return self.dimension.coordinates(value)

    def hide(self, snapped: Floats) -> None:
        self.dimension.hide(snapped, self.columns)


def entry_of(name: str, given: Any, place: Callable[[str, Dimension], int]) -> Entry:
    """One entry of a dict; `place` gives the column of a coordinate by its name."""
    if not is_structured(given):
        dimension = make_dimension(name, given)
        return Single(dimension, place(name, dimension))
    whole = Structured(given, f"Parameter distribution for parameter {name!r}")
    return Several(whole, [place(f"{name}[{p}]", d) for p, d in whole.parts.items()])


class Branch:
    """The names of one dict, in order.

    Parameters
    ----------
    entries : dict of str to Entry
    """

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries = entries
        self.dimensions: dict[str, Values] = {
            name: e.dimension for name, e in entries.items()
        }
        self.columns = [j for entry in entries.values() for j in entry.columns]
        self.optional = [j for entry in entries.values() for j in entry.optional]
        self.size = math.prod(d.size for d in self.dimensions.values())

    def decode(self, coordinates: Sequence[float]) -> dict[str, Any]:
        """The candidate at a point."""
        return {name: e.value(coordinates) for name, e in self.entries.items()}

    def encode(self, u: Floats, params: Params) -> None:
        """Write the coordinates of a candidate, which is known to be of this dict."""
        for name, entry in self.entries.items():
            u[list(entry.columns)] = entry.coordinates(to_python(params[name]))

    def outline(self, params: Params) -> list[float] | None:
        """The coordinates of `columns`, where each value has some."""
        found: list[float] = []
        for name, entry in self.entries.items():
            us = entry.outline(to_python(params[name]))
            if us is None:
                return None
            found.extend(us)
        return found

    def hide(self, snapped: Floats) -> None:
        """Write nan to what the values of points (n, n_dims) make inactive."""
        for entry in self.entries.values():
            entry.hide(snapped)

    def tokens(self, params: Params) -> list[Hashable] | None:
        """Identities of the values of this dict's names; None if it lacks one."""
        tokens = []
        for name, dimension in self.dimensions.items():
            token = dimension.token(to_python(params[name]))
            if token is None:
                return None
            tokens.append(token)
        return tokens

    def points(self) -> Iterator[dict[str, Any]]:
        """All candidates, the last name fastest."""
        for values in _every_value(list(self.dimensions.values())):
            yield dict(zip(self.dimensions, values, strict=True))


def _every_value(
    dimensions: list[Values],
) -> Iterator[tuple[Any, ...]]:
    """As itertools.product, which would first write out each of its arguments."""
    if not dimensions:
        yield ()
        return
    for value in dimensions[0].values():
        for others in _every_value(dimensions[1:]):
            yield value, *others
