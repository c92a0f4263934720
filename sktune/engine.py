"""The one loop of every search: next, ask, dispatch, record, tell.

The schedule says that a candidate starts or is resumed, the strategy names the params
of a new one, workers train and score it on its splits, and when all of these are in,
both are told, and then the listeners. The engine knows none of them but by their
protocols.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sktune._errors import StrategyError
from sktune._protocols import Listener, Schedule, Strategy, Workers
from sktune._random import derive_seed
from sktune._types import (
    Candidate,
    Evaluation,
    Fit,
    FitOutcome,
    Forget,
    Observation,
    Params,
    Problem,
    Report,
    Resume,
    StackKey,
    Stage,
    Start,
    Stop,
    Unit,
    rounded,
)

MayGoOn = Callable[[Start | Resume, Sequence[Evaluation]], bool]


class Engine:
    """One search, from the first candidate to the last.

    Parameters
    ----------
    strategy, schedule : the two that decide
    problem : Problem
        What the strategy is given.
    workers : where units of fits run
    root : int
        Root of the seed tree.
    score : callable
        Score of an outcome in the metric that decides; None where it failed.
    n_pending : int or None
        Candidates that may be in flight when the strategy is asked for one more. So
        what is known when a candidate is asked for does not depend on the workers.
        None is no limit.
    stack_key : callable
        Fits that are decided on together and whose keys are equal make a unit; one
        whose key is None makes a unit by itself.
    max_unit : int or None
        Fits of a unit at most; None is no limit.
    paired : bool
        Whether all candidates have the same seeds on a split, so that they are compared
        under the same luck.
    may_go_on : callable
        Called with each `Start` or `Resume` before it is carried out, and with the
        evaluations so far. Where it returns false, that one is not carried out, and
        nothing is decided on any more.
    listeners : sequence of Listener
        Told in this order.

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
        problem: Problem,
        workers: Workers,
        *,
        root: int,
        score: Callable[[FitOutcome], float | None],
        n_pending: int | None = None,
        stack_key: Callable[[Fit], StackKey] = lambda _: None,
        max_unit: int | None = None,
        paired: bool = False,
        may_go_on: MayGoOn = lambda decision, evaluations: True,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._strategy = strategy
        self._schedule = schedule
        self._workers = workers
        self._is_guided = getattr(schedule, "is_guided", False)
        self._all_splits = tuple(range(problem.n_splits))
        self._objectives = problem.objectives
        self._root = root
        self._score = score
        self._n_pending = n_pending
        self._stack_key = stack_key
        self._max_unit = max_unit
        self._paired = paired
        self._may_go_on = may_go_on
        self._listeners = listeners
        self._learnt = strategy.init(problem)
        self._plan = schedule.init(problem.n_splits)
        self._candidates: dict[int, Candidate] = {}
        self._in_flight: dict[int, Evaluation] = {}  # by candidate, as decided
        self._fits: dict[int, dict[int, Fit]] = {}  # of these, by split, once done
        # Of each candidate, with all splits at the resource that it came to last.
        self._so_far: dict[int, Evaluation] = {}
        self._decided: list[Fit] = []  # decided on, and not submitted yet
        self._n_out = 0  # fits that were decided on and are not done
        self._n_units = 0
        self.evaluations: list[Evaluation] = []
        self.exhausted = False
        self.ended = False

    def run(self) -> list[Evaluation]:
        """Search until nothing is left to decide and nothing is on its way."""
        for listener in self._listeners:
            listener.on_begin()
        self._decide()
        while done := self._workers.next_done():
            # One by one: what is known when the next decision is made must not depend
            # on how many happened to end at the same time, but on their order alone.
            for fit, outcome in done:
                self._in_flight[fit.candidate].outcomes[fit.split] = outcome
                self._fits[fit.candidate][fit.split] = fit
                self._n_out -= 1
                while self._tell_next():
                    self._decide()
                if not self._schedule.in_order:  # a worker is free
                    self._decide()
        for listener in self._listeners:
            listener.on_end(self.evaluations)
        return self.evaluations

    # -- deciding ------------------------------------------------------------------

    def _decide(self) -> None:
        """Carry out decisions until the schedule has none."""
        while self._schedule.in_order or self._n_out < self._workers.n_workers:
            decision, plan = self._next()
            match decision:
                case None:
                    break
                case Stop():
                    for listener in self._listeners:
                        listener.on_stop(decision.candidate)
                case Forget():
                    for listener in self._listeners:
                        listener.on_forget(decision.candidate)
                case Resume():
                    if not self._continues(decision):
                        break
                    self._evaluate(self._candidates[decision.candidate], decision)
                case Start():
                    if len(self._in_flight) >= (self._n_pending or float("inf")):
                        break
                    if not self._continues(decision):
                        break
                    candidate = self._ask(decision)
                    if candidate is None:
                        self.exhausted = True
                        plan = self._schedule.close(self._plan)
                    else:
                        self._evaluate(candidate, decision)
            self._plan = plan
        for unit in self._units():
            self._workers.submit(unit)

    def _next(self) -> tuple[Any, Any]:
        """What the schedule decides next, and its state then."""
        if not self._is_guided:
            return self._schedule.next(self._plan)
        return self._schedule.next(self._plan, self._expect)  # type: ignore[call-arg]

    def _expect(self, candidates: Sequence[int]) -> Sequence[float]:
        """What the strategy expects of candidates, and of the next new one."""
        number = len(self._candidates)
        seed = derive_seed(self._root, "ask", number)
        expect: Any = self._strategy.expect  # type: ignore[attr-defined]
        return expect(self._learnt, candidates, number, self._pending(), seed)

    def _pending(self) -> list[Params]:
        return [one.candidate.params for one in self._in_flight.values()]

    def _continues(self, decision: Start | Resume) -> bool:
        self.ended = self.ended or not self._may_go_on(decision, self.evaluations)
        return not self.ended

    def _ask(self, start: Start) -> Candidate | None:
        """The next candidate, if the strategy names one."""
        number = len(self._candidates) if start.candidate is None else start.candidate
        seed = derive_seed(self._root, "ask", number)
        explore: Any = getattr(self._strategy, "explore", None)
        stages: tuple[Stage, ...] = ()
        params: Params | None
        if start.parent is not None:
            parent = self._so_far[start.parent]
            stages = parent.as_stages
        if start.parent is not None and explore is not None:
            params = explore(self._learnt, number, parent.candidate.params, seed)
        else:
            params = self._strategy.ask(self._learnt, number, self._pending(), seed)
        if params is None:
            return None
        if not isinstance(params, Mapping) or not all(
            isinstance(name, str) for name in params
        ):
            raise StrategyError(
                f"strategy={self._strategy!r} proposed {params!r}. Its ask has to "
                "return a dict from names of parameters to their values, or None when "
                "the space is used up."
            )
        candidate = Candidate(number, params, start.bracket, start.parent, stages)
        self._candidates[number] = candidate
        return candidate

    def _evaluate(self, candidate: Candidate, decision: Start | Resume) -> None:
        """Make the fits of one decision."""
        splits = self._all_splits
        if decision.splits is not None:  # tables have them in their own order
            splits = tuple(sorted(decision.splits))
        one = Evaluation(candidate, decision.n_resources, decision.iter, splits)
        self.evaluations.append(one)
        self._in_flight[candidate.id] = one
        self._fits[candidate.id] = {}
        self._n_out += len(splits)
        seeded_as = 0 if self._paired else candidate.origin
        self._decided += [
            Fit(
                candidate.id,
                split,
                candidate.params,
                derive_seed(self._root, "fit", seeded_as, split),
                decision.n_resources,
                decision.pause,
                decision.iter,
                candidate.bracket,
                decision.stop_rule,
                candidate.parent,
                stages=candidate.stages,
            )
            for split in splits
        ]

    def _units(self) -> list[Unit]:
        """What was decided on, each unit with a number of its own."""
        decided, self._decided = self._decided, []
        units = units_of(decided, self._stack_key, self._n_units, self._max_unit)
        self._n_units += len(units)
        return units

    # -- telling -------------------------------------------------------------------

    def _tell_next(self) -> bool:
        """Tell the earliest evaluation that may be told, if there is one."""
        one = self._complete()
        if one is None:
            return False
        candidate = one.candidate
        so_far = one.with_those_of(self._so_far.get(candidate.id))
        self._so_far[candidate.id] = so_far
        outcomes = {k: so_far.outcomes[k] for k in so_far.splits}
        scores = {k: rounded(self._score(o)) for k, o in outcomes.items()}
        curves = {k: o.curve for k, o in outcomes.items() if o.curve is not None}
        stopped = frozenset(k for k, o in outcomes.items() if o.stopped)
        reached = {k: o.reached for k, o in outcomes.items() if o.reached is not None}
        report = Report(candidate.id, one.n_resources, scores, reached, curves, stopped)
        objectives = {
            name: {k: rounded(o.score(name)) for k, o in outcomes.items()}
            for name in self._objectives
        }
        seen = Observation(
            candidate.id, candidate.params, scores, one.n_resources, objectives
        )
        self._learnt = self._strategy.tell(self._learnt, seen)
        self._plan = self._schedule.tell(self._plan, report)
        del self._in_flight[candidate.id]
        fits = self._fits.pop(candidate.id)
        for listener in self._listeners:
            # Here and not as they arrive: their order is that of the decisions.
            for split in one.splits:
                listener.on_fit(fits[split], one.outcomes[split])
            listener.on_evaluation(one, seen)
        return True

    def _complete(self) -> Evaluation | None:
        """The earliest evaluation in flight whose splits are in.

        Where the order counts, only the very earliest comes into question.
        """
        for one in self._in_flight.values():
            if one.is_complete:
                return one
            if self._schedule.in_order:
                return None
        return None


def units_of(
    fits: Iterable[Fit],
    stack_key: Callable[[Fit], StackKey],
    first: int = 0,
    max_size: int | None = None,
) -> list[Unit]:
    """Fits of equal keys together, each unit in the place of its first fit.

    Units are numbered from `first`. None has more fits than `max_size`, and a
    candidate's fits are in one as far as there is room.
    """
    units: list[list[Fit]] = []
    open_units: dict[StackKey, list[Fit]] = {}
    for together in _by_candidate(fits, stack_key):
        key = stack_key(together[0])
        for part in _parts(together, max_size):
            unit = open_units.get(key) if key is not None else None
            if unit is None or len(unit) + len(part) > (max_size or math.inf):
                unit = open_units[key] = []
                units.append(unit)
            unit += part
    return [
        tuple(replace(fit, unit=number) for fit in unit)
        for number, unit in enumerate(units, first)
    ]


def _by_candidate(
    fits: Iterable[Fit], stack_key: Callable[[Fit], StackKey]
) -> Iterator[list[Fit]]:
    """Fits that follow each other and are of one candidate and one key."""
    for key, group in groupby(fits, lambda fit: (fit.candidate, stack_key(fit))):
        together = list(group)
        yield from [together] if key[1] is not None else [[fit] for fit in together]


def _parts(fits: list[Fit], size: int | None) -> list[list[Fit]]:
    if size is None:
        return [fits]
    return [fits[k : k + size] for k in range(0, len(fits), size)]
