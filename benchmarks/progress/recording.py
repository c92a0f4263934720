"""What happens in a search and when, kept so that it can be told again."""

from __future__ import annotations

import time
from typing import Any

from sktune._types import FitOutcome, Unit
from sktune.run import _run
from sktune.run.listeners._cost import ToCome
from sktune.run.listeners._time_left import TimeLeft

Told = list[tuple[float, float | None]]
_OTHERS = ("begin", "on_ask", "on_evaluation", "on_stop")


class Recorder:
    """Keeps what a search that runs within tells of itself.

    Attributes
    ----------
    events : list of tuple
        When, what, and with which arguments.
    given : dict
        What `TimeLeft` is made of, and `schedule`, `listed` and `space` of the search.
    """

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.given: dict[str, Any] = {}
        self._patched: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Recorder:
        for name in _OTHERS:
            self._patch(TimeLeft, name, self._keeping(name, getattr(TimeLeft, name)))
        self._patch(_run, "Watched", self._watched(_run.Watched))
        engine = _run.SearchRun._engine

        def kept(run: Any, *args: Any) -> Any:
            proposal, time_left = run.proposal, run.progress.time_left
            self.given = {
                "cost": time_left._cost,
                "n_splits": time_left.n_splits,
                "n_pending": proposal.n_pending,
                "refit": time_left._refit,
                "listed": getattr(proposal.strategy, "candidates", None),
                "space": proposal.problem.space,
                "schedule": proposal.schedule,
            }
            return engine(run, *args)

        self._patch(_run.SearchRun, "_engine", kept)
        return self

    def __exit__(self, *_: object) -> None:
        for where, name, before in self._patched:
            setattr(where, name, before)

    def _patch(self, where: Any, name: str, new: Any) -> None:
        self._patched.append((where, name, getattr(where, name)))
        setattr(where, name, new)

    def _keep(self, what: str, *args: Any) -> None:
        self.events.append((time.monotonic(), what, *args))

    def _keeping(self, name: str, method: Any) -> Any:
        def kept(time_left: TimeLeft, *args: Any) -> Any:
            self._keep(name, *args)
            return method(time_left, *args)

        return kept

    def _watched(self, parent: Any) -> Any:
        keep = self._keep

        class Kept(parent):
            def submit(self, unit: Unit) -> None:
                keep("submit", unit)
                super().submit(unit)

            def next_done(self) -> list[tuple[Any, FitOutcome]]:
                done: list[tuple[Any, FitOutcome]] = super().next_done()
                keep("done", done)
                return done

        return Kept


def told(record: dict[str, Any]) -> Told:
    """What a bar shows of the time left, renewed at each fit and each candidate."""
    time_left = TimeLeft(
        record["cost"],
        record["n_splits"],
        record["n_pending"],
        record["refit"],
        to_come=_to_come(record),
    )
    shown: Told = []
    for now, what, *args in record["ev"]:
        if what == "submit":
            time_left.on_submit(args[0], now)
            continue
        if what == "done":
            for fit, outcome in args[0]:
                time_left.on_arrival(fit, outcome, now)
        elif what == "on_evaluation":
            time_left.on_evaluation(*args[:2])
        elif what == "on_stop":
            time_left.on_stop(args[0])
        elif what in _OTHERS:
            getattr(time_left, what)(*args)
            continue
        shown.append((now, time_left.seconds(now)))
    return shown


def _to_come(record: dict[str, Any]) -> ToCome:
    import numpy as np

    if record["listed"] is not None:
        return ToCome(list(record["listed"]), are_listed=True)
    if record["space"] is None:
        return ToCome()
    points = np.random.default_rng(0).random((100, record["space"].n_dims))
    return ToCome([record["space"].decode(point) for point in points])


def by_mean(record: dict[str, Any]) -> Told:
    """As if it were known how many fits are left: times the mean of those so far."""
    seconds = _seconds(record)
    shown, so_far = [], 0.0
    for n, (now, one) in enumerate(seconds, 1):
        so_far += one
        left = so_far / n * (len(seconds) - n) / record["n_jobs"]
        shown.append((now, left + _after(record)))
    return shown


def by_all(record: dict[str, Any]) -> Told:
    """As if it were known what each of the fits that are left takes."""
    seconds = _seconds(record)
    left, shown = sum(one for _, one in seconds), []
    for now, one in seconds:
        left -= one
        shown.append((now, left / record["n_jobs"] + _after(record)))
    return shown


def _seconds(record: dict[str, Any]) -> list[tuple[float, float]]:
    """When each fit came in, and what it has taken."""
    done = [(now, args[0]) for now, what, *args in record["ev"] if what == "done"]
    return [
        (now, outcome.fit_time + outcome.score_time)
        for now, fits in done
        for _, outcome in fits
    ]


def _after(record: dict[str, Any]) -> float:
    """Seconds from the last fit to the end: the refit."""
    return float(record["t1"] - _seconds(record)[-1][0])
