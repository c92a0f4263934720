"""Lists of choices that users give, looked at before anything is made of them."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any

from sktune._errors import SpaceError, SpaceTypeError
from sktune.space import to_python


def as_choices(argument: str, given: Any) -> tuple[Any, ...]:
    """The values of a list, all different, as a tuple.

    Parameters
    ----------
    argument : str
        What the list is called in messages.
    given : sequence

    Raises
    ------
    SpaceTypeError, SpaceError
    """
    is_list = hasattr(given, "__len__") and hasattr(given, "__getitem__")
    if isinstance(given, (str, bytes, dict)) or not is_list:
        raise SpaceTypeError(
            f"{argument}={given!r} is not a list. Give a list of the values to choose "
            "from; a single value is a list with one element."
        )
    values = [to_python(value) for value in given]
    if not values:
        raise SpaceError(f"{argument}={given!r} is empty. Give at least one value.")
    twice = [v for i, v in enumerate(values) if is_among(v, values[:i])]
    if twice:
        raise SpaceError(
            f"{argument} holds {twice[0]!r} more than once: {reprlib.repr(given)}. "
            "Give each value once; all are equally likely."
        )
    return tuple(values)


def is_among(value: Any, values: Sequence[Any]) -> bool:
    """Whether a value, of its own type, is one of several."""
    return any(type(value) is type(other) and value == other for other in values)
