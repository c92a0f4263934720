"""Asynchronous successive halving: nobody waits for a straggler."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

from sktune._types import Decision, Report, Resume, Start, Stop
from sktune.schedule._best import Best, with_score
from sktune.schedule._rungs import (
    Place,
    Rung,
    exact,
    first_numbers,
    first_splits,
    in_random_order,
    splits_of,
)


@dataclass(frozen=True, slots=True)
class RungState:
    """One rung.

    Attributes
    ----------
    n_entered : int
        Candidates that were started or resumed in this rung.
    n_told : int
        Those of them that have a score here, or failed.
    promoted : tuple of (float, int)
        Those that went on to the next rung, by their scores here.
    paused : tuple of (float, int)
        Those that still may. No more than there is room for in the next rung, so that
        nobody's state is kept for nothing.
    """

    n_entered: int = 0
    n_told: int = 0
    promoted: Best = ()
    paused: Best = ()


@dataclass(frozen=True, slots=True)
class AsynchronousState:
    """What has been decided and told.

    Attributes
    ----------
    rungs : dict
        State of each rung, by its place.
    pending : dict
        Place of each candidate that was decided for and has no score there yet.
    n_started : int
        Candidates that were started.
    eliminated : tuple of int
        Paused candidates that will not be resumed, and are still to be stopped.
    closed : bool
        Whether no further candidate can be started.
    order : tuple of int
        The splits, as candidates come to them.
    n_splits : dict
        Of each rung, by its place.
    """

    rungs: Mapping[Place, RungState]
    pending: Mapping[int, Place] = field(default_factory=dict)
    n_started: int = 0
    eliminated: tuple[int, ...] = ()
    closed: bool = False
    order: tuple[int, ...] = ()
    n_splits: Mapping[Place, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Asynchronous:
    """Resume whoever is among the best of its rung so far; else start a candidate.

    This is ASHA [1]_, with pausing instead of stopping: a candidate is resumed when it
    is in the best 1/factor of the scores that its rung has by then, so the very first
    one gets no free pass. Rungs are looked at from the top.

    Parameters
    ----------
    rungs : tuple of Rung
        The plan; what `halving` and `hyperband` return. Candidates of a bracket are
        started when all of the bracket before have been.
    factor : float
    min_splits : int or None
        Splits that the lowest rungs run on, see `splits_of`; None: all run on all.
    seed : int
        Of the order in which candidates come to the splits, the same for all.

    Notes
    -----
    No more go on than the plan says. Who went on early may be overtaken by later
    candidates, and without a limit these would go on too, at the cost of a larger
    budget. Whoever is behind all that there is still room for is stopped.

    As many as planned go on, too. Shares are rounded down and plans may round up, so
    when a rung has all scores that it can ever have, the next is filled with the best
    of it. If fewer candidates could be started than planned, the share that goes on
    stays.

    References
    ----------
    .. [1] L. Li, K. Jamieson, A. Rostamizadeh, E. Gonina, J. Ben-tzur, M. Hardt,
           B. Recht and A. Talwalkar, "A system for massively parallel hyperparameter
           tuning", MLSys 2020.
    """

    rungs: tuple[Rung, ...]
    factor: float
    min_splits: int | None = None
    seed: int = 0
    in_order: ClassVar[bool] = False

    @cached_property
    def table(self) -> Mapping[Place, Rung]:
        """Rungs by bracket and iter."""
        return {Place(rung.bracket, rung.iter): rung for rung in self.rungs}

    @cached_property
    def _from_the_top(self) -> list[Place]:
        """Rungs from which candidates may go on."""
        pausing = [place for place in self.table if self._pauses(place)]
        return sorted(pausing, key=lambda place: (-place.iter, place.bracket))

    @cached_property
    def _first_numbers(self) -> tuple[int, ...]:
        return first_numbers(self.rungs)

    @cached_property
    def _share(self) -> tuple[int, int]:
        """1/factor, as a numerator and a denominator."""
        step = exact(self.factor)
        return step.denominator, step.numerator

    def init(self, n_splits: int) -> AsynchronousState:
        return AsynchronousState(
            dict.fromkeys(self.table, RungState()),
            order=in_random_order(n_splits, self.seed),
            n_splits=splits_of(self.rungs, n_splits, self.min_splits),
        )

    def next(
        self, state: AsynchronousState
    ) -> tuple[Decision | None, AsynchronousState]:
        if state.eliminated:
            return Stop(state.eliminated[0]), replace(
                state, eliminated=state.eliminated[1:]
            )
        for place in self._from_the_top:
            if self._is_promotable(place, state):
                return self._resume(place, state)
        return self._start(state)

    def tell(self, state: AsynchronousState, report: Report) -> AsynchronousState:
        place = state.pending[report.candidate]
        pending = {c: p for c, p in state.pending.items() if c != report.candidate}
        rung, eliminated = state.rungs[place], state.eliminated
        paused, behind = rung.paused, None
        if self._pauses(place):
            room = self._room(place, state)
            paused, behind = with_score(paused, report.candidate, report.score, room)
        if behind is not None:
            eliminated = (*eliminated, behind)
        rung = replace(rung, n_told=rung.n_told + 1, paused=paused)
        rungs = {**state.rungs, place: rung}
        return replace(state, rungs=rungs, pending=pending, eliminated=eliminated)

    def close(self, state: AsynchronousState) -> AsynchronousState:
        # Fewer began than planned, so there is less room in the later rungs.
        state = replace(state, closed=True)
        rungs, eliminated = dict(state.rungs), state.eliminated
        for place in self._from_the_top:
            rung, room = rungs[place], self._room(place, state)
            rungs[place] = replace(rung, paused=rung.paused[:room])
            eliminated = (*eliminated, *(c for _, c in rung.paused[room:]))
        return replace(state, rungs=rungs, eliminated=eliminated)

    def _resume(
        self, place: Place, state: AsynchronousState
    ) -> tuple[Decision, AsynchronousState]:
        """Let the best that is paused in a rung go on to the next."""
        above, rung = _above(place), state.rungs[place]
        best, *_ = rung.paused
        k = bisect(rung.promoted, best)
        promoted = (*rung.promoted[:k], best, *rung.promoted[k:])
        left = replace(rung, promoted=promoted, paused=rung.paused[1:])
        state = replace(state, rungs={**state.rungs, place: left})
        planned = self.table[above]
        resume = Resume(
            best[1],
            planned.n_resources,
            above.iter,
            self._pauses(above),
            first_splits(state.order, state.n_splits[above]),
        )
        return resume, _with_one_more(state, best[1], above)

    def _start(
        self, state: AsynchronousState
    ) -> tuple[Decision | None, AsynchronousState]:
        number = state.n_started
        if state.closed or number >= self._first_numbers[-1]:
            return None, state
        place = Place(bisect(self._first_numbers, number) - 1, 0)
        planned = self.table[place]
        start = Start(
            planned.n_resources,
            place.bracket,
            0,
            self._pauses(place),
            first_splits(state.order, state.n_splits[place]),
        )
        state = replace(state, n_started=number + 1)
        return start, _with_one_more(state, number, place)

    def _pauses(self, place: Place) -> bool:
        return _above(place) in self.table

    def _room(self, place: Place, state: AsynchronousState) -> int:
        """How many more of a rung may go on."""
        limit = self.table[_above(place)].n_candidates
        if state.closed:
            bottom = Place(place.bracket, 0)
            n_started = state.rungs[bottom].n_entered
            limit = max(1, -(-limit * n_started // self.table[bottom].n_candidates))
        return max(0, limit - len(state.rungs[place].promoted))

    def _is_promotable(self, place: Place, state: AsynchronousState) -> bool:
        """Whether the best that is paused in a rung may be resumed now."""
        rung = state.rungs[place]
        if not rung.paused:
            return False
        # Whoever is better than the best that is paused has gone on.
        rank = bisect(rung.promoted, rung.paused[0])
        numerator, denominator = self._share
        in_share = rank < rung.n_told * numerator // denominator
        return in_share or self._is_complete(place, state)

    def _is_complete(self, place: Place, state: AsynchronousState) -> bool:
        """Whether every candidate that can ever come to a rung has its score there."""
        rung = state.rungs[place]
        if rung.n_told < rung.n_entered:
            return False
        if place.iter == 0:
            return state.closed or rung.n_entered >= self.table[place].n_candidates
        below = Place(place.bracket, place.iter - 1)
        if not self._room(below, state):
            return True
        return not state.rungs[below].paused and self._is_complete(below, state)


def _above(place: Place) -> Place:
    return Place(place.bracket, place.iter + 1)


def _with_one_more(
    state: AsynchronousState, candidate: int, place: Place
) -> AsynchronousState:
    """State in which a candidate is on its way in a rung."""
    rung = state.rungs[place]
    rungs = {**state.rungs, place: replace(rung, n_entered=rung.n_entered + 1)}
    return replace(state, rungs=rungs, pending={**state.pending, candidate: place})
