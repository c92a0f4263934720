"""One parameter with several coordinates: its value is made of parts.

An entry of `param_distributions` is structured if it has `parts`, `join` and `split`.
Each part is a coordinate of its own, so that whatever looks at coordinates looks at the
parts; what is run, written down and compared is the joined value.
"""

from __future__ import annotations

import ast
import itertools
import math
import reprlib
import sys
from bisect import bisect_right
from collections.abc import (
    Collection,
    Hashable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from sktune._errors import SpaceError, SpaceTypeError
from sktune.space._dimension import Dimension, Finite, from_list
from sktune.space._distributions import Floats

_NEEDED = ("parts", "join", "split", "rvs")
# Combinations of the parts on which others depend, which are held in a list.
MAX_COMBINATIONS = 10_000
_SHORT = reprlib.Repr()
_SHORT.maxother = 120


class StructuredDistribution(Protocol):
    """What an entry of `param_distributions` offers to have several coordinates.

    Two methods may be added. ``conditions()`` gives ``{part: {other: values}}``: the
    part is active where each of the others, which come before it, is active and has one
    of these values; else it is not in what `join` is given nor in what `split` gives.
    ``why_not(value)`` says in words why a value is not one of these.
    """

    def parts(self) -> Mapping[str, Sequence[Any]]:
        """Names of the parts and their values: numbers are ordered, others are not."""

    def join(self, values: Mapping[str, Any]) -> Any:
        """The value that is made of a value of each active part."""

    def split(self, value: Any) -> Mapping[str, Any] | None:
        """The active parts of a value, whatever it is; None where it is not ours."""

    def rvs(self, size: int | None = None, random_state: Any = None) -> Any:
        """One value, or a list of `size`, each part even over its values."""


def is_structured(given: Any) -> TypeGuard[StructuredDistribution]:
    """Whether an entry is to be read as one of several coordinates."""
    if isinstance(given, type):
        return False
    return all(callable(getattr(given, name, None)) for name in _NEEDED[:3])


def draw(
    structured: StructuredDistribution, size: int | None, random_state: Any
) -> Any:
    """What `rvs` gives: each active part even over its values, and joined.

    Parameters
    ----------
    structured : StructuredDistribution
    size : int or None
    random_state : int, RandomState instance or None

    Returns
    -------
    value : object
        A list of values where `size` is a number.
    """
    rng = random_state
    if not hasattr(rng, "uniform"):
        rng = np.random.RandomState(random_state)
    if size is not None:
        return [draw(structured, None, rng) for _ in range(size)]
    conditions = _conditions(structured)
    values: dict[str, Any] = {}
    for part, listed in structured.parts().items():
        choice = listed[int(rng.uniform() * len(listed))]
        if _is_active(conditions.get(part, {}), values):
            values[part] = choice
    return structured.join(values)


def _conditions(structured: Any) -> Mapping[str, Mapping[str, Collection[Any]]]:
    given = getattr(structured, "conditions", None)
    return given() if callable(given) else {}


def _is_active(
    condition: Mapping[str, Collection[Any]], values: Mapping[str, Any]
) -> bool:
    return all(other in values and values[other] in c for other, c in condition.items())


class Structured:
    """The parts of one parameter, in order, as dimensions.

    To what looks at a parameter and not at its coordinates, it is a `Dimension` of
    values that have no order.
    """

    is_continuous = False

    def __init__(self, given: StructuredDistribution, where: str) -> None:
        self.given = given
        self.where = where
        self.parts = self._read_parts()
        self.conditions = self._read_conditions()
        deciding = {other for c in self.conditions.values() for other in c}
        self._deciding = [part for part in self.parts if part in deciding]
        self._combinations = self._combine()
        self._ends = list(itertools.accumulate(n for _, _, n in self._combinations))
        self.n_values = self._ends[-1]
        try:
            self.size = float(self.n_values)
        except OverflowError:
            self.size = math.inf
        self.n_categories = self.n_values
        self._try_out()

    # -- what was given --------------------------------------------------------------

    def _read_parts(self) -> dict[str, Finite]:
        parts = self.given.parts()
        if not isinstance(parts, Mapping) or not parts:
            raise SpaceTypeError(
                f"{self.where}: parts() gave {parts!r}. Give a dict with the name of "
                "each part and a list of its values."
            )
        found = {}
        for part, values in parts.items():
            is_list = isinstance(values, Sequence) and not isinstance(values, str)
            if not isinstance(part, str) or not is_list or not len(values):
                raise SpaceTypeError(
                    f"{self.where}: parts() gave {values!r} for {part!r}. Give a "
                    "string and a list with at least one value."
                )
            found[part] = from_list(values)
        return found

    def _read_conditions(self) -> dict[str, dict[str, NDArray[np.bool_]]]:
        """Which values of other parts let each part be, as flags over their values."""
        found: dict[str, dict[str, NDArray[np.bool_]]] = {}
        order = list(self.parts)
        for part, condition in _conditions(self.given).items():
            before = order[: order.index(part)] if part in order else []
            for other, values in condition.items():
                if other not in before:
                    raise SpaceError(
                        f"{self.where}: conditions() lets {part!r} depend on "
                        f"{other!r}. Both have to be in parts(), {other!r} first."
                    )
                allowed = np.zeros(int(self.parts[other].size), bool)
                for value in values:
                    index = self.parts[other].token(value)
                    if index is None:
                        raise SpaceError(
                            f"{self.where}: conditions() lets {part!r} depend on "
                            f"{other!r} being {value!r}, which is not "
                            f"{self.parts[other]}."
                        )
                    allowed[index] = True
                found.setdefault(part, {})[other] = allowed
        return found

    def _active(self, part: str, indices: Mapping[str, int]) -> bool:
        condition = self.conditions.get(part)
        if condition is None:
            return True
        return all(
            o in indices and allowed[indices[o]] for o, allowed in condition.items()
        )

    def _combine(self) -> list[tuple[dict[str, int], list[str], int]]:
        """Each way to decide what is active: its values, other parts, how many."""
        ways: list[dict[str, int]] = [{}]
        for part in self._deciding:
            n = int(self.parts[part].size)
            ways = [
                {**way, part: index} if index is not None else way
                for way in ways
                for index in (range(n) if self._active(part, way) else [None])
            ]
            if len(ways) > MAX_COMBINATIONS:
                raise SpaceError(
                    f"{self.where}: the parts {self._deciding} on which others depend "
                    f"have more than {MAX_COMBINATIONS} combinations. Let parts depend "
                    "on fewer values."
                )
        found = []
        for way in ways:
            free = [p for p in self.parts if p not in self._deciding]
            free = [p for p in free if self._active(p, way)]
            n = math.prod(int(self.parts[p].size) for p in free)
            found.append((way, free, n))
        return found

    def _try_out(self) -> None:
        """Join the first value and the last, and split them again."""
        for index in (0, self.n_values - 1):
            value = self.nth(index)
            if self.token(value) is None:
                raise SpaceError(
                    f"{self.where}: split() does not give the parts of which join() "
                    f"made {value!r}. It has to give the active ones, as they were."
                )

    # -- values ----------------------------------------------------------------------

    def value_at(self, us: Sequence[float]) -> Any:
        """The value at coordinates, one for each part; inactive ones do not count."""
        values: dict[str, Any] = {}
        indices: dict[str, int] = {}
        for (part, dimension), u in zip(self.parts.items(), us, strict=True):
            if self._active(part, indices):
                index = dimension.index(u)
                indices[part] = index
                values[part] = dimension.listed[index]
        return self.given.join(values)

    def _indices(self, value: Any) -> dict[str, int] | None:
        """Positions of the values of the active parts; None if it is not ours."""
        values = self.given.split(value)
        if values is None:
            return None
        indices: dict[str, int] = {}
        for part, dimension in self.parts.items():
            if self._active(part, indices):
                index = dimension.token(values[part]) if part in values else None
                if index is None:
                    return None
                indices[part] = index
        return indices if len(indices) == len(values) else None

    def token(self, value: Any) -> Hashable | None:
        """Identity of a value; None: not ours."""
        indices = self._indices(value)
        return None if indices is None else tuple(map(indices.get, self.parts))

    def coordinates(self, value: Any) -> list[float] | None:
        """The canonical coordinates of a value, nan at inactive parts."""
        indices = self._indices(value)
        if indices is None:
            return None
        return [
            float(dimension.centres[indices[part]]) if part in indices else math.nan
            for part, dimension in self.parts.items()
        ]

    def hide(self, snapped: Floats, columns: Sequence[int]) -> None:
        """Write nan to the columns of inactive parts, of points (n, n_dims)."""
        column_of = dict(zip(self.parts, columns, strict=True))
        for part, condition in self.conditions.items():
            for other, allowed in condition.items():
                decides = snapped[:, column_of[other]]
                index = self.parts[other].indices(decides)
                is_off = np.isnan(decides) | ~allowed[index]
                snapped[is_off, column_of[part]] = np.nan

    def value(self, u: float) -> Any:
        """One value, those of `values` in order on [0, 1]."""
        return self.nth(min(int(u * self.n_values), self.n_values - 1))

    def nth(self, index: int) -> Any:
        """One value by its place in `values`."""
        place = bisect_right(self._ends, index)
        way, free, n = self._combinations[place]
        rest = index - (self._ends[place] - n)
        indices = dict(way)
        for part in reversed(free):
            rest, indices[part] = divmod(rest, int(self.parts[part].size))
        return self._join(indices)

    def values(self) -> Iterator[Any]:
        """All values, the last part fastest among those that the same parts have."""
        for way, free, _ in self._combinations:
            sizes = [range(int(self.parts[part].size)) for part in free]
            for chosen in itertools.product(*sizes):
                yield self._join({**way, **dict(zip(free, chosen, strict=True))})

    def _join(self, indices: Mapping[str, int]) -> Any:
        return self.given.join(
            {
                part: dimension.listed[indices[part]]
                for part, dimension in self.parts.items()
                if part in indices
            }
        )

    # -- as one dimension ------------------------------------------------------------

    def read(self, given: Any) -> Any:
        """The value that is meant by itself or by its text; None where it is none."""
        if isinstance(given, str) and self.token(given) is None:
            try:
                given = ast.literal_eval(given)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                return None
        us = self.coordinates(given)
        return None if us is None else self.value_at(us)

    def why_not(self, value: Any) -> str:
        """What is wrong with a value, as far as it can be told; else ''."""
        told = getattr(self.given, "why_not", None)
        return str(told(value)) if callable(told) else ""

    def __str__(self) -> str:
        return f"one of {_SHORT.repr(self.given)}"


Values = Dimension | Structured
"""What can be asked for the values of a parameter, however many coordinates it has."""


class EveryValue(Sequence[Any]):
    """All values of a structured distribution, each made when it is asked for."""

    def __init__(self, given: StructuredDistribution, where: str) -> None:
        self._structured = Structured(given, where)
        self.n_values = self._structured.n_values

    def __len__(self) -> int:
        if self.n_values > sys.maxsize:
            raise SpaceError(
                f"{self._structured.where} has {self.n_values:.0e} values, too many to "
                "be listed. Draw from them, with RandomizedSearchCV, say."
            )
        return self.n_values

    def __getitem__(self, index: Any) -> Any:
        return self._structured.nth(index)
