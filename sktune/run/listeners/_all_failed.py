"""Rungs in which everything failed: nobody can go on from there."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence

from sktune._protocols import Listener
from sktune._types import Evaluation, Observation
from sktune.schedule import Place, Rung


class AllFailed(Listener):
    """Raises where a rung is over in which no candidate has a finite score.

    At once where all candidates of a first rung have failed, since those of other
    brackets would too. Of a later rung when the search is over: another bracket may
    still come to an answer. If one did, it is a warning.

    Parameters
    ----------
    rungs : sequence of Rung
        What was planned.
    resource : str
        Its name, for messages.
    """

    def __init__(self, rungs: Sequence[Rung], resource: str) -> None:
        self._planned = {Place(rung.bracket, rung.iter): rung for rung in rungs}
        self._most = max(rung.n_resources for rung in rungs)
        self._resource = resource
        self._told: Counter[Place] = Counter()
        self._finite: Counter[Place] = Counter()
        self._first_failure: dict[Place, Evaluation] = {}

    def on_evaluation(self, one: Evaluation, seen: Observation) -> None:
        """Look at one evaluation."""
        place = Place(one.candidate.bracket, one.iter)
        self._told[place] += 1
        if not seen.failed:
            self._finite[place] += 1
            return
        self._first_failure.setdefault(place, one)
        n_planned = self._planned[place].n_candidates
        all_failed = self._told[place] == n_planned and not self._finite[place]
        if one.iter == 0 and all_failed and not self._has_answer():
            raise self._error(place)

    def check(self) -> None:
        """Look at all rungs, also at those to which fewer came than planned.

        For when the search is over and its results are in place.
        """
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
        n = self._told[place]
        errors = [o.fit_error for o in one.outcomes.values() if o.fit_error]
        reason = "Every score was NaN or infinite; see scoring."
        if errors:
            reason = f"The first traceback:\n{errors[0]}"
        return ValueError(
            f"No candidate has a finite score at {self._resource}={one.n_resources} "
            f"(bracket {place[0]}, iter {place[1]}): "
            f"{'its only one' if n == 1 else f'all {n}'} failed, and none can go on. "
            f"{reason}"
        )
