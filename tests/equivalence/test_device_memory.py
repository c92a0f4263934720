"""A search on devices that are too small for its fits is the same search."""

from __future__ import annotations

from dataclasses import replace

import joblib
import numpy as np
import pytest
import torch
from sklearn.exceptions import FitFailedWarning

from sktune import GridSearchCV, SuccessiveHalvingSearchCV
from sktune.placement import Placement
from sktune.placement._memory import Reading
from tests.helpers.device_searches import GRID, LR, X, equal, quiet, y
from tests.helpers.estimators import net
from tests.helpers.placed import Hungry, HungryScore

pytestmark = pytest.mark.usefixtures("locks")


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


def raises(estimator, X, y):
    raise ValueError("no score")


@pytest.mark.parametrize("error_score", [np.nan, "raise"])
@pytest.mark.parametrize("several", [False, True, "one raises"])
@pytest.mark.filterwarnings("ignore:Scoring failed", "ignore:One or more of the test")
def test_too_little_memory_for_the_score(locks, error_score, several):
    scorer = HungryScore(locks)
    scoring = {"ours": scorer, "accuracy": "accuracy"} if several else scorer
    if several == "one raises":  # before it comes to the one that lacks memory
        if error_score == "raise":
            return
        scoring = {"another": raises, **scoring}
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
