"""A fit that takes longer than `fit_timeout` has failed, and a net ends at once."""

import time

import joblib
import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback
from torch.nn.modules import module as torch_module

from sktune import (
    BayesSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune._errors import FitTimeout
from sktune.execution.estimators._resource import Resource
from sktune.execution.guards._timeout import time_limit
from sktune.persistence import Checkpoints
from tests.helpers.estimators import Net, Score, blobs, net
from tests.helpers.trained import job_of, run

X, y = blobs()
SPLIT = [(np.arange(60), np.arange(60, 90))]

# Small spaces, and scores of fits that failed.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Hyperband plans"),
    pytest.mark.filterwarnings("ignore:The last rung"),
    pytest.mark.filterwarnings("ignore:The space has only"),
    pytest.mark.filterwarnings("ignore:One or more of the t"),
]


class SlowNet(Net):
    """Sleeps in each forward pass while it is trained."""

    def __init__(self, pause=0.0, **kwargs):
        super().__init__(**kwargs)
        self.pause = pause

    def forward(self, X):
        if self.training:
            time.sleep(self.pause)
        return super().forward(X)


def slow(pause=0.0, max_epochs=400, **kwargs):
    """A net of 2 batches an epoch on 60 rows."""
    estimator = net(max_epochs=max_epochs, **kwargs)
    return estimator.set_params(module=SlowNet, module__pause=pause)


LIMIT = 2.0
LONG = 0.25  # times 800 batches: more than 3 minutes


def outcome_of(estimator, resource=None, n_resources=None, limit=LIMIT, **kwargs):
    """One fit, its scores in place of an exception."""
    job = job_of(
        estimator, resource, error_score=np.nan, fit_timeout=limit, scorer=score_of
    )
    start = time.monotonic()
    outcome = run(job, n_resources, **kwargs)
    assert time.monotonic() - start < 60
    return outcome


def score_of(estimator, X, y):
    return estimator.score(X, y)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_a_net_ends_at_the_next_batch(backend):
    space = [
        {"module__pause": [LONG], "max_epochs": [400]},
        {"module__pause": [LONG, 0.0], "max_epochs": [1]},
    ]
    search = GridSearchCV(
        slow(), space, cv=SPLIT, fit_timeout=LIMIT, refit=False, random_state=0
    )
    start = time.monotonic()
    message = (
        "FitTimeout: .* fit_timeout=2 seconds and was ended in epoch [0-9]+ of 400"
    )
    with (
        joblib.parallel_config(backend, n_jobs=2),
        pytest.warns(FitFailedWarning, match=message),
    ):
        search.fit(X, y)
    assert time.monotonic() - start < 60
    means = search.cv_results_["mean_test_score"]
    assert np.isnan(means)[0]
    # A new process may need as long to import what torch imports when first used.
    assert backend == "loky" or not np.isnan(means)[1:].any()


def test_in_a_pipeline_and_in_an_estimator_that_clones_the_net():
    outcome = outcome_of(make_pipeline(StandardScaler(), slow(LONG)), limit=0.5)
    assert "in epoch" in outcome.fit_error
    bag = BaggingClassifier(slow(LONG), n_estimators=2, random_state=0)
    assert "FitTimeout" in outcome_of(bag, limit=0.5).fit_error


class Sleeps(Score):
    """Not a net: `a` seconds, whatever anybody says."""

    def fit(self, X, y):
        time.sleep(self.a)
        return super().fit(X, y)


def test_others_run_to_their_end_and_have_failed():
    outcome = outcome_of(Sleeps(a=0.3), limit=0.1)
    assert "FitTimeout" in outcome.fit_error
    assert outcome.fit_time >= 0.3
    assert outcome_of(Sleeps(a=0.1), limit=30).fit_error is None


@pytest.mark.slow
def test_time_is_that_of_a_rung_and_what_was_paused_stays(tmp_path):
    """Each rung is short enough, all together are not; what ends is not kept."""
    resource = Resource("max_epochs", "epochs", 400)
    with Checkpoints(tmp_path) as checkpoints:
        job = job_of(
            slow(0.25),
            resource,
            checkpoints,
            error_score=np.nan,
            fit_timeout=LIMIT,
            scorer=score_of,
        )
        for n_resources in (2, 4, 6):  # a second each
            assert run(job, n_resources).fit_error is None
        kept = [p.read_bytes() for p in tmp_path.rglob("state")]
        assert len(kept) == 1
        dropped = []
        drop, Checkpoints.drop = Checkpoints.drop, lambda *a: dropped.append(a)
        try:
            outcome = run(job, 300)
        finally:
            Checkpoints.drop = drop
        assert "FitTimeout" in outcome.fit_error
        assert [p.read_bytes() for p in tmp_path.rglob("state")] == kept
        assert dropped


def test_a_search_inside_a_fit_has_a_time_of_its_own():
    inner = GridSearchCV(slow(LONG), {"lr": [0.1]}, cv=2, fit_timeout=0.5, refit=False)
    with (
        pytest.raises(ValueError, match="All the 2 fits failed"),
        time_limit(60, inner),
    ):
        inner.fit(X, y)
    inner.set_params(fit_timeout=None, error_score="raise")
    with pytest.raises(FitTimeout, match=r"fit_timeout=0\.5"), time_limit(0.5, inner):
        inner.fit(X, y)


@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV,
        RandomizedSearchCV,
        BayesSearchCV,
        SuccessiveHalvingSearchCV,
        HyperbandSearchCV,
    ],
)
def test_every_search_has_it(search):
    options = {} if search is GridSearchCV else {"random_state": 0}
    if search in (RandomizedSearchCV, BayesSearchCV):
        options["n_iter"] = 2
    if search in (SuccessiveHalvingSearchCV, HyperbandSearchCV):
        options["max_resources"] = 3
    space = {"module__pause": [0.0, 0.8]}
    # Long enough for the quick one on a busy machine.
    one = search(
        slow(max_epochs=3), space, cv=SPLIT, fit_timeout=1.5, refit=False, **options
    )
    with pytest.warns(FitFailedWarning, match=r"fit_timeout=1\.5"):
        one.fit(X, y)
    with pytest.raises(ValueError, match=r"'fit_timeout' parameter .* must be"):
        one.set_params(fit_timeout=0).fit(X, y)


class Listens(Callback):
    n_hooks = 0

    def on_batch_end(self, net, **kwargs):
        Listens.n_hooks = max(
            Listens.n_hooks, len(torch_module._global_forward_pre_hooks)
        )


def test_nobody_listens_without_it():
    estimator = slow(max_epochs=1, callbacks=[Listens()])
    outcome_of(estimator, limit=None)
    assert Listens.n_hooks == 0
    outcome_of(estimator, limit=100)
    assert Listens.n_hooks == 1
    assert not torch_module._global_forward_pre_hooks
