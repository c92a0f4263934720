"""Lines that tell how a search is doing."""

from __future__ import annotations

import time

from sktune._types import Evaluation, Observation

_SECONDS_BETWEEN_LINES = 1.0
_NOTHING = (-1, float("-inf"))


class Progress:
    """Prints a line when a candidate is the best so far, else once a second at most.

    The best is the best among those with the most resources so far.

    Parameters
    ----------
    n_evaluations : int
        Number of evaluations that the search will make.
    verbose : int
        Prints nothing at 0.
    """

    def __init__(self, n_evaluations: int, verbose: int) -> None:
        self._n_evaluations = n_evaluations
        self._verbose = verbose
        self._n_done = 0
        self._best = _NOTHING
        self._start = self._last_line = time.monotonic()

    def __call__(self, one: Evaluation, seen: Observation) -> None:
        self._n_done += 1
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
        left = elapsed / self._n_done * (self._n_evaluations - self._n_done)
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
