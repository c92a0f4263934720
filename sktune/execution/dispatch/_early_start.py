"""Lets workers start while the search still prepares what it will send to them.

A new worker spends seconds of its processor's time on imports, most of them those of
scikit-learn and torch. Meanwhile data are split, compared with a journal, and written
to disk.
"""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any

import joblib

from sktune.execution.dispatch._pool import Pool, with_config
from sktune.execution.estimators._nets import find_nets
from sktune.execution.guards._random_states import inside_own_random_states


def start_workers(estimator: Any, n_jobs: int | None) -> None:
    """Start worker processes that stay for the search, unless there are some.

    Only loky's do: others belong to a cluster, or to one pool.
    """
    backend, _ = joblib.parallel.get_active_backend()
    loky = joblib.parallel.BACKENDS.get("loky", ())
    if inside_own_random_states() or not isinstance(backend, loky):
        return
    pool = Pool(n_jobs)
    try:
        if pool.is_here or pool.n_processes:
            return
        pool.start()
        task = with_config(_import)
        for _ in range(pool.n_workers):
            pool.submit(task, (_modules(estimator),), _ignore)
    finally:
        pool.close()


def _modules(estimator: Any) -> list[str]:
    """What unpickling and training an estimator imports first of all."""
    parts = [estimator, *estimator.get_params(deep=True).values()]
    kinds = [part if isinstance(part, type) else type(part) for part in parts]
    names = {kind.__module__: None for kind in kinds}
    if find_nets(estimator):
        names["torch._dynamo"] = None  # by torch, when an optimizer is made
    return [name for name in names if name not in ("__main__", "builtins")]


def _import(names: list[str]) -> None:
    """Run in a worker; what cannot be imported is told of when it is needed."""
    for name in names:
        with suppress(Exception):
            importlib.import_module(name)


def _ignore(out: Any) -> None:
    """Nobody is interested in what came of it."""
