"""Lines that tell how a search is doing."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sktune._protocols import Listener
from sktune._types import Evaluation, Observation

_SECONDS_BETWEEN_LINES = 1.0
_NOTHING = (-1, float("-inf"))


@dataclass(frozen=True)
class Cost:
    """What an evaluation costs beside others, and all of them together.

    Attributes
    ----------
    total : float or None
        Of all evaluations; None where each costs 1.
    continues : bool
        Whether a candidate costs no more than what it was given since its last rung.
    """

    total: float | None = None
    continues: bool = False

    def of(self, one: Evaluation, before: int) -> float:
        """Cost of an evaluation of a candidate that had been given so much before."""
        if self.total is None or one.n_resources is None:
            return 1.0
        return float(one.n_resources - (before if self.continues else 0))


COST_OF_ONE = Cost()
"""Each evaluation costs as much as any other."""


class Progress(Listener):
    """Prints a line when a candidate is the best so far, else once a second at most.

    The best is the best among those with the most resources so far.

    Parameters
    ----------
    n_evaluations : int
        Number of evaluations that the search will make.
    verbose : int
        Prints nothing at 0.
    cost : Cost
        By which the time left is told.
    announcement : str
        What is going to be done.
    recorded : str
        What a journal has of it.
    """

    def __init__(
        self,
        n_evaluations: int,
        verbose: int,
        cost: Cost,
        announcement: str = "",
        recorded: str = "",
    ) -> None:
        self._lines_at_the_beginning = [announcement, recorded]
        self._n_evaluations = n_evaluations
        self._verbose = verbose
        self._n_done = 0
        self._cost = cost
        self._spent = 0.0
        self._reached: dict[int, int] = {}
        self._best = _NOTHING
        self._start = self._last_line = time.monotonic()

    def on_begin(self) -> None:
        """Say what is going to be done."""
        if self._verbose > 0:
            for line in filter(None, self._lines_at_the_beginning):
                print(line)

    def on_evaluation(self, one: Evaluation, seen: Observation) -> None:
        self._n_done += 1
        before = self._reached.get(one.candidate.id, 0)
        self._spent += self._cost.of(one, before)
        self._reached[one.candidate.id] = one.n_resources or 0
        if self._verbose < 1:
            return
        result = (
            one.n_resources or 0,
            float("-inf") if seen.failed else seen.score,
        )
        is_best = not seen.failed and result > self._best
        if is_best:
            self._best = result
        now = time.monotonic()
        is_last = self._n_done == self._n_evaluations
        if is_best or is_last or now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            print(self._line(one, seen, now - self._start), flush=True)

    def _line(self, one: Evaluation, seen: Observation, elapsed: float) -> str:
        total = self._cost.total or self._n_evaluations
        left = elapsed * max(0.0, total / max(self._spent, 1.0) - 1.0)
        score = "failed" if seen.failed else f"{seen.score:.4g}"
        at = "" if one.n_resources is None else f" at {one.n_resources}"
        best = "none yet" if self._best == _NOTHING else f"{self._best[1]:.4g}"
        params = ", ".join(f"{k}={_short(v)}" for k, v in one.candidate.params.items())
        width = len(str(self._n_evaluations))
        return (
            f"[{self._n_done:{width}}/{self._n_evaluations}] score {score}{at}, "
            f"best {best} | {_duration(elapsed)} gone, {_duration(left)} left "
            f"| {params}"
        )


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
