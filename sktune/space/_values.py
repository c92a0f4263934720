"""Single values: what they are in plain Python, and when two of them are the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def to_python(value: Any) -> Any:
    """Python's own int, float, bool or str for a numpy scalar; all else unchanged.

    Examples
    --------
    >>> import numpy as np
    >>> from sktune.space import to_python
    >>> to_python(np.int64(3)), to_python(np.str_("relu")), to_python([1, 2])
    (3, 'relu', [1, 2])
    """
    return value.item() if isinstance(value, np.generic) else value


def is_number(value: Any) -> bool:
    """Whether a value can be put in order with others; a bool says yes or no."""
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and value == value  # not a nan
    )


def same_value(a: Any, b: Any) -> bool:
    """One object, or two of one type that say they are equal.

    Equality is asked with care: arrays answer it with an array, and others raise.
    """
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    try:
        if isinstance(a, np.ndarray):
            return a.dtype == b.dtype and np.array_equal(a, b)
        answer = a == b
    except Exception:
        return False
    return isinstance(answer, (bool, np.bool_)) and bool(answer)


class Distinct:
    """The different values among some, each found by its index.

    Values may be anything. Hashable ones are looked up, the others compared in turn.
    The type counts: True, 1 and 1.0 are three values.
    """

    def __init__(self, values: Iterable[Any]) -> None:
        self.values: list[Any] = []
        self._index_of: dict[Any, int] = {}
        self._unhashable: list[int] = []
        for value in values:
            if self.find(value) is None:
                self._append(value)

    def _append(self, value: Any) -> None:
        index = len(self.values)
        self.values.append(value)
        try:
            self._index_of[type(value), value] = index
        except TypeError:
            self._unhashable.append(index)

    def find(self, value: Any) -> int | None:
        """Index of a value, or None where it is not among these."""
        try:
            return self._index_of.get((type(value), value))
        except TypeError:
            pass
        # An object that was given is that object, whatever others say they equal.
        for index in self._unhashable:
            if self.values[index] is value:
                return index
        for index in self._unhashable:
            if same_value(self.values[index], value):
                return index
        return None
