"""One pool for a search, handed the data once, each worker with its share of cores."""

import gc
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
import threadpoolctl
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from sktune import (
    BayesSearchCV,
    GridSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune._errors import EstimatorError
from sktune.execution.dispatch._shared_data import Shared
from sktune.execution.dispatch._workers import _limit
from tests.helpers.estimators import Score, blobs, net
from tests.helpers.killed import Kills
from tests.helpers.trained import job_of

X, y = blobs()
CORES = joblib.cpu_count()


class Reports(ClassifierMixin, BaseEstimator):
    """Scores with what it sees of the worker that it runs in."""

    def __init__(self, a=0):
        self.a = a

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)


def report(estimator, X, y):
    blas = [
        pool["num_threads"]
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"
    ]
    return {
        "pid": os.getpid(),
        "torch_threads": torch.get_num_threads(),
        "blas_threads": max(blas),
    }


def reports(backend, n_jobs, space, search=GridSearchCV, **kwargs):
    with joblib.parallel_config(backend, n_jobs=n_jobs):
        fitted = search(
            Reports(), space, scoring=report, refit=False, cv=2, **kwargs
        ).fit(X, y)
    rows = fitted.cv_results_
    return {
        name: {int(v) for k in range(2) for v in rows[f"split{k}_test_{name}"]}
        for name in ("pid", "torch_threads", "blas_threads")
    }


@pytest.mark.parametrize(
    ("search", "options"),
    [
        (BayesSearchCV, {"n_iter": 12}),
        (SuccessiveHalvingSearchCV, {"n_candidates": 9, "factor": 2}),
    ],
)
def test_one_pool_for_a_search_that_asks_again_and_again(search, options):
    space = {"a": list(range(20))}
    seen = reports("loky", 2, space, search, random_state=0, **options)
    assert 1 <= len(seen["pid"]) <= 2
    assert os.getpid() not in seen["pid"]


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_threads_are_shared_out(backend):
    share = max(1, CORES // 2)
    seen = reports(backend, 2, {"a": [1, 2, 3]})
    assert seen["torch_threads"] == {share}
    assert seen["blas_threads"] == {share}


def test_threads_are_given_back():
    torch.set_num_threads(2)
    try:
        reports("threading", 2, {"a": [1, 2, 3]})
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_without_workers_nothing_is_changed():
    seen = reports("loky", 1, {"a": [1, 2]})
    assert seen["pid"] == {os.getpid()}
    assert seen["torch_threads"] == {torch.get_num_threads()}


class CountsReads(np.ndarray):
    """An array that notes each time a process unpickles it."""

    def __reduce__(self):
        return _read, (np.asarray(self), os.environ["SKTUNE_TEST_READS"])


def _read(array, folder):
    with open(os.path.join(folder, "reads"), "a") as file:
        file.write(f"{os.getpid()}\n")
    return array


def test_each_worker_reads_the_data_once(tmp_path, monkeypatch):
    monkeypatch.setenv("SKTUNE_TEST_READS", str(tmp_path))
    counting = X.view(CountsReads)
    GridSearchCV(Score(), {"a": list(range(30))}, cv=3, n_jobs=2).fit(counting, y)
    readers = (tmp_path / "reads").read_text().split()
    assert 1 <= len(readers) == len(set(readers)) <= 2


@pytest.mark.parametrize("max_nbytes", [None, 0])
def test_shared_values_arrive_whole_and_leave_nothing(tmp_path, max_nbytes):
    value = {"X": X, "F": np.asfortranarray(X), "y": ["a", None], "f": lambda: 3}
    value["T"] = torch.as_tensor(X.copy())
    shared = Shared(value, folder=str(tmp_path), max_nbytes=max_nbytes)
    received = pickle.loads(pickle.dumps(shared))
    again = pickle.loads(pickle.dumps(shared))
    assert received.get()["X"] is again.get()["X"]
    assert isinstance(received.get()["X"], np.memmap) == (max_nbytes == 0)
    np.testing.assert_array_equal(received.get()["X"], X)
    assert received.get()["F"].flags.f_contiguous
    assert torch.equal(received.get()["T"], value["T"])
    assert received.get()["f"]() == 3
    assert shared.get() is value
    shared.close()
    assert list(tmp_path.iterdir()) == []


def test_a_search_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    before = set(tmp_path.iterdir())
    GridSearchCV(Score(), {"a": [1, 2]}, cv=2, n_jobs=2).fit(X, y)
    left = {p for p in tmp_path.iterdir() if p.name.startswith("sktune-")}
    assert left <= before


class Unpicklable(Score):
    def __getstate__(self):
        raise TypeError("this holds a lock")


@pytest.mark.slow
def test_searches_leave_no_folder_in_shared_memory(tmp_path):
    """joblib makes one for each pool; also where one lost a worker."""
    names = f"joblib_memmapping_folder_{os.getpid()}_*"

    def search(estimator):
        with joblib.parallel_config("loky", n_jobs=2):
            GridSearchCV(estimator, {"a": [0.1, 0.2]}, cv=2, refit=False).fit(X, y)
        return len(list(Path("/dev/shm").glob(names)))

    n_folders = search(Score())
    assert [search(Score()) for _ in range(3)] == [n_folders] * 3
    with pytest.warns(UserWarning, match="A worker was killed"):
        assert search(Kills(bad=(0.2,), folder=str(tmp_path))) == n_folders


def test_what_cannot_be_sent_is_said_before_any_fit():
    search = GridSearchCV(Unpicklable(), {"a": [1]}, cv=2, n_jobs=2)
    with pytest.raises(EstimatorError, match=r"cannot be sent.*a lock.*n_jobs=1"):
        search.fit(X, y)
    here = GridSearchCV(Unpicklable(), {"a": [1]}, cv=2, refit=False).fit(X, y)
    assert np.isfinite(here.cv_results_["mean_test_score"]).all()


def test_classes_that_workers_cannot_import():
    class Local(Score):
        pass

    space = {"a": [0.2, 0.3], "odd": [lambda: 1]}
    fitted = GridSearchCV(Local(), space, cv=2, n_jobs=2).fit(X, y)
    assert fitted.best_params_["a"] == 0.3


@pytest.mark.parametrize(
    ("pre_dispatch", "expected"),
    [("all", float("inf")), ("2*n_jobs", 6), ("n_jobs", 3), (1, 1), ("1", 1)],
)
def test_pre_dispatch(pre_dispatch, expected):
    assert _limit(pre_dispatch, 3) == expected


def test_configuration_and_filters_reach_the_workers():
    import warnings

    from sklearn import config_context, get_config

    def scoring(estimator, X, y):
        with warnings.catch_warnings(record=True) as caught:
            warnings.warn("one", RuntimeWarning, stacklevel=1)
        return {"config": get_config()["working_memory"], "heard": len(caught)}

    with config_context(working_memory=77), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        fitted = GridSearchCV(
            Score(), {"a": [1, 2]}, cv=2, n_jobs=2, scoring=scoring, refit=False
        ).fit(X, y)
    assert set(fitted.cv_results_["mean_test_config"]) == {77}
    assert set(fitted.cv_results_["mean_test_heard"]) == {0}


def test_estimators_of_scikit_learn_run_beside_each_other_in_threads():
    """Only what draws from global generators has to run by itself."""
    assert not job_of(LogisticRegression(random_state=0), None).draws_globally
    assert job_of(LogisticRegression(), None).draws_globally
    assert job_of(Score(), None).draws_globally


class SlowOrBad(Score):
    """Raises soon, or sleeps and leaves the number of its process in folder `b`."""

    def fit(self, X, y):
        if self.a == 0:
            time.sleep(0.5)
            raise ValueError("stop")
        Path(self.b, str(os.getpid())).touch()
        time.sleep(30)


@pytest.mark.slow
@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV, BayesSearchCV])
def test_a_search_that_is_stopped_leaves_no_worker_busy(search, tmp_path):
    """After an error the workers that were at work for it are gone."""
    few = {"random_state": 0}
    if search is not GridSearchCV:
        few["n_iter"] = 2
    if search is BayesSearchCV:
        few["n_pending"] = 2
        few["initial_points"] = [{"a": 1}, {"a": 0}]
    start = time.monotonic()
    # One split of each candidate, so that both are at work at the same time.
    split = [(np.arange(60), np.arange(60, 90))]
    with pytest.raises(ValueError, match="stop"):
        search(
            SlowOrBad(b=str(tmp_path)),
            {"a": [1, 0]},
            cv=split,
            n_jobs=2,
            error_score="raise",
            **few,
        ).fit(X, y)
    assert time.monotonic() - start < 25
    assert list(tmp_path.iterdir())
    for pid in tmp_path.iterdir():
        assert not Path(f"/proc/{pid.name}").exists()


class Counts(Score):
    started = 0

    def fit(self, X, y):
        type(self).started += 1
        np.random.random_sample()
        if self.a == 3:
            raise ValueError("stop")
        return super().fit(X, y)


def test_threads_do_not_outlive_the_search():
    """They would go on drawing from generators that are the caller's again."""
    before = np.random.get_state()[1].copy()
    search = GridSearchCV(
        Counts(), {"a": list(range(200))}, cv=2, error_score="raise", random_state=0
    )
    with (
        joblib.parallel_config("threading", n_jobs=2),
        pytest.raises(ValueError, match="stop"),
    ):
        search.fit(X, y)
    started = Counts.started
    time.sleep(0.3)
    assert Counts.started == started < 400
    np.testing.assert_array_equal(np.random.get_state()[1], before)


class Interrupted(Score):
    """A net's way: it is sent Ctrl-C while it trains, and swallows it."""

    def fit(self, X, y):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        except KeyboardInterrupt:
            pass
        return super().fit(X, y)


class StopsItself(Score):
    """EarlyStopping's way: it raises what Ctrl-C raises, and swallows it."""

    def fit(self, X, y):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            return super().fit(X, y)


def test_ctrl_c_that_a_net_swallows_ends_the_search():
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(Interrupted(), {"a": [1, 2]}, cv=2).fit(X, y)
    assert signal.getsignal(signal.SIGINT) is handler
    search = GridSearchCV(StopsItself(), {"a": [1, 2]}, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("device", "space"), [("cuda", {"lr": [0.1]}), ("cpu", {"device": ["cuda:1"]})]
)
def test_no_forked_worker_is_to_train_on_cuda(device, space):
    """It would fail in every fit, with a message of CUDA's."""
    search = GridSearchCV(net(device=device), space, cv=2)
    with (
        joblib.parallel_config("multiprocessing", n_jobs=2),
        pytest.raises(EstimatorError, match=r"device='cuda.*forked.*backend='loky'"),
    ):
        search.fit(X, y)


def frozen(estimator, X, y):
    time.sleep(0.2)
    return gc.get_freeze_count()


@pytest.mark.slow
def test_what_workers_have_imported_is_not_looked_through_again():
    """And only while the search lasts that they imported it for."""
    options = dict(cv=2, n_jobs=2, scoring=frozen, refit=False)
    seen, here = [], gc.get_freeze_count()
    for n in (10, 2):
        search = GridSearchCV(Score(), {"a": list(range(n))}, **options).fit(X, y)
        seen.append(search.cv_results_["split1_test_score"].tolist())
    assert seen[0][0] == 0 < seen[0][-1]
    assert seen[1][-1] == 0
    assert gc.get_freeze_count() == here


class Grows(Score):
    """Its first fit in a process takes memory that stays, as importing torch does."""

    kept = None

    def fit(self, X, y):
        if Grows.kept is None:
            Grows.kept = np.ones(self.b, dtype=np.uint8)
        time.sleep(0.6)
        return super().fit(X, y)


@pytest.mark.slow
def test_what_a_search_brings_is_no_leak_of_memory():
    """loky would end the worker, with a warning that ends its own thread here."""
    pytest.importorskip("psutil")
    options = dict(cv=2, refit=False, n_jobs=2)
    small = GridSearchCV(Score(), {"a": [1, 2]}, **options).fit(X, y)
    large = GridSearchCV(Grows(b=400_000_000), {"a": [1, 2, 3, 4]}, **options)
    large.fit(X, y)
    for search in (small, large):
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()


AFTER_A_FORK = """
import joblib, torch
from tests.helpers.estimators import blobs, net
from sktune import GridSearchCV

torch.set_num_threads(2)
torch.ones(500, 500) @ torch.ones(500, 500)  # by two threads, which no copy has
X, y = blobs()
with joblib.parallel_config("multiprocessing", n_jobs=2):
    GridSearchCV(net(verbose=0), {"lr": [0.1]}, cv=2, refit=False).fit(X, y)
"""


@pytest.mark.slow
def test_forked_workers_do_not_wait_for_threads_that_are_not_there():
    subprocess.run([sys.executable, "-c", AFTER_A_FORK], check=True, timeout=50)
