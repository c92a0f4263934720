"""The private names that sktune uses of others still exist and mean the same."""

import inspect
from queue import SimpleQueue

import joblib
import pytest
import torch

from sktune import _compat


def test_every_name_is_there():
    for name in _compat.__all__:
        assert getattr(_compat, name) is not None


@pytest.mark.parametrize(
    "name",
    [
        "_check_refit_for_multimetric",
        "_format_results",
        "_get_routed_params_for_fit",
        "_get_scorers",
        "_parameter_constraints",
        "_run_search",
        "_select_best_index",
    ],
)
def test_methods_of_the_base_class(name):
    assert hasattr(_compat.BaseSearchCV, name)


@pytest.mark.skipif(not _compat._HAS_CALLBACKS, reason="scikit-learn 1.8 has none")
def test_attributes_of_callbacks():
    from sklearn.callback import ScoringMonitor
    from sklearn.linear_model import LogisticRegression

    estimator = LogisticRegression().set_callbacks(ScoringMonitor(scoring="accuracy"))
    assert set(vars(estimator)) & set(_compat.CALLBACK_ATTRIBUTES)


def test_what_cloudpickle_is_asked_for():
    from sktune.execution.checkpoint import _script_classes as live

    class Local:
        pass

    assert not live.is_of_a_script(dict)
    assert live.is_of_a_script(Local)
    assert live.is_of_a_script(lambda: None)
    token, value = live.reference(Local)
    assert live.resolve(token, value) is Local
    assert live.resolve("unknown", value).__name__ == "Local"


def test_arguments_of_one_fit():
    parameters = inspect.signature(_compat._fit_and_score).parameters
    assert set(parameters) >= {
        "scorer",
        "train",
        "test",
        "verbose",
        "parameters",
        "fit_params",
        "score_params",
        "return_train_score",
        "return_parameters",
        "return_n_test_samples",
        "return_times",
        "split_progress",
        "candidate_progress",
        "error_score",
    }


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_what_joblib_is_asked_for(backend):
    with (
        joblib.parallel_config(backend, n_jobs=2),
        joblib.Parallel() as parallel,
    ):
        assert parallel._effective_n_jobs() == 2
        assert {"temp_folder", "max_nbytes"} <= set(parallel._backend_kwargs)
        for method in (
            "submit",
            "retrieve_result_callback",
            "abort_everything",
            "start_call",
            "stop_call",
            "get_nested_backend",
        ):
            assert callable(getattr(parallel._backend, method))
    assert joblib.parallel.eval_expr("2*3") == 6


def test_what_is_asked_of_a_pool_that_lost_a_worker():
    from sktune.execution.dispatch._pool import Pool

    with joblib.parallel_config("loky"):
        pool = Pool(2)
        pool.start()
        nested = pool.backend.get_nested_backend()
        arrived = SimpleQueue()
        task = joblib.parallel.BatchedCalls([(int, (), {})], nested)
        pool.submit(task, arrived.put)
        assert pool.result(arrived.get()) == [0]
        assert len(pool._processes()) == 2
        assert pool.dead() == set()
        assert pool.patience is None
        pool.close()
    with joblib.parallel_config("multiprocessing"):
        pool = Pool(2)
        pool.start()
        assert len(pool._processes()) == 2
        assert pool.patience is not None
        assert pool.forks == (pool._silent._ctx.get_start_method() == "fork")
        for name in ("_pool", "_worker_handler", "_change_notifier"):
            assert hasattr(pool._silent, name)
        assert hasattr(pool._silent._inqueue._rlock, "release")
        assert hasattr(pool._silent._outqueue._wlock, "release")
        pool.close()


def test_the_scorer_of_an_estimator_holds_it():
    from sklearn.metrics import check_scoring
    from sklearn.svm import SVC

    given, other = SVC(), SVC()
    scorer = check_scoring(given)
    assert _compat.scorer_of(scorer, other)._estimator is other
    assert scorer._estimator is given


def test_what_torch_is_asked_for():
    assert callable(torch.cuda._parse_visible_devices)
    assert callable(torch.cuda._get_nvml_device_index)
    assert _compat.physical_cuda_device(10**6) == 10**6
    if torch.backends.cuda.is_built():
        assert callable(torch._C._cuda_clearCublasWorkspaces)


def test_where_joblib_runs():
    backend, _ = joblib.parallel.get_active_backend()
    assert isinstance(backend, joblib.parallel.BACKENDS["loky"])
    assert {"multiprocessing", "sequential", "threading"} <= set(
        joblib.parallel.BACKENDS
    )
