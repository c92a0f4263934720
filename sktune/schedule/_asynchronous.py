"""Asynchronous successive halving: nobody waits for a straggler."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, NamedTuple

from sktune._types import Decision, Resume, Start, Stop
from sktune.schedule._plan import Rung


class Place(NamedTuple):
    """Where a candidate is: its bracket, and the rung it was last decided for."""

    bracket: int
    iter: int


@dataclass(frozen=True, slots=True)
class AsynchronousState:
    """What has been decided and told.

    Attributes
    ----------
    places : dict
        Place of each candidate.
    scores : dict
        Scores of each rung, by (bracket, iter), then by candidate; None is a failure.
    hopeless : tuple of int
        Paused candidates of which it is known that they will not be resumed.
    closed : bool
        Whether no further candidate can be started.
    """

    places: Mapping[int, Place] = field(default_factory=dict)
    scores: Mapping[Place, Mapping[int, float | None]] = field(default_factory=dict)
    hopeless: tuple[int, ...] = ()
    closed: bool = False


@dataclass(frozen=True)
class Asynchronous:
    """Resume whoever is among the best of its rung so far; else start a candidate.

    This is ASHA [1]_, with pausing instead of stopping: a candidate is resumed when it
    is in the best 1/factor of the scores that its rung has by then, so the very first
    one gets no free pass. Rungs are looked at from the top. Who is behind the number
    that the plan promotes is never resumed, so that its state need not be kept.

    Parameters
    ----------
    rungs : tuple of Rung
        The plan; what `halving` and `hyperband` return. Candidates of a bracket are
        started when all of the bracket before have been.
    factor : float

    Notes
    -----
    When nobody can come to a rung any more, at least the best of it is resumed.

    References
    ----------
    .. [1] L. Li, K. Jamieson, A. Rostamizadeh, E. Gonina, J. Ben-tzur, M. Hardt,
           B. Recht and A. Talwalkar, "A system for massively parallel hyperparameter
           tuning", MLSys 2020.
    """

    rungs: tuple[Rung, ...]
    factor: float
    in_order: ClassVar[bool] = False

    @cached_property
    def table(self) -> Mapping[Place, Rung]:
        """Rungs by bracket and iter."""
        return {Place(rung.bracket, rung.iter): rung for rung in self.rungs}

    def init(self) -> AsynchronousState:
        return AsynchronousState()

    def next(
        self, state: AsynchronousState
    ) -> tuple[Decision | None, AsynchronousState]:
        if state.hopeless:
            first, *rest = state.hopeless
            return Stop(first), replace(state, hopeless=tuple(rest))
        from_the_top = sorted(
            self.table, key=lambda place: (-place.iter, place.bracket)
        )
        for place in from_the_top:
            candidate = self._promotable(place, state)
            if candidate is not None:
                rung = self.table[_above(place)]
                places = {**state.places, candidate: _above(place)}
                resume = Resume(
                    candidate, rung.n_resources, rung.iter, self._pauses(_above(place))
                )
                return resume, replace(state, places=places)
        return self._start(state)

    def tell(
        self,
        state: AsynchronousState,
        candidate: int,
        n_resources: int | None,
        score: float | None,
    ) -> AsynchronousState:
        place = state.places[candidate]
        if score is not None and not math.isfinite(score):
            score = None
        scores = {**state.scores.get(place, {}), candidate: score}
        hopeless = state.hopeless
        if self._pauses(place):
            if score is None:
                hopeless = (*hopeless, candidate)
            # One more score pushes at most one candidate behind those that may go on.
            behind = _best_first(scores)[self.table[_above(place)].n_candidates :]
            if score is not None and behind:
                pushed = self._pushed(behind, candidate, place, state)
                hopeless = (*hopeless, *pushed)
        return replace(state, scores={**state.scores, place: scores}, hopeless=hopeless)

    def close(self, state: AsynchronousState) -> AsynchronousState:
        return replace(state, closed=True)

    def _start(
        self, state: AsynchronousState
    ) -> tuple[Decision | None, AsynchronousState]:
        if state.closed:
            return None, state
        number = len(state.places)
        before = 0
        for place, rung in self.table.items():
            if place.iter == 0:
                before += rung.n_candidates
                if number < before:
                    start = Start(
                        rung.n_resources, rung.bracket, 0, self._pauses(place)
                    )
                    places = {**state.places, number: place}
                    return start, replace(state, places=places)
        return None, state

    def _pauses(self, place: Place) -> bool:
        return _above(place) in self.table

    def _pushed(
        self, behind: list[int], candidate: int, place: Place, state: AsynchronousState
    ) -> list[int]:
        """Those of `behind` that are paused and were not behind before."""
        before = state.scores.get(place, {})
        limit = self.table[_above(place)].n_candidates
        known = set(_best_first(before)[limit:])
        return [c for c in behind if c not in known and state.places[c] == place]

    def _promotable(self, place: Place, state: AsynchronousState) -> int | None:
        """The best candidate of a rung that may be resumed now, if there is one."""
        if not self._pauses(place):
            return None
        scores = state.scores.get(place, {})
        n = min(int(len(scores) / self.factor), self.table[_above(place)].n_candidates)
        if not n and self._is_complete(place, state):
            n = 1
        for candidate in _best_first(scores)[:n]:
            if state.places[candidate] == place:
                return candidate
        return None

    def _is_complete(self, place: Place, state: AsynchronousState) -> bool:
        """Whether every candidate that can ever come to a rung has its score there."""
        scores = state.scores.get(place, {})
        if place.iter == 0:
            begun = [p for p in state.places.values() if p.bracket == place.bracket]
            planned = self.table[place].n_candidates
            all_began = state.closed or len(begun) >= planned
            return all_began and len(scores) == len(begun)
        below = Place(place.bracket, place.iter - 1)
        came = [
            p
            for p in state.places.values()
            if p.bracket == place.bracket and p.iter >= place.iter
        ]
        return (
            self._is_complete(below, state)
            and self._promotable(below, state) is None
            and len(scores) == len(came)
        )


def _above(place: Place) -> Place:
    return Place(place.bracket, place.iter + 1)


def _best_first(scores: Mapping[int, float | None]) -> list[int]:
    """Candidates that have a score; of equals the earlier first."""
    scored = [(-score, c) for c, score in scores.items() if score is not None]
    return [c for _, c in sorted(scored)]
