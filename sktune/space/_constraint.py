"""Whether the user's constraint lets a candidate be run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sktune._errors import SpaceError, SpaceTypeError
from sktune._types import Params

Constraint = Callable[[dict[str, Any]], bool]


def check_constraint(constraint: Any) -> None:
    """Refuse what cannot be asked."""
    if constraint is not None and not callable(constraint):
        raise SpaceTypeError(
            f"constraint={constraint!r} cannot be called. Give a function of params "
            "that says whether they may be run, or None."
        )


def allows(constraint: Constraint | None, params: Params) -> bool:
    """Whether a constraint, if there is one, lets a candidate be run.

    Parameters
    ----------
    constraint : callable or None
        ``params -> bool``.
    params : dict

    Raises
    ------
    SpaceError
        If the constraint raises, or answers with anything but True and False; a
        forgotten `return` would otherwise forbid every candidate.

    Examples
    --------
    >>> from sktune.space import allows
    >>> allows(lambda params: params["depth"] < 5, {"depth": 7})
    False
    >>> allows(None, {"depth": 7})
    True
    """
    check_constraint(constraint)
    if constraint is None:
        return True
    try:
        answer = constraint(dict(params))
    except Exception as error:
        raise SpaceError(
            f"constraint raised {type(error).__name__} ({error}) for params "
            f"{dict(params)!r}. It has to answer for every candidate of the space; "
            "parameters that not every dict has can be read by params.get(name)."
        ) from error
    if not isinstance(answer, (bool, np.bool_)):
        raise SpaceError(
            f"constraint returned {answer!r} for params {dict(params)!r}. It has to "
            "return True where they may be run and False where not."
        )
    return bool(answer)
