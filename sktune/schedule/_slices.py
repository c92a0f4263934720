"""Freeze and thaw: the next slice of training goes where most is expected of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

from sktune._types import Decision, Forget, Report, Resume, Start, Stop
from sktune.schedule._brackets import Brackets, BracketsState
from sktune.schedule._rungs import Rung, total_resources

FACTOR = 3
MAX_FIRST = 27
MOST_WITHOUT_START = 3  # decisions for candidates that are paused, one by one
FIRST_SHARE = 0.25  # of the budget, at most, that the first candidates are given

Expect = Callable[[Sequence[int]], Sequence[float]]
"""What is to be gained from each of these; a number not yet given is a new candidate.

Greater is better; -inf where there is no such candidate.
"""


@dataclass(frozen=True, slots=True)
class SlicesState:
    """What has been decided and told.

    Attributes
    ----------
    first : BracketsState or None
        Of the halving that it begins with; None once that is over.
    paused : dict of int -> (int, float)
        Level and score of each candidate that may go on, and whose state is kept.
    forgotten : dict of int -> (int, float)
        The same of each that may go on and whose state is not kept.
    pending : dict of int -> int
        Level that each candidate on its way goes to.
    spent : int
        Resources of one split.
    n_started : int
    n_since : int
        Decisions since a candidate was started.
    dropped : tuple of int
        Candidates that will not go on, still to be stopped.
    closed : bool
        Whether no further candidate can be started.
    """

    first: BracketsState | None
    paused: Mapping[int, tuple[int, float]] = field(default_factory=dict)
    forgotten: Mapping[int, tuple[int, float]] = field(default_factory=dict)
    pending: Mapping[int, int] = field(default_factory=dict)
    spent: int = 0
    n_started: int = 0
    n_since: int = 0
    dropped: tuple[int, ...] = ()
    closed: bool = False

    @property
    def going_on(self) -> dict[int, tuple[int, float]]:
        """Level and score of each candidate that may go on, wherever its state is."""
        return {**self.paused, **self.forgotten}


@dataclass(frozen=True)
class Slices:
    """Begin with one halving; then train further whoever is expected to gain most.

    After the first halving, which ends with one candidate at the largest resource, a
    decision is about all candidates that are paused, and a new one: whose score at the
    largest resource is expected to improve most on the best. It goes on to its next
    level, and is paused there. After three decisions for others a candidate is started.
    Who could not be finished any more within the budget is
    left out.

    Parameters
    ----------
    levels : tuple of int
        Resources at which candidates pause, see `levels_between`.
    budget : int
        Resources that may be spent on one split.
    n_first : int
        Candidates of the first halving.
    continues : bool
        Whether a candidate costs no more than what it is given since its last level.
    n_pending : int
        Candidates in flight at once after the first halving. What a decision knows
        follows from it, and not from how many workers there are.
    max_paused : int
        Candidates whose states are kept; beyond that, the least promising is forgotten.
        It is trained anew, to the same state, if it is wanted again, and costs that.

    Notes
    -----
    What is expected of candidates is given to `next` by the engine, from the strategy.
    Without it, whoever is paused with the best score goes on, and a candidate is
    started where nobody is.
    """

    levels: tuple[int, ...]
    budget: int
    n_first: int = MAX_FIRST
    continues: bool = True
    n_pending: int = 1
    max_paused: int = 100
    in_order: ClassVar[bool] = True
    is_guided: ClassVar[bool] = True

    @classmethod
    def within(
        cls,
        least: int,
        most: int,
        n_iter: int,
        *,
        most_first: float = MAX_FIRST,
        continues: bool = True,
        n_pending: int = 1,
    ) -> Slices:
        """With the budget of so many candidates that are trained to the end.

        Where nothing continues, levels are fewer, since each costs all that came
        before. The first halving has as many candidates, up to 27, as cost no more
        than a share of the budget, or 3 if they cost no more than all of it.
        """
        levels = levels_between(least, most, halfway=continues)
        budget, n_first = n_iter * most, MAX_FIRST
        while n_first > 1:
            rungs = first_halving(levels, n_first)
            limit = budget if n_first == FACTOR else FIRST_SHARE * budget
            if total_resources(rungs, continues=continues) <= limit:
                break
            n_first //= FACTOR
        n_first = int(min(n_first, most_first))
        return cls(levels, budget, n_first, continues, n_pending)

    @cached_property
    def rungs(self) -> tuple[Rung, ...]:
        """The first halving."""
        return first_halving(self.levels, self.n_first)

    def rungs_of_levels(self) -> tuple[Rung, ...]:
        """A rung for each level; of how many come there, the first only is known."""
        return tuple(
            Rung(0, i, self.n_first if i == 0 else 1, level)
            for i, level in enumerate(self.levels)
        )

    def likely_rungs(self) -> tuple[Rung, ...]:
        """A guess at how many come to each level: all levels cost the same."""
        rungs, before, share = [], 0, self.budget / len(self.levels)
        for rung in self.rungs_of_levels():
            step = rung.n_resources - (before if self.continues else 0)
            n = max(rung.n_candidates, round(share / step))
            rungs.append(rung._replace(n_candidates=n))
            before = rung.n_resources
        return tuple(rungs)

    @cached_property
    def _halving(self) -> Brackets:
        return Brackets(self.rungs)

    def init(self, n_splits: int) -> SlicesState:
        return SlicesState(self._halving.init(n_splits))

    def next(
        self, state: SlicesState, expect: Expect | None = None
    ) -> tuple[Decision | None, SlicesState]:
        if state.dropped:
            candidate, *rest = state.dropped
            return Stop(candidate), replace(state, dropped=tuple(rest))
        if state.first is not None:
            decision, after = self._next_of_halving(state)
            if decision is not None or state.pending:
                return decision, after
            state = replace(after, first=None, n_since=0)
        if len(state.pending) >= self.n_pending:
            return None, state
        if len(state.paused) > self.max_paused:
            paused = list(state.paused)
            least = _best(paused, _values(paused, state, expect), -1)
            return Forget(least), _forgotten(state, least)
        new = [state.n_started] if self._may_start(state) else []
        left, there = self._left(state), state.going_on
        able = [c for c in there if self._rest(state, c) <= left]
        if not able and not new:
            if there and not state.pending:
                return self.next(_without(state, list(there)), expect)
            return None, state
        if new and state.n_since >= MOST_WITHOUT_START:
            able = []
        everyone = [*able, *new]
        one = everyone[0]
        if len(everyone) > 1:
            one = _best(everyone, _values(everyone, state, expect), 1)
        if one == state.n_started:
            return self._start(state)
        return self._resume(state, one, there[one][0] + 1)

    def tell(self, state: SlicesState, report: Report) -> SlicesState:
        candidate = report.candidate
        level = state.pending[candidate]
        pending = {c: k for c, k in state.pending.items() if c != candidate}
        state = replace(state, pending=pending)
        if state.first is not None:
            state = replace(state, first=self._halving.tell(state.first, report))
        if level + 1 == len(self.levels):
            return state
        score = report.score
        if score is None or not math.isfinite(score):
            return replace(state, dropped=(*state.dropped, candidate))
        paused = {**state.paused, candidate: (level, score)}
        return replace(state, paused=paused)

    def close(self, state: SlicesState) -> SlicesState:
        first = state.first
        if first is not None:
            first = self._halving.close(first)
        return replace(state, first=first, closed=True)

    def _next_of_halving(
        self, state: SlicesState
    ) -> tuple[Decision | None, SlicesState]:
        """The next decision of the first halving; whoever it stops stays paused."""
        assert state.first is not None
        while True:
            decision, first = self._halving.next(state.first)
            if not isinstance(decision, Stop):
                break
            state = replace(state, first=first)
        match decision:
            case Start() if self.levels[0] <= self._left(state):
                return self._start(replace(state, first=first))
            case Resume() if decision.candidate in state.paused:
                level = self.levels.index(decision.n_resources or 0)
                if self._cost(state, decision.candidate, level) <= self._left(state):
                    state = replace(state, first=first)
                    return self._resume(state, decision.candidate, level)
        return None, state

    def _start(self, state: SlicesState) -> tuple[Decision, SlicesState]:
        pending = {**state.pending, state.n_started: 0}
        after = replace(
            state,
            pending=pending,
            n_started=state.n_started + 1,
            n_since=0,
            spent=state.spent + self.levels[0],
        )
        return Start(self.levels[0], 0, 0, len(self.levels) > 1), after

    def _resume(
        self, state: SlicesState, candidate: int, level: int
    ) -> tuple[Decision, SlicesState]:
        cost = self._cost(state, candidate, level)
        after = replace(
            _gone(state, [candidate]),
            pending={**state.pending, candidate: level},
            spent=state.spent + cost,
            n_since=state.n_since + 1,
        )
        pause, anew = level + 1 < len(self.levels), candidate in state.forgotten
        resume = Resume(candidate, self.levels[level], level, pause, is_anew=anew)
        return resume, after

    def _may_start(self, state: SlicesState) -> bool:
        return not state.closed and self._whole(-1) <= self._left(state)

    def _left(self, state: SlicesState) -> int:
        return self.budget - state.spent

    def _cost(self, state: SlicesState, candidate: int, level: int) -> int:
        """Of training a candidate that may go on to a level."""
        if not self.continues or candidate in state.forgotten:
            return self.levels[level]
        return self.levels[level] - self.levels[state.paused[candidate][0]]

    def _rest(self, state: SlicesState, candidate: int) -> int:
        """Of training a candidate that may go on to the end, level by level."""
        if candidate in state.paused:
            return self._whole(state.paused[candidate][0])
        level, _ = state.forgotten[candidate]
        return self._whole(-1 if self.continues else level)

    def _whole(self, level: int) -> int:
        """Of training from a level to the end; -1 is the beginning."""
        if self.continues:
            return self.levels[-1] - (self.levels[level] if level >= 0 else 0)
        return sum(self.levels[level + 1 :])


def levels_between(least: int, most: int, *, halfway: bool = True) -> tuple[int, ...]:
    """Resources from the least to the most, by factors of 3 from the top.

    With `halfway` also those halfway between two of them, on a logarithmic scale.

    >>> levels_between(1, 27)
    (1, 2, 3, 6, 9, 16, 27)
    >>> levels_between(2, 50, halfway=False)
    (2, 5, 16, 50)
    """
    levels = [most]
    while levels[-1] // FACTOR > least:
        levels.append(levels[-1] // FACTOR)
    # One that is all but the least would be a slice of next to nothing.
    if least < most:
        if len(levels) > 1 and levels[-1] < 2 * least:
            levels.pop()
        levels.append(least)
    levels.reverse()
    between = (
        [math.isqrt(a * b - 1) + 1 for a, b in pairwise(levels)] if halfway else []
    )
    return tuple(sorted({*levels, *(k for k in between if k < most)}))


def first_halving(levels: Sequence[int], n_first: int) -> tuple[Rung, ...]:
    """A third of the candidates goes on at each rung, in the end one, to the end.

    >>> [tuple(rung) for rung in first_halving((1, 2, 3, 6, 9, 16, 27), 9)]
    [(0, 0, 9, 1), (0, 1, 3, 3), (0, 2, 1, 9), (0, 3, 1, 27)]
    """
    rungs: list[Rung] = []
    for level in levels_between(levels[0], levels[-1], halfway=False):
        rungs.append(Rung(0, len(rungs), n_first, level))
        n_first = max(1, n_first // FACTOR)
    return tuple(rungs)


def _values(
    candidates: Sequence[int], state: SlicesState, expect: Expect | None
) -> Sequence[float]:
    if expect is not None:
        return expect(candidates)
    there = state.going_on
    return [there[c][1] if c in there else -math.inf for c in candidates]


def _best(candidates: Sequence[int], values: Iterable[float], sign: int) -> int:
    """The one of the greatest (or least) value, the earlier of equals."""
    pairs = zip(values, candidates, strict=True)
    return max(pairs, key=lambda pair: (sign * pair[0], -pair[1]))[1]


def _without(state: SlicesState, candidates: Sequence[int]) -> SlicesState:
    """State in which candidates will not go on."""
    return replace(_gone(state, candidates), dropped=(*state.dropped, *candidates))


def _forgotten(state: SlicesState, candidate: int) -> SlicesState:
    """State in which a paused candidate may go on, but its state is not kept."""
    forgotten = {**state.forgotten, candidate: state.paused[candidate]}
    return replace(_gone(state, [candidate]), forgotten=forgotten)


def _gone(state: SlicesState, candidates: Sequence[int]) -> SlicesState:
    """State in which some do not wait any more."""
    kept, forgotten = (
        {c: at for c, at in those.items() if c not in candidates}
        for those in (state.paused, state.forgotten)
    )
    return replace(state, paused=kept, forgotten=forgotten)
