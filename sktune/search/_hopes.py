"""Rungs in which everything failed: nobody can go on from there."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence

from sktune._types import Evaluation, Observation
from sktune.schedule import Rung

Place = tuple[int, int]
"""A rung, by its bracket and iter."""


class Hopes:
    """Raises when a rung is over in which no candidate has a finite score.

    Once a candidate has one at the largest resource there is an answer already; then
    it warns, when the search is over.

    Parameters
    ----------
    rungs : sequence of Rung
        What was planned.
    resource : str
        Its name, for messages.
    """

    def __init__(self, rungs: Sequence[Rung], resource: str) -> None:
        self._planned = {(rung.bracket, rung.iter): rung for rung in rungs}
        self._most = max(rung.n_resources for rung in rungs)
        self._resource = resource
        self._told: Counter[Place] = Counter()
        self._finite: Counter[Place] = Counter()
        self._first_failure: dict[Place, Evaluation] = {}

    def see(self, one: Evaluation, seen: Observation) -> None:
        """Take note of one evaluation."""
        place = (one.candidate.bracket, one.iter)
        self._told[place] += 1
        if not seen.failed:
            self._finite[place] += 1
            return
        self._first_failure.setdefault(place, one)
        if self._finite[place] or self._has_answer():
            return
        expected = self._planned[place].n_candidates
        if one.iter:
            expected = min(expected, self._finite[place[0], one.iter - 1])
        if self._told[place] == expected:
            raise self._error(place)

    def end(self) -> None:
        """Look at all rungs, also at those to which fewer came than planned."""
        for place in self._told:
            if not self._finite[place]:
                if not self._has_answer():
                    raise self._error(place)
                warnings.warn(str(self._error(place)), UserWarning, stacklevel=2)

    def _has_answer(self) -> bool:
        return any(
            self._finite[place]
            for place, rung in self._planned.items()
            if rung.n_resources == self._most
        )

    def _error(self, place: Place) -> ValueError:
        one = self._first_failure[place]
        errors = [o["fit_error"] for o in one.outcomes.values() if o["fit_error"]]
        reason = "Every score was NaN or infinite; see scoring."
        if errors:
            reason = f"The first traceback:\n{errors[0]}"
        return ValueError(
            f"No candidate has a finite score at {self._resource}={one.n_resources} "
            f"(bracket {place[0]}, iter {place[1]}): all {self._told[place]} failed, "
            f"and none can go on. {reason}"
        )
