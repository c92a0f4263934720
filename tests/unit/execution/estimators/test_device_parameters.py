"""Writing a device to estimators, and giving them back their own."""

from __future__ import annotations

import copy
import pickle

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
from sktune.execution.dispatch._pool import workers_are_here
from sktune.execution.estimators._device_parameters import (
    LeasedDevice,
    OwnDevices,
    check_placement,
    find_placeable,
    write_device,
)
from sktune.placement import Placement
from tests.helpers.estimators import Net, blobs, net
from tests.helpers.placed import devices_of

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
