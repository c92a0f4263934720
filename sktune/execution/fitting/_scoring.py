"""The scores of a fit: a number for each metric, or None where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from numbers import Number
from traceback import format_exc
from typing import Any

from sktune._compat import MultimetricScorer, noting_errors
from sktune._errors import ScoreError
from sktune._types import NAMELESS, Scores


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of scoring.

    Attributes
    ----------
    scores : dict of str -> float or None
        None where the scorer raised.
    names_metrics : bool
        Whether the scorer named its metrics.
    traceback : str or None
        Of what the scorer raised first.
    error : Exception or None
        What that was.
    """

    scores: Scores
    names_metrics: bool
    traceback: str | None = None
    error: Exception | None = None


def score(
    scorer: Any,
    estimator: Any,
    X: Any,
    y: Any,
    score_params: Mapping[str, Any],
    error_score: Any,
    *,
    watch: Callable[[Exception], None] | None = None,
) -> Scored:
    """Score an estimator; where the scorer raises, the score is None.

    Parameters
    ----------
    scorer : callable
        One scorer, or several joined.
    error_score : float or "raise"
    watch : callable or None
        Sees what the scorer raises, and may raise something else.
    """
    args = (estimator, X) if y is None else (estimator, X, y)
    errors: list[Exception] = []
    try:
        if is_joined(scorer) and error_score != "raise":
            scorer, errors = noting_errors(scorer)
        scores = scorer(*args, **score_params)
    except Exception as error:
        if watch is not None:
            watch(error)
        if is_joined(scorer) or error_score == "raise":
            raise
        return Scored(no_scores(scorer), False, format_exc(), error)
    if watch is not None:
        for noted in errors:
            watch(noted)
    if not isinstance(scores, dict):
        return Scored({NAMELESS: _number(scores, scorer)}, False)
    if not scores:
        raise ScoreError(
            "scoring returned an empty dict. Return a number, or a dict of metrics and "
            "their numbers."
        )
    traceback = None
    for metric, value in scores.items():
        if is_joined(scorer) and isinstance(value, str):
            traceback = traceback or value
            scores[metric] = None
        else:
            scores[metric] = _number(value, metric)
    return Scored(scores, True, traceback, errors[0] if errors else None)


def no_scores(scorer: Any) -> Scores:
    """A score of None for each metric, as far as they are known before any score."""
    return dict.fromkeys(scorer._scorers if is_joined(scorer) else [NAMELESS])


def is_joined(scorer: Any) -> bool:
    """Whether it is several scorers in one, whose metrics are known beforehand."""
    return isinstance(scorer, MultimetricScorer)


def _number(score: Any, scorer: Any) -> float:
    """A score as a real number, of whatever kind."""
    if hasattr(score, "item"):
        with suppress(ValueError):  # a scalar of numpy, maybe of a file
            score = score.item()
    if isinstance(score, float | int):
        return score
    if not isinstance(score, Number):
        raise ScoreError(
            f"scoring must return a number, got {score} ({type(score)}) instead. "
            f"(scorer={scorer})"
        )
    try:
        return float(score)  # type: ignore[arg-type]  # such as a Fraction
    except (TypeError, ValueError) as error:  # a complex one
        raise ScoreError(
            f"scoring must return a number, got {score!r} ({type(score)}), which "
            "cannot be compared with others. Return a real number."
        ) from error
