"""A fit that takes more memory than `fit_memory` fails, and no other."""

import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from sklearn.exceptions import FitFailedWarning

from sktune import (
    BayesSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune._errors import FitMemoryError
from sktune.execution.guards import _memory_limit, _process_memory
from sktune.execution.guards._memory_limit import MemoryLimit, as_bytes
from tests.helpers.estimators import blobs, net
from tests.helpers.memory import MB, Takes, take
from tests.helpers.trained import job_of, run

X, y = blobs()
SPLIT = [(np.arange(60), np.arange(60, 90))]
PHYSICAL = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
LIMIT = "300MB"

BACKENDS = [
    "sequential",
    "threading",
    pytest.param("loky", marks=pytest.mark.slow),
    pytest.param("multiprocessing", marks=pytest.mark.slow),
]

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
    pytest.mark.filterwarnings("ignore:One or more of the t"),
    pytest.mark.filterwarnings("ignore:Hyperband plans"),
    pytest.mark.filterwarnings("ignore:The last rung"),
    pytest.mark.filterwarnings("ignore:The space has only"),
    pytest.mark.filterwarnings("ignore:No candidate has a finite score"),
]


def grid(estimator, space, **kwargs):
    return GridSearchCV(
        estimator, space, cv=SPLIT, refit=False, fit_memory=LIMIT, **kwargs
    )


def outcome_of(estimator, limit=LIMIT, params=None):
    """One fit in this process."""
    job = job_of(estimator, None, error_score=np.nan, fit_memory=limit, scorer=score_of)
    return run(job, None, params)


def score_of(estimator, X, y):
    return estimator.score(X, y)


def data_limit():
    resource = pytest.importorskip("resource")
    return resource.getrlimit(resource.RLIMIT_DATA)


@pytest.mark.parametrize("how", ["at_once", "in_steps"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_only_the_fit_that_takes_too_much_has_failed(backend, how, tmp_path):
    sizes = [1.0, 2.0, 900.0, 3.0]
    before = data_limit()
    with (
        joblib.parallel_config(backend, n_jobs=2),
        pytest.warns(FitFailedWarning, match=r"1 fits failed(.|\n)*fit_memory='300MB'"),
    ):
        search = grid(Takes(how=how, folder=str(tmp_path)), {"a": sizes}).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores).tolist() == [False, False, True, False]
    assert Path(tmp_path, "runs").read_text().split().count("900.0") == 1
    assert data_limit() == before


@pytest.mark.parametrize("backend", BACKENDS)
def test_sizes_that_reach_past_the_memory_of_the_machine(backend):
    """Ten times what there is, at once and as the weights of a net."""
    beyond = [1.0, 10.0 * PHYSICAL / MB]
    with (
        joblib.parallel_config(backend, n_jobs=2),
        pytest.warns(FitFailedWarning, match=r"1 fits failed(.|\n)*fit_memory"),
    ):
        search = grid(Takes(), {"a": beyond}).fit(X, y)
    assert search.best_index_ == 0


class Wide(torch.nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(4, hidden),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden, hidden),
            torch.nn.Linear(hidden, 3),
        )

    def forward(self, X):
        return self.layers(X)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_net_whose_width_is_searched(backend):
    wide = net(max_epochs=1).set_params(module=Wide)
    space = {"module__hidden": [8, 16, 15_000, 10**6]}
    with (
        joblib.parallel_config(backend, n_jobs=2),
        pytest.warns(FitFailedWarning, match=r"2 fits failed(.|\n)*fit_memory"),
    ):
        search = grid(wide, space, random_state=0).fit(X, y)
    assert search.best_params_["module__hidden"] in (8, 16)


class Hoards(torch.nn.Module):
    """Keeps 8 MB at each call while it is trained."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 3)
        self.kept = []

    def forward(self, X):
        if self.training:
            self.kept.append(take(8))
        return self.layer(X)


def test_a_net_that_grows_is_ended_at_its_next_batch():
    # Far fewer epochs than it has; more memory than that is never taken.
    one = net(max_epochs=10_000).set_params(module=Hoards)
    outcome = outcome_of(one)
    assert "FitMemoryError: The fit took more memory than fit_memory='300MB'" in (
        outcome.fit_error
    )
    assert "and was ended in epoch" in outcome.fit_error


def test_what_takes_memory_while_it_is_scored_has_failed():
    outcome = outcome_of(Takes(a=5_000.0, how="in_score"))
    assert "while it was scored" in outcome.fit_error
    assert outcome.score("score") is None
    assert outcome_of(Takes(a=1.0, how="in_score")).fit_error is None


def test_several_scorers_and_error_score_raise():
    search = grid(Takes(how="in_score"), {"a": [1.0, 5_000.0]})
    search.set_params(scoring={"one": score_of, "two": score_of}, refit="one")
    with pytest.warns(FitFailedWarning, match=r"1 fits failed(.|\n)*fit_memory"):
        search.fit(X, y)
    search.set_params(error_score="raise")
    with pytest.raises(FitMemoryError, match="fit_memory='300MB' leaves to it"):
        search.fit(X, y)


def test_the_next_fit_begins_anew():
    """Neither what a fit has left behind counts for the next, nor its failure."""
    one = Takes(how="in_steps")
    for a, fails in [(200.0, False), (200.0, False), (900.0, True), (200.0, False)]:
        assert (outcome_of(one, params={"a": a}).fit_error is not None) == fails


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_where_memory_is_not_refused_the_worker_ends(backend, tmp_path, recwarn):
    """It says it is on a GPU. The fit has failed at once, and does not run again."""
    one = Takes(how="in_steps", folder=str(tmp_path), device="cuda")
    with joblib.parallel_config(backend, n_jobs=2):
        search = grid(one, {"a": [1.0, 2.0, 5_000.0, 3.0]}).fit(X, y)
    check_that_one_worker_ended(search, tmp_path, recwarn)


@pytest.mark.slow
def test_a_crash_of_a_fit_that_has_taken_too_much(tmp_path, recwarn):
    one = Takes(how="then_abort", folder=str(tmp_path))
    with joblib.parallel_config("loky", n_jobs=2):
        search = grid(one, {"a": [1.0, 2.0, 340.0, 3.0]}).fit(X, y)
    check_that_one_worker_ended(search, tmp_path, recwarn)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_workers_of_dask(tmp_path, recwarn):
    """dask sends what was lost again by itself, and it is not run for all that."""
    distributed = pytest.importorskip("distributed")
    one = Takes(how="in_steps", folder=str(tmp_path), device="cuda")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=2,
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        search = grid(one, {"a": [1.0, 2.0, 5_000.0, 3.0]}).fit(X, y)
        check_that_one_worker_ended(search, tmp_path, recwarn)
        with pytest.warns(FitFailedWarning, match="1 fits failed"):
            grid(Takes(how="in_steps"), {"a": [1.0, 900.0, 2.0]}).fit(X, y)


def check_that_one_worker_ended(search, folder, recwarn):
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores).tolist() == [False, False, True, False]
    said = [str(w.message) for w in recwarn if w.category is FitFailedWarning]
    assert len(said) == 1
    assert "fit_memory='300MB'" in said[0] and "its worker ended" in said[0]
    assert not [w for w in recwarn if "was killed" in str(w.message)]
    large = [a for a in Path(folder, "runs").read_text().split() if float(a) > 300]
    assert len(large) == 1


def test_a_search_within_a_fit():
    """The limit of the inner search fails its fit, and not the one around it."""
    inner = grid(Takes(), {"a": [1.0, 2_000.0]}).set_params(refit=True, cv=2)
    with pytest.warns(FitFailedWarning, match=r"2 fits failed(.|\n)*'300MB'"):
        outcome = outcome_of(inner, limit="20GB")
    assert outcome.fit_error is None
    inner.set_params(fit_memory="20GB", estimator__how="in_steps", error_score="raise")
    outcome = outcome_of(inner, limit="300MB", params={"param_grid": {"a": [900.0]}})
    assert "fit_memory='300MB'" in outcome.fit_error


def test_processes_that_a_fit_starts_keep_no_limit(tmp_path):
    """Such as a pool of workers that stays when the fit is over."""
    child = Starts()
    assert outcome_of(child).fit_error is None
    with Starts.process as process:
        resource = pytest.importorskip("resource")
        assert Starts.limit_within != data_limit()
        assert resource.prlimit(process.pid, resource.RLIMIT_DATA) == data_limit()
        process.kill()


class Starts(Takes):
    process = limit_within = None

    def fit(self, X, y):
        Starts.limit_within = data_limit()
        Starts.process = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
        )
        return super().fit(X, y)


def test_a_forked_process_has_no_limit():
    one = MemoryLimit(LIMIT)
    with one.watching(), one.training(Takes()):
        before = _memory_limit._watch._ceiling._before
        assert data_limit() != before
        reader, writer = os.pipe()
        if (pid := os.fork()) == 0:
            os.write(writer, b"free" if data_limit() == before else b"held")
            os._exit(0)
        os.waitpid(pid, 0)
        assert os.read(reader, 9) == b"free"
        os.close(reader), os.close(writer)


@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(Takes(), {"a": [1.0, 900.0]}, cv=SPLIT),
        RandomizedSearchCV(Takes(), {"a": [1.0, 900.0]}, n_iter=2, cv=SPLIT),
        BayesSearchCV(Takes(), {"a": [1.0, 900.0]}, n_iter=2, cv=SPLIT),
    ],
)
def test_searches(search):
    search.set_params(fit_memory=300e6, refit=False)
    with pytest.warns(FitFailedWarning, match=r"1 fits failed(.|\n)*fit_memory=3"):
        search.fit(X, y)
    for bad in (0, -1, [1], b"1GB"):
        with pytest.raises(ValueError, match=r"'fit_memory' parameter .* must be"):
            search.set_params(fit_memory=bad).fit(X, y)
    for bad in ("", "much", "2", "2 G", "-1GB", "0MB", "2GBytes", 0.5):
        with pytest.raises(ValueError, match=r"no amount of memory\. Give a number"):
            search.set_params(fit_memory=bad).fit(X, y)


@pytest.mark.parametrize("search", [SuccessiveHalvingSearchCV, HyperbandSearchCV])
def test_searches_with_rungs(search):
    wide = net(verbose=0).set_params(module=Wide)
    space = {"module__hidden": [8, 9, 10, 20_000]}
    one = search(wide, space, max_resources=3, cv=2, random_state=0, fit_memory=LIMIT)
    with pytest.warns(FitFailedWarning, match="fit_memory"):
        one.fit(X, y)
    assert one.best_params_["module__hidden"] < 20_000


def test_amounts():
    given = [1, 2.5e9, "1KB", "500MB", " 1.5 GiB", "2gb", "1tib", "7B", float("inf")]
    expected = [1, 2_500_000_000, 1000, 500_000_000, 3 * 2**29, 2 * 10**9, 2**40, 7]
    assert [as_bytes(one) for one in given] == [*expected, sys.maxsize // 2]


def test_other_systems_need_psutil(monkeypatch):
    monkeypatch.setattr(_process_memory, "_STATM", Path("/not/there"))
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(ValueError, match=r"cannot be held: .* Install psutil"):
        grid(Takes(), {"a": [1.0]}).fit(X, y)


def test_without_proc_nets_are_ended(monkeypatch):
    pytest.importorskip("psutil")
    monkeypatch.setattr(_process_memory, "_STATM", Path("/not/there"))
    one = net(max_epochs=10_000).set_params(module=Hoards)
    assert "and was ended in epoch" in outcome_of(one).fit_error
    assert outcome_of(Takes(a=1.0)).fit_error is None
