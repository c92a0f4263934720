"""Workers of ray, whose joblib backend is a pool of its actors; they are made blind."""

import os

import joblib
import pytest
from scipy.stats import loguniform
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sktune import BayesSearchCV, GridSearchCV, SuccessiveHalvingSearchCV
from sktune.execution._away import Travel
from tests.blind import blind
from tests.estimators import Score, blobs, net
from tests.results import assert_same_search

ray = pytest.importorskip("ray")
X, y = blobs()


@pytest.fixture(scope="module")
def cluster():
    from ray.util.joblib import register_ray

    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        runtime_env={"worker_process_setup_hook": blind},
    )
    register_ray()
    yield
    ray.shutdown()


@pytest.fixture
def sent(cluster, monkeypatch):
    """What travels: parcels, and states of paused fits."""
    sent = []
    luggage = Travel.luggage

    def note(self, unit, asks):
        states, parcel = luggage(self, unit, asks)
        sent.append((parcel is not None, len(states or {})))
        return states, parcel

    monkeypatch.setattr(Travel, "luggage", note)
    return sent


def test_one_answer(sent):
    one = Pipeline([("scaler", StandardScaler()), ("net", net(verbose=0))])
    space = {"net__lr": loguniform(1e-3, 1.0)}
    common = {"cv": 2, "random_state": 0, "refit": False}
    for make in (
        lambda: SuccessiveHalvingSearchCV(
            one, space, max_resources=4, factor=2, **common
        ),
        lambda: BayesSearchCV(one, space, n_iter=3, **common),
    ):
        sent.clear()
        with joblib.parallel_config("ray", n_jobs=-1):
            search = make().fit(X, y)
        assert_same_search(search, make().fit(X, y))
        assert any(parcel for parcel, _ in sent)
        assert any(n for _, n in sent) == hasattr(search, "factor")


def test_number_of_workers(cluster):
    """As joblib says: the whole cluster for -1, and the caller itself for None."""
    pids = {}
    for n_jobs in (None, -1):
        with joblib.parallel_config("ray", n_jobs=n_jobs):
            search = GridSearchCV(
                Score(), {"a": list(range(6))}, cv=2, scoring=pid, refit=False
            ).fit(X, y)
        pids[n_jobs] = {int(v) for v in search.cv_results_["split0_test_score"]}
    assert pids[None] == {os.getpid()}
    assert os.getpid() not in pids[-1] and len(pids[-1]) == 2


def pid(estimator, X, y):
    return os.getpid()


def test_errors_of_fits_are_raised_as_they_are(cluster):
    search = GridSearchCV(Score(bad=(1,)), {"a": [0, 1]}, cv=2, error_score="raise")
    with (
        joblib.parallel_config("ray", n_jobs=2),
        pytest.raises(ValueError, match="a=1 is bad"),
    ):
        search.fit(X, y)
