"""A search on leased devices is the same search; CPU devices stand for others."""

from __future__ import annotations

import os
import time

import joblib
import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sktune import GridSearchCV, RandomizedSearchCV, SuccessiveHalvingSearchCV
from tests.helpers.device_searches import X, equal, quiet, searches, y
from tests.helpers.estimators import Net, net
from tests.helpers.placed import DEVICES, check_places, devices_of, where

pytestmark = pytest.mark.usefixtures("locks")


@pytest.mark.parametrize("name", searches())
def test_every_search_has_devices(name):
    plain = searches()[name].fit(X, y)
    assert not hasattr(plain, "leases_")
    search = searches()[name].set_params(devices=DEVICES, scoring=where, refit="score")
    with joblib.parallel_config("threading", n_jobs=4):
        search.fit(X, y)
    check_places(search)
    assert {row["device"] for row in search.leases_} == set(DEVICES)
    assert search.best_estimator_.device == "cpu"
    assert type(search.best_estimator_.device) is str
    results = search.cv_results_
    assert results["params"] == plain.cv_results_["params"]
    for split in range(2):
        np.testing.assert_array_equal(
            results[f"split{split}_test_score"],
            plain.cv_results_[f"split{split}_test_score"],
        )
    refit = search.leases_[-1]
    assert refit["split"] is None
    n_fits = len(results["params"]) * 2
    assert len(search.leases_) == n_fits + 1


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        (Pipeline([("scale", StandardScaler()), ("net", quiet())]), "net__lr"),
        (BaggingClassifier(quiet(), n_estimators=2, random_state=0), "estimator__lr"),
    ],
)
def test_processes(estimator, params):
    """Two processes lease what the caller does too, in nets however deep."""
    search = RandomizedSearchCV(
        estimator,
        {params: [0.01, 0.1, 0.3]},
        n_iter=3,
        cv=3,
        n_jobs=2,
        random_state=0,
        scoring=where,
        refit="score",
        devices={"cpu:0": 1, "cpu:1": 2},
    ).fit(X, y)
    check_places(search)
    assert len({row["pid"] for row in search.leases_}) >= 2
    assert devices_of(search.best_estimator_) == {"cpu"}


def test_a_regressor_behind_a_transformed_target():
    from skorch import NeuralNetRegressor

    target = np.tile(y[:, None], 3).astype(np.float32)
    wrapped = TransformedTargetRegressor(
        NeuralNetRegressor(Net, max_epochs=1, verbose=0, train_split=None),
        transformer=StandardScaler(),
        check_inverse=False,
    )
    search = GridSearchCV(
        wrapped,
        {"regressor__lr": [0.01, 0.1]},
        cv=2,
        random_state=0,
        scoring=where,
        refit="score",
        devices="cpu:1",
    ).fit(X, target)
    check_places(search)
    assert devices_of(search.best_estimator_) == {"cpu"}


def test_a_net_that_is_searched():
    pipeline = Pipeline([("scale", StandardScaler()), ("net", "passthrough")])
    nets = [quiet(), quiet(lr=0.01, device="cpu:0")]
    search = GridSearchCV(
        pipeline,
        {"net": nets},
        cv=2,
        random_state=0,
        scoring=where,
        refit="score",
        devices="cpu:1",
    ).fit(X, y)
    check_places(search)
    best = search.best_estimator_["net"].device
    assert best == search.best_params_["net"].device and type(best) is str
    assert [one.device for one in nets] == ["cpu", "cpu:0"]


def one_of_two(locks, barrier):
    """In a worker that is not this search's own."""
    os.environ["SKTUNE_DEVICE_LOCKS"] = str(locks)
    torch.set_num_threads(1)
    barrier.mkdir(exist_ok=True)
    (barrier / str(os.getpid())).touch()
    while len(list(barrier.iterdir())) < 2:
        time.sleep(0.01)
    search = GridSearchCV(
        quiet(max_epochs=8),
        {"lr": [0.01, 0.1, 0.2, 0.3, 0.4]},
        cv=3,
        devices=DEVICES,
        refit=False,
        random_state=0,
    )
    return search.fit(X, y).leases_


def test_two_searches_share(locks, tmp_path):
    """In processes of their own; each is free to take both devices."""
    task = joblib.delayed(one_of_two)
    leases = joblib.Parallel(n_jobs=2)([task(locks, tmp_path / "barrier")] * 2)
    rows = sorted(leases[0] + leases[1], key=lambda row: row["start"])
    assert len(rows) == 30 and len({row["pid"] for row in rows}) == 2
    ends: dict = {}
    for row in rows:
        slot = row["device"], row["slot"]
        assert ends.get(slot, 0) <= row["start"]
        ends[slot] = row["end"]
    assert {row["device"] for row in rows} == set(DEVICES)


def test_a_paused_net_may_go_on_elsewhere():
    """Rungs on whatever device is free: with Adam and a schedule, bit for bit."""
    search = searches()["halving"].set_params(devices=DEVICES, n_jobs=2)
    with joblib.parallel_config("threading"):
        search.fit(X, y)
    equal(search, searches()["halving"].fit(X, y))


class Embedding(type(net())):
    """A net before the last step."""

    def transform(self, X):
        return self.predict_proba(X)


def test_a_net_before_the_last_step_goes_where_the_fit_goes():
    embedding = Embedding(
        Net, criterion=torch.nn.CrossEntropyLoss, max_epochs=1, verbose=0
    )
    last = quiet(module__n_features=3)
    pipeline = Pipeline([("embed", embedding), ("net", last)])
    search = SuccessiveHalvingSearchCV(
        pipeline,
        {"net__lr": loguniform(1e-2, 1)},
        resource="net__max_epochs",
        n_candidates=4,
        factor=2,
        min_resources=1,
        max_resources=4,
        cv=3,  # so that fits of a split meet both devices
        random_state=0,
        return_train_score=False,
    )
    plain = search.fit(X, y).cv_results_
    search.set_params(scoring=where, refit="score", devices=DEVICES, n_jobs=2)
    with joblib.parallel_config("threading"):
        search.fit(X, y)  # `where` finds both nets of a fit on one device
    check_places(search)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], plain["mean_test_score"]
    )
