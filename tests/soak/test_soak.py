"""Searches in a loop leave nothing behind, in the program and in its workers.

A round for each backend with the other tests; for long with

    pytest -m soak tests/soak                             # two minutes a backend
    SKTUNE_SOAK_SECONDS=720 pytest -m soak tests/soak     # an hour in all
"""

from __future__ import annotations

import builtins
import itertools
import os
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import joblib
import numpy as np
import pytest
from scipy.stats import loguniform, uniform
from skorch.callbacks import Checkpoint

from sktune import (
    BayesSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from tests.helpers.estimators import Score, blobs, net
from tests.helpers.footprint import footprint, more_than, settled
from tests.helpers.killed import Kills
from tests.helpers.memory import Takes

SECONDS = float(os.environ.get("SKTUNE_SOAK_SECONDS", 120))
BACKENDS = ["sequential", "threading", "loky", "multiprocessing", "dask", "ray"]
X, y = blobs(60)
LR = {"lr": loguniform(1e-3, 1e-1)}
COMMON = {"cv": 2, "random_state": 0}

# Bytes that a process may grow by in a round of ten searches, once it is warm, and what
# is no growth.
MEMORY_OF_A_ROUND = 30_000
NOISE = 2e6

pytestmark = [
    pytest.mark.slow,
    pytest.mark.one_end,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
    # Of small spaces, of fits that fail on purpose, and of ray and dask.
    pytest.mark.filterwarnings("ignore"),
]


@contextmanager
def dask_cluster():
    distributed = pytest.importorskip("distributed")
    import dask

    # What dask itself writes down of all that its workers did, up to a limit.
    keeps = {
        "distributed.worker.profile.enabled": False,
        "distributed.admin.low-level-log-length": 100,
        "distributed.admin.log-length": 100,
    }
    with (
        dask.config.set(keeps),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster),
    ):
        yield


@contextmanager
def ray_cluster():
    ray = pytest.importorskip("ray")
    from joblib.pool import PicklingPool
    from ray.util.joblib import register_ray

    # ray changes these for good, and with the first joblib's multiprocessing backend.
    bases, own_print = PicklingPool.__bases__, builtins.print
    ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )
    register_ray()
    yield
    ray.shutdown()
    PicklingPool.__bases__, builtins.print = bases, own_print


CLUSTERS = {"dask": dask_cluster, "ray": ray_cluster}


def searches(folder: Path, kills: bool, raises: bool):
    """One of each kind, with what leaves most behind: files, threads, errors."""
    if raises:
        bad = Score(bad=(1,))
        yield GridSearchCV(bad, {"a": [1, 2]}, error_score="raise", **COMMON)
    if kills:
        killer = Kills(bad=(0.2,), folder=str(folder))
        yield GridSearchCV(killer, {"a": [0.1, 0.2, 0.3]}, **COMMON)
    deep = net(max_epochs=4, verbose=0)
    saving = net(
        callbacks=[("save", Checkpoint(monitor="train_loss_best"))],
        train_split=None,
        verbose=0,
    )
    yield GridSearchCV(Score(), {"a": np.linspace(0, 1, 20)}, **COMMON)
    yield GridSearchCV(Score(bad=(1,)), {"a": [1, 2, 3]}, **COMMON)
    yield GridSearchCV(
        saving, {"lr": [0.1, 0.01]}, journal=folder / "j", refit=False, **COMMON
    )
    yield RandomizedSearchCV(deep, LR, n_iter=2, fit_timeout=60, **COMMON)
    yield RandomizedSearchCV(deep, LR, n_iter=2, devices=["cpu"], **COMMON)
    yield GridSearchCV(Takes(), {"a": [1.0, 9_000]}, fit_memory="500MB", **COMMON)
    space = {"a": uniform(0, 1)}
    yield BayesSearchCV(Score(), space, n_iter=6, n_pending=2, **COMMON)
    yield SuccessiveHalvingSearchCV(deep, LR, max_resources=4, factor=2, **COMMON)
    yield HyperbandSearchCV(deep, LR, max_resources=2, factor=2, **COMMON)


def one_round(backend: str, folder: Path, number: int) -> None:
    # Both end a pool, which takes a while to start: not in every round, and before the
    # rest, so that each round ends with workers that are there.
    raises = number % 20 == 1
    kills = raises and backend in ("loky", "multiprocessing", "dask")
    for search in searches(folder, kills, raises):
        with joblib.parallel_config(backend, n_jobs=2):
            search.set_params(n_jobs=1 if backend == "sequential" else 2)
            try:
                search.fit(X, y)
            except ValueError as error:
                assert "is bad" in str(error)  # error_score="raise"
    for path in folder.iterdir():
        path.unlink()


@contextmanager
def soaked(backend: str, root: Path, monkeypatch):
    """A function that runs one round, and the folder of its temporary files."""
    temporary, scratch = root / "temporary", root / "scratch"
    temporary.mkdir()
    scratch.mkdir()
    monkeypatch.setenv("SKTUNE_DEVICE_LOCKS", str(root / "locks"))
    with ExitStack() as stack:
        if backend in CLUSTERS:
            stack.enter_context(CLUSTERS[backend]())
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        monkeypatch.setenv("TMPDIR", str(temporary))
        numbers = itertools.count()
        yield (lambda: one_round(backend, scratch, next(numbers))), temporary


@pytest.mark.timeout(180)
@pytest.mark.parametrize("backend", BACKENDS[:-2])
def test_a_round_leaves_nothing_behind(backend, tmp_path, monkeypatch):
    with soaked(backend, tmp_path, monkeypatch) as (run, temporary):
        run()
        before = footprint(temporary)
        run()
        assert more_than(before, settled(temporary, before)) == {}


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.parametrize("backend", BACKENDS)
def test_soak(backend, tmp_path, monkeypatch):
    with soaked(backend, tmp_path, monkeypatch) as (run, temporary):
        end = time.monotonic() + SECONDS
        for _ in range(3):
            run()
        before = footprint(temporary)
        taken = []
        while time.monotonic() < end or len(taken) < 3:
            run()
            now = footprint(temporary)
            taken.append(now)
        report(backend, before, taken)
        assert more_than(before, settled(temporary, before)) == {}
        check_growth([one.memory for one in taken])
        for pid in set().union(*(one.workers for one in taken)):
            check_growth([one.workers[pid] for one in taken if pid in one.workers])


def check_growth(memory: list[int]) -> None:
    """Fail where memory grows from round to round, by an amount that matters."""
    half = memory[len(memory) // 2 :]  # the first is for what is imported late
    if len(half) > 2 and half[-1] - half[0] > NOISE:
        slope = np.polyfit(np.arange(len(half)), half, 1)[0]
        assert slope < MEMORY_OF_A_ROUND, memory


def report(backend: str, before, taken) -> None:
    last = taken[-1]
    print(f"\n{backend}: {len(taken)} rounds")
    print("  MB", [round(one.memory / 1e6, 1) for one in taken[:: len(taken) // 8 + 1]])
    for pid in sorted(last.workers):
        row = [round(one.workers.get(pid, 0) / 1e6, 1) for one in taken]
        print("  MB of", pid, row[:: len(row) // 8 + 1])
    print("  more:", more_than(before, last))
