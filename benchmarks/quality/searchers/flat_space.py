"""A space as peers take it: one flat set of columns, and what each of them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from landscapes import Params, Spaces

DICT = "dict"  # the column that chooses among the dicts of a conditional space


@dataclass(frozen=True)
class Column:
    """Floats from `low` to `high`, or whole numbers; a list is offered as its indices.

    The indices of a list of numbers are ordered, those of any other are categories.
    """

    kind: str  # "float", "integer" or "category"
    low: float
    high: float
    log: bool = False
    values: tuple[Any, ...] | None = None

    @classmethod
    def of(cls, dimension: Any) -> Column:
        if isinstance(dimension, list):
            kind = "integer" if is_ordered(dimension) else "category"
            return cls(kind, 0, len(dimension) - 1, values=tuple(dimension))
        low, high = dimension.support()
        if dimension.dist.name == "randint":
            return cls("integer", int(low), int(high))
        log = dimension.dist.name != "uniform"
        return cls("float", float(low), float(high), log)

    @property
    def n(self) -> int:
        """How many whole numbers there are."""
        return int(self.high - self.low) + 1

    def number(self, value: Any) -> float:
        """What `value` was made from."""
        return value if self.values is None else self.values.index(value)

    def value(self, number: float) -> Any:
        """The value of a parameter for the number that a peer has proposed."""
        if self.values is not None:
            return self.values[int(number)]
        return float(number) if self.kind == "float" else int(number)


def is_ordered(dimension: Any) -> bool:
    return isinstance(dimension, list) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in dimension
    )


@dataclass(frozen=True)
class Flat:
    """All columns of all dicts, and which of them each dict has.

    Parameters of the same name and the same values are one column. A list of one value
    is none, for there is nothing to choose.
    """

    columns: dict[str, Column]
    branches: list[dict[str, str]]  # names to columns
    constants: list[Params]

    @classmethod
    def of(cls, spaces: Spaces) -> Flat:
        dicts = spaces if isinstance(spaces, list) else [spaces]
        flat = cls({}, [], [])
        if len(dicts) > 1:
            labels = tuple(str(i) for i in range(len(dicts)))
            flat.columns[DICT] = Column("category", 0, len(dicts) - 1, values=labels)
        for dimensions in dicts:
            free = {n: d for n, d in dimensions.items() if not _is_constant(d)}
            branch = {n: flat._place(n, Column.of(d)) for n, d in free.items()}
            flat.branches.append(branch)
            flat.constants.append(
                {n: d[0] for n, d in dimensions.items() if n not in free}
            )
        return flat

    def _place(self, name: str, column: Column) -> str:
        label, n = name, 1
        while label in self.columns and self.columns[label] != column:
            n += 1
            label = f"{name}.{n}"
        self.columns[label] = column
        return label

    def params(self, numbers: Mapping[str, float]) -> Params:
        """The candidate; columns that its dict has not are not looked at."""
        chosen = int(numbers.get(DICT, 0))
        free = {
            name: self.columns[label].value(numbers[label])
            for name, label in self.branches[chosen].items()
        }
        return {**self.constants[chosen], **free}

    def numbers(self, params: Params) -> dict[str, float]:
        """What the candidate of a space of one dict was made from, by column."""
        (branch,) = self.branches
        return {
            label: self.columns[label].number(params[name])
            for name, label in branch.items()
        }


def _is_constant(dimension: Any) -> bool:
    return isinstance(dimension, list) and len(dimension) == 1
