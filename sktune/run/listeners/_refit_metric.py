"""The metric that decides: what comes next, and which candidate is best."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sktune._errors import ScoreError
from sktune._protocols import Listener
from sktune._types import (
    NAMELESS,
    Evaluation,
    FitOutcome,
    Observation,
    Scores,
    refit_metric,
)


def refit_metric_names(scoring: Any, refit: Any) -> tuple[str, ...]:
    """The same before any score: names that it may have in `cv_results_`."""
    if scoring is None or isinstance(scoring, str):
        return ("score",) if scoring is None else ("score", scoring)
    if isinstance(refit, str):
        return (refit,)
    if isinstance(scoring, Iterable):
        return tuple(str(name) for name in list(scoring)[:1])
    return ("score",)


class RefitMetric(Listener):
    """The score that decides; says at once where metrics are not those of before.

    Parameters
    ----------
    search : BaseSearchCV
        Its `scoring` and `refit`.
    """

    def __init__(self, search: Any) -> None:
        self._search = search
        self._has_names = False
        self._names: set[str] | None = None  # those of the first score; None: a number

    def score(self, outcome: FitOutcome) -> float | None:
        """Score that decides; None where the fit or the metric failed."""
        if not outcome.is_multimetric:
            return outcome.score(NAMELESS)
        return outcome.score(refit_metric(self._search.refit, outcome.test_scores))

    def on_evaluation(self, evaluation: Evaluation, observation: Observation) -> None:
        """Look at the metrics of an evaluation.

        Raises
        ------
        ScoreError
            Where they are others than those before.
        ValueError
            Where `refit` names none of the metrics that a callable `scoring` returns.
        """
        for outcome in evaluation.outcomes.values():
            for scores in (outcome.test_scores, outcome.train_scores):
                # Where the fit or the scorer raised, nothing was named.
                if scores is not None and dict(scores) != {NAMELESS: None}:
                    self._look(scores, outcome.is_multimetric)

    def _look(self, scores: Scores, is_multimetric: bool) -> None:
        names = set(scores) if is_multimetric else None
        scoring = self._search.scoring
        if not self._has_names:
            self._has_names, self._names = True, names
            self._check_objectives(names or set())
            if names is not None and callable(scoring):
                self._search._check_refit_for_multimetric(scores)
        elif names != self._names:
            raise ScoreError(
                f"scoring={scoring!r} returned {_kind(self._names)} for one fit and "
                f"{_kind(names)} for another. It has to return the same metrics for "
                "every fit."
            )

    def _check_objectives(self, names: set[str]) -> None:
        """See that there are those of a callable `scoring`; others are known before."""
        objectives = getattr(self._search, "objectives", None) or ()
        if missing := [name for name in objectives if name not in names]:
            raise ScoreError(
                f"objectives={objectives!r} names {missing}, and "
                f"scoring={self._search.scoring!r} returned "
                f"{_kind(names or None)}. Name what it returns."
            )


def _kind(names: set[str] | None) -> str:
    return "a number" if names is None else f"the metrics {sorted(map(str, names))}"
