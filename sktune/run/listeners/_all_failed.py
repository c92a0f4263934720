"""Rungs in which everything failed: nobody can go on from there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sktune._errors import PREFLIGHT
from sktune._protocols import Listener
from sktune._types import Evaluation, Observation
from sktune._warnings import warn
from sktune.execution import first_raised
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
        self._failures: dict[Place, list[Evaluation]] = {}

    def on_evaluation(self, one: Evaluation, seen: Observation) -> None:
        """Look at one evaluation."""
        place = Place(one.candidate.bracket, one.iter)
        self._told[place] += 1
        if not seen.failed:
            self._finite[place] += 1
            return
        self._failures.setdefault(place, []).append(one)
        n_planned = self._planned[place].n_candidates
        all_failed = self._told[place] == n_planned and not self._finite[place]
        if one.iter == 0 and all_failed and not self._has_answer():
            raise self._error(place)

    def check(self) -> None:
        """Look at all rungs, also at those to which fewer came than planned.

        For when the search is over and its results are in place.
        """
        places = [place for place in self._told if not self._finite[place]]
        if not places:
            return
        error = self._error(places[0])
        if not self._has_answer():
            raise error
        others = ", ".join(f"bracket {p[0]}, iter {p[1]}" for p in places[1:])
        warn(f"{error}" + f" The same goes for: {others}." * bool(others))

    def _has_answer(self) -> bool:
        return any(
            self._finite[place]
            for place, rung in self._planned.items()
            if rung.n_resources == self._most
        )

    def _error(self, place: Place) -> ValueError:
        failures = self._failures[place]
        n = self._told[place]
        traceback, cause = first_raised(
            outcome for one in failures for outcome in one.outcomes.values()
        )
        reason = "Every score was NaN or infinite; see scoring."
        if traceback is not None:
            reason = f"The first traceback:\n{traceback}"
        error = ValueError(
            f"No candidate has a finite score at {self._resource}="
            f"{failures[0].n_resources} (bracket {place[0]}, iter {place[1]}): "
            f"{'its only one' if n == 1 else f'all {n}'} failed, and none can go on. "
            f"{reason}"
        )
        error.add_note(PREFLIGHT)
        error.__cause__ = cause
        return error
