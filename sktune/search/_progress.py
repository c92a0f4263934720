"""Lines that tell how a search is doing."""

from __future__ import annotations

import time

from sktune._types import Candidate, Observation

_SECONDS_BETWEEN_LINES = 1.0


class Progress:
    """Prints a line when a candidate is the best so far, else once a second at most.

    Parameters
    ----------
    n_candidates : int
        Number of candidates that the search will try.
    verbose : int
        Prints nothing at 0.
    """

    def __init__(self, n_candidates: int, verbose: int) -> None:
        self._n_candidates = n_candidates
        self._verbose = verbose
        self._n_done = 0
        self._best = float("-inf")
        self._start = self._last_line = time.monotonic()

    def __call__(self, candidate: Candidate, observation: Observation) -> None:
        self._n_done += 1
        if self._verbose < 1:
            return
        is_best = not observation.failed and observation.score > self._best
        if is_best:
            self._best = observation.score
        now = time.monotonic()
        is_last = self._n_done == self._n_candidates
        if is_best or is_last or now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            print(self._line(candidate, observation, now - self._start), flush=True)

    def _line(
        self, candidate: Candidate, observation: Observation, elapsed: float
    ) -> str:
        left = elapsed / self._n_done * (self._n_candidates - self._n_done)
        score = "failed" if observation.failed else f"{observation.score:.4g}"
        best = "none yet" if self._best == float("-inf") else f"{self._best:.4g}"
        params = ", ".join(f"{k}={_short(v)}" for k, v in candidate.params.items())
        width = len(str(self._n_candidates))
        return (
            f"[{self._n_done:{width}}/{self._n_candidates}] score {score}, best {best}"
            f" | {_duration(elapsed)} gone, {_duration(left)} left | {params}"
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
