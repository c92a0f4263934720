"""Population-based training: the worst go on as the best, with params that differ.

References
----------
.. [1] M. Jaderberg, V. Dalibard, S. Osindero, W. M. Czarnecki, J. Donahue, A. Razavi,
       O. Vinyals, T. Green, I. Dunning, K. Simonyan, C. Fernando and K. Kavukcuoglu,
       "Population based training of neural networks", arXiv:1711.09846, 2017.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from sktune._types import Decision, Report, Resume, Start, Stop
from sktune.schedule._plan import Plan
from sktune.schedule._rungs import Rung


@dataclass(frozen=True, slots=True)
class PopulationState:
    """One generation, and what is left to decide in it.

    Attributes
    ----------
    generation : int
    to_start : tuple of (int or None)
        Parents of the members that are still to be started; None begins anew.
    to_resume : tuple of int
        Members that are still to go on.
    to_stop : tuple of int
        Members of the generation before that are still to be stopped.
    pending : dict of int -> (int or None)
        Members on their way, with the parents of those that are new.
    scores : dict of int -> (float or None)
        Of those that have come to the end of the generation; None of failures.
    n_started : int
    closed : bool
        Whether no further candidate can be started.
    """

    generation: int = 0
    to_start: tuple[int | None, ...] = ()
    to_resume: tuple[int, ...] = ()
    to_stop: tuple[int, ...] = ()
    pending: Mapping[int, int | None] = field(default_factory=dict)
    scores: Mapping[int, float | None] = field(default_factory=dict)
    n_started: int = 0
    closed: bool = False

    @property
    def is_over(self) -> bool:
        """Whether all members have come to the end of the generation."""
        return not (self.to_start or self.to_resume or self.pending)


@dataclass(frozen=True)
class Population:
    """Train a population; at each level the worst members give place to new ones.

    At each level but the last, `n_replaced` members of the least score, and all that
    failed, are stopped, and as many are started that have one of the `n_replaced` best
    as parent, drawn at random (truncation selection, [1]_).

    Parameters
    ----------
    n_members : int
    levels : tuple of int
        Resources at which members are compared, counted from the first ancestor's
        start; at the last all end.
    n_replaced : int
        At most half of the members.
    seed : int
        Of the choice of parents.

    Notes
    -----
    Who has children goes on when they are done: till then its state stays what they
    begin with, so that a search that is killed can start them again. Of equal scores
    the earlier candidate is the better one.
    """

    n_members: int
    levels: tuple[int, ...]
    n_replaced: int = 1
    seed: int = 0
    in_order: ClassVar[bool] = True

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The members of each generation, as many as there are at most."""
        return tuple(
            Rung(0, generation, self.n_members, level)
            for generation, level in enumerate(self.levels)
        )

    def init(self, n_splits: int) -> PopulationState:
        return PopulationState(to_start=(None,) * self.n_members)

    def next(self, state: PopulationState) -> tuple[Decision | None, PopulationState]:
        level, generation = self.levels[state.generation], state.generation
        pause = generation + 1 < len(self.levels)
        if state.to_stop:
            candidate, *rest = state.to_stop
            return Stop(candidate), replace(state, to_stop=tuple(rest))
        if state.to_start:
            parent, *others = state.to_start
            start = Start(level, 0, generation, pause, parent=parent)
            return start, replace(
                state,
                to_start=tuple(others),
                pending={**state.pending, state.n_started: parent},
                n_started=state.n_started + 1,
            )
        parents = set(state.pending.values())
        for candidate in state.to_resume:
            if candidate in parents:
                continue
            resume = Resume(candidate, level, generation, pause)
            return resume, replace(
                state,
                to_resume=tuple(c for c in state.to_resume if c != candidate),
                pending={**state.pending, candidate: None},
            )
        return None, state

    def tell(self, state: PopulationState, report: Report) -> PopulationState:
        candidate, score = report.candidate, report.score
        if score is not None and not math.isfinite(score):
            score = None
        pending = {c: p for c, p in state.pending.items() if c != candidate}
        scores = {**state.scores, candidate: score}
        return self._advanced(replace(state, pending=pending, scores=scores))

    def close(self, state: PopulationState) -> PopulationState:
        return self._advanced(replace(state, to_start=(), closed=True))

    def _advanced(self, state: PopulationState) -> PopulationState:
        """The next generation, if this one is over and there is one."""
        is_last = state.generation + 1 == len(self.levels)
        if not state.is_over or is_last or not state.scores:
            return state
        finite = {c: s for c, s in state.scores.items() if s is not None}
        failed = [c for c in state.scores if c not in finite]
        ranked = sorted(finite, key=lambda c: (-finite[c], c))
        n_replaced = min(self.n_replaced, len(state.scores) // 2)
        best = ranked[: max(1, n_replaced)]
        n_worst = min(max(0, n_replaced - len(failed)), len(ranked) - len(best))
        stay, worst = ranked[: len(ranked) - n_worst], ranked[len(ranked) - n_worst :]
        parents: Sequence[int] = ()
        if best and not state.closed:
            rng = np.random.default_rng([self.seed, state.generation])
            drawn = rng.integers(len(best), size=len(failed) + len(worst))
            parents = [best[k] for k in drawn.tolist()]
        return replace(
            state,
            generation=state.generation + 1,
            to_start=tuple(parents),
            to_resume=tuple(sorted(stay)),
            to_stop=tuple(sorted([*failed, *worst])),
            scores={},
        )


def every_interval(interval: int, least: int, most: int) -> tuple[int, ...]:
    """Multiples of an interval that are enough to begin with, and the most.

    >>> every_interval(4, 1, 10)
    (4, 8, 10)
    >>> every_interval(4, 5, 12)
    (8, 12)
    """
    return (*(k for k in range(interval, most, interval) if k >= least), most)


@dataclass(frozen=True, repr=False)
class PopulationPlan(Plan):
    """What a search with a population is going to do, shown as a table.

    Attributes
    ----------
    n_replaced : int
        Members that give place to new ones after each generation but the last, at
        least: who fails does, too.
    """

    n_replaced: int = 1

    @property
    def n_candidates(self) -> int:
        """Candidates that are started, if none fails."""
        n_members = self.rungs[0].n_candidates
        return n_members + self.n_replaced * (len(self.rungs) - 1)

    @property
    def summary(self) -> str:
        """What it comes to, in one line."""
        how = "continued" if self.continues else "trained from scratch"
        return (
            f"{self.rungs[0].n_candidates} members x {self.n_splits} splits, {how}, "
            f"{self.n_replaced} replaced {len(self.rungs) - 1} times: "
            f"{self.n_fits} fits, {self.total_resources} {self.resource}"
        )
