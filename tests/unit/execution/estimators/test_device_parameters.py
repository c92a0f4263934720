"""Writing a device to estimators, and what is done when its memory is too small."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from contextlib import contextmanager
from dataclasses import replace

import joblib
import numpy as np
import pytest
import torch
from joblib.parallel import ParallelBackendBase
from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from skorch import NeuralNetRegressor

from sktune._errors import DeviceError
from sktune._types import FitOutcome
from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.dispatch._pool import workers_are_here
from sktune.execution.estimators._device_parameters import (
    LeasedDevice,
    OwnDevices,
    check_placement,
    find_placeable,
    write_device,
)
from sktune.execution.estimators._resource import Resource
from sktune.execution.fitting import _leased
from sktune.execution.fitting._leased import Attempt, run_leased
from sktune.execution.guards._device_memory import (
    OutOfMemory,
    give_memory_back,
    is_out_of_memory,
    on_device,
    watch_memory,
)
from sktune.placement import Placement
from tests.helpers.estimators import Net, Score, blobs, net
from tests.helpers.placed import devices_of
from tests.helpers.trained import all_of, at_once, job_of, run

X, y = blobs(40)


class Booster(BaseEstimator):
    """Of another library; its own default for the device is None."""

    def __init__(self, device=None, base=None):
        self.device = device
        self.base = base


def pipeline(step) -> Pipeline:
    return Pipeline([("scale", StandardScaler()), ("net", step)])


@pytest.mark.parametrize(
    ("estimator", "prefixes"),
    [
        (net(), {""}),
        (pipeline(net()), {"net__"}),
        (GridSearchCV(pipeline(net()), {}), {"estimator__net__"}),
        (TransformedTargetRegressor(net()), {"regressor__"}),
        (BaggingClassifier(net(device="cuda")), {"estimator__"}),
        (Booster(), {""}),
        (Booster(base=Booster("cuda")), {"", "base__"}),
        (Booster(base=net(device=None)), {""}),
        (net(device=None), set()),
        (net(module__device="cuda"), {""}),
        (SVC(), set()),
        ("passthrough", set()),
        (SVC, set()),
    ],
)
def test_parts_that_take_a_device(estimator, prefixes):
    assert set(find_placeable(estimator)) == prefixes


def test_a_device_is_written_and_taken_back():
    one = pipeline(net(device="meta"))  # which is no place to be trained
    own = OwnDevices(one)
    write_device(one, "cpu:1")
    one.fit(X, y)
    assert devices_of(one) == {"cpu:1"}
    own.restore(one)
    assert type(one["net"].device) is str and one["net"].device == "meta"
    assert {p.device.type for p in one["net"].module_.parameters()} == {"meta"}


def test_state_of_the_optimizer_comes_too():
    one = net(
        device="meta",
        optimizer=torch.optim.Adam,
        optimizer__foreach=False,
        max_epochs=1,
    )
    own = OwnDevices(one)
    write_device(one, "cpu:0")
    one.fit(X, y)
    own.restore(one)
    for state in one.optimizer_.state.values():
        assert state["exp_avg"].device.type == "meta"


def test_what_was_fitted_of_a_net_goes_with_it():
    bag = BaggingClassifier(net(device="meta"), n_estimators=2)
    own = OwnDevices(bag)
    write_device(bag, "cpu:0")
    bag.fit(X, y)
    assert devices_of(bag) == {"cpu:0"}
    write_device(bag, "cpu:1")  # fitted on one device, and gone on with on another
    assert devices_of(bag) == {"cpu:1"}
    assert bag.predict(X).shape == y.shape
    own.restore(bag)
    assert devices_of(bag) == {"meta"}
    for each in bag.estimators_:
        assert type(each.device) is str
        assert {p.device.type for p in each.module_.parameters()} == {"meta"}


def test_others_get_their_own_back():
    booster = Booster(base=Booster("cuda"))
    own = OwnDevices(booster)
    write_device(booster, "cuda:1")
    assert (booster.device, booster.base.device) == ("cuda:1", "cuda:1")
    assert type(booster.device) is str
    own.restore(booster)
    assert (booster.device, booster.base.device) == (None, "cuda")


def test_a_net_without_a_device_is_left_alone():
    one = net(device=None, max_epochs=1).fit(X, y)
    own = OwnDevices(one)
    write_device(one, "meta")
    assert one.device is None
    assert {p.device.type for p in one.module_.parameters()} == {"cpu"}
    own.restore(one)
    assert one.device is None


def test_a_net_whose_own_device_is_not_there_stays():
    one = net(device="cuda", max_epochs=1)
    own = OwnDevices(one)
    write_device(one, "cpu:0")
    one.fit(X, y)
    with pytest.warns(UserWarning, match=r"fitted on cpu:0 and stays .* device, cuda"):
        own.restore(one)
    assert type(one.device) is str and one.device == "cpu:0"
    assert one.predict(X).shape == y.shape


def test_the_own_device_is_remembered():
    device = LeasedDevice("cuda:1", own=torch.device("cpu"))
    for same in (copy.deepcopy(device), pickle.loads(pickle.dumps(device))):
        assert same == "cuda:1" and same.own == torch.device("cpu")
    assert torch.device(device) == torch.device("cuda:1")
    one = net(device="meta")
    write_device(one, "cpu:0")
    write_device(one, "cpu:1")
    assert clone(one).device.own == "meta"


# -- memory ----------------------------------------------------------------------------


def chained() -> Exception:
    try:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        except RuntimeError as error:
            raise ValueError("A wrapper says something else.") from error
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("anything"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (ValueError("bad_alloc: cudaErrorMemoryAllocation"), True),
        (chained(), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (ValueError("Input contains NaN"), False),
    ],
)
def test_errors_of_memory(error, expected):
    assert is_out_of_memory(error) is expected


class TestRunLeased:
    @pytest.fixture
    def placement(self, tmp_path):
        return Placement((("cpu:0", 3),), folder=str(tmp_path))

    def test_once(self, placement):
        attempts = []

        def run(fits, attempt):
            attempts.append(attempt)
            return {k: FitOutcome({}) for k in range(len(fits))}

        outcomes = run_leased(placement, ["a", "b"], run)
        assert attempts == [Attempt("cpu:0", is_last=False)]
        assert sorted(outcomes) == [0, 1]
        for outcome in outcomes.values():  # one lease for both
            assert outcome.lease["device"] == "cpu:0"
            assert "retry_of" not in outcome.lease
        assert outcomes[0].lease == outcomes[1].lease

    def test_twice_for_those_that_ran_out(self, placement):
        attempts = []

        def run(fits, attempt):
            attempts.append((list(fits), attempt.is_last))
            done = {k: FitOutcome({"score": float(fit)}) for k, fit in enumerate(fits)}
            return done if attempt.is_last else {k: done[k] for k in (0, 2)}

        outcomes = run_leased(placement, [10, 11, 12, 13], run)
        assert attempts == [([10, 11, 12, 13], False), ([11, 13], True)]
        assert [outcomes[k].score("score") for k in range(4)] == [10, 11, 12, 13]
        assert "retry_of" not in outcomes[0].lease
        for k in (1, 3):
            lease = outcomes[k].lease
            assert lease["start"] >= lease["retry_of"]["end"]

    def job(self, placement, estimator, **options):
        RunsOut.n_fits = 0
        return job_of(estimator, None, placement=placement, **options)

    def test_a_fit_that_runs_out_runs_once_more(self, placement):
        job = self.job(placement, RunsOut(n_times=1))
        outcome = run(job, None)
        assert RunsOut.n_fits == 2 and outcome.fit_error is None
        lease = outcome.lease
        assert lease["start"] >= lease["retry_of"]["end"]

    def test_and_no_more(self, placement):
        with pytest.raises(torch.OutOfMemoryError):
            run(self.job(placement, RunsOut(n_times=3)), None)
        assert RunsOut.n_fits == 2

    def test_other_errors_are_not_tried_again(self, placement):
        with pytest.raises(ValueError, match="invalid literal"):
            run(self.job(placement, RunsOut(n_times=0, error=ValueError)), None)
        assert RunsOut.n_fits == 1

    def test_nothing_of_the_fit_is_left_when_memory_is_given_back(
        self, placement, monkeypatch
    ):
        nets, left = weakref.WeakSet(), []

        def give_back(device, everything):
            assert everything
            gc.collect()
            left.append((device, len(nets)))

        def carry_out(fits, attempt):
            one = net(max_epochs=1).fit(X, y)
            nets.add(one)
            try:
                watch_memory(RuntimeError("out of memory", one))
            except OutOfMemory:
                return {0: FitOutcome({})} if attempt.is_last else {}

        monkeypatch.setattr(_leased, "give_memory_back", give_back)
        run_leased(placement, [0], carry_out)
        assert left == [("cpu:0", 0), ("cpu:0", 0)]


class RunsOut(Score):
    """Runs out of memory so many times, or raises another error."""

    n_fits = 0

    def __init__(self, n_times=0, error=None):
        super().__init__()
        self.n_times = n_times
        self.error = error

    def fit(self, X, y):
        RunsOut.n_fits += 1
        if RunsOut.n_fits <= self.n_times:
            raise torch.OutOfMemoryError
        if self.error is not None:
            int("x")
        return super().fit(X, y)

    def score(self, X, y):
        return 1.0


def test_memory_is_given_back_on_accelerators_only(monkeypatch):
    calls = []
    monkeypatch.setattr(gc, "collect", lambda: calls.append("collect"))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: calls.append("empty"))
    give_memory_back("cpu:0")
    assert calls == []
    give_memory_back("mps")
    assert calls == ["collect", "empty"]
    give_memory_back("cuda:0")  # not initialised: there is nothing to empty
    assert calls == ["collect", "empty", "collect"]


# -- before the first fit --------------------------------------------------------------


def check(estimator, *dicts, names=("cpu:0",)):
    placement = Placement(tuple((name, 1) for name in names))
    return check_placement(
        placement, estimator, dicts, workers_are_here=workers_are_here()
    )


def test_a_searched_device():
    message = r"'net__device' is searched, and devices would set it.* Leave one of them"
    with pytest.raises(DeviceError, match=message):
        check(pipeline(net()), {"net__lr": [1]}, {"net__device": ["cpu", "cuda"]})


def test_nothing_to_place():
    for estimator in (SVC(), net(device=None)):
        with pytest.warns(
            UserWarning, match="devices has nothing to place: no part of"
        ):
            check(estimator, {"C": [1]})
    steps = [[("net", net())], [("svc", SVC())]]
    check(pipeline(SVC()), {"net": [SVC(), net()]})  # no warning: some candidates have
    check(pipeline(SVC()), {"steps": steps})


def test_a_device_that_is_not_there():
    with pytest.raises(DeviceError, match=r"cannot use 'cuda:7' on this machine"):
        check(net(), {}, names=["cuda:7"])


class Far(ParallelBackendBase):
    """Workers on other machines."""

    def effective_n_jobs(self, n_jobs):
        return n_jobs


def test_a_device_that_other_machines_may_have():
    joblib.register_parallel_backend("far", Far)
    try:
        with (
            joblib.parallel_config("far"),
            pytest.warns(UserWarning, match="refit runs on the estimator's own device"),
        ):
            assert check(net(), {}, names=["cuda:7"]) is None
    finally:
        del joblib.parallel.BACKENDS["far"]


def test_no_gpu_is_said_once(monkeypatch):
    monkeypatch.setattr("sktune.placement._devices._gpus", lambda visible: ())
    with pytest.warns(UserWarning, match="finds no GPU .* fits run on the CPU") as said:
        assert check_placement(Placement(None), net(), [{}], workers_are_here=True)
    assert len(said) == 1


def test_regressors_inside():
    one = TransformedTargetRegressor(
        NeuralNetRegressor(Net, max_epochs=1, device="meta", verbose=0),
        func=np.negative,
        inverse_func=np.negative,
    )
    own = OwnDevices(one)
    write_device(one, "cpu:0")
    one.fit(X, np.zeros((len(X), 3), dtype=np.float32))
    assert devices_of(one) == {"cpu:0"}
    own.restore(one)
    assert devices_of(one) == {"meta"}


# -- rungs -----------------------------------------------------------------------------


def test_a_paused_net_goes_on_elsewhere(tmp_path):
    optimizer = dict(optimizer=torch.optim.Adam, optimizer__lr=0.01)
    one = net(max_epochs=6, **optimizer)
    resource = Resource("max_epochs", "epochs", 6)
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(one, resource, checkpoints)
        for n_resources, name in [(2, "cpu:0"), (4, "cpu:1"), (6, "cpu:0")]:
            placement = Placement(((name, 1),), folder=str(tmp_path / "locks"))
            outcome = run(replace(job, placement=placement), n_resources)
            assert outcome.lease["device"] == name
            assert job.scorer.estimator.device == name
    assert all_of(job.scorer.estimator) == all_of(at_once(one, 6))


def test_a_warm_start_goes_on_elsewhere(tmp_path):
    bag = BaggingClassifier(net(max_epochs=1), n_estimators=4, random_state=0)
    resource = Resource("n_estimators", "warm_start", 4)
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(bag, resource, checkpoints)
        for n_resources, name in [(2, "cpu:0"), (4, "cpu:1")]:
            placement = Placement(((name, 1),), folder=str(tmp_path / "locks"))
            run(replace(job, placement=placement), n_resources)
            assert len(job.scorer.estimator.estimators_) == n_resources
            assert devices_of(job.scorer.estimator) == {name}


def test_the_current_device_is_the_leased_one(monkeypatch):
    current: list = []

    @contextmanager
    def device(index):
        current.append(index)
        yield
        current.remove(index)

    monkeypatch.setattr(torch.cuda, "device", device)
    for name, expected in (("cuda:1", [1]), ("cpu:1", [])):
        with on_device(name):
            assert current == expected
    assert current == []  # the refitted net is brought back where "cuda" means its own
