"""Hands fits to joblib's workers, one pool for a whole search.

`joblib.Parallel` runs a list of tasks to its end, and a search that learns from its
results has no such list. So `Parallel` is asked for the backend that the user chose
(`n_jobs`, `joblib.parallel_config`), and tasks go to the backend's `submit` in the form
in which `Parallel` itself sends them.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from queue import SimpleQueue
from types import TracebackType
from typing import Any

import cloudpickle
import joblib
from joblib.parallel import BatchedCalls
from sklearn import get_config
from sklearn.utils.parallel import delayed

from sktune._types import Fit, FitOutcome
from sktune.execution._fit import Job, run_fit
from sktune.execution._interrupt import Interrupts
from sktune.execution._isolation import inside_own_random_states
from sktune.execution._share import Shared, dumps
from sktune.execution._threads import limit_threads

# Seconds of work that make the cost of sending a unit negligible (it is about 1 ms).
_UNIT_SECONDS = 0.2

Done = list[tuple[Fit, FitOutcome]]


class Workers:
    """A pool of workers for one search; a context manager.

    Parameters
    ----------
    job : Job
        Handed to each worker once.
    n_jobs : int or None
        As in joblib: None is 1 unless a ``joblib.parallel_config`` says otherwise.
    pre_dispatch : int or str
        Units of work that may be on their way at once, as in joblib; "all" for no
        limit.
    may_start : callable
        Asked before any fit is started; where it returns false, no further one is.

    Attributes
    ----------
    n_workers : int
        Fits that run at the same time; known once the pool is entered.
    """

    def __init__(
        self,
        job: Job,
        n_jobs: int | None,
        pre_dispatch: int | str,
        may_start: Callable[[], bool] = lambda: True,
    ) -> None:
        # Threads below a fit that holds the global generators would wait for ever.
        self._job = job
        self._n_jobs = 1 if inside_own_random_states() else n_jobs
        self._pre_dispatch = pre_dispatch
        self._may_start = may_start
        self._ready: deque[Fit] = deque()
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._n_units = 0
        self._n_sent = 0
        self._n_arrived = 0
        self._unit_size = 1
        self._seconds_per_fit = 0.0
        self._stopped = threading.Event()
        self._interrupts = Interrupts()
        self._stack = ExitStack()

    def __enter__(self) -> Workers:
        parallel = self._stack.enter_context(joblib.Parallel(n_jobs=self._n_jobs))
        # Private names of joblib, held by tests/unit/test_compat.py.
        self._backend = parallel._backend
        self.n_workers = parallel._effective_n_jobs()
        if self.n_workers == 1:
            self._stack.enter_context(self._interrupts)
        else:
            try:
                self._start(parallel._backend_kwargs)
            except BaseException:
                self._stack.close()
                raise
        return self

    def _start(self, options: dict[str, Any]) -> None:
        backend = self._backend
        backend.start_call()
        self._stack.callback(backend.stop_call)
        self._max_units = _limit(self._pre_dispatch, self.n_workers)
        self._in_threads = getattr(backend, "supports_sharedmem", False)
        self._shared = Shared(
            self._job,
            folder=options.get("temp_folder") or os.environ.get("JOBLIB_TEMP_FOLDER"),
            max_nbytes=options.get("max_nbytes"),
        )
        self._stack.callback(self._shared.close)
        if self._in_threads:
            self._stack.callback(limit_threads(joblib.cpu_count() // self.n_workers))
        else:
            self._shared.write()
        self._wrapper, _, _ = delayed(_run_unit)()
        filters = getattr(sys.modules["warnings"], "filters", [])
        self._wrapper.with_config_and_warning_filters(get_config(), list(filters))

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._n_units:
                self._abort()
        finally:
            self._stack.close()

    def _abort(self) -> None:
        """After an error or an interrupt, what still runs would run for nobody."""
        self._stopped.set()
        if self._in_threads:
            # Threads cannot be ended from outside. They start no further fit, and must
            # not draw from the caller's generators once these are handed back.
            # Counted as they arrive: the interrupt may have taken one from the queue.
            while self._n_arrived < self._n_sent:
                time.sleep(0.01)
        self._backend.abort_everything(ensure_ready=False)

    def submit(self, fit: Fit) -> None:
        """Queue one fit; it runs when its turn comes."""
        self._ready.append(fit)

    def next_done(self) -> Done:
        """Wait for at least one fit to end; an empty list when there are none."""
        if self.n_workers == 1:
            if not self._ready or not self._may_start():
                return []
            fit = self._ready.popleft()
            outcome = run_fit(self._job, fit)
            self._interrupts.raise_again()
            return [(fit, outcome)]
        self._dispatch()
        if not self._n_units:
            return []
        done = self._retrieve(self._done.get())
        while not self._done.empty():
            done += self._retrieve(self._done.get())
        self._dispatch()
        return done

    def _dispatch(self) -> None:
        """Send units of work until enough are on their way."""
        while self._ready and self._n_units < self._max_units and self._may_start():
            # Everybody gets something, and nobody gets the whole rest of the search.
            fair = max(1, len(self._ready) // (2 * self.n_workers))
            unit = [self._ready.popleft() for _ in range(min(self._unit_size, fair))]
            args: tuple[Any, ...]
            if self._in_threads:
                args = (self._shared, unit, self._stopped)
            else:
                args = (self._shared, dumps(unit), None)
            nested = self._backend.get_nested_backend()
            task = BatchedCalls([(self._wrapper, args, {})], nested)
            self._backend.submit(task, callback=partial(self._arrived, unit))
            self._n_units += 1
            self._n_sent += 1

    def _arrived(self, unit: list[Fit], out: Any) -> None:
        """Called by joblib from a thread of its own."""
        self._done.put((unit, out))
        self._n_arrived += 1

    def _retrieve(self, arrived: tuple[list[Fit], Any]) -> Done:
        unit, out = arrived
        self._n_units -= 1
        ((outcomes, seconds),) = self._backend.retrieve_result_callback(out)
        done = list(zip(unit, outcomes, strict=True))
        per_fit = seconds / len(done)
        known = self._seconds_per_fit
        self._seconds_per_fit = 0.8 * known + 0.2 * per_fit if known else per_fit
        wanted = int(_UNIT_SECONDS / max(self._seconds_per_fit, 1e-9))
        self._unit_size = max(1, min(wanted, 2 * self._unit_size))
        return done


def _run_unit(
    shared: Shared, payload: bytes | list[Fit], stopped: threading.Event | None
) -> tuple[list[FitOutcome], float]:
    """What a worker does: some fits, and the seconds that they took."""
    start = time.perf_counter()
    job = shared.get()
    unit = cloudpickle.loads(payload) if isinstance(payload, bytes) else payload
    outcomes = []
    for fit in unit:
        if stopped is not None and stopped.is_set():
            break
        outcomes.append(run_fit(job, fit))
    return outcomes, time.perf_counter() - start


def _limit(pre_dispatch: int | str, n_workers: int) -> float:
    """Number of units that `pre_dispatch` allows, e.g. 4 for "2*n_jobs" and 2 jobs."""
    if pre_dispatch == "all":
        return float("inf")
    if isinstance(pre_dispatch, str):
        expression = pre_dispatch.replace("n_jobs", str(n_workers))
        pre_dispatch = joblib.parallel.eval_expr(expression)
    return max(1, int(pre_dispatch))
