"""Who decides, who is told, and who works: protocols between rooms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sktune._types import (
    Decision,
    Evaluation,
    Fit,
    FitOutcome,
    Observation,
    Params,
    Problem,
    Report,
    SearchInfo,
    Unit,
)


class Strategy(Protocol):
    """Which params next. Frozen; all that it learns is in a state it is handed.

    No clock, no file, no device, no estimator and no global random state: the same
    calls give the same answers, so that a search can be replayed.

    It may offer ``begins_alike(problem, other)``: whether, told the same, it names the
    same first candidates in two problems that differ in `n_candidates`. Without it,
    a search that goes on with more candidates asks again for all that it has.

    It may offer ``expect(state, candidates, number, pending, seed)``, for schedules
    that are guided: a number for each of the candidates, which says what is to be
    gained from training it to the end; `number` is the one that `ask` would name, told
    the same. Greater is better, and -inf where `ask` would name none.

    It may offer ``explore(state, candidate, parent, seed)``, for schedules that start
    candidates from others: the params of a candidate that goes on from one with the
    params `parent`. Without it, `ask` names them, which knows no parents.
    """

    def init(self, problem: Problem) -> Any:
        """State of a search in which nothing has been seen."""

    def tell(self, state: Any, observation: Observation) -> Any:
        """State that has learnt from one more observation."""

    def ask(
        self, state: Any, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params of the next candidate; None when the space is used up.

        `candidate` counts from 0, `pending` are the candidates that were asked for and
        not yet told. Asking changes nothing: the same question has the same answer.
        """


class StrategyAround:
    """A strategy around another, for those that change how that one is asked."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy

    def init(self, problem: Problem) -> Any:
        return self._strategy.init(problem)

    def tell(self, state: Any, observation: Observation) -> Any:
        return self._strategy.tell(state, observation)

    def expect(
        self,
        state: Any,
        candidates: Sequence[int],
        number: int,
        pending: Sequence[Params],
        seed: int,
    ) -> Sequence[float]:
        expect: Any = self._strategy.expect  # type: ignore[attr-defined]
        return expect(state, candidates, number, pending, seed)

    def explore(
        self, state: Any, candidate: int, parent: Params, seed: int
    ) -> Params | None:
        explore: Any = getattr(self._strategy, "explore", None)
        if explore is None:
            return self._strategy.ask(state, candidate, (), seed)
        params: Params | None = explore(state, candidate, parent, seed)
        return params

    def __repr__(self) -> str:
        return repr(self._strategy)


class Schedule(Protocol):
    """How far each candidate goes, and on which splits. Frozen like a strategy.

    Sees ids and scores, and never params. Candidates are counted from 0 in the order
    in which they are started.

    One with an attribute ``is_guided`` that is true is called with
    ``next(state, expect)``: ``expect(candidates)`` is what the strategy expects of each
    of these, and of the next new one.
    """

    @property
    def in_order(self) -> bool:
        """Whether scores are told in the order of the decisions.

        If so, results do not depend on which worker is fast. If not, scores are told as
        they arrive, and decisions are asked for only when a worker is free.
        """

    def init(self, n_splits: int) -> Any:
        """State before anything has started."""

    def next(self, state: Any) -> tuple[Decision | None, Any]:
        """The next decision, or None when a score has to come first."""

    def tell(self, state: Any, report: Report) -> Any:
        """State that knows one more report."""

    def close(self, state: Any) -> Any:
        """State in which no further candidate can be started: the space is used up."""


# -- who is told --------------------------------------------------------------------


class Listener:
    """Is told of a search as it goes; what it need not know it does not override.

    Called in the process of the search only, in an order that does not depend on the
    number of workers where the schedule is in order.

    Attributes
    ----------
    wants_replayed : bool
        Whether to be told also of what a search that continues from its journal was
        told of before it ended.
    """

    wants_replayed: bool = False

    def of_search(self, info: SearchInfo) -> Listener:
        """The one that is told of this call of `fit`; by default itself.

        One that keeps something of a search gives a fresh copy, since nested searches
        share their listeners, and may run at the same time.
        """
        return self

    def on_begin(self) -> None:
        """Before the first decision."""

    def on_fit(self, fit: Fit, outcome: FitOutcome) -> None:
        """One fit is done; told when all splits of its decision are in."""

    def on_evaluation(self, evaluation: Evaluation, observation: Observation) -> None:
        """All splits of a decision are in."""

    def on_stop(self, candidate: int) -> None:
        """A paused candidate will not be resumed."""

    def on_forget(self, candidate: int) -> None:
        """The state of a paused candidate is kept no longer; it may yet be resumed."""

    def on_end(self, evaluations: Sequence[Evaluation]) -> None:
        """Nothing is left to decide, and nothing on its way."""

    def on_close(self, search: Any, error: BaseException | None) -> None:
        """`fit` is over, the refit included, with an error or without.

        Told last of all, however the search ends, to those that a search was given.
        """


# -- who works ----------------------------------------------------------------------


class Workers(Protocol):
    """Where units of fits run."""

    @property
    def n_workers(self) -> int:
        """Fits that run at the same time."""

    def submit(self, unit: Unit) -> None:
        """Queue one unit."""

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        """Wait for units to end, all fits of one at once; empty when none is left."""
