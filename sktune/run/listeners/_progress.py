"""How a search is doing: a bar that is renewed, or lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sktune._protocols import Listener
from sktune._text import rough_duration, short_names
from sktune._types import Evaluation, Fit, FitOutcome, Observation, Unit
from sktune.run.listeners._progress_bar import ProgressBar, has_screen
from sktune.run.listeners._time_left import TimeLeft

_SECONDS_BETWEEN_LINES = 3.0
_NOTHING = (-1, float("-inf"))


class Progress(Listener):
    """Tells how far a search is, how long it will take and what is best so far.

    In a terminal and in a notebook a bar is renewed. In a file, and where each fit
    prints a line of its own, a line is printed when a candidate is the best so far,
    else every few seconds at most. The best is the best among those with the most
    resources so far. What a journal already has is not printed again.

    Parameters
    ----------
    n_evaluations : int or None
        Number of evaluations that the search will make; None where it is not known.
    verbose : int
        Prints nothing at 0, and lines in any case above 1.
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
        self._bar = ProgressBar(clock) if verbose == 1 and has_screen() else None
        self._resource = resource.rpartition("__")[2]
        self._clock = clock
        self._n_done = self._n_fits = 0
        self._has_begun = self._is_complete = self._is_over = False
        self._best = _NOTHING
        self._best_params = self._latest = ""
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
        self._renew_bar(at_once=True)

    def on_submit(self, unit: Unit) -> None:
        """Fits were decided on, and are sent to workers."""
        if self._verbose > 0:
            self.time_left.on_submit(unit, self._clock())

    def on_arrival(self, fit: Fit, outcome: FitOutcome) -> None:
        """One fit is done; called at once, and so in an order that tells nothing."""
        self._n_fits += 1
        if self._verbose > 0:
            self.time_left.on_arrival(fit, outcome, self._clock())
            self._renew_bar()

    def on_evaluation(self, one: Evaluation, seen: Observation) -> None:
        now = self._clock()
        is_complete = self.time_left.on_evaluation(one, seen)
        self._n_done += is_complete
        if self._verbose < 1:
            return
        self._latest = self._rung(one)
        result = (
            one.n_resources or 0,
            float("-inf") if seen.failed else seen.score,
        )
        is_best = is_complete and not seen.failed and result > self._best
        if is_best:
            self._best, self._best_params = result, _params(one, are_short=True)
        if self._bar is not None:
            self._renew_bar(at_once=is_best)
            return
        is_last = is_complete and self._n_done == self._n_evaluations
        is_due = is_best or now - self._last_line >= _SECONDS_BETWEEN_LINES
        if is_last or (is_due and self._has_begun):
            self._last_line = now
            self._say(self._line(one, seen, now))

    def on_stop(self, candidate: int) -> None:
        if not self.time_left.on_stop(candidate):
            return
        self._n_done += 1
        self._renew_bar()
        if self._bar is None and self._n_done == self._n_evaluations:
            n, gone = self._n_evaluations, rough_duration(self._clock() - self._start)
            self._say(f"[{n}/{n}] best {self._best_so_far()} | {gone} gone")

    def on_end(self, evaluations: Sequence[Evaluation]) -> None:
        is_known = self._n_evaluations is not None
        self._is_complete = not is_known or self._n_done == self._n_evaluations

    def begin_refit(self, n_rows: int) -> None:
        """Say that the best candidate is refitted."""
        self.close()
        seconds = self.time_left.of_refit()
        is_told = seconds is not None and seconds >= 1
        about = f", about {rough_duration(seconds or 0.0)}" if is_told else ""
        self._say(f"Refitting the best candidate on all {n_rows} rows{about}")

    def close(self) -> None:
        """Nothing is told any more, or something else prints now."""
        if self._bar is not None:
            self._renew_bar(at_once=True)
            self._is_over = True
            self._bar.close()

    # -- what is said --------------------------------------------------------------

    def _say(self, *lines: str) -> None:
        if self._verbose > 0:
            for line in lines:
                if self._bar is None:
                    print(line, flush=True)
                else:
                    self._bar.say(line)

    def _renew_bar(self, *, at_once: bool = False) -> None:
        if self._bar is None or not self._has_begun or self._is_over:
            return
        if at_once or self._bar.is_due:
            share = 1.0 if self._is_complete else self.time_left.share_done()
            self._bar.show(share, self._parts(self._clock()))

    def _parts(self, now: float) -> list[str]:
        """What stands beside the bar, the most important first."""
        n_left = self.time_left.n_fits_left()
        is_known = self._n_evaluations is not None
        fits = f"{self._n_fits}/{self._n_fits + n_left}" if is_known else self._n_fits
        best = self._best_so_far()
        params = [f"best: {self._best_params}"] if self._best_params else []
        return [
            f"{fits} fits, {self._left(now)} left, best {best}",
            *params,
            f"{rough_duration(now - self._start)} gone",
            *([f"now{self._latest}"] if self._latest else []),
        ]

    def _line(self, one: Evaluation, seen: Observation, now: float) -> str:
        score = "failed" if seen.failed else f"{seen.score:.4g}"
        total = self._n_evaluations
        done = f"{self._n_done}"
        if total is not None:
            done = f"{self._n_done:{len(str(total))}}/{total}"
        return (
            f"[{done}] score {score}"
            f"{self._splits(seen)}{self._rung(one)}, best {self._best_so_far()} | "
            f"{rough_duration(now - self._start)} gone, {self._left(now)} left | "
            f"{_params(one)}"
        )

    def _left(self, now: float) -> str:
        seconds = self.time_left.seconds(now)
        return "?" if seconds is None else rough_duration(seconds)

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


def _params(one: Evaluation, *, are_short: bool = False) -> str:
    params = one.candidate.params
    names = short_names(list(params)) if are_short else params
    pairs = zip(names, params.values(), strict=True)
    return ", ".join(f"{name}={_short(value)}" for name, value in pairs)


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = getattr(value, "__name__", None) or " ".join(repr(value).split())
    return text if len(text) <= 40 else f"{text[:37]}..."
