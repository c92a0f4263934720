"""The private names that sktune uses of others still exist and mean the same."""

import os
from queue import SimpleQueue

import joblib
import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from sktune import GridSearchCV, _compat


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


def test_errors_of_scorers_that_are_joined():
    """They keep them to themselves, unless they are noted."""
    estimator = LogisticRegression().fit([[0.0], [1.0]], [0, 1])

    def ours(estimator, X, y):
        raise RuntimeError("ours")

    scoring = {"f1": "f1", "accuracy": "accuracy", "ours": ours}
    search = GridSearchCV(estimator, {}, scoring=scoring, refit=False)
    scorers, _ = search._get_scorers()
    assert isinstance(scorers, _compat.MultimetricScorer)
    X, y = [[0.0], [1.0]], ["a", "b"]  # not the classes that it knows
    noting, errors = _compat.noting_errors(scorers)
    scores = noting(estimator, X, y)
    failed = {name for name, score in scores.items() if isinstance(score, str)}
    assert failed >= {"f1", "ours"}  # 1.8 counts how many are right
    assert len(errors) == len(failed)
    assert [type(error).__name__ for error in errors][-1] == "RuntimeError"
    n_before = len(errors)
    assert scorers(estimator, X, [0, 1])["accuracy"] == 1.0
    assert len(errors) == n_before, "the scorers themselves were not touched"
    assert noting(estimator, X, [0, 1])["f1"] == 1.0
    assert len(errors) == n_before + 1


@pytest.mark.parametrize("rows", [[2, 0, -1], [True, False, True, True]])
@pytest.mark.parametrize("y", [None, np.arange(4), ["a", "b", "c", "d"]])
@pytest.mark.parametrize("X", [np.eye(4), np.eye(4)[None].T, [[1], [2], [3], [4]]])
def test_rows_are_cut_as_scikit_learn_cuts_them(X, y, rows):
    (rows,) = _compat.as_indices([rows], np.eye(2))
    for ours, theirs in zip(
        _compat.safe_split(SVC(), X, y, rows),
        _compat._safe_split(SVC(), X, y, rows),
        strict=True,
    ):
        assert type(ours) is type(theirs)
        np.testing.assert_array_equal(ours, theirs)


def test_a_kernel_is_cut_in_both_directions():
    kernel, rows = (
        np.arange(9).reshape(3, 3),
        _compat.as_indices([[0, 2]], np.eye(3))[0],
    )
    X, y = _compat.safe_split(SVC(kernel="precomputed"), kernel, [1, 2, 3], rows)
    assert X.tolist() == [[0, 2], [6, 8]] and y == [1, 3]
    test, _ = _compat.safe_split(
        SVC(kernel="precomputed"), kernel, [1, 2, 3], np.array([1]), rows
    )
    assert test.tolist() == [[3, 5]]


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


@pytest.mark.slow
def test_what_is_asked_of_a_pool_that_lost_a_worker():
    from sktune.execution.dispatch._pool import Pool

    with joblib.parallel_config("loky"):
        pool = Pool(2)
        pool.start()
        arrived = SimpleQueue()
        pool.submit(int, ("7",), arrived.put)
        assert pool.result(arrived.get()) == 7
        assert len(pool._processes()) == 2
        manager = pool.backend._workers._temp_folder_manager
        assert all(isinstance(p, str) for p in manager._cached_temp_folders.values())
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


def test_what_loky_takes_for_a_leak_of_memory():
    from joblib.externals.loky import process_executor

    if process_executor._USE_PSUTIL:
        assert process_executor._get_memory_usage(os.getpid()) > 1e7
    assert process_executor._MAX_MEMORY_LEAK_SIZE == 3e8


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
