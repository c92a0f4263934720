"""The one loop of every search: next, ask, dispatch, record, tell.

The schedule says that a candidate starts, the strategy names its params, workers train
and score it on every split, and when all splits are in, both are told. The engine knows
none of them but by their protocols.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from sktune._random import derive_seed
from sktune._types import (
    Candidate,
    Fit,
    FitOutcome,
    Observation,
    Params,
    Schedule,
    Strategy,
)


class Workers(Protocol):
    """Where fits run."""

    def submit(self, fit: Fit) -> None:
        """Queue one fit."""

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        """Wait for fits to end; an empty list when none is left."""


class Engine:
    """One search, from the first candidate to the last.

    Parameters
    ----------
    strategy, schedule : the two that decide
    space : what the strategy searches
    workers : where fits run
    n_splits : int
    root : int
        Root of the seed tree.
    steer : callable
        Score of an outcome in the metric that steers the search; None where it failed.
    context : callable
        ``context(candidate, split)`` is handed along with the fit.
    thinking : callable
        Gives a context that is entered around each question to the strategy.
    on_candidate : callable
        Called with a `Candidate` and its `Observation` when all splits are in, in the
        order in which candidates were started.

    Attributes
    ----------
    candidates : list of Candidate
    exhausted : bool
        Whether the strategy had no further candidate to name.
    """

    def __init__(
        self,
        strategy: Strategy,
        schedule: Schedule,
        space: Any,
        workers: Workers,
        *,
        n_splits: int,
        root: int,
        steer: Callable[[FitOutcome], float | None],
        context: Callable[[int, int], Any] = lambda candidate, split: None,
        thinking: Callable[[], AbstractContextManager[Any]] = nullcontext,
        on_candidate: Callable[[Candidate, Observation], None] = lambda *_: None,
    ) -> None:
        self._strategy = strategy
        self._schedule = schedule
        self._workers = workers
        self._n_splits = n_splits
        self._root = root
        self._steer = steer
        self._context = context
        self._thinking = thinking
        self._on_candidate = on_candidate
        self._learnt = strategy.init(space)
        self._schedule_state = schedule.init()
        self._pending: deque[Params] = deque()
        self.candidates: list[Candidate] = []
        self.exhausted = False

    def run(self) -> list[Candidate]:
        """Search until nothing is left to start and nothing is on its way."""
        while True:
            self._start_all()
            done = self._workers.next_done()
            if not done:
                return self.candidates
            for fit, outcome in done:
                self.candidates[fit.candidate].outcomes[fit.split] = outcome
            # One by one and in the order of starting: what is known when a candidate
            # is asked for must not depend on which worker was fast.
            while self._tell_next():
                self._start_all()

    def _start_all(self) -> None:
        while self._start():
            pass

    def _start(self) -> bool:
        """Start the next candidate, if the schedule wants one now."""
        if self.exhausted:
            return False
        decision, state = self._schedule.next(self._schedule_state)
        if decision is None:
            return False
        number = len(self.candidates)
        with self._thinking():
            params = self._strategy.ask(
                self._learnt,
                number,
                self._pending,
                derive_seed(self._root, "ask", number),
            )
        if params is None:
            self.exhausted = True
            return False
        self._schedule_state = state
        self._pending.append(params)
        self.candidates.append(Candidate(number, params))
        for split in range(self._n_splits):
            seed = derive_seed(self._root, "fit", number, split)
            context = self._context(number, split)
            self._workers.submit(Fit(number, split, params, seed, context))
        return True

    def _tell_next(self) -> bool:
        """Tell the earliest candidate that was not told yet, if all splits are in."""
        if not self._pending:
            return False
        candidate = self.candidates[-len(self._pending)]
        if len(candidate.outcomes) < self._n_splits:
            return False
        observation = self._observe(candidate)
        self._learnt = self._strategy.tell(self._learnt, observation)
        self._schedule_state = self._schedule.tell(
            self._schedule_state,
            candidate.id,
            None if observation.failed else observation.score,
        )
        self._pending.popleft()
        self._on_candidate(candidate, observation)
        return True

    def _observe(self, candidate: Candidate) -> Observation:
        scores = (self._steer(candidate.outcomes[k]) for k in range(self._n_splits))
        rounded = tuple(None if s is None else _rounded(s) for s in scores)
        return Observation(candidate.id, candidate.params, rounded)


def _rounded(score: float) -> float:
    """Score without the digits that depend on how many threads added up.

    They say nothing of a candidate, and a strategy that learnt from them would propose
    other params.
    """
    return float(f"{score:.10g}")
