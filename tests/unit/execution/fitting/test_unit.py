"""A unit of several fits: one lease, each trained, scored and failed by itself."""

import gc
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest

from sktune import GridSearchCV
from sktune._types import Fit
from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.estimators._resource import Resource
from sktune.execution.fitting import _unit
from sktune.execution.fitting._unit import failed, run_unit
from sktune.execution.guards._random_states import preserved_random_states
from sktune.execution.guards._timeout import stop_event, stoppable
from sktune.execution.training import _trainers
from sktune.placement import Placement
from tests.helpers.estimators import Score, net
from tests.helpers.trained import TEST, TRAIN, X, all_of, job_of, plain, y

SPLITS = [(TRAIN, TEST), (TEST, TRAIN)]


def unit_of(params, n_splits=2):
    return tuple(
        Fit(c, split, p, 10 * c + split)
        for c, p in enumerate(params)
        for split in range(n_splits)
    )


def outcomes_of(job, unit):
    with preserved_random_states():
        return run_unit(job, unit)


def scores_of(outcomes):
    return [outcome.score("score") for outcome in outcomes]


def test_several_are_each_as_if_they_were_alone():
    job = job_of(net(verbose=0), None, splits=SPLITS)
    unit = unit_of([{"lr": 0.1}, {"lr": 0.5}])
    together = outcomes_of(job, unit)
    apart = [outcomes_of(job, (fit,))[0] for fit in unit]
    assert scores_of(together) == scores_of(apart)
    assert len(set(scores_of(together))) > 1


def test_one_that_fails_leaves_the_others():
    job = job_of(Score(bad=(2,), odd_at=(3,)), None, splits=SPLITS, error_score=np.nan)
    outcomes = outcomes_of(job, unit_of([{"a": a} for a in (1.0, 2, 3, 4.0)]))
    failures = [sorted(one.failed) for one in outcomes]
    assert failures == [[], [], ["score"], ["score"], ["score"], ["score"], [], []]
    assert ["is bad" in (one.fit_error or "") for one in outcomes] == [
        False, False, True, True, False, False, False, False,
    ]  # fmt: skip


def test_a_unit_has_one_lease(tmp_path):
    placement = Placement((("cpu:0", 1),), folder=str(tmp_path))
    job = job_of(net(verbose=0), None, splits=SPLITS, placement=placement)
    unit = unit_of([{"lr": 0.1}, {"lr": 0.5}])
    leased = outcomes_of(job, unit)
    assert len({tuple(one.lease.items()) for one in leased}) == 1
    plain_job = job_of(net(verbose=0), None, splits=SPLITS)
    assert scores_of(leased) == scores_of(outcomes_of(plain_job, unit))


class Together:
    """Trains nets one batch of each in turn: what a way to train many as one does."""

    def __init__(self):
        self.sizes = []

    def stack_key(self, job, fit):
        return fit.split

    def train(self, tasks):
        self.sizes.append(len(tasks))
        for task in tasks:
            with task.guarded():
                task.prepare()
        for task in tasks:
            with task.guarded():
                task.train_by(lambda estimator, X, y, p: estimator.fit(X, y, **p))
        for task in reversed(tasks):  # in whatever order they are done
            with task.guarded():
                yield task


def test_another_way_to_train_is_a_line_in_the_table(monkeypatch):
    together = Together()
    monkeypatch.setitem(_trainers.TOGETHER, None, together)
    job = job_of(net(verbose=0), None, splits=SPLITS, stacked=True)
    unit = unit_of([{"lr": 0.1}, {"lr": 0.5}])
    assert [_trainers.stack_key(job, fit) for fit in unit] == [0, 1, 0, 1]
    outcomes = outcomes_of(job, unit)
    monkeypatch.undo()
    assert together.sizes == [4]
    job = replace(job, stacked=False)
    expected = outcomes_of(job, unit)
    assert scores_of(outcomes) == scores_of(expected)
    assert all(_trainers.stack_key(job, fit) is None for fit in unit)


def test_data_of_one_fit_at_a_time(monkeypatch):
    """Fits that are trained by themselves are not all cut beforehand."""
    held = []
    carry_out = _unit._outcome

    def note(task, attempt):
        held.append(task)
        return carry_out(task, attempt)

    monkeypatch.setattr(_unit, "_outcome", note)
    job = job_of(net(verbose=0), None, splits=SPLITS)
    run_unit(job, unit_of([{"lr": 0.1}]))
    assert [task.fit.split for task in held] == [0, 1]


def test_what_never_came_back_has_failed_as_if_it_had_raised():
    error = RuntimeError("the worker is gone")
    job = job_of(Score(), None, error_score=-1.0, return_train_score=True)
    outcome = failed(job, Fit(0, 0, {}, 0), error)
    assert outcome.fit_error == "RuntimeError: the worker is gone\n"
    assert outcome.score("score") is None and outcome.train_scores == {"score": None}
    with pytest.raises(RuntimeError, match="gone"):
        failed(job_of(Score(), None), Fit(0, 0, {}, 0), error)


def test_nets_of_a_unit_draw_as_they_would_alone():
    job = job_of(net(verbose=0), None, splits=SPLITS)
    unit = unit_of([{"lr": 0.1}])
    outcomes_of(job, unit)
    last = all_of(job.scorer.estimator)
    outcomes_of(job, unit[1:])
    assert all_of(job.scorer.estimator) == last
    assert plain(job.scorer.estimator.module_.state_dict()) and len(X) == len(y)


class Heavy(Score):
    """Fails to fit, and counts how many of its kind there are."""

    alive = weakref.WeakSet()

    def fit(self, X, y):
        Heavy.alive.add(self)
        raise ValueError("in vain")


def test_a_fit_that_failed_leaves_no_circle():
    """It would hold the data, and what is on a device, until somebody looks."""
    job = job_of(Heavy(), None, splits=SPLITS, error_score=np.nan)
    gc.collect()
    gc.disable()
    try:
        outcomes_of(job, unit_of([{"a": 1.0}, {"a": 2.0}]))
        assert len(Heavy.alive) == 0
    finally:
        gc.enable()


class Listening(Score):
    """Notes which event would end it."""

    events = []

    def fit(self, X, y):
        self.events.append(stop_event())
        return super().fit(X, y)


def test_a_search_inside_a_fit_hears_who_stops_the_fit():
    event = threading.Event()
    Listening.events.clear()
    with stoppable(event):
        GridSearchCV(Listening(), {"a": [1.0]}, cv=2, n_jobs=1, refit=False).fit(X, y)
    assert Listening.events == [event, event]


def test_a_fit_that_never_came_back_tells_as_much_as_others(tmp_path, capsys):
    with checkpoints_in(tmp_path) as checkpoints:
        resource = Resource("max_epochs", "epochs", 9)
        job = job_of(net(verbose=0), resource, checkpoints, error_score=-1.0)
        outcomes_of(job, (Fit(0, 0, {}, 7, 3, True),))
        assert checkpoints.has(0, 0)
        fit = Fit(0, 0, {"lr": 0.5}, 7, 9)
        outcome = failed(replace(job, verbose=2), fit, RuntimeError("gone"))
        assert outcome.n_test_samples == len(TEST)
        assert not checkpoints.has(0, 0)
    assert "[CV] END" in capsys.readouterr().out


def test_what_was_reached_is_of_the_resource():
    by_samples = job_of(
        net(max_epochs=2, verbose=0), Resource("n_samples", "n_samples", 60)
    )
    (outcome,) = outcomes_of(by_samples, (Fit(0, 0, {}, 7, 30),))
    assert outcome.reached == 30
    (outcome,) = outcomes_of(job_of(net(max_epochs=2), None), (Fit(0, 0, {}, 7),))
    assert outcome.reached == 2
