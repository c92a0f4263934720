"""Lets workers start while the search still checks and prepares what it will send.

A new worker spends seconds of its processor's time on imports, most of them those of
scikit-learn and torch. Meanwhile the estimator is checked, and data are split, compared
with a journal, and written to disk.
"""

from __future__ import annotations

import importlib
from contextlib import suppress
from types import TracebackType
from typing import Any

import joblib

from sktune.execution.dispatch._pool import Pool, with_config
from sktune.execution.guards._random_states import inside_own_random_states


class EarlyWorkers:
    """Starts worker processes for a search, unless there are some; a context manager.

    Where the search is refused before `keep` is called, they end, so that a program
    that ends then need not wait for what they import.

    Only loky's are started: others belong to a cluster, or to one pool.

    Parameters
    ----------
    estimator : estimator
        What it is made of is imported.
    n_jobs : int or None
    """

    def __init__(self, estimator: Any, n_jobs: int | None) -> None:
        self._estimator = estimator
        self._n_jobs = n_jobs
        self._pool: Pool | None = None

    def __enter__(self) -> EarlyWorkers:
        backend, _ = joblib.parallel.get_active_backend()
        loky = joblib.parallel.BACKENDS.get("loky", ())
        if inside_own_random_states() or not isinstance(backend, loky):
            return self
        pool = Pool(self._n_jobs)
        if pool.is_here or pool.n_processes:
            pool.close()
            return self
        self._pool = pool
        pool.start()
        task, modules = with_config(_import), _modules(self._estimator)
        for _ in range(pool.n_workers):
            pool.submit(task, (modules,), _ignore)
        return self

    def keep(self) -> None:
        """Let them stay: from now on they are those of the search."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None and exc is not None:
            self._pool.abort()
        self.keep()


def _modules(estimator: Any) -> list[str]:
    """What unpickling and training an estimator imports first of all."""
    parts = [estimator]
    with suppress(Exception):  # it has not been checked yet
        parts += estimator.get_params(deep=True).values()
    kinds = [part if isinstance(part, type) else type(part) for part in parts]
    names = {kind.__module__: None for kind in kinds}
    if any(name.startswith("skorch.") for kind in kinds for name in _bases(kind)):
        names["torch._dynamo"] = None  # by torch, when an optimizer is made
    return [name for name in names if name not in ("__main__", "builtins")]


def _bases(kind: type) -> list[str]:
    return [base.__module__ for base in kind.__mro__]


def _import(names: list[str]) -> None:
    """Run in a worker; what cannot be imported is told of when it is needed."""
    for name in names:
        with suppress(Exception):
            importlib.import_module(name)


def _ignore(out: Any) -> None:
    """Nobody is interested in what came of it."""
