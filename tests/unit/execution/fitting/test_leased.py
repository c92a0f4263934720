"""Fits on a leased device, and again where its memory was too small."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest
import torch
from sklearn.ensemble import BaggingClassifier

from sktune._types import FitOutcome
from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.estimators._resource import Resource
from sktune.execution.fitting import _leased
from sktune.execution.fitting._leased import Attempt, run_leased
from sktune.execution.guards._device_memory import OutOfMemory, watch_memory
from sktune.placement import Placement
from tests.helpers.estimators import Score, blobs, net
from tests.helpers.placed import devices_of
from tests.helpers.trained import all_of, at_once, job_of, run

X, y = blobs(40)


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
