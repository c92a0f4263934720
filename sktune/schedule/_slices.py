"""Freeze and thaw: the next slice of training goes where most is expected of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

from sktune._types import Decision, Report, Resume, Start, Stop
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
        Level and score of each candidate that may go on.
    pending : dict of int -> int
        Level that each candidate on its way goes to.
    spent : int
        Resources of one split.
    n_started : int
    n_since : int
        Decisions since a candidate was started.
    dropped : tuple of int
        Paused candidates that will not go on, still to be stopped.
    closed : bool
        Whether no further candidate can be started.
    """

    first: BracketsState | None
    paused: Mapping[int, tuple[int, float]] = field(default_factory=dict)
    pending: Mapping[int, int] = field(default_factory=dict)
    spent: int = 0
    n_started: int = 0
    n_since: int = 0
    dropped: tuple[int, ...] = ()
    closed: bool = False


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
        Candidates whose states are kept; beyond that, the least promising is stopped.

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
            values = _values(paused, state, expect)
            return self.next(_without(state, [_best(paused, values, -1)]), expect)
        new = [state.n_started] if self._may_start(state) else []
        able = [c for c in state.paused if self._rest(state, c) <= self._left(state)]
        if not able and not new:
            if state.paused and not state.pending:
                return self.next(_without(state, list(state.paused)), expect)
            return None, state
        if new and state.n_since >= MOST_WITHOUT_START:
            able = []
        everyone = [*able, *new]
        one = everyone[0]
        if len(everyone) > 1:
            one = _best(everyone, _values(everyone, state, expect), 1)
        if one == state.n_started:
            return self._start(state)
        return self._resume(state, one, state.paused[one][0] + 1)

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
            state,
            paused={c: at for c, at in state.paused.items() if c != candidate},
            pending={**state.pending, candidate: level},
            spent=state.spent + cost,
            n_since=state.n_since + 1,
        )
        pause = level + 1 < len(self.levels)
        return Resume(candidate, self.levels[level], level, pause), after

    def _may_start(self, state: SlicesState) -> bool:
        return not state.closed and self._whole(-1) <= self._left(state)

    def _left(self, state: SlicesState) -> int:
        return self.budget - state.spent

    def _cost(self, state: SlicesState, candidate: int, level: int) -> int:
        """Of training a paused candidate to a level."""
        before = self.levels[state.paused[candidate][0]] if self.continues else 0
        return self.levels[level] - before

    def _rest(self, state: SlicesState, candidate: int) -> int:
        """Of training a paused candidate to the end, level by level."""
        return self._whole(state.paused[candidate][0])

    def _whole(self, level: int) -> int:
        """Of training from a level to the end; -1 is the beginning."""
        if self.continues:
            return self.levels[-1] - (self.levels[level] if level >= 0 else 0)
        return sum(self.levels[level + 1 :])


@dataclass(frozen=True, repr=False)
class SlicePlan:
    """What a search that freezes and thaws is going to do, as far as that is known.

    Attributes
    ----------
    slices : Slices
    n_iter : int
    resource : str
        Name of the resource.
    n_splits : int
    levels : tuple of int
        Resources at which candidates pause.
    rungs : tuple of Rung
        The halving that it begins with.
    total_resources : int
        Most that may be spent in all splits, without the refit.
    """

    slices: Slices
    n_iter: int
    resource: str
    n_splits: int

    @property
    def levels(self) -> tuple[int, ...]:
        return self.slices.levels

    @property
    def rungs(self) -> tuple[Rung, ...]:
        return self.slices.rungs

    @property
    def total_resources(self) -> int:
        return self.slices.budget * self.n_splits

    @property
    def summary(self) -> str:
        """What it comes to, in one line."""
        how = "continued" if self.slices.continues else "trained from scratch"
        return (
            f"{self.n_iter} full candidates x {self.n_splits} splits, {how} from level "
            f"to level: {self.total_resources} {self.resource} at most"
        )

    def __repr__(self) -> str:
        lines = [
            f"{'of these' if rung.iter else 'at first'} {rung.n_candidates:4} "
            f"candidates to {rung.n_resources} {self.resource}"
            for rung in self.rungs
        ]
        levels = ", ".join(map(str, self.levels))
        then = f"then whoever is expected to gain most, to the next of {levels}"
        return "\n".join([*lines, then, self.summary])


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
    worst = -math.inf
    return [state.paused[c][1] if c in state.paused else worst for c in candidates]


def _best(candidates: Sequence[int], values: Iterable[float], sign: int) -> int:
    """The one of the greatest (or least) value, the earlier of equals."""
    pairs = zip(values, candidates, strict=True)
    return max(pairs, key=lambda pair: (sign * pair[0], -pair[1]))[1]


def _without(state: SlicesState, candidates: Sequence[int]) -> SlicesState:
    """State in which paused candidates will not go on."""
    paused = {c: at for c, at in state.paused.items() if c not in candidates}
    return replace(state, paused=paused, dropped=(*state.dropped, *candidates))
