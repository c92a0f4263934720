"""A search on leased devices is the same search; CPU devices stand for others."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import joblib
import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import LRScheduler

from sktune import (
    BayesSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune._errors import DeviceError
from sktune.execution.fitting import _leased, _refit
from sktune.execution.training import _task
from sktune.placement import Placement, lease
from sktune.placement._leases import _of_thread
from sktune.placement._memory import Reading
from tests.helpers.estimators import Net, Score, blobs, net
from tests.helpers.placed import (
    DEVICES,
    Hungry,
    HungryScore,
    check_places,
    devices_of,
    where,
)

X, y = blobs(60)
LR = {"lr": loguniform(1e-2, 1)}
ADAM = dict(
    optimizer=torch.optim.Adam,
    callbacks=[LRScheduler("StepLR", step_size=2, gamma=0.5)],
)


@pytest.fixture(autouse=True)
def locks(tmp_path, monkeypatch):
    """Locks of a test's own: other tests on this machine have devices, too."""
    monkeypatch.setenv("SKTUNE_DEVICE_LOCKS", str(tmp_path / "locks"))
    return tmp_path / "locks"


def quiet(**kwargs):
    return net(verbose=0, **kwargs)


def searches():
    options = dict(cv=2, random_state=0)
    rungs = dict(max_resources=4, min_resources=1, return_train_score=False)
    return {
        "grid": GridSearchCV(quiet(), {"lr": [0.01, 0.1, 0.3]}, **options),
        "randomized": RandomizedSearchCV(quiet(), LR, n_iter=3, **options),
        "bayes": BayesSearchCV(quiet(), LR, n_iter=3, **options),
        "halving": SuccessiveHalvingSearchCV(
            quiet(**ADAM), LR, n_candidates=4, factor=2, **options, **rungs
        ),
        "hyperband": HyperbandSearchCV(quiet(), LR, factor=2, **options, **rungs),
    }


def equal(one, other) -> None:
    """The same candidates and scores."""
    assert one.cv_results_["params"] == other.cv_results_["params"]
    for key in other.cv_results_:
        if key.startswith(("split", "rank")) and "device" not in key:
            np.testing.assert_array_equal(one.cv_results_[key], other.cv_results_[key])


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


# -- too little memory -----------------------------------------------------------------


def hungry(locks, **kwargs):
    defaults = dict(criterion=torch.nn.CrossEntropyLoss, lr=0.1, batch_size=32)
    params = {f"module__{k}": v for k, v in kwargs.items()}
    return type(net())(
        Hungry,
        module__folder=str(locks),
        max_epochs=4,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
        **defaults,
        **params,
    )


GRID = {"lr": [0.01, 0.1, 0.3]}


@pytest.mark.parametrize("error_score", [np.nan, "raise"])
@pytest.mark.parametrize("after", [0, 3])
def test_too_little_memory_is_survived(locks, error_score, after):
    options = dict(cv=2, random_state=0, error_score=error_score)
    search = GridSearchCV(
        hungry(locks, after=after),
        GRID,
        devices="cpu:0",
        fits_per_device=2,
        n_jobs=2,
        **options,
    )
    with joblib.parallel_config("threading"):
        search.fit(X, y)
    equal(search, GridSearchCV(quiet(max_epochs=4), GRID, **options).fit(X, y))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert [row["out_of_memory"] for row in search.leases_].count(True) == 7
    tried = [row for row in search.leases_ if row["out_of_memory"]]
    again = [row for row in search.leases_ if not row["out_of_memory"]]
    for alone in again:  # all others had gone
        assert not any(
            other["start"] < alone["end"] and alone["start"] < other["end"]
            for other in [*tried, *again]
            if other is not alone
        )


def test_paused_nets_survive_it_too(locks):
    def search(estimator, **kwargs):
        return SuccessiveHalvingSearchCV(
            estimator,
            LR,
            n_candidates=4,
            factor=2,
            min_resources=1,
            max_resources=4,
            cv=2,
            random_state=0,
            return_train_score=False,
            **kwargs,
        ).fit(X, y)

    one = search(hungry(locks, after=3), devices="cpu:0", fits_per_device=2)
    equal(one, search(quiet(max_epochs=4)))
    tried = [row for row in one.leases_ if row["out_of_memory"]]
    # In the middle of a rung, and others in no rung at all.
    assert 0 < len(tried) < len(one.leases_) / 2


@pytest.mark.parametrize("error_score", [np.nan, "raise"])
@pytest.mark.parametrize("several", [False, True])
def test_too_little_memory_for_the_score(locks, error_score, several):
    scorer = HungryScore(locks)
    scoring = {"ours": scorer, "accuracy": "accuracy"} if several else scorer
    search = GridSearchCV(
        quiet(),
        GRID,
        cv=2,
        random_state=0,
        scoring=scoring,
        refit="ours" if several else True,
        error_score=error_score,
        devices="cpu:0",
        fits_per_device=2,
    ).fit(X, y)
    plain = GridSearchCV(quiet(), GRID, cv=2, random_state=0).fit(X, y)
    np.testing.assert_array_equal(
        search.cv_results_[f"mean_test_{'ours' if several else 'score'}"],
        plain.cv_results_["mean_test_score"],
    )
    assert sum(row["out_of_memory"] for row in search.leases_) == 6


def test_after_two_attempts_it_is_a_failure(locks):
    params = {"module__never": [False, True]}
    options = dict(cv=2, random_state=0, devices="cpu:0", fits_per_device=2)
    search = GridSearchCV(hungry(locks), params, **options)
    with (
        pytest.warns(FitFailedWarning, match="2 fits failed"),
        pytest.warns(UserWarning, match="test scores are non-finite"),
    ):
        search.fit(X, y)
    assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [False, True]
    assert sum(row["out_of_memory"] for row in search.leases_) == 5  # and the refit
    assert len(search.leases_) == 10
    with pytest.raises(torch.OutOfMemoryError):
        search.set_params(error_score="raise").fit(X, y)


# -- as many as there is memory for ----------------------------------------------------


class Simulated:
    """A device of 1 GB, of which each fit takes 0.3."""

    def begin(self):
        pass

    def read(self):
        return Reading(total=10**9, peak=3 * 10**8, beside=0)


def simulated(name):
    return Simulated()


def test_fits_per_device_auto(monkeypatch, locks):
    of = Placement.of.__func__

    def of_simulated(cls, devices, fits_per_device):
        placement = of(cls, devices, fits_per_device)
        return None if placement is None else replace(placement, memory=simulated)

    monkeypatch.setattr(Placement, "of", classmethod(of_simulated))
    monkeypatch.setattr("sktune.placement._devices.MEASURED", ("cpu",))
    search = GridSearchCV(
        quiet(max_epochs=10),
        {"lr": list(np.geomspace(0.01, 0.5, 6))},
        cv=2,
        n_jobs=5,
        random_state=0,
        devices="cpu:0",
        fits_per_device="auto",
    )
    with joblib.parallel_config("threading"):
        search.fit(X, y)
    first, *others = search.leases_
    assert all(row["start"] >= first["end"] for row in others)
    # How many there are at once, of the three that fit, is the machine's affair.
    assert {0, 1} <= {row["slot"] for row in others} <= {0, 1, 2}
    assert not list(locks.glob("*.memory-*"))


# -- what is refused, and what is left alone -------------------------------------------


@pytest.mark.parametrize("name", searches())
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"devices": "gpu"}, "devices='gpu'.*is no device.*Pass 'auto'"),
        ({"devices": "cuda:7"}, "cannot use 'cuda:7' on this machine"),
        ({"fits_per_device": 2}, "fits_per_device=2 is of no use with devices=None"),
    ],
)
def test_bad_values_are_refused_before_the_first_fit(name, params, message):
    search = searches()[name].set_params(scoring=_never, **params)
    with pytest.raises(DeviceError, match=message):
        search.fit(X, y)


def _never(estimator, X, y):
    raise AssertionError("a fit was run")


def test_a_search_in_a_search_uses_its_lease(locks):
    inner = GridSearchCV(
        quiet(max_epochs=1), GRID, cv=2, random_state=0, devices=DEVICES, n_jobs=2
    )
    outer = GridSearchCV(
        inner,
        {"estimator__batch_size": [16, 32]},
        cv=2,
        random_state=0,
        devices=["cpu:1"],
    ).fit(X, y)
    assert len(outer.leases_) == 5
    assert not hasattr(outer.best_estimator_, "leases_")
    assert devices_of(outer.best_estimator_) == {"cpu"}


def test_without_a_device_fits_only_wait_for_a_slot():
    search = GridSearchCV(Score(), {"a": [1, 2]}, cv=2, devices=DEVICES)
    with pytest.warns(UserWarning, match="devices has nothing to place"):
        search.fit(X, y)
    assert len(search.leases_) == 5


def test_a_second_fit_forgets_the_leases_of_the_first():
    search = GridSearchCV(quiet(), {"lr": [0.1]}, cv=2, devices="cpu:0").fit(X, y)
    assert search.leases_
    assert not hasattr(search.set_params(devices=None).fit(X, y), "leases_")


def test_leases_are_in_the_journal(tmp_path):
    options = dict(devices=DEVICES, journal=tmp_path / "search.jsonl")
    for search in searches().values():
        search.set_params(**options)
        options["journal"].unlink(missing_ok=True)
        live = search.fit(X, y).leases_
        again = clone(search).fit(X, y)
        assert again.leases_[:-1] == live[:-1]  # the refit has a lease of its own
        assert len(again.leases_) == len(live)


def test_fits_with_and_without_a_lease(tmp_path):
    """Such as one that never came back from its worker, or of an earlier session."""
    options = dict(cv=2, refit=False, journal=tmp_path / "search.jsonl")
    search = GridSearchCV(quiet(), GRID, devices=DEVICES, **options).fit(X, y)
    lines = options["journal"].read_text().splitlines(keepends=True)
    options["journal"].write_text("".join(lines[:4]))
    GridSearchCV(quiet(), GRID, **options).fit(X, y)
    mixed = clone(search).fit(X, y)
    equal(mixed, search)
    assert len(mixed.leases_) == 2 < len(search.leases_)


def test_an_interrupt_leaves_leases():
    class Interrupted(Score):
        device = None

        def fit(self, X, y, sample_weight=None):
            if self.a == 2:
                raise KeyboardInterrupt
            return super().fit(X, y)

    search = GridSearchCV(Interrupted(), {"a": [0, 1, 2]}, cv=2, devices="cpu:0")
    with (
        pytest.warns(UserWarning, match="nothing to place"),
        pytest.raises(KeyboardInterrupt),
    ):
        search.fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    assert [row["candidate"] for row in search.leases_] == [0, 0, 1, 1]


def test_without_devices_nothing_is_written(locks, monkeypatch):
    monkeypatch.setattr(_task, "write_device", None)
    monkeypatch.setattr(_refit, "write_device", None)
    monkeypatch.setattr(_leased, "lease", None)
    GridSearchCV(quiet(), {"lr": [0.1]}, cv=2).fit(X, y)
    assert not locks.exists()


def test_ctrl_c_reaches_threads_that_wait_for_a_device(locks):
    """Nobody has to wait for another search that has the device to itself."""

    def press():
        while len(list(locks.glob("*.wants"))) < 3:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    with (
        joblib.parallel_config("threading"),
        lease(Placement((("cpu:0", 1),), folder=str(locks))),
    ):
        search = GridSearchCV(quiet(), GRID, cv=2, n_jobs=3, devices="cpu:0")
        threading.Thread(target=press).start()
        # As of a search beside the one that has the lease, and not inside of it.
        with lease_of_another_thread(), pytest.raises(KeyboardInterrupt):
            search.fit(X, y)


@contextmanager
def lease_of_another_thread():
    depth, _of_thread.depth = _of_thread.depth, 0
    try:
        yield
    finally:
        _of_thread.depth = depth
