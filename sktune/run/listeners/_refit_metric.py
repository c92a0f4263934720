"""The metrics of a search: the same for every fit."""

from __future__ import annotations

from typing import Any

from sktune._errors import ScoreError
from sktune._types import Evaluation


class Metrics:
    """Says at once what would else be said when all has been trained.

    Parameters
    ----------
    search : BaseSearchCV
    """

    def __init__(self, search: Any) -> None:
        self._search = search
        self._is_known = False
        self._names: set[str] | None = None  # those of the first score; None: a number

    def see(self, one: Evaluation) -> None:
        """Look at the scores of an evaluation.

        Raises
        ------
        ScoreError
            Where they are of other metrics than those before.
        ValueError
            Where `refit` names none of the metrics that a callable `scoring` returns.
        """
        told = [o["test_scores"] for o in one.outcomes.values()]
        told += [o.get("train_scores") for o in one.outcomes.values()]
        for scores in told:
            if scores is not None:  # the fit or the scorer raised, or there is none
                self._see(scores)

    def _see(self, scores: Any) -> None:
        names = set(scores) if isinstance(scores, dict) else None
        scoring = self._search.scoring
        if not self._is_known:
            self._is_known, self._names = True, names
            if names is not None and callable(scoring):
                self._search._check_refit_for_multimetric(scores)
        elif names != self._names:
            raise ScoreError(
                f"scoring={scoring!r} returned {_kind(self._names)} for one fit and "
                f"{_kind(names)} for another. It has to return the same metrics for "
                "every fit."
            )


def _kind(names: set[str] | None) -> str:
    return "a number" if names is None else f"the metrics {sorted(map(str, names))}"
