"""A worker that is killed costs the fit that it ran, and not the search."""

import multiprocessing
import os
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from sklearn.exceptions import FitFailedWarning

from sktune import (
    BayesSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune._errors import WorkerLost
from sktune._types import Fit
from sktune.execution.dispatch import _workers
from sktune.execution.dispatch._pool import Pool, breaks_pool, is_loss
from sktune.execution.dispatch._running_fits import RunningFits
from sktune.execution.estimators._resource import Resource
from sktune.persistence import Checkpoints
from tests.helpers.estimators import Net, blobs, net
from tests.helpers.killed import Kills, KillsANeighbour, Plain, is_first
from tests.helpers.trained import job_of, run

X, y = blobs()
SPLIT = [(np.arange(60), np.arange(60, 90))]

# Small spaces, and a message for each worker that is killed.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:A worker was killed"),
    pytest.mark.filterwarnings("ignore:Hyperband plans"),
    pytest.mark.filterwarnings("ignore:The last rung trains"),
]


def runs(folder):
    return Path(folder, "runs").read_text().split()


def scores(search):
    return search.cv_results_["mean_test_score"].tolist()


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_a_fit_whose_worker_is_killed_runs_again(backend, tmp_path):
    space = {"a": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}
    estimator = Kills(bad=(0.2,), folder=str(tmp_path), pause=0.05)
    with joblib.parallel_config(backend, n_jobs=2):
        search = GridSearchCV(estimator, space, cv=2).fit(X, y)
    assert search.best_params_ == {"a": 0.3}
    expected = GridSearchCV(Plain(), space, cv=2).fit(X, y)
    assert scores(search) == scores(expected)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_only_the_fit_that_kills_has_failed(backend, tmp_path):
    space = {"a": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}
    estimator = Kills(bad=(0.2,), folder=str(tmp_path), always=True, pause=0.05)
    search = GridSearchCV(estimator, space, cv=SPLIT, error_score=-7.0, refit=False)
    message = r"1 fits failed(.|\n)*WorkerLost.*candidate 1 on split 0, .*memory"
    with (
        joblib.parallel_config(backend, n_jobs=2),
        pytest.warns(FitFailedWarning, match=message),
    ):
        search.fit(X, y)
    assert scores(search)[1] == -7.0
    assert all(score > -1 for k, score in enumerate(scores(search)) if k != 1)
    assert runs(tmp_path).count("0.2") == 2


def test_error_score_raise_is_honoured(tmp_path):
    estimator = Kills(bad=(0.2,), folder=str(tmp_path), always=True)
    search = GridSearchCV(estimator, {"a": [0.1, 0.2]}, cv=SPLIT, error_score="raise")
    with (
        joblib.parallel_config("multiprocessing", n_jobs=2),
        pytest.raises(WorkerLost, match="candidate 1 on split 0"),
    ):
        search.fit(X, y)


def test_several_units_in_a_batch(tmp_path, monkeypatch):
    """Only one of the fits that are sent together is the cause."""
    monkeypatch.setattr(_workers, "_BATCH_SECONDS", 1e6)
    values = [round(0.01 * k, 2) for k in range(60)]
    estimator = Kills(bad=(0.31,), folder=str(tmp_path), always=True)
    search = GridSearchCV(
        estimator, {"a": values}, cv=SPLIT, error_score=-7.0, refit=False
    )
    with (
        joblib.parallel_config("multiprocessing", n_jobs=2),
        pytest.warns(FitFailedWarning, match="1 fits failed"),
    ):
        search.fit(X, y)
    assert [values[k] for k, s in enumerate(scores(search)) if s == -7.0] == [0.31]
    assert runs(tmp_path).count("0.31") == 2


def test_nothing_runs_again_when_the_time_is_over(tmp_path):
    job = job_of(Kills(bad=(0.1,), folder=str(tmp_path)), None)

    def may_start():
        return not Path(tmp_path, "killed-0.1").exists()

    with (
        joblib.parallel_config("multiprocessing", n_jobs=2),
        _workers.WorkerPool(job, None, "2*n_jobs", may_start) as workers,
    ):
        workers.submit((Fit(0, 0, {"a": 0.1}, seed=0),))
        assert workers.next_done() == []
    assert runs(tmp_path) == ["0.1"]


class DyingNet(Net):
    """A module whose process ends once, at a forward pass that was not the first."""

    def __init__(self, folder="", dies_at=20, **kwargs):
        super().__init__(**kwargs)
        self.folder = folder
        self.dies_at = dies_at
        self.n_calls = 0

    def forward(self, X):
        self.n_calls += self.training
        if self.n_calls == self.dies_at and is_first(self.folder, "killed"):
            os._exit(1)
        return super().forward(X)


def test_a_checkpoint_that_is_half_written_is_not_read(tmp_path):
    """The kill is in the second rung: what was kept of the first is what counts."""
    resource = Resource("max_epochs", "epochs", 9)
    estimator = net(max_epochs=9).set_params(module=DyingAtCheckpoints)
    scores = {}
    for name in ("with", "without"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "killed").touch()
        estimator.set_params(module__folder=str(folder))
        with Checkpoints(folder) as checkpoints:
            job = job_of(estimator, resource, checkpoints, scorer=score_of)
            run(job, 1)
            if name == "with":
                (folder / "killed").unlink()
                child = multiprocessing.get_context("fork").Process(
                    target=run, args=(job, 3)
                )
                child.start()
                child.join()
                assert child.exitcode == 1
                assert len(list(checkpoints.path.rglob("state.*"))) == 1
            scores[name] = [run(job, n).score("score") for n in (3, 3, 9)]
    assert scores["with"] == scores["without"]
    assert scores["with"][0] == scores["with"][1]  # run again when it was done


def score_of(estimator, X, y):
    return -float(np.log(estimator.predict_proba(X)[np.arange(len(y)), y]).mean())


class Bomb:
    """Ends the process that pickles it, once: in the middle of a checkpoint."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        if is_first(self.folder, "killed"):
            os._exit(1)
        return Bomb, (self.folder,)


class DyingAtCheckpoints(Net):
    def __init__(self, folder="", **kwargs):
        super().__init__(**kwargs)
        self.bomb = Bomb(folder)


def randomized(estimator, space, **kwargs):
    return RandomizedSearchCV(estimator, space, n_iter=4, **kwargs)


def bayes(estimator, space, **kwargs):
    return BayesSearchCV(estimator, space, n_iter=4, n_pending=2, **kwargs)


def grid(estimator, space, **kwargs):
    return GridSearchCV(estimator, {"lr": [0.01, 0.03, 0.1]}, **kwargs)


def halving(estimator, space, **kwargs):
    return SuccessiveHalvingSearchCV(
        estimator, space, max_resources=9, n_candidates=5, **kwargs
    )


def hyperband(estimator, space, **kwargs):
    return HyperbandSearchCV(estimator, space, max_resources=3, **kwargs)


@pytest.mark.parametrize("search", [grid, randomized, bayes, halving, hyperband])
def test_results_are_those_of_a_search_without_a_kill(search, tmp_path):
    """Nets that go on included: the third epoch is that of a second rung."""
    space = {"lr": loguniform(1e-3, 1e-1)}

    def fitted(folder, n_jobs):
        dying = {"module__folder": str(folder), "module__dies_at": 5}
        estimator = net(max_epochs=9).set_params(module=DyingNet, **dying)
        with joblib.parallel_config("multiprocessing", n_jobs=n_jobs):
            return search(estimator, space, cv=2, random_state=0, refit=False).fit(X, y)

    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    (tmp_path / "without" / "killed").touch()
    killed = fitted(tmp_path / "with", 2)
    assert (tmp_path / "with" / "killed").exists()
    assert scores(killed) == scores(fitted(tmp_path / "without", 1))
    assert np.isfinite(scores(killed)).all()


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_a_worker_that_had_nothing_to_do(backend, tmp_path, recwarn):
    """It is nobody's fault: nobody fails, and nobody is suspected."""
    estimator = KillsANeighbour(folder=str(tmp_path))
    search = GridSearchCV(estimator, {"a": [1, 2, 5]}, cv=SPLIT, refit=False)
    with joblib.parallel_config(backend, n_jobs=2):
        search.fit(X, y)
    assert (tmp_path / "killed").exists()
    assert np.isfinite(scores(search)).all()
    assert not [w for w in recwarn if "killed" in str(w.message)]


@pytest.mark.parametrize("how", ["close", "abort"])
def test_a_worker_that_ends_before_it_lets_go_of_a_lock(how):
    """It has sent its answer, and the pool is ended at once."""
    with joblib.parallel_config("multiprocessing", n_jobs=2):
        pool = Pool(2)
        pool.start()
        for lock in (pool._silent._outqueue._wlock, pool._silent._inqueue._rlock):
            lock.acquire(timeout=0.1)
        getattr(pool, how)()
        pool.close()


def test_what_is_a_loss():
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    killed = type("KilledWorker", (Exception,), {"__module__": "distributed.scheduler"})
    crashed = type("WorkerCrashedError", (Exception,), {"__module__": "ray.exceptions"})
    assert is_loss(TerminatedWorkerError("")) and breaks_pool(TerminatedWorkerError(""))
    assert is_loss(killed()) and not breaks_pool(killed())
    assert is_loss(crashed()) and not breaks_pool(crashed())
    # ray goes on to send tasks to an actor that is gone.
    gone = type("RayActorError", (Exception,), {"__module__": "ray.exceptions"})
    assert is_loss(gone()) and breaks_pool(gone())
    assert not is_loss(torch.OutOfMemoryError())
    assert not is_loss(ValueError())
    assert not is_loss(None)


def test_markers_of_what_runs(tmp_path):
    running = RunningFits(str(tmp_path))
    marker = running.marker(3)
    assert running.read(3) is None
    marker.write(0)
    assert running.read(3) == (os.getpid(), 0, 0)
    marker.write(12)
    marker.write(2, 5 * 10**9)
    assert running.read(3) == (os.getpid(), 2, 5 * 10**9)
    marker.write(2)
    assert running.read(3) == (os.getpid(), 2, 0)
    marker.remove()
    assert running.read(3) is None
    running.close()
    assert list(tmp_path.iterdir()) == []
    marker.write(0)  # as where a worker does not see the folder
    marker.remove()


def dies_at_once(*args):
    os._exit(1)


def test_workers_that_die_before_they_begin(monkeypatch):
    monkeypatch.setattr(_workers, "run_batch_in_worker", dies_at_once)
    with (
        joblib.parallel_config("multiprocessing", n_jobs=2),
        pytest.raises(WorkerLost, match="before they begin"),
    ):
        GridSearchCV(Plain(), {"a": [1, 2, 3]}, cv=SPLIT).fit(X, y)
