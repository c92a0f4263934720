"""One pool of joblib's, and what is known of how its workers die.

Every backend has a way of its own to say that a worker is gone. loky gives up the whole
pool; dask and ray give up the task; multiprocessing says nothing and lets its caller
wait for ever. Private names of joblib and of multiprocessing are used here and held by
tests/unit/test_compat.py.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass
from typing import Any

import joblib
import joblib.executor
from joblib._memmapping_reducer import TemporaryResourcesManager
from joblib.parallel import BatchedCalls
from sklearn import get_config
from sklearn.utils.parallel import delayed

from sktune._errors import EstimatorError
from sktune.placement import device_kind

# By name, so that neither dask nor ray has to be there. BrokenProcessPool is what loky
# and concurrent.futures raise.
_NAMES_OF_LOSS = frozenset(
    {
        "ActorDiedError",
        "BrokenProcessPool",
        "KilledWorker",
        "LocalRayletDiedError",
        "NodeDiedError",
        "OutOfMemoryError",
        "RayActorError",
        "TerminatedWorkerError",
        "WorkerCrashedError",
    }
)
# torch has an OutOfMemoryError of its own, which is a failure of the fit.
_HOMES_OF_LOSS = ("concurrent", "distributed", "joblib", "ray")

# Seconds between looks at processes that do not report a death.
_SECONDS_BETWEEN_LOOKS = 0.5


def is_loss(error: BaseException | None) -> bool:
    """Whether an error says that a worker is gone, and not that a task failed."""
    return any(
        cls.__name__ in _NAMES_OF_LOSS
        and cls.__module__.partition(".")[0] in _HOMES_OF_LOSS
        for cls in type(error).__mro__
    )


def breaks_pool(error: BaseException) -> bool:
    """Whether a pool that has lost one worker is of no more use.

    loky ends the others too; ray goes on to send tasks to the one that is gone.
    """
    names = {cls.__name__ for cls in type(error).__mro__}
    return not names.isdisjoint({"BrokenProcessPool", "RayActorError"})


@dataclass(frozen=True)
class Abilities:
    """What a backend of joblib can do, and how its workers die.

    Attributes
    ----------
    in_threads : bool
        Whether workers are threads of this process.
    has_client : bool
        Whether workers may be on other machines, and can be asked who they are.
    loses_silently : bool
        Whether a worker that is gone is replaced, and its task forgotten.
    has_executor : bool
        Whether its processes are those of an executor.
    calls_back_errors : bool
        Whether the callback of a task is called with errors, too.
    """

    in_threads: bool = False
    has_client: bool = False
    loses_silently: bool = False
    has_executor: bool = False
    calls_back_errors: bool = True


ABILITIES = {
    "SequentialBackend": Abilities(),
    "ThreadingBackend": Abilities(in_threads=True),
    "MultiprocessingBackend": Abilities(loses_silently=True),
    "LokyBackend": Abilities(has_executor=True),
    "DaskDistributedBackend": Abilities(has_client=True, calls_back_errors=False),
    "RayBackend": Abilities(),
}
"""By the class of a backend, or of one that it is derived from."""


def abilities_of(backend: Any) -> Abilities:
    """What a backend can do; of one that nobody knows, what joblib says of it."""
    # Of ray's, which is derived from joblib's multiprocessing, the first name counts.
    for cls in type(backend).__mro__:
        if cls.__name__ in ABILITIES:
            return ABILITIES[cls.__name__]
    in_threads = bool(getattr(backend, "supports_sharedmem", False))
    return Abilities(in_threads=in_threads, calls_back_errors=False)


class Pool:
    """The workers of joblib's active backend, until one of them is lost.

    Where there is one worker, that is this very process: a task runs when it is
    submitted.

    Attributes
    ----------
    backend, options : of joblib
    n_workers : int
    abilities : Abilities
    is_here : bool
        Whether there is one worker, this process.
    """

    def __init__(self, n_jobs: int | None) -> None:
        with ExitStack() as stack:
            with _noting_folders() as noted:
                parallel = stack.enter_context(joblib.Parallel(n_jobs=n_jobs))
            self._read(parallel, noted)
            self._stack = stack.pop_all()

    def _read(self, parallel: Any, noted: Any) -> None:
        self.backend: Any = parallel._backend
        self.options: dict[str, Any] = parallel._backend_kwargs
        self.n_workers: int = parallel._effective_n_jobs()
        self.abilities = abilities_of(self.backend)
        self.is_here = self.n_workers == 1
        self._silent = None  # a `multiprocessing.Pool`
        if self.abilities.loses_silently and not self.is_here:
            self._silent = self.backend._pool
        self._first = self._processes()
        if self.abilities.has_executor and not self.is_here:
            _remove_unused(noted, self.backend._workers)

    def start(self) -> None:
        """Make ready for tasks."""
        if not self.is_here:
            self.backend.start_call()
            self._stack.callback(self.backend.stop_call)

    @property
    def in_threads(self) -> bool:
        """Whether workers run in this process, and are told nothing by files."""
        return self.is_here or self.abilities.in_threads

    @property
    def forks(self) -> bool:
        """Whether workers are copies of this process."""
        pool = self._silent
        return pool is not None and pool._ctx.get_start_method() == "fork"

    @property
    def patience(self) -> float | None:
        """Seconds after which to look whether a worker is gone; None if it is said."""
        return None if self._silent is None else _SECONDS_BETWEEN_LOOKS

    def has_silently_lost(self) -> bool:
        """Whether a worker is gone whose task nobody will ever hear of."""
        if self._silent is None:
            return False
        now = self._processes()
        return now.keys() != self._first.keys() or any(map(_is_dead, now.values()))

    def dead(self) -> set[int]:
        """Processes that are gone; empty where that cannot be told."""
        processes = {**self._first, **self._processes()}
        return {pid for pid, process in processes.items() if _is_dead(process)}

    @property
    def n_processes(self) -> int:
        """How many of its processes there are by now; 0 where that cannot be told."""
        return len(self._processes())

    def _processes(self) -> dict[int, Any]:
        if self._silent is not None:
            return {process.pid: process for process in list(self._silent._pool)}
        if self.abilities.has_executor:
            executor = getattr(self.backend, "_workers", None)
            return dict(getattr(executor, "_processes", None) or {})
        return {}

    def submit(
        self,
        task: Callable[..., Any],
        args: tuple[Any, ...],
        callback: Callable[[Any], None],
    ) -> None:
        """Have a task run; `callback` gets what `result` understands, or an error.

        A task that runs here is run before this returns, and what it raises is raised.
        """
        if self.is_here:
            callback(task(*args))
            return
        nested = self.backend.get_nested_backend()
        batch = BatchedCalls([(task, args, {})], nested)
        future = self.backend.submit(batch, callback=callback)

        def failed(future: Any) -> None:
            with suppress(CancelledError):  # by this process, which then ends
                error = future.exception()
                if error is not None:
                    callback(error)

        if not self.abilities.calls_back_errors and hasattr(
            future, "add_done_callback"
        ):
            future.add_done_callback(failed)

    def retrieval(self) -> AbstractContextManager[Any]:
        """A context to wait in, for in a worker of dask others may use its place."""
        if self.is_here:
            return nullcontext()
        context: AbstractContextManager[Any] = self.backend.retrieval_context()
        return context

    def error_of(self, out: Any) -> BaseException | None:
        """The error that came instead of a result, if `out` says so by itself."""
        if isinstance(out, BaseException):
            return out
        if hasattr(out, "exception") and not out.cancelled():
            error: BaseException | None = out.exception()
            return error
        return None

    def result(self, out: Any) -> Any:
        """What a task returned; raises what it raised."""
        if isinstance(out, BaseException):
            raise out
        if self.is_here:
            return out
        (result,) = self.backend.retrieve_result_callback(out)
        return result

    def abort(self) -> None:
        """End all workers, whatever they are doing."""
        self._end_the_silent()
        if not self.is_here:
            self.backend.abort_everything(ensure_ready=False)

    def give_up(self) -> None:
        """Close a pool that has lost a worker, and leave nothing of it."""
        if self.abilities.has_executor and not self.is_here:
            # Else joblib removes its folder when the program ends.
            self.backend.abort_everything(ensure_ready=False)
        self.close()

    def close(self) -> None:
        self._end_the_silent()
        self._stack.close()

    def _end_the_silent(self) -> None:
        """End the processes of a `multiprocessing.Pool` before it does so itself.

        Whoever it ends may hold one of its locks: one that was killed at work, or that
        was just about to let go of the lock with which it has sent its answer. The pool
        would wait for that lock for ever.
        """
        if self._silent is None:
            return
        pool, self._silent = self._silent, None
        pool._worker_handler._state = "TERMINATE"  # or it would start new workers
        pool._change_notifier.put(None)
        pool._worker_handler.join()
        for process in list(pool._pool):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.join()
        for lock in (pool._inqueue._rlock, pool._outqueue._wlock):
            lock.acquire(timeout=0.1)  # nobody is left who could still release it
            lock.release()


@contextmanager
def _noting_folders() -> Iterator[list[Any]]:
    """What joblib makes in this thread to look after its folders for large arrays."""
    made: list[Any] = []
    thread = threading.get_ident()

    class Noted(TemporaryResourcesManager):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            if threading.get_ident() == thread:
                made.append(self)

    before = joblib.executor.TemporaryResourcesManager
    joblib.executor.TemporaryResourcesManager = Noted
    try:
        yield made
    finally:
        joblib.executor.TemporaryResourcesManager = before


def _remove_unused(noted: Sequence[Any], executor: Any) -> None:
    """Remove folders that joblib has made for workers that were there already.

    It has others for them. These it would forget, and leave until the program ends.
    """
    for manager in noted:
        if manager is not executor._temp_folder_manager:
            for folder in manager._cached_temp_folders.values():
                os.makedirs(folder, exist_ok=True)  # else it is not unregistered
            manager._clean_temporary_resources()


def _is_dead(process: Any) -> bool:
    return process.exitcode is not None


def check_device(device: Any, forks: bool) -> None:
    """Refuse to train on CUDA in a forked process, where CUDA cannot begin.

    Raises
    ------
    EstimatorError
    """
    if forks and device_kind(device) == "cuda":
        raise EstimatorError(
            f"device={str(device)!r} cannot be used in the workers of backend="
            "'multiprocessing': they are forked, and CUDA does not start in a forked "
            "process. Use the default backend, joblib.parallel_config(backend='loky')."
        )


def with_config(task: Callable[..., Any]) -> Any:
    """A task that has scikit-learn's configuration and the warnings of this process."""
    wrapper, _, _ = delayed(task)()
    filters = getattr(sys.modules["warnings"], "filters", [])
    wrapper.with_config_and_warning_filters(get_config(), list(filters))
    return wrapper


def workers_are_here() -> bool:
    """Whether joblib's workers are on this machine, as far as it can be known."""
    backend, _ = joblib.parallel.get_active_backend()
    local = ("loky", "multiprocessing", "sequential", "threading")
    return isinstance(backend, tuple(joblib.parallel.BACKENDS[name] for name in local))
