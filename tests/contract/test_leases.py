"""What every search keeps that has devices, and what it refuses."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager

import joblib
import pytest
from sklearn.base import clone

from sktune import GridSearchCV
from sktune._errors import DeviceError
from sktune.execution.fitting import _leased, _refit
from sktune.execution.training import _task
from sktune.placement import Placement, lease
from sktune.placement._leases import _of_thread
from tests.helpers.device_searches import GRID, X, equal, quiet, searches, y
from tests.helpers.estimators import Score
from tests.helpers.placed import DEVICES, devices_of

pytestmark = pytest.mark.usefixtures("locks")


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
