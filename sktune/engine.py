"""The one loop of every search: next, ask, dispatch, record, tell.

The schedule says that a candidate starts or is resumed, the strategy names the params
of a new one, workers train and score it on every split, and when all splits are in,
both are told. The engine knows none of them but by their protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from sktune._errors import StrategyError
from sktune._random import derive_seed
from sktune._types import (
    Candidate,
    Evaluation,
    Fit,
    FitOutcome,
    Observation,
    Params,
    Resume,
    Schedule,
    Start,
    Stop,
    Strategy,
)


class Workers(Protocol):
    """Where fits run."""

    @property
    def n_workers(self) -> int:
        """Fits that run at the same time."""

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
    n_pending : int or None
        Candidates that may be in flight when the strategy is asked for one more. So
        what is known when a candidate is asked for does not depend on the workers.
        None is no limit.
    context : callable
        ``context(number)`` is handed along with the fit of that number.
    thinking : callable
        Gives a context that is entered around each question to the strategy.
    on_evaluation : callable
        Called with an `Evaluation` and its `Observation` when all splits are in.
    on_stop : callable
        Called with the id of a candidate that will not be resumed.
    may_go_on : callable
        Called with each `Start` or `Resume` before it is carried out. Where it returns
        false, that one is not, and nothing is decided on any more.

    Attributes
    ----------
    evaluations : list of Evaluation
        In the order in which they were decided on.
    exhausted : bool
        Whether the strategy had no further candidate to name.
    ended : bool
        Whether `may_go_on` has ended the search.
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
        n_pending: int | None = None,
        context: Callable[[int], Any] = lambda number: None,
        thinking: Callable[[], AbstractContextManager[Any]] = nullcontext,
        on_evaluation: Callable[[Evaluation, Observation], None] = lambda *_: None,
        on_stop: Callable[[int], None] = lambda _: None,
        may_go_on: Callable[[Start | Resume], bool] = lambda _: True,
    ) -> None:
        self._strategy = strategy
        self._schedule = schedule
        self._workers = workers
        self._n_splits = n_splits
        self._root = root
        self._steer = steer
        self._n_pending = n_pending
        self._context = context
        self._thinking = thinking
        self._on_evaluation = on_evaluation
        self._on_stop = on_stop
        self._may_go_on = may_go_on
        self._learnt = strategy.init(space)
        self._plan = schedule.init()
        self._candidates: list[Candidate] = []
        self._in_flight: dict[int, Evaluation] = {}  # by candidate, as decided
        self._n_out = 0  # fits that were submitted and are not done
        self._n_submitted = 0
        self.evaluations: list[Evaluation] = []
        self.exhausted = False
        self.ended = False

    def run(self) -> list[Evaluation]:
        """Search until nothing is left to decide and nothing is on its way."""
        self._decide()
        while True:
            done = self._workers.next_done()
            if not done:
                return self.evaluations
            # One by one: what is known when the next decision is made must not depend
            # on how many happened to end at the same time, but on their order alone.
            for fit, outcome in done:
                self._in_flight[fit.candidate].outcomes[fit.split] = outcome
                self._n_out -= 1
                while self._tell_next():
                    self._decide()
                if not self._schedule.in_order:  # a worker is free
                    self._decide()

    def _decide(self) -> None:
        """Carry out decisions until the schedule has none."""
        while self._schedule.in_order or self._n_out < self._workers.n_workers:
            decision, plan = self._schedule.next(self._plan)
            match decision:
                case None:
                    return
                case Stop(candidate):
                    self._on_stop(candidate)
                case Resume(candidate, n_resources, iter, pause):
                    if not self._continues(decision):
                        return
                    one = Evaluation(self._candidates[candidate], n_resources, iter)
                    self._submit(one, pause)
                case Start():
                    if len(self._in_flight) >= (self._n_pending or float("inf")):
                        return
                    if not self._continues(decision):
                        return
                    if not self._start(decision):
                        self.exhausted = True
                        plan = self._schedule.close(self._plan)
            self._plan = plan

    def _continues(self, decision: Start | Resume) -> bool:
        self.ended = self.ended or not self._may_go_on(decision)
        return not self.ended

    def _start(self, start: Start) -> bool:
        """Start the next candidate, if the strategy names one."""
        number = len(self._candidates)
        pending: list[Params] = [e.candidate.params for e in self._in_flight.values()]
        with self._thinking():
            params = self._strategy.ask(
                self._learnt, number, pending, derive_seed(self._root, "ask", number)
            )
        if params is None:
            return False
        if not isinstance(params, Mapping) or not all(
            isinstance(name, str) for name in params
        ):
            raise StrategyError(
                f"strategy={self._strategy!r} proposed {params!r}. Its ask has to "
                "return a dict from names of parameters to their values, or None when "
                "the space is used up."
            )
        candidate = Candidate(number, params, start.bracket)
        self._candidates.append(candidate)
        self._submit(Evaluation(candidate, start.n_resources, start.iter), start.pause)
        return True

    def _submit(self, one: Evaluation, pause: bool) -> None:
        candidate = one.candidate
        self.evaluations.append(one)
        self._in_flight[candidate.id] = one
        for split in range(self._n_splits):
            fit = Fit(
                candidate.id,
                split,
                candidate.params,
                derive_seed(self._root, "fit", candidate.id, split),
                one.n_resources,
                pause,
                self._context(self._n_submitted),
                one.iter,
                candidate.bracket,
            )
            self._workers.submit(fit)
            self._n_submitted += 1
            self._n_out += 1

    def _tell_next(self) -> bool:
        """Tell the earliest evaluation that may be told, if there is one."""
        one = self._complete()
        if one is None:
            return False
        candidate = one.candidate
        scores = (self._steer(one.outcomes[k]) for k in range(self._n_splits))
        rounded = tuple(None if s is None else _rounded(s) for s in scores)
        seen = Observation(candidate.id, candidate.params, rounded, one.n_resources)
        self._learnt = self._strategy.tell(self._learnt, seen)
        score = None if seen.failed else seen.score
        self._plan = self._schedule.tell(
            self._plan, candidate.id, one.n_resources, score
        )
        del self._in_flight[candidate.id]
        self._on_evaluation(one, seen)
        return True

    def _complete(self) -> Evaluation | None:
        """The earliest evaluation in flight whose splits are in.

        Where the order counts, only the very earliest comes into question.
        """
        for one in self._in_flight.values():
            if len(one.outcomes) == self._n_splits:
                return one
            if self._schedule.in_order:
                return None
        return None


def _rounded(score: float) -> float:
    """Score without the digits that depend on how many threads added up.

    They say nothing of a candidate, and a strategy that learnt from them would propose
    other params.
    """
    return float(f"{score:.10g}")
