"""Hands units of fits to joblib's workers, one pool for a whole search.

`joblib.Parallel` runs a list of tasks to its end, and a search that learns from its
results has no such list. So `Parallel` is asked for the backend that the user chose
(`n_jobs`, `joblib.parallel_config`), and tasks go to the backend's `submit` in the form
in which `Parallel` itself sends them. One worker is this process, and works on the same
tasks.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

import joblib

from sktune._types import Fit, FitOutcome, Unit
from sktune.execution._job import Job
from sktune.execution.dispatch._batch import (
    Answer,
    run_batch,
    run_batch_in_worker,
    too_large,
)
from sktune.execution.dispatch._lost_workers import LostWorkers, lost_twice, warn_of
from sktune.execution.dispatch._pool import (
    Pool,
    breaks_pool,
    check_device,
    is_loss,
    with_config,
)
from sktune.execution.dispatch._remote_workers import (
    RemoteWorkers,
    Request,
    check_workers,
)
from sktune.execution.dispatch._running_fits import RunningFits
from sktune.execution.dispatch._shared_data import Shared, dumps
from sktune.execution.estimators._nets import find_nets
from sktune.execution.fitting._unit import failed
from sktune.execution.guards._interrupts import Interrupted, Interrupts, uninterrupted
from sktune.execution.guards._random_states import inside_own_random_states
from sktune.execution.guards._settings import check_settings
from sktune.execution.guards._threads import limit_threads
from sktune.execution.guards._timeout import stopping_threads

# Seconds of work that make the cost of sending a batch negligible (it is about 1 ms).
_BATCH_SECONDS = 0.2

Batch = list[Unit]
"""Units that are sent to a worker together: by how long they take, and no matter for
the results."""

Done = list[tuple[Fit, FitOutcome]]


class WorkerPool:
    """A pool of workers for one search; a context manager.

    Parameters
    ----------
    job : Job
        Handed to each worker once.
    n_jobs : int or None
        As in joblib: None is 1 unless a ``joblib.parallel_config`` says otherwise.
    pre_dispatch : int or str
        Batches that may be on their way at once, as in joblib; "all" for no limit.
    may_start : callable
        Asked before any batch is sent; where it returns false, no further one is.
    callback_ctx : callable
        Makes scikit-learn's context for the callbacks of a fit that is going to run.

    Attributes
    ----------
    n_workers : int
        Fits that run at the same time; known once the pool is entered.

    Notes
    -----
    A worker that is killed takes with it what it ran, and in most backends the whole
    pool. Then there is a new one. What had not begun is sent again; a unit that may
    have been the cause runs once more, with nothing beside it, and has failed if that
    worker is lost too. So no fit fails for what ran beside it.
    """

    def __init__(
        self,
        job: Job,
        n_jobs: int | None,
        pre_dispatch: int | str,
        may_start: Callable[[], bool] = lambda: True,
        callback_ctx: Callable[[Fit], Any] = lambda fit: None,
    ) -> None:
        # Threads below a fit that holds the global generators would wait for ever.
        self._job = job
        self._n_jobs = 1 if inside_own_random_states() else n_jobs
        self._pre_dispatch = pre_dispatch
        self._may_start = may_start
        self._callback_ctx = callback_ctx
        self._ready: deque[Unit] = deque()
        self._suspects: deque[Unit] = deque()  # to run once more, one at a time
        self._in_flight: dict[int, Batch] = {}  # by their numbers
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._n_sent = 0
        self._n_arrived = 0  # in a pool of threads, each batch once
        self._in_quarantine = False  # whether what is in flight is a suspect
        self._lost: LostWorkers | None = None  # none where workers are threads
        self._batch_size = 1
        self._seconds_per_unit = 0.0
        self._stopped = threading.Event()
        self._interrupts = Interrupts()
        self._stack = ExitStack()

    def __enter__(self) -> WorkerPool:
        try:
            self._interrupts.__enter__()
            self._pool = Pool(self._n_jobs)
            self._stack.callback(lambda: self._pool.close())
            self.n_workers = self._pool.n_workers
            self._start(self._pool.options)
        except BaseException:
            self._stack.close()
            self._interrupts.__exit__(KeyboardInterrupt)
            raise
        return self

    def _start(self, options: dict[str, Any]) -> None:
        if self._pool.forks and self._job.threads_of_a_net is None:
            # A copy of a program has not the threads that OpenMP believes it has.
            self._job = replace(self._job, threads_of_a_net=1)
        folder = options.get("temp_folder") or os.environ.get("JOBLIB_TEMP_FOLDER")
        self._shared = Shared(
            self._job, folder=folder, max_nbytes=options.get("max_nbytes")
        )
        if self._pool.is_here:
            self._max_batches = 1.0
            return
        check_settings(in_threads=self._pool.in_threads)
        for net in find_nets(self._job.estimator).values():
            check_device(net.device, self._pool.forks)
        self._pool.start()
        if self._pool.abilities.has_client:
            check_workers(self._pool.backend.client)
        self._max_batches = _limit(self._pre_dispatch, self.n_workers)
        self._stack.callback(self._shared.close)
        if self._pool.in_threads:
            self._stack.callback(limit_threads(joblib.cpu_count() // self.n_workers))
            self._task = with_config(run_batch)
        else:
            self._remote = RemoteWorkers(self._job, self._shared)
            self._shared.write()
            running = RunningFits(folder)
            self._stack.callback(running.close)
            self._lost = LostWorkers(running)
            self._task = with_config(run_batch_in_worker)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A second Ctrl-C must not leave workers behind.
        try:
            with uninterrupted() as second:
                try:
                    if self._in_flight and not self._pool.is_here:
                        self._abort(second)
                finally:
                    self._stack.__exit__(exc_type, exc, traceback)
        finally:
            self._interrupts.__exit__(exc_type)

    def _abort(self, second: Interrupted) -> None:
        """After an error or an interrupt, what still runs would run for nobody."""
        self._stopped.set()
        if self._pool.in_threads:
            # Threads cannot be ended from outside. They start no further fit, end a
            # net at its next batch, and must not draw from the caller's generators
            # once these are handed back. Whoever insists need not wait for the rest.
            with stopping_threads():
                # As they arrive: the interrupt may have taken one from the queue.
                while self._n_arrived < self._n_sent and not second.came:
                    time.sleep(0.01)
        self._pool.abort()

    def submit(self, unit: Unit) -> None:
        """Queue one unit; it runs when its turn comes."""
        if self._pool.forks:
            for fit in unit:
                for name, value in fit.params.items():
                    if name.rpartition("__")[2] == "device":
                        check_device(value, forks=True)
        contexts = [self._callback_ctx(fit) for fit in unit]
        if contexts != [None] * len(unit):
            fits = zip(unit, contexts, strict=True)
            unit = tuple(replace(fit, callback_ctx=ctx) for fit, ctx in fits)
        self._ready.append(unit)

    def next_done(self) -> Done:
        """Wait for at least one unit to end; an empty list when there are none."""
        done: Done = []
        with self._pool.retrieval():
            while not done:
                self._interrupts.raise_again()
                self._dispatch()
                if not self._in_flight:
                    return []
                done += self._take(*self._wait())
                while not self._done.empty():
                    done += self._take(*self._done.get())
        if not self._pool.is_here:  # they have something to do while others think
            self._dispatch()
        return done

    # -- sending -------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Send batches until enough are on their way."""
        if self._suspects or self._in_quarantine:
            if self._in_flight:
                return
            self._in_quarantine = bool(self._suspects)
            if self._in_quarantine:
                if self._may_start():
                    self._send([self._suspects.popleft()])
                return
        while (
            self._ready
            and len(self._in_flight) < self._max_batches
            and self._may_start()
        ):
            # Everybody gets something, and nobody gets the whole rest of the search.
            fair = max(1, len(self._ready) // (2 * self.n_workers))
            size = 1 if self._pool.is_here else min(self._batch_size, fair)
            self._send([self._ready.popleft() for _ in range(size)])

    def _send(self, batch: Batch, request: Request | None = None) -> None:
        """Send a batch, and what a worker has requested."""
        number = self._n_sent
        arrived = partial(self._arrived, number)
        if self._pool.is_here:
            self._count(batch)
            self._pool.submit(run_batch, (self._shared, batch), arrived)
            self._interrupts.raise_again()  # skorch has swallowed it
            return
        args: tuple[Any, ...] = (self._shared, batch, self._stopped)
        if self._lost is not None:
            payload = self._remote.payload(batch, request)
            args = (self._shared, dumps(batch), payload, self._lost.marker(number))
        # Counted and sent, or neither: what is counted is waited for.
        with uninterrupted():
            self._count(batch)
            try:
                self._pool.submit(self._task, args, arrived)
            except Exception as error:
                self._arrived(number, error)  # that a worker is gone, say

    def _count(self, batch: Batch) -> None:
        self._in_flight[self._n_sent] = batch
        self._n_sent += 1

    # -- receiving -----------------------------------------------------------------

    def _arrived(self, number: int, out: Any) -> None:
        """Called by joblib from a thread of its own."""
        if self._lost is not None and is_loss(self._pool.error_of(out)):
            # Now, since the other workers of a broken pool are about to be ended.
            self._lost.dead |= self._pool.dead()
        self._done.put((number, out))
        self._n_arrived += 1

    def _wait(self) -> tuple[int | None, Any]:
        """The next batch of which there is news; None if a worker is silently gone."""
        while True:
            try:
                arrived: tuple[int, Any] = self._done.get(timeout=self._pool.patience)
            except Empty:
                if self._lost is not None and self._pool.has_silently_lost():
                    self._lost.dead |= self._pool.dead()
                    return None, None
            else:
                return arrived

    def _take(self, number: int | None, out: Any) -> Done:
        """What is done with news of a batch."""
        if number is None:
            return self._renew()
        batch = self._in_flight.pop(number, None)
        if batch is None:
            return []  # said twice, or by a pool that has been given up
        loss: BaseException | None = None
        answer: Answer | Request | None = None
        try:
            answer = self._pool.result(out)
        except BaseException as error:
            loss = error
        if loss is not None:
            if self._lost is None:
                raise loss
            answer = None if is_loss(loss) else self._remote.lost(batch, loss)
            if breaks_pool(loss):
                self._in_flight[number] = batch
                return self._renew()
        if answer is None:
            return self._sort_out({number: batch})
        if self._lost is not None:
            self._lost.hear()
        if isinstance(answer, Request):
            self._send(batch, answer)
            return []
        return self._read(batch, answer)

    def _read(self, batch: Batch, answer: Answer) -> Done:
        for left in answer.left:
            self._remote.unpack(left)
        per_unit = answer.seconds / len(batch)
        before = self._seconds_per_unit
        self._seconds_per_unit = 0.8 * before + 0.2 * per_unit if before else per_unit
        wanted = int(_BATCH_SECONDS / max(self._seconds_per_unit, 1e-9))
        self._batch_size = max(1, min(wanted, 2 * self._batch_size))
        return [
            done
            for unit, outcomes in zip(batch, answer.outcomes, strict=True)
            for done in zip(unit, outcomes, strict=True)
        ]

    # -- after a loss --------------------------------------------------------------

    def _renew(self) -> Done:
        """Replace a pool that has lost a worker."""
        self._pool.give_up()
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

    def _sort_out(self, lost: dict[int, Batch]) -> Done:
        """Send again what was lost; returns as failed what is lost once more."""
        assert self._lost is not None
        suspects, too_large_ones, others = self._lost.sort(lost)
        done = [
            one
            for unit, taken in too_large_ones
            for one in zip(unit, too_large(self._job, unit, taken), strict=True)
        ]
        if self._in_quarantine:
            self._suspects.extendleft(others)
            return done + [
                (fit, failed(self._job, fit, lost_twice(fit)))
                for unit in suspects
                for fit in unit
            ]
        self._suspects.extend(suspects)
        self._ready.extendleft(reversed(others))
        warn_of(suspects)
        return done


def _limit(pre_dispatch: int | str, n_workers: int) -> float:
    """Batches that `pre_dispatch` allows, e.g. 4 for "2*n_jobs" and 2 jobs."""
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
