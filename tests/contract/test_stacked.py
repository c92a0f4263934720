"""Searches that train nets of one shape as one: the same contract, and rounding."""

import json
import os
import signal
import time

import joblib
import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from skorch import NeuralNetRegressor
from skorch.callbacks import Callback, EarlyStopping

from sktune import GridSearchCV, RandomizedSearchCV
from sktune.execution.training import _stack_trial
from sktune.inspection import read_journal
from tests.helpers.estimators import blobs, net
from tests.helpers.journals import assert_same, cut
from tests.helpers.results import assert_same_search
from tests.helpers.searches import (
    ONE_BY_ONE,
    SEARCHES,
    every_search,
    freeze_thaw,
    grid,
    halving,
    hyperband,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:Hyperband plans"),
    pytest.mark.filterwarnings("ignore:The last rung"),
    pytest.mark.filterwarnings("ignore:The space has only"),
    pytest.mark.filterwarnings("ignore:Scoring failed"),
]

X, y = blobs()
LISTS = {"lr": [0.02, 0.05, 0.1, 0.2], "batch_size": [16, 32]}
WIDE = {"lr": loguniform(0.01, 0.3), "batch_size": [16, 32]}


def options(search, **kwargs):
    few = {} if search is grid else {"random_state": 0}
    rungs = {"max_resources": 4} if search in (halving, hyperband) else {}
    if search in (halving,):
        rungs["min_resources"] = 1
    common = {
        "cv": 3,
        "scoring": "neg_log_loss",
        "refit": False,
        "error_score": "raise",
    }
    return {**common, **few, **rungs, **kwargs}


def fitted(search, estimator=None, **kwargs):
    estimator = net(max_epochs=4) if estimator is None else estimator
    # What a surrogate names on a continuous scale differs by rounding, as scores do.
    space = LISTS if search in (grid, freeze_thaw) else WIDE
    random_state = {"random_state": 0} if search is grid else {}
    return search(estimator, space, **options(search, **random_state, **kwargs)).fit(
        X, y
    )


def assert_close(a, b, rtol=1e-4):
    assert a.cv_results_["params"] == b.cv_results_["params"]
    for key, column in a.cv_results_.items():
        if key.endswith("_score") and not key.startswith("rank"):
            np.testing.assert_allclose(
                column, b.cv_results_[key], rtol=rtol, err_msg=key
            )


def sizes(search):
    return [row["stacked"] for row in search.paths_]


def why(search):
    return {row["reason"] for row in search.paths_}


# -- the answer ----------------------------------------------------------------------


@every_search
def test_it_is_the_search_without_stacks(search):
    alone, stacked = fitted(search), fitted(search, stacked=True)
    assert set(sizes(alone)) == {1} and why(alone) == {None}
    # The splits of a candidate always; of a rung's last candidate there are no others.
    assert min(sizes(stacked)) >= 3 and why(stacked) == {None}
    if search not in ONE_BY_ONE:
        assert max(sizes(stacked)) > 3
    assert_close(alone, stacked)


@every_search
@pytest.mark.parametrize(
    "backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)]
)
def test_any_number_of_jobs_gives_one_answer(search, backend):
    one = fitted(search, stacked=True, max_stack=6)
    with joblib.parallel_config(backend, n_jobs=2):
        two = fitted(search, stacked=True, max_stack=6)
    assert_same_search(one, two)
    assert one.paths_ == two.paths_
    assert max(sizes(one)) <= 6


def test_no_stack_has_more_nets_than_it_may():
    search = fitted(grid, stacked=True, max_stack=7)
    # The splits of a candidate are together.
    assert set(sizes(search)) == {6}
    assert set(sizes(fitted(grid, stacked=True, max_stack=2))) == {1, 2}
    assert set(sizes(fitted(grid, stacked=True, max_stack=1))) == {1}


def test_the_last_step_of_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), net())
    space = {
        "neuralnetclassifier__lr": [0.05, 0.1],
        "standardscaler__with_mean": [True],
    }
    alone, stacked = (
        grid(pipeline, space, **options(grid, stacked=s, random_state=0)).fit(X, y)
        for s in (False, True)
    )
    assert set(sizes(stacked)) == {6}
    assert_close(alone, stacked)


def test_on_leased_devices():
    free, leased = (
        fitted(grid, stacked=True, devices=devices) for devices in (None, {"cpu": 1})
    )
    assert_same_search(free, leased)
    assert {row["stacked"] for row in leased.paths_} == {12}
    # One lease for a stack.
    assert len({row["start"] for row in leased.leases_}) == 2


def test_best_and_refit_are_as_ever():
    alone, stacked = (fitted(grid, stacked=s, refit=True) for s in (False, True))
    assert alone.best_params_ == stacked.best_params_
    np.testing.assert_array_equal(alone.predict_proba(X), stacked.predict_proba(X))
    assert stacked.paths_[-1]["split"] is None and stacked.paths_[-1]["stacked"] == 1


def test_rows_that_are_cut_are_shared():
    """30 nets of 5 splits need the data of 5 fits."""
    seen = {}

    class Looks(Callback):
        def on_train_begin(self, net, X=None, y=None, **kwargs):
            seen.setdefault(id(X), X)

    space = {"lr": [0.02, 0.05, 0.1]}
    search = grid(net(callbacks=[Looks()]), space, **options(grid, stacked=True, cv=2))
    assert set(sizes(search.fit(X, y))) == {6}
    assert len(seen) == 2


# -- who leaves, and who fails ---------------------------------------------------------


def test_nets_that_stop_early_leave_the_stack():
    def make():
        # lr=1e-6 does not improve by so much.
        early = EarlyStopping(monitor="train_loss", patience=1, threshold=1e-2)
        return net(max_epochs=8, callbacks=[early])

    space = {"lr": [1e-6, 0.1, 0.3]}
    alone, stacked = (
        grid(make(), space, **options(grid, stacked=s, random_state=0)).fit(X, y)
        for s in (False, True)
    )
    assert_close(alone, stacked)
    assert set(sizes(stacked)) == {9}


class Raises(Callback):
    """Fails in one epoch, for one learning rate."""

    def __init__(self, lr, event="on_epoch_end"):
        self.lr = lr
        self.event = event

    def _raise(self, net, event):
        if net.lr == self.lr and event == self.event and len(net.history) == 2:
            raise ValueError("a callback's")

    def on_epoch_begin(self, net, **kwargs):
        self._raise(net, "on_epoch_begin")

    def on_epoch_end(self, net, **kwargs):
        self._raise(net, "on_epoch_end")

    def on_train_end(self, net, **kwargs):
        if net.lr == self.lr and self.event == "on_train_end":
            raise ValueError("a callback's")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the t")
@pytest.mark.parametrize("event", ["on_epoch_begin", "on_epoch_end", "on_train_end"])
def test_an_exception_fails_one_fit_only(event):
    space = {"lr": [0.02, 0.05, 0.1]}
    kwargs = options(grid, random_state=0, error_score=np.nan)
    estimator = net(callbacks=[Raises(0.05, event)])
    alone = grid(estimator, space, **kwargs).fit(X, y)
    stacked = grid(estimator, space, stacked=True, **kwargs).fit(X, y)
    assert np.isnan(stacked.cv_results_["mean_test_score"]).tolist() == [
        False,
        True,
        False,
    ]
    assert_close(alone, stacked)
    assert set(sizes(stacked)) == {9}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the t")
def test_a_scorer_that_raises_fails_one_fit_only():
    def scorer(estimator, X, y):
        if estimator.lr == 0.05:
            raise ValueError("a scorer's")
        return float(estimator.score(X, y))

    kwargs = options(grid, random_state=0, error_score=np.nan, scoring=scorer)
    stacked = grid(net(), {"lr": [0.02, 0.05]}, stacked=True, **kwargs).fit(X, y)
    assert np.isnan(stacked.cv_results_["mean_test_score"]).tolist() == [False, True]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the t")
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_a_net_that_diverges_leaves_the_others_untouched():
    kwargs = options(grid, random_state=0, error_score=np.nan, stacked=True)
    space = {"lr": [0.02, 0.05, 1e30]}
    among = grid(net(), space, **kwargs).fit(X, y)
    harmless = grid(net(), {"lr": [0.02, 0.05, 0.06]}, **kwargs).fit(X, y)
    for k in range(3):
        both = [s.cv_results_[f"split{k}_test_score"] for s in (among, harmless)]
        assert np.isnan(both[0][2])
        np.testing.assert_array_equal(both[0][:2], both[1][:2])


def test_error_score_raise_raises_what_the_fit_raised():
    estimator = net(callbacks=[Raises(0.05)])
    with pytest.raises(ValueError, match="a callback's"):
        grid(estimator, {"lr": [0.02, 0.05]}, **options(grid, stacked=True)).fit(X, y)


@pytest.mark.parametrize("stacked", [False, True])
def test_wrong_shapes_are_refused_as_ever(stacked):
    """torch would take each output with each target."""
    regressor = NeuralNetRegressor(
        torch.nn.Linear,
        module__in_features=4,
        module__out_features=1,
        verbose=0,
        train_split=None,
    )
    kwargs = options(grid, stacked=stacked, scoring="r2", error_score=np.nan)
    with pytest.raises(ValueError, match=r"has shape \(60, 1\) and y has \(60,\)"):
        grid(regressor, {"lr": [0.1, 0.2]}, **kwargs).fit(X, y.astype(np.float32))


class Sleeps(Callback):
    def __init__(self, lr):
        self.lr = lr

    def on_epoch_end(self, net, **kwargs):
        if net.lr == self.lr:
            time.sleep(0.4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the t")
def test_a_time_limit_is_for_each_nets_share():
    """The others wait for the slow one, which is not their fault."""
    estimator = net(max_epochs=8, callbacks=[Sleeps(0.05)])
    kwargs = options(grid, random_state=0, error_score=np.nan, fit_timeout=1.5)
    search = grid(estimator, {"lr": [0.02, 0.05, 0.1]}, stacked=True, **kwargs).fit(
        X, y
    )
    failed = np.isnan(search.cv_results_["mean_test_score"])
    assert failed.tolist() == [False, True, False]
    assert search.cv_results_["mean_fit_time"][[0, 2]].max() < 1.5
    assert set(sizes(search)) == {9}


def test_ctrl_c_ends_a_stack():
    class Presses(Callback):
        def on_epoch_end(self, net, **kwargs):
            if net.lr == 0.1 and net.batch_size == 16 and len(net.history) == 2:
                os.kill(os.getpid(), signal.SIGINT)

    estimator = net(callbacks=[Presses()])
    search = grid(estimator, LISTS, **options(grid, random_state=0, stacked=True))
    search.set_params(max_stack=6)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)


# -- journal -------------------------------------------------------------------------


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("n_fits", [0, 1, 4, 10])
def test_a_search_that_is_cut_short_goes_on(search, n_fits, tmp_path):
    """A unit is done whole, whatever of it was lost."""
    journal = tmp_path / "search.jsonl"
    whole = fitted(search, stacked=True, journal=journal, max_stack=6, refit=True)
    cut(journal, n_fits)
    again = fitted(search, stacked=True, journal=journal, max_stack=6, refit=True)
    assert_same(again, whole)
    assert again.paths_ == whole.paths_


def test_a_journal_says_how_nets_were_trained(tmp_path):
    journal = tmp_path / "search.jsonl"
    search = fitted(grid, stacked=True, journal=journal)
    rows = read_journal(journal)
    assert list(rows["path_stacked"]) == sizes(search) and set(sizes(search)) == {12}
    header = json.loads(journal.read_text().splitlines()[0])
    assert header["max_stack"] == 30
    with pytest.raises(ValueError, match="stacked"):
        fitted(grid, journal=journal)


def test_a_journal_of_a_search_that_knew_no_stacks(tmp_path):
    journal = tmp_path / "search.jsonl"
    whole = fitted(grid, journal=journal, refit=True)
    first, *rest = journal.read_text().splitlines(keepends=True)
    header = json.loads(first)
    del header["arguments"]["stacked"], header["arguments"]["max_stack"]
    del header["max_stack"]
    journal.write_text("".join([json.dumps(header) + "\n", *rest]))
    cut(journal, 4)
    assert_same(fitted(grid, journal=journal, refit=True), whole)


# -- "auto" --------------------------------------------------------------------------


def trials(monkeypatch, quicker):
    """Have trials say so, and list the fits that they were made with."""
    tried = []
    real = _stack_trial.try_stacked

    def try_stacked(job, fit):
        tried.append(fit)
        trial = real(job, fit)
        assert trial.seconds_stacked > 0 and trial.seconds_alone > 0
        return _stack_trial.StackTrial(trial.n_nets, None, *quicker)

    monkeypatch.setattr("sktune.run._stack_keys.try_stacked", try_stacked)
    return tried


@pytest.mark.parametrize("quicker", [(1.0, 2.0), (2.0, 1.0)])
def test_the_quicker_is_taken_once_for_each_shape(quicker, monkeypatch, tmp_path):
    journal = tmp_path / "search.jsonl"
    tried = trials(monkeypatch, quicker)
    search = fitted(grid, stacked="auto", journal=journal, refit=True)
    assert [fit.params["batch_size"] for fit in tried] == [16, 32]
    assert set(sizes(search)[:-1]) == ({12} if quicker[0] < quicker[1] else {1})
    cut(journal, 3)
    # Now it would be the other way round, and nothing is tried again.
    tried = trials(monkeypatch, quicker[::-1])
    again = fitted(grid, stacked="auto", journal=journal, refit=True)
    assert not tried
    assert_same(again, search)
    assert sizes(again) == sizes(search)


def test_a_trial_leaves_nothing(monkeypatch):
    """Neither random numbers nor weights differ for it."""
    trials(monkeypatch, (1.0, 2.0))
    assert_same_search(fitted(grid, stacked="auto"), fitted(grid, stacked=True))


def test_what_fails_is_not_stacked():
    class Fails(Callback):
        def on_epoch_begin(self, net, **kwargs):
            raise ValueError("always")

    kwargs = options(grid, stacked="auto", random_state=0)
    with pytest.raises(ValueError, match="always"):
        grid(net(callbacks=[Fails()]), {"lr": [0.1, 0.2]}, **kwargs).fit(X, y)


# -- what is said beforehand -----------------------------------------------------------


class OnBatches(Callback):
    def on_batch_end(self, net, **kwargs):
        """Looks at every batch."""


def test_it_is_said_before_any_fit_what_is_stacked():
    search = RandomizedSearchCV(net(), WIDE, n_iter=6, cv=3, random_state=0)
    plan = search.stacking(X, y)
    assert not hasattr(search, "cv_results_")
    counts = {shape.params["batch_size"]: shape.n_fits for shape in plan.shapes}
    search.set_params(stacked=True, refit=False).fit(X, y)
    for size, n_fits in counts.items():
        drawn = [p["batch_size"] for p in search.cv_results_["params"]]
        assert 3 * drawn.count(int(size)) == n_fits
    expected = {shape.sizes[0] for shape in plan.shapes}
    assert set(sizes(search)) == expected
    text = str(plan)
    assert "batch_size=16" in text and text.splitlines()[0].startswith("shape")
    assert "<td>batch_size=16</td>" in plan._repr_html_()


@pytest.mark.parametrize(
    "estimator, reason",
    [
        (
            net(callbacks=[OnBatches()]),
            "callback 'OnBatches' has a method on_batch_end",
        ),
        (net(optimizer=torch.optim.Rprop), "Rprop has no stacked step"),
        (net(iterator_train__num_workers=1), "its batches are not cut from arrays"),
    ],
)
def test_it_says_why_not(estimator, reason):
    space = {"lr": [0.1, 0.2]}
    plan = GridSearchCV(estimator, space, cv=3).stacking(X, y)
    assert [shape.reason for shape in plan.shapes] == [reason]
    assert reason in str(plan)
    if "num_workers" in reason:
        return
    search = GridSearchCV(estimator, space, cv=3, stacked=True, refit=False).fit(X, y)
    assert why(search) == {reason}


def test_estimators_that_are_no_nets():
    search = GridSearchCV(SVC(), {"C": [1, 2]}, cv=3, stacked=True)
    assert "neither a net" in search.stacking(X, y).shapes[0].reason
    assert not hasattr(search.fit(X, y), "paths_")


@pytest.mark.parametrize(
    "argument", [{"stacked": "always"}, {"max_stack": 0}, {"max_stack": 2.5}]
)
def test_arguments_that_are_wrong(argument):
    (name,) = argument
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        GridSearchCV(net(), {"lr": [0.1]}, **argument).fit(X, y)
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        GridSearchCV(net(), {"lr": [0.1]}, **argument).stacking(X, y)


def test_a_memory_limit_trains_one_net_at_a_time():
    search = fitted(grid, stacked=True, fit_memory="1GB")
    assert all("fit_memory" in reason for reason in why(search))


class Anneals(Callback):
    def on_epoch_begin(self, net, **kwargs):
        net.module_.temperature = 1 + len(net.history)


class NewOptimizer(Callback):
    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            net._initialize_optimizer()


class Scaled(torch.nn.Module):
    def __init__(self, p=1.0, hooked=False):
        super().__init__()
        self.layer, self.p, self.temperature = torch.nn.Linear(4, 3), p, 1
        if hooked:
            self.layer.weight.register_hook(torch.zeros_like)

    def forward(self, X):
        return self.layer(X) * self.p / self.temperature


@pytest.mark.parametrize(
    ("more", "space"),
    [
        ({}, {"module__p": [0.5, 1.0, 3.0, 0.5]}),
        ({"callbacks": [Anneals()]}, {"lr": [0.1, 0.2]}),
        (
            {"callbacks": [NewOptimizer()], "optimizer": torch.optim.Adam},
            {"lr": [0.01, 0.02]},
        ),
        ({"module__hooked": True}, {"lr": [0.1, 0.2]}),
    ],
)
def test_what_a_forward_pass_reads_is_each_nets_own(more, space):
    estimator = net(max_epochs=4).set_params(module=Scaled, **more)
    alone, stacked = (
        GridSearchCV(
            estimator, space, cv=3, scoring="neg_log_loss", random_state=0, stacked=way
        ).fit(X, y)
        for way in (False, True)
    )
    assert_close(alone, stacked)
