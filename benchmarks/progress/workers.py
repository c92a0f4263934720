"""A search that was recorded with one worker, as it would have been with several."""

from __future__ import annotations

import heapq
import statistics
from itertools import count
from typing import Any

from sktune._protocols import Listener
from sktune._types import Problem
from sktune.engine import Engine

# Seconds until workers are there, and what the first fit of each takes beside.
STARTING, FIRST_FIT = 0.5, 1.0


class _Recorded:
    """By candidate, split and rung: seconds, outcomes, and who was trained together."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.seconds: dict[Any, float] = {}
        self.outcomes: dict[Any, Any] = {}
        self.units: dict[Any, int | None] = {}
        self.params: dict[int, Any] = {}
        self.asking: list[float] = []
        sent: dict[int, float] = {}
        before = record["t0"]
        for now, what, *args in record["ev"]:
            if what == "on_ask":
                self.asking.append(args[0])
            elif what == "submit":
                sent[args[0][0].unit] = now
                for fit in args[0]:
                    self.params[fit.candidate] = fit.params
                    self.units[key(fit)] = fit.unit if len(args[0]) > 1 else None
            elif what == "done" and args[0]:
                began = max([before, *(sent[fit.unit] for fit, _ in args[0])])
                for fit, outcome in args[0]:
                    self.seconds[key(fit)] = (now - began) / len(args[0])
                    self.outcomes[key(fit)] = outcome
                before = now
        self._without_imports()

    def _without_imports(self) -> None:
        """The very first fit takes what others of its candidate take."""
        first = next(iter(self.seconds))
        alike = [self.seconds[k] for k in self.seconds if k[::2] == first[::2]]
        if self.units[first] is None and len(alike) > 1:
            self.seconds[first] = statistics.median(alike[1:])

    def complete(self, fit: Any) -> None:
        """What was not run in the recording is as long as others of its rung."""
        if key(fit) not in self.seconds:
            others = [s for k, s in self.seconds.items() if k[2] == fit.iter]
            self.seconds[key(fit)] = statistics.mean(others)
            of_it = (o for k, o in self.outcomes.items() if k[0] == fit.candidate)
            self.outcomes[key(fit)] = next(of_it)


def key(fit: Any) -> tuple[int, int, int]:
    return fit.candidate, fit.split, fit.iter


class _Simulation(Listener):
    """Strategy, workers and listener at once, on a clock."""

    def __init__(self, recorded: _Recorded, n_workers: int) -> None:
        self.recorded, self.n_workers = recorded, n_workers
        self.now, self.events = 0.0, []  # type: ignore[var-annotated]
        self._free = [(STARTING, True)] * n_workers
        self._queue: list[Any] = []
        self._running: list[Any] = []
        self._number, self._has_begun = count(), False

    def init(self, problem: Problem) -> None:
        return None

    def tell(self, state: None, observation: Any) -> None:
        return None

    def ask(self, state: None, candidate: int, pending: Any, seed: int) -> Any:
        if self.recorded.asking and candidate in self.recorded.params:
            seconds = self.recorded.asking[
                min(candidate, len(self.recorded.asking) - 1)
            ]
            self.now += seconds
            self._keep("on_ask", seconds)
        return self.recorded.params.get(candidate)

    def submit(self, unit: Any) -> None:
        self._keep("submit", unit)
        self._queue.append(unit)

    def next_done(self) -> list[Any]:
        if not self._has_begun:
            self._has_begun = True
            self._keep("begin", self.n_workers)
        while self._queue and self._free:
            unit = self._queue.pop(0)
            free_at, is_first = heapq.heappop(self._free)
            for fit in unit:
                self.recorded.complete(fit)
            seconds = sum(self.recorded.seconds[key(fit)] for fit in unit)
            end = max(self.now, free_at) + seconds + FIRST_FIT * is_first
            heapq.heappush(self._running, (end, next(self._number), unit))
        done = []
        if self._running:
            end, _, unit = heapq.heappop(self._running)
            self.now = max(self.now, end)
            heapq.heappush(self._free, (self.now, False))
            done = [(fit, self.recorded.outcomes[key(fit)]) for fit in unit]
        self._keep("done", done)
        return done

    def on_evaluation(self, evaluation: Any, observation: Any) -> None:
        self._keep("on_evaluation", evaluation, observation)

    def on_stop(self, candidate: int) -> None:
        self._keep("on_stop", candidate)

    def _keep(self, what: str, *args: Any) -> None:
        self.events.append((self.now, what, *args))


def with_workers(record: dict[str, Any], n_workers: int) -> dict[str, Any]:
    """The record of the same search with so many workers.

    Fits take what they have taken, and proposals too, and nobody disturbs another.
    """
    recorded = _Recorded(record)
    simulation: Any = _Simulation(recorded, n_workers)
    metric = next(iter(next(iter(recorded.outcomes.values())).test_scores))
    Engine(
        simulation,
        record["schedule"],
        Problem(None, n_splits=record["n_splits"]),
        simulation,
        root=0,
        score=lambda outcome: outcome.score(metric),
        n_pending=record["n_pending"],
        stack_key=lambda fit: recorded.units.get(key(fit)),
        listeners=[simulation],
    ).run()
    last = [now for now, what, *args in record["ev"] if what == "done" and args[0]][-1]
    end = simulation.now + record["t1"] - last
    events = simulation.events
    return {**record, "n_jobs": n_workers, "ev": events, "t0": 0.0, "t1": end}
