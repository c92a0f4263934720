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
from contextlib import ExitStack, nullcontext
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

import joblib
from joblib.parallel import BatchedCalls
from sklearn import get_config
from sklearn.utils.parallel import delayed

from sktune._types import Fit, FitOutcome
from sktune.execution.dispatch._gc_freeze import spare_collections
from sktune.execution.dispatch._lost_workers import Losses, lost_twice, warn_of
from sktune.execution.dispatch._orphans import end_with
from sktune.execution.dispatch._pool import Pool, breaks_pool, check_device, is_loss
from sktune.execution.dispatch._remote_workers import (
    Asks,
    States,
    Travel,
    arrange,
    check_workers,
    is_away,
    run_away,
)
from sktune.execution.dispatch._running_fits import Note, Notes
from sktune.execution.dispatch._shared_data import (
    NotSeenError,
    Parcel,
    Shared,
    dumps,
    loads,
    portable_errors,
)
from sktune.execution.estimators._nets import find_nets
from sktune.execution.fitting._fit import Job, fail_fit, run_fit
from sktune.execution.guards._interrupts import (
    Interrupted,
    Interrupts,
    ignored_interrupts,
    uninterrupted,
)
from sktune.execution.guards._random_states import inside_own_random_states
from sktune.execution.guards._threads import limit_threads
from sktune.execution.guards._timeout import stoppable, stopping_threads

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

    Notes
    -----
    A worker that is killed takes with it what it ran, and in most backends the whole
    pool. Then there is a new one. What had not begun is sent again; a fit that may have
    been the cause runs once more, with nothing beside it, and has failed if that worker
    is lost too. So no fit fails for what ran beside it.
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
        self._suspects: deque[Fit] = deque()  # to run once more, one at a time
        self._in_flight: dict[int, list[Fit]] = {}  # units by their numbers
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._n_sent = 0
        self._n_arrived = 0  # in a pool of threads, each unit once
        self._alone = False  # whether what is in flight is a suspect
        self._losses: Losses | None = None  # none where workers are threads
        self._unit_size = 1
        self._seconds_per_fit = 0.0
        self._stopped = threading.Event()
        self._interrupts = Interrupts()
        self._stack = ExitStack()

    def __enter__(self) -> Workers:
        self._pool = Pool(self._n_jobs)
        self._stack.callback(lambda: self._pool.close())
        self.n_workers = self._pool.n_workers
        try:
            if self.n_workers == 1:
                self._stack.enter_context(self._interrupts)
            else:
                self._start(self._pool.options)
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start(self, options: dict[str, Any]) -> None:
        for net in find_nets(self._job.estimator).values():
            check_device(net.device, self._pool.forks)
        self._pool.start()
        if hasattr(self._pool.backend, "client"):  # dask
            check_workers(self._pool.backend.client)
        self._max_units = _limit(self._pre_dispatch, self.n_workers)
        self._in_threads = self._pool.in_threads
        folder = options.get("temp_folder") or os.environ.get("JOBLIB_TEMP_FOLDER")
        self._shared = Shared(
            self._job, folder=folder, max_nbytes=options.get("max_nbytes")
        )
        self._stack.callback(self._shared.close)
        self._travel = Travel(self._job, self._shared)
        if self._in_threads:
            self._stack.callback(limit_threads(joblib.cpu_count() // self.n_workers))
        else:
            self._shared.write()
            notes = Notes(folder)
            self._stack.callback(notes.close)
            self._losses = Losses(notes)
        self._wrapper, _, _ = delayed(_run_unit)()
        filters = getattr(sys.modules["warnings"], "filters", [])
        self._wrapper.with_config_and_warning_filters(get_config(), list(filters))

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A second Ctrl-C must not leave workers behind.
        with uninterrupted() as second:
            try:
                if self._in_flight:
                    self._abort(second)
            finally:
                self._stack.close()

    def _abort(self, second: Interrupted) -> None:
        """After an error or an interrupt, what still runs would run for nobody."""
        self._stopped.set()
        if self._in_threads:
            # Threads cannot be ended from outside. They start no further fit, end a
            # net at its next batch, and must not draw from the caller's generators
            # once these are handed back. Whoever insists need not wait for the rest.
            with stopping_threads():
                # As they arrive: the interrupt may have taken one from the queue.
                while self._n_arrived < self._n_sent and not second.came:
                    time.sleep(0.01)
        self._pool.abort()

    def submit(self, fit: Fit) -> None:
        """Queue one fit; it runs when its turn comes."""
        if self._pool.forks:
            for name, value in fit.params.items():
                if name.rpartition("__")[2] == "device":
                    check_device(value, forks=True)
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
        done: Done = []
        # In a worker of dask, others may use its place while it waits.
        with self._pool.backend.retrieval_context():
            while not done:
                self._dispatch()
                if not self._in_flight:
                    return []
                done += self._take(*self._wait())
                while not self._done.empty():
                    done += self._take(*self._done.get())
        self._dispatch()
        return done

    def _dispatch(self) -> None:
        """Send units of work until enough are on their way."""
        if self._suspects or self._alone:
            if self._in_flight:
                return
            self._alone = bool(self._suspects)
            if self._alone:
                if self._may_start():
                    self._send([self._suspects.popleft()])
                return
        while (
            self._ready and len(self._in_flight) < self._max_units and self._may_start()
        ):
            # Everybody gets something, and nobody gets the whole rest of the search.
            fair = max(1, len(self._ready) // (2 * self.n_workers))
            size = min(self._unit_size, fair)
            self._send([self._ready.popleft() for _ in range(size)])

    def _send(self, unit: list[Fit], asks: Asks | None = None) -> None:
        """Send a unit of work, and what a worker has asked for."""
        number = self._n_sent
        args: tuple[Any, ...]
        if self._in_threads:
            args = (self._shared, unit, self._stopped)
        else:
            assert self._losses is not None
            luggage = self._travel.luggage(unit, asks)
            note = self._losses.note_of(number)
            args = (self._shared, dumps(unit), None, *luggage, note)
        nested = self._pool.backend.get_nested_backend()
        task = BatchedCalls([(self._wrapper, args, {})], nested)
        self._n_sent += 1
        self._in_flight[number] = unit
        try:
            self._pool.submit(task, partial(self._arrived, number))
        except Exception as error:
            self._arrived(number, error)  # that a worker is gone, say

    def _arrived(self, number: int, out: Any) -> None:
        """Called by joblib from a thread of its own."""
        if self._losses is not None and is_loss(self._pool.error_of(out)):
            # Now, since the other workers of a broken pool are about to be ended.
            self._losses.dead |= self._pool.dead()
        self._done.put((number, out))
        self._n_arrived += 1

    def _wait(self) -> tuple[int | None, Any]:
        """The next unit of which there is news; None if a worker is silently gone."""
        while True:
            try:
                arrived: tuple[int, Any] = self._done.get(timeout=self._pool.patience)
            except Empty:
                if self._losses is not None and self._pool.has_silently_lost():
                    self._losses.dead |= self._pool.dead()
                    return None, None
            else:
                return arrived

    def _take(self, number: int | None, out: Any) -> Done:
        """What is done with news of a unit."""
        if number is None:
            return self._renew()
        unit = self._in_flight.pop(number, None)
        if unit is None:
            return []  # said twice, or by a pool that has been given up
        loss: BaseException | None = None
        try:
            (answer,) = self._pool.result(out)
        except BaseException as error:
            loss = error
        if loss is not None:
            answer = None if is_loss(loss) else self._travel.lost(unit, loss)
            if breaks_pool(loss):
                self._in_flight[number] = unit
                return self._renew()
        if answer is None:
            return self._sort_out({number: unit})
        if self._losses is not None:
            self._losses.hear()
        if isinstance(answer, Asks):
            self._send(unit, answer)
            return []
        outcomes, seconds = answer
        done = list(zip(unit, outcomes, strict=True))
        for fit, outcome in done:
            self._travel.unpack(fit, outcome)
        per_fit = seconds / len(done)
        known = self._seconds_per_fit
        self._seconds_per_fit = 0.8 * known + 0.2 * per_fit if known else per_fit
        wanted = int(_UNIT_SECONDS / max(self._seconds_per_fit, 1e-9))
        self._unit_size = max(1, min(wanted, 2 * self._unit_size))
        return done

    # -- after a loss --------------------------------------------------------------

    def _renew(self) -> Done:
        """Replace a pool that has lost a worker."""
        self._pool.close()
        self._pool = Pool(self._n_jobs)
        self._pool.start()
        # What the old pool still had to say, it has said by now.
        done: Done = []
        while not self._done.empty():
            number, out = self._done.get()
            if not is_loss(self._pool.error_of(out)):
                done += self._take(number, out)
        lost, self._in_flight = self._in_flight, {}
        return done + self._sort_out(lost)

    def _sort_out(self, lost: dict[int, list[Fit]]) -> Done:
        """Send again what was lost; returns as failed what is lost once more."""
        assert self._losses is not None
        suspects, others = self._losses.sort(lost)
        if self._alone:
            self._suspects.extendleft(others)
            return [
                (fit, fail_fit(self._job, fit, lost_twice(fit))) for fit in suspects
            ]
        self._suspects.extend(suspects)
        self._ready.extendleft(reversed(others))
        warn_of(suspects)
        return []


def _run_unit(
    shared: Shared,
    payload: bytes | list[Fit],
    stopped: threading.Event | None,
    states: States | None = None,
    parcel: Parcel | None = None,
    note: Note | None = None,
) -> tuple[list[FitOutcome], float] | Asks:
    """What a worker does: some fits, and the seconds that they took."""
    start = time.perf_counter()
    outcomes = []
    if note is not None:
        end_with(note.search)
        note.write(0)
    # Ctrl-C reaches workers too; what becomes of them is decided where the search is.
    with nullcontext() if note is None else ignored_interrupts(), stoppable(stopped):
        try:
            job = shared.get(parcel, arrange)
        except NotSeenError:
            return Asks(job=True)
        away = is_away(job)
        if away and states is None:
            return Asks(job=False)
        unit = loads(payload) if isinstance(payload, bytes) else payload
        for position, fit in enumerate(unit):
            if stopped is not None and stopped.is_set():
                break
            if note is not None and position:
                note.write(position)
            with nullcontext() if note is None else portable_errors():
                if away:
                    outcomes.append(run_away(job, fit, states or {}))
                else:
                    outcomes.append(run_fit(job, fit, stopped))
    if note is not None:
        note.remove()
        spare_collections(job)
    return outcomes, time.perf_counter() - start


def _limit(pre_dispatch: int | str, n_workers: int) -> float:
    """Number of units that `pre_dispatch` allows, e.g. 4 for "2*n_jobs" and 2 jobs."""
    if pre_dispatch == "all":
        return float("inf")
    if isinstance(pre_dispatch, str):
        expression = pre_dispatch.replace("n_jobs", str(n_workers))
        try:
            return max(1, int(joblib.parallel.eval_expr(expression)))
        except Exception as error:
            raise ValueError(
                f"pre_dispatch={pre_dispatch!r} is not a valid number of units "
                f"({error}). Give an integer, 'all', or an expression such as "
                "'2*n_jobs'."
            ) from error
    return max(1, int(pre_dispatch))
