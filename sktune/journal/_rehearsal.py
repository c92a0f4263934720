"""Whether a search that has grown decides as its journal has it, before it is run.

With a greater `n_iter` a search may begin as it did with the smaller one, and may not:
what is drawn, and where a surrogate is asked first, can depend on it. So the search is
run up to where the journal ends, with recorded outcomes and no workers, and every
candidate that the journal has is asked for again and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sktune._protocols import Strategy, StrategyAround
from sktune._types import Fit, FitOutcome, Params, Problem, Unit
from sktune.journal._fingerprints import is_plain
from sktune.journal._replay import (
    FitKey,
    RecordedFit,
    RecordedUnits,
    key_of,
    params_that_differ,
)
from sktune.strategy import Listed


class Rehearsal:
    """The strategy and workers of a search that is run up to where its journal ends.

    Parameters
    ----------
    params : dict of int -> dict
        Of the candidates that the journal has, as JSON.
    recorded : dict of RecordedFit
        In the order of the journal.
    refuse : callable
        Makes an error of what differs.
    n_before : int or None
        How many candidates there were to be when it was written, where that is known
        and no decision depends on which fit ends first.
    """

    def __init__(
        self,
        params: Mapping[int, dict[str, Any]],
        recorded: Mapping[FitKey, RecordedFit],
        refuse: Callable[[list[str]], Exception],
        n_before: int | None,
    ) -> None:
        self._params = params
        self._recorded = recorded
        self._refuse = refuse
        self._n_before = n_before
        self._named: set[int] = set()

    def strategy(self, strategy: Strategy) -> Strategy:
        """The strategy, whose answers are compared."""
        return _ComparedStrategy(
            strategy, self._params, self._compare, self._named, self._n_before
        )

    def workers(self) -> _RecordedWorkers:
        """Workers that have what is recorded, and no more."""
        return _RecordedWorkers(self._recorded, self._refuse)

    def check(
        self, strategy: Strategy, n_candidates: int | None, *, is_over: bool = False
    ) -> None:
        """See that the search came to all candidates which it shares with the journal.

        Parameters
        ----------
        strategy : Strategy
            As it was given.
        n_candidates : int or None
            How many there will be.
        is_over : bool
            Whether the search has come to its end without what the journal has beside.
        """
        for candidate in sorted(self._params.keys() - self._named):
            if n_candidates is not None and candidate >= n_candidates:
                break
            if not isinstance(strategy, Listed):
                if is_over:
                    continue
                there, now = "named in the journal", "other decisions come first now"
                raise self._refuse([f"candidate {candidate} ({there}, {now})"])
            # What is in a list depends on no decision.
            self._compare(candidate, strategy.ask(None, candidate, (), 0))

    def _compare(self, candidate: int, proposed: Params | None) -> None:
        found = params_that_differ(candidate, self._params[candidate], proposed)
        if found:
            raise self._refuse(found)


class _ComparedStrategy(StrategyAround):
    """A strategy that is asked again for the candidates that the journal has."""

    def __init__(
        self,
        strategy: Strategy,
        params: Mapping[int, dict[str, Any]],
        compare: Callable[[int, Params | None], None],
        named: set[int],
        n_before: int | None,
    ) -> None:
        super().__init__(strategy)
        self._params = params
        self._compare = compare
        self._named = named
        self._n_before = n_before
        self._begins_alike = False

    def init(self, problem: Problem) -> Any:
        begins_alike = getattr(self._strategy, "begins_alike", None)
        if begins_alike is not None and self._n_before is not None:
            before = replace(problem, n_candidates=self._n_before)
            self._begins_alike = begins_alike(before, problem)
        return super().init(problem)

    def ask(
        self, state: Any, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        if candidate > max(self._params, default=-1):
            return None  # what it would be is asked for when the search is run
        recorded = self._params.get(candidate)
        self._named.add(candidate)
        if self._begins_alike and recorded is not None:
            comes_back = all(map(is_plain, recorded.values()))
            if comes_back:
                return recorded
        proposed = self._strategy.ask(state, candidate, pending, seed)
        if recorded is not None:
            self._compare(candidate, proposed)
        return proposed


class _RecordedWorkers:
    """Workers that have what is recorded, and run nothing."""

    def __init__(
        self,
        recorded: Mapping[FitKey, RecordedFit],
        refuse: Callable[[list[str]], Exception],
    ) -> None:
        self._units = RecordedUnits(recorded)
        self._keys = set(recorded)
        self._resources = {key[:3]: key[3] for key in recorded}
        self._refuse = refuse

    @property
    def n_workers(self) -> int:
        """Fits that ran at the same time."""
        return self._units.n_workers or 1

    def submit(self, unit: Unit) -> None:
        """Queue one unit; what is not recorded never ends."""
        for fit in unit:
            key = key_of(fit)
            before = self._resources.get(key[:3], fit.n_resources)
            if key not in self._keys and before != fit.n_resources:
                where = f"n_resources of candidate {fit.candidate} in rung {fit.iter}"
                change = f"{before} in the journal, {fit.n_resources} now"
                raise self._refuse([f"{where} ({change})"])
        self._units.take(unit)

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        """The next unit that is recorded; empty where none is left."""
        return self._units.tell()
