"""Lines that tell how a search is doing."""

from __future__ import annotations

import time
from collections.abc import Callable

from sktune._protocols import Listener
from sktune._types import Evaluation, Fit, FitOutcome, Observation
from sktune.run.listeners._time_left import TimeLeft

_SECONDS_BETWEEN_LINES = 1.0
_NOTHING = (-1, float("-inf"))


class Progress(Listener):
    """Prints a line when a candidate is the best so far, else once a second at most.

    The best is the best among those with the most resources so far. What a journal
    already has is not printed again.

    Parameters
    ----------
    n_evaluations : int or None
        Number of evaluations that the search will make; None where it is not known.
    verbose : int
        Prints nothing at 0.
    time_left : TimeLeft
    announcement : str
        What is going to be done.
    resource : str
        Name of what candidates are given more of.
    clock : callable
        Seconds from any moment.

    Attributes
    ----------
    recorded : str
        What a journal has of it.
    """

    def __init__(
        self,
        n_evaluations: int | None,
        verbose: int,
        time_left: TimeLeft,
        announcement: str = "",
        resource: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._announcement = announcement
        self.recorded = ""
        self._n_evaluations = n_evaluations
        self._verbose = verbose
        self._resource = resource.rpartition("__")[2]
        self._clock = clock
        self._n_done = 0
        self._has_begun = False
        self._best = _NOTHING
        self._start = self._last_line = clock()
        self.time_left = time_left

    def on_begin(self) -> None:
        """Say what is going to be done."""
        self._say(*filter(None, [self._announcement, self.recorded]))

    def begin_fits(self, n_workers: int) -> None:
        """Say that workers are started; called before a fit is sent to them."""
        if self._has_begun:
            return
        self._has_begun = True
        self.time_left.begin(n_workers)
        if n_workers > 1:
            self._say(f"Starting {n_workers} workers")

    def on_fit(self, fit: Fit, outcome: FitOutcome) -> None:
        self.time_left.on_fit(fit, outcome)

    def on_evaluation(self, one: Evaluation, seen: Observation) -> None:
        now = self._clock()
        is_complete = self.time_left.on_evaluation(one, seen, now)
        self._n_done += is_complete
        if self._verbose < 1:
            return
        result = (
            one.n_resources or 0,
            float("-inf") if seen.failed else seen.score,
        )
        is_best = is_complete and not seen.failed and result > self._best
        if is_best:
            self._best = result
        is_last = is_complete and self._n_done == self._n_evaluations
        is_due = is_best or now - self._last_line >= _SECONDS_BETWEEN_LINES
        if is_last or (is_due and self._has_begun):
            self._last_line = now
            self._say(self._line(one, seen, now))

    def on_stop(self, candidate: int) -> None:
        now = self._clock()
        if not self.time_left.on_stop(candidate, now):
            return
        self._n_done += 1
        if self._n_done == self._n_evaluations:  # no evaluation says so
            n, gone = self._n_evaluations, _duration(now - self._start)
            self._say(f"[{n}/{n}] best {self._best_so_far()} | {gone} gone")

    def begin_refit(self, n_rows: int) -> None:
        """Say that the best candidate is refitted."""
        seconds = self.time_left.of_refit()
        is_told = seconds is not None and seconds >= 1
        about = f", about {_duration(seconds or 0.0)}" if is_told else ""
        self._say(f"Refitting the best candidate on all {n_rows} rows{about}")

    def _say(self, *lines: str) -> None:
        if self._verbose > 0:
            for line in lines:
                print(line, flush=True)

    def _line(self, one: Evaluation, seen: Observation, now: float) -> str:
        seconds = self.time_left.seconds(now)
        left = "?" if seconds is None else _duration(seconds)
        score = "failed" if seen.failed else f"{seen.score:.4g}"
        best = self._best_so_far()
        params = ", ".join(f"{k}={_short(v)}" for k, v in one.candidate.params.items())
        total = self._n_evaluations
        done = f"{self._n_done}"
        if total is not None:
            done = f"{self._n_done:{len(str(total))}}/{total}"
        return (
            f"[{done}] score {score}"
            f"{self._splits(seen)}{self._rung(one)}, best {best} | "
            f"{_duration(now - self._start)} gone, {left} left | {params}"
        )

    def _best_so_far(self) -> str:
        best = "none yet" if self._best == _NOTHING else f"{self._best[1]:.4g}"
        return f"{best} at {self._best[0]}" if self._best[0] > 0 else best

    def _splits(self, seen: Observation) -> str:
        n_run, n_splits = len(seen.scores), self.time_left.n_splits
        return "" if n_run == n_splits else f" on {n_run} of {n_splits} splits"

    def _rung(self, one: Evaluation) -> str:
        if one.n_resources is None:
            return ""
        rung = f"bracket {one.candidate.bracket}, iter {one.iter}"
        return f" at {self._resource}={one.n_resources} ({rung})"


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = getattr(value, "__name__", None) or repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
