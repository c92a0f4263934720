"""Workers of ray, whose joblib backend is a pool of its actors; they are made blind."""

import builtins
import os
import time
from functools import partial

import joblib
import pytest
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sktune import GridSearchCV, SuccessiveHalvingSearchCV
from tests.helpers.blind import blind, note_payloads
from tests.helpers.estimators import Score, blobs, net
from tests.helpers.results import assert_same_search

ray = pytest.importorskip("ray")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.one_end,
    pytest.mark.timeout(180),  # each search starts processes anew
]
X, y = blobs()


@pytest.fixture(scope="module")
def cluster():
    from joblib.pool import PicklingPool
    from ray.util.joblib import register_ray

    # ray changes these for good, and with the first joblib's multiprocessing backend.
    bases, own_print = PicklingPool.__bases__, builtins.print
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        runtime_env={"worker_process_setup_hook": blind},
    )
    register_ray()
    yield
    ray.shutdown()
    PicklingPool.__bases__, builtins.print = bases, own_print


@pytest.fixture
def sent(cluster, monkeypatch):
    """What travels: jobs, and states of paused fits."""
    return note_payloads(monkeypatch)


def test_one_answer(sent):
    one = Pipeline([("scaler", StandardScaler()), ("net", net(verbose=0))])
    search = SuccessiveHalvingSearchCV(
        one,
        {"net__lr": loguniform(1e-3, 1.0)},
        max_resources=4,
        factor=2,
        cv=2,
        random_state=0,
        refit=False,
    )
    with joblib.parallel_config("ray", n_jobs=-1):
        on_ray = clone(search).fit(X, y)
    assert_same_search(on_ray, search.fit(X, y))
    assert 1 <= sum(packed for packed, _ in sent) <= 6
    assert sum(n for _, n in sent)


def test_number_of_workers(cluster, tmp_path):
    """As joblib says: the whole cluster for -1, and the caller itself for None."""
    pids = {}
    scorer = partial(pid, caller=os.getpid(), folder=tmp_path)
    for n_jobs in (None, -1):
        with joblib.parallel_config("ray", n_jobs=n_jobs):
            search = GridSearchCV(
                Score(), {"a": list(range(6))}, cv=2, scoring=scorer, refit=False
            ).fit(X, y)
        pids[n_jobs] = {int(v) for v in search.cv_results_["split0_test_score"]}
    assert pids[None] == {os.getpid()}
    assert os.getpid() not in pids[-1] and len(pids[-1]) == 2


def pid(estimator, X, y, caller, folder):
    """The process; a worker waits for another, which may need long to start."""
    if os.getpid() != caller:
        (folder / str(os.getpid())).touch()
        end = time.monotonic() + 60
        while len(list(folder.iterdir())) < 2 and time.monotonic() < end:
            time.sleep(0.01)
    return os.getpid()
