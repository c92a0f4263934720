"""The argument `objectives`: which metrics have their front searched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sktune._errors import did_you_mean

_ALL_SPLITS = "Whether one may be beaten is known from all splits and epochs only."


def read_objectives(
    given: Sequence[str] | None, scoring: Any, *, racing: Any, early_stopping: Any
) -> tuple[str, ...]:
    """The metrics whose front is searched; none where one score decides.

    Parameters
    ----------
    given : sequence of str or None
        The argument `objectives`.
    scoring, racing, early_stopping : as a search takes them

    Raises
    ------
    ValueError
        Where they are not two or more of the metrics, or are not compared whole.
    """
    if given is None:
        return ()
    names = tuple(given)
    are_names = all(isinstance(name, str) for name in names)
    if not are_names or len(set(names)) != len(names) or len(names) < 2:
        raise ValueError(
            f"objectives={given!r} must be names of two or more different metrics of "
            "scoring, or None: one metric is searched by refit."
        )
    metrics = _metrics_of(scoring)
    for name in names:
        if metrics is not None and name not in metrics:
            raise ValueError(
                f"objectives has {name!r}, which scoring={scoring!r} has not. Give "
                "scoring a dict with a scorer for each objective."
                + did_you_mean(name, map(str, metrics))
            )
    if racing:
        raise ValueError(
            f"racing={racing!r} spares candidates by one score, and there are "
            f"objectives={given!r}. {_ALL_SPLITS} Leave one of the two out."
        )
    if early_stopping is not None:
        raise ValueError(
            f"early_stopping={early_stopping!r} stops candidates by one curve, and "
            f"there are objectives={given!r}. {_ALL_SPLITS} Leave one of the two out."
        )
    return names


def _metrics_of(scoring: Any) -> list[Any] | None:
    """Names of the metrics; None where a callable names them, which scores tell."""
    if scoring is None or isinstance(scoring, str):
        return []
    return list(scoring) if isinstance(scoring, Iterable) else None
