"""What a program has set in torch and numpy holds in all workers."""

import builtins

import joblib
import numpy as np
import pytest
import torch
from joblib.pool import PicklingPool
from sklearn.base import BaseEstimator
from torch.utils.flop_counter import FlopCounterMode

from sktune._errors import EstimatorError
from sktune.execution.guards._torch_table import SETTINGS
from tests.helpers.estimators import Score, blobs, net
from tests.helpers.results import assert_same_search
from tests.helpers.searches import grid
from tests.helpers.torch_settings import CHANGES, ELSEWHERE, report, restored, seen

X, y = blobs(60)

one_end = pytest.mark.one_end  # of clusters there is one version
BACKENDS = [
    "sequential",
    "threading",
    pytest.param("loky", marks=pytest.mark.slow),
    pytest.param("multiprocessing", marks=pytest.mark.slow),
]
CLUSTERS = [  # which take long to start
    pytest.param(name, marks=[pytest.mark.slow, one_end, pytest.mark.timeout(180)])
    for name in ("dask", "ray")
]


@pytest.fixture
def backend(request):
    """Two workers of a backend."""
    if request.param == "dask":
        distributed = pytest.importorskip("distributed")
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, dashboard_address="127.0.0.1:0"
        )
        with cluster, distributed.Client(cluster), joblib.parallel_config("dask"):
            yield
    elif request.param == "ray":
        ray = pytest.importorskip("ray")
        register = pytest.importorskip("ray.util.joblib").register_ray
        # ray changes these for good, and with the first multiprocessing's backend.
        bases, own_print = PicklingPool.__bases__, builtins.print
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
        )
        try:
            register()
            with joblib.parallel_config("ray", n_jobs=2):
                yield
        finally:
            ray.shutdown()
            PicklingPool.__bases__, builtins.print = bases, own_print
    else:
        with joblib.parallel_config(request.param, n_jobs=2):
            yield


every_backend = pytest.mark.parametrize("backend", BACKENDS, indirect=True)
clusters_too = pytest.mark.parametrize("backend", BACKENDS + CLUSTERS, indirect=True)


def scores_of(search):
    return {
        name.removeprefix("split0_test_"): set(column)
        for name, column in search.cv_results_.items()
        if name.startswith("split0_test_")
    }


def seen_in_fits(**kwargs):
    options = dict(cv=2, scoring=report, refit=False, **kwargs)
    return scores_of(grid(Score(), {"a": [1, 2, 3]}, **options).fit(X, y))


def test_all_settings_are_tried():
    assert {one.name for one in SETTINGS} <= CHANGES.keys() | ELSEWHERE


@pytest.mark.parametrize("name", sorted(CHANGES.keys() - ELSEWHERE))
def test_a_setting_is_seen_as_users_change_it(name):
    """Or else the tests below would not test it."""
    with restored():
        before = seen()
        CHANGES[name]()
        assert name not in before or before[name] != seen()[name]


@clusters_too
def test_all_settings_hold_in_workers(backend):
    with restored(), np.errstate(all="raise"):
        for change in CHANGES.values():
            change()
        torch.compiler.set_stance("force_eager")
        try:
            with torch._dynamo.config.patch(capture_scalar_outputs=True):
                here, there = seen(), seen_in_fits()
        finally:
            torch.compiler.set_stance("default")
    assert {name: {value} for name, value in here.items()} == there
    # And nothing is left in the workers for a search without any of it.
    assert {name: {value} for name, value in seen().items()} == seen_in_fits()


@every_backend
def test_one_answer_with_another_dtype(backend):
    """The input on which every fit failed in workers."""
    X64 = X.astype(np.float64)
    options = dict(cv=3, random_state=0, error_score="raise")
    space = {"lr": [0.1, 0.01]}
    with restored():
        torch.set_default_dtype(torch.float64)
        among_others = grid(net(), space, **options).fit(X64, y)
        with joblib.parallel_config("sequential", n_jobs=1):
            by_itself = grid(net(), space, n_jobs=1, **options).fit(X64, y)
    assert_same_search(among_others, by_itself)
    weights = among_others.best_estimator_.module_.layers[0].weight
    assert weights.dtype == torch.float64


@every_backend
def test_inference_mode_holds_in_workers(backend):
    with torch.inference_mode():
        here, there = seen(), seen_in_fits()
    assert here["inference"] != seen()["inference"]
    assert there["inference"] == {here["inference"]}


class SetsAll(BaseEstimator):
    """Sets in its fit what it finds in no other's."""

    def __init__(self, a=0):
        self.a = a

    def fit(self, X, y):
        self.seen_ = torch.get_default_dtype(), np.geterr()["divide"]
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        np.seterr(divide="raise")
        return self

    def score(self, X, y):
        return float(self.seen_ == (torch.float32, "warn"))


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"], indirect=True)
def test_what_a_fit_sets_is_not_seen_by_the_next(backend):
    with restored():
        search = grid(SetsAll(), {"a": [1, 2, 3, 4]}, cv=2, refit=False).fit(X, y)
        assert set(search.cv_results_["mean_test_score"]) == {1.0}
        assert torch.get_default_dtype() == torch.float32
        assert torch.get_default_device().type == "cpu"
    assert np.geterr()["divide"] == "warn"


@pytest.mark.parametrize("backend", ["threading", "loky"], indirect=True)
def test_a_mode_of_one_thread_is_refused(backend):
    search = grid(Score(), {"a": [1, 2]}, cv=2, refit=False)
    with (
        FlopCounterMode(display=False),
        pytest.raises(EstimatorError, match=r"within .*FlopCounterMode.*n_jobs=1"),
    ):
        search.fit(X, y)
    with (
        torch.autograd.graph.save_on_cpu(),
        pytest.raises(EstimatorError, match="saved_tensors_hooks"),
    ):
        search.fit(X, y)
    with FlopCounterMode(display=False):
        grid(Score(), {"a": [1, 2]}, cv=2, refit=False, n_jobs=1).fit(X, y)


def test_hooks_of_all_modules_are_warned_of():
    def doubles(module, args, output):
        return 2 * output

    search = grid(Score(), {"a": [1, 2]}, cv=2, refit=False, n_jobs=2)
    handle = torch.nn.modules.module.register_module_forward_hook(doubles)
    try:
        with pytest.warns(UserWarning, match="without them: .*doubles.*n_jobs=1"):
            search.fit(X, y)
        with joblib.parallel_config("threading"):
            search.fit(X, y)
    finally:
        handle.remove()


def test_a_journal_is_continued_with_the_same_digits_only(tmp_path):
    from sktune._errors import JournalError

    def fit():
        journal = tmp_path / "search.jsonl"
        return grid(Score(), {"a": [1]}, cv=2, random_state=0, journal=journal).fit(
            X, y
        )

    fit()
    with restored():
        torch.backends.cudnn.benchmark = True  # the same numbers by other kernels
        fit()
        torch.set_default_dtype(torch.float64)
        with pytest.raises(JournalError, match=r"set_default_dtype.*float64' now"):
            fit()
