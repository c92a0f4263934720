"""What every learning-rate schedule keeps, in one suite for all of them.

Paused is never paused, stacked is alone, and a training that goes on from a checkpoint
is one that never ended.
"""

import pickle

import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from sklearn.base import clone
from skorch.callbacks import LoadInitState, TrainEndCheckpoint

from sktune._errors import SktuneError
from sktune._types import Fit
from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.estimators._resource import Resource
from sktune.execution.fitting._unit import run_unit
from sktune.execution.guards._random_states import preserved_random_states
from sktune.nets import LRSchedule
from sktune.nets._lr_policies import POLICIES
from tests.helpers.estimators import net
from tests.helpers.searches import halving, randomized
from tests.helpers.trained import X, all_of, at_once, job_of, rungs, y

N_EPOCHS, RUNGS = 7, (1, 3, 7)  # of two batches; a pause is amid any cycle
PARAMS = [{"lr": 0.05}, {"lr": 0.1}, {"lr": 0.02}]
CASES = [(policy, 0) for policy in POLICIES] + [("cosine", 2), ("one_cycle", 1)]


def scheduled(policy, warmup=0, step_every="batch", **kwargs):
    schedule = LRSchedule(policy, warmup=warmup, step_every=step_every)
    kwargs = {"optimizer__momentum": 0.9, "batch_size": 20, **kwargs}
    callbacks = [("schedule", schedule), *kwargs.pop("callbacks", [])]
    return net(callbacks=callbacks, max_epochs=N_EPOCHS, verbose=0, **kwargs)


def rates_of(fitted):
    return np.ravel(fitted.history[:, "batches", :, "event_lr"])


@pytest.mark.parametrize("policy, warmup", CASES)
def test_paused_is_never_paused(policy, warmup, tmp_path):
    """Bit for bit, at each rung: weights, momenta, rates, and where it stands."""
    estimator = scheduled(policy, warmup)
    with checkpoints_in(tmp_path) as checkpoints:
        resource = Resource("max_epochs", "epochs", N_EPOCHS)
        job = job_of(estimator, resource, checkpoints)
        seen = [all_of(one) for one, _ in rungs(job, RUNGS)]
    whole = at_once(estimator, N_EPOCHS)
    assert seen[-1] == all_of(whole)
    assert len(seen[0]["history"]) == RUNGS[0]
    assert seen[0]["history"] == seen[-1]["history"][: RUNGS[0]]


class Kept:
    """A scorer that keeps what it scores, by learning rate."""

    def __init__(self):
        self.nets = {}

    def __call__(self, estimator, X, y=None):
        self.nets[estimator.lr] = estimator
        return float(estimator.score(X, y))


def trained(estimator, resources, together):
    """Nets of three rates after the last of the resources, and how many were one."""
    with checkpoints_in(None) as checkpoints:
        resource = Resource("max_epochs", "epochs", N_EPOCHS)
        job = job_of(estimator, resource, checkpoints, stacked=True, scorer=Kept())
        for n in resources:
            fits = [
                Fit(k, 0, params, 7 + k, n, n < N_EPOCHS)
                for k, params in enumerate(PARAMS)
            ]
            with preserved_random_states():
                units = [tuple(fits)] if together else [(fit,) for fit in fits]
                paths = [one.path for unit in units for one in run_unit(job, unit)]
        return job.scorer.nets, paths


@pytest.mark.parametrize("policy, warmup", CASES)
def test_stacked_and_paused_is_alone(policy, warmup):
    estimator = scheduled(policy, warmup)
    alone, _ = trained(estimator, [N_EPOCHS], together=False)
    stacked, paths = trained(estimator, RUNGS, together=True)
    assert [path["stacked"] for path in paths] == [3, 3, 3]
    for lr, one in alone.items():
        np.testing.assert_array_equal(rates_of(one), rates_of(stacked[lr]))
        for p, q in zip(
            one.module_.parameters(), stacked[lr].module_.parameters(), strict=True
        ):
            assert torch.allclose(p, q, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_stacked_momenta(optimizer):
    """By epochs too, where the momentum of all nets changes between epochs."""
    eps = {"optimizer__eps": 1e-3} if optimizer == "Adam" else {}
    estimator = scheduled("one_cycle", step_every="epoch")
    if eps:
        del estimator.optimizer__momentum
    estimator.set_params(optimizer=getattr(torch.optim, optimizer), **eps)
    alone, _ = trained(estimator, [N_EPOCHS], together=False)
    stacked, paths = trained(estimator, RUNGS, together=True)
    assert [path["stacked"] for path in paths] == [3, 3, 3]
    for lr, one in alone.items():
        losses = (fitted.history[:, "train_loss"] for fitted in (one, stacked[lr]))
        np.testing.assert_allclose(*losses, rtol=1e-3)


@pytest.mark.parametrize("policy, warmup", CASES)
def test_from_a_checkpoint_of_skorch(policy, warmup, tmp_path):
    """Three epochs, then four in a net that was made anew: bit for bit seven."""
    estimator = scheduled(policy, warmup)
    estimator.set_params(callbacks__schedule__epochs=N_EPOCHS)
    torch.manual_seed(0)
    whole = clone(estimator).fit(X, y)
    torch.manual_seed(0)
    kept = TrainEndCheckpoint(dirname=str(tmp_path))
    first = clone(estimator).set_params(max_epochs=3)
    first.set_params(callbacks=[*first.callbacks, ("kept", kept)]).fit(X, y)
    state = torch.get_rng_state()
    again = clone(estimator).set_params(max_epochs=4)
    load = LoadInitState(TrainEndCheckpoint(dirname=str(tmp_path)).initialize())
    again.set_params(callbacks=[("load", load), *again.callbacks]).initialize()
    torch.set_rng_state(state)
    again.partial_fit(X, y)
    expected, found = all_of(whole), all_of(again)
    for name in ("weights", "optimizer"):
        assert expected[name] == found[name]
    np.testing.assert_array_equal(rates_of(whole), rates_of(again))


@pytest.mark.parametrize("policy", POLICIES)
def test_from_a_pickle(policy):
    estimator = scheduled(policy).set_params(callbacks__schedule__epochs=N_EPOCHS)
    torch.manual_seed(0)
    whole = clone(estimator).fit(X, y)
    torch.manual_seed(0)
    first = clone(estimator).set_params(max_epochs=3).fit(X, y)
    again = pickle.loads(pickle.dumps(first)).set_params(max_epochs=4)
    again.partial_fit(X, y)
    assert all_of(whole)["weights"] == all_of(again)["weights"]


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("search", [randomized, halving])
def test_policies_and_their_arguments_are_searched(search, stacked):
    """A dict for each policy; the refit has the schedule of its own length."""
    space = [
        {"callbacks__schedule__policy": ["constant", "cosine"], "lr": [0.1, 0.01]},
        {
            "callbacks__schedule__policy": ["step"],
            "callbacks__schedule__gamma": [0.1, 0.5],
        },
    ]
    estimator = scheduled("cosine", warmup=1)
    few = {} if search is randomized else {"max_resources": N_EPOCHS}
    found = search(
        estimator, space, cv=2, random_state=0, stacked=stacked, n_iter=6, **few
    ).fit(X, y)
    best = found.best_estimator_
    course = dict(best.callbacks_)["schedule"].lr_scheduler_.course
    assert course.n_steps == N_EPOCHS * 3 and course.n_warmup == 3
    assert course.policy == best.callbacks__schedule__policy


SCHEDULE = "callbacks__schedule__"


@pytest.mark.parametrize(
    "space, message",
    [
        ({"policy": ["cosin", "step"]}, "no policy 'cosin'. Did you mean 'cosine'"),
        ({"gama": [0.1]}, r"no parameter 'gama'. Did you mean '\w+__gamma'"),
        (
            {"policy": ["step", "cosine"], "gamma": loguniform(0.1, 0.5)},
            "gamma is no argument of policy='cosine'.*searched by a list of dicts",
        ),
        ({"policy": ["step"], "gamma": [0.5, 2]}, "gamma=2 must be a number above 0"),
        ({"warmup": [0, 1.0]}, "warmup=1.0 must be a number of epochs"),
    ],
)
def test_mistakes_before_the_first_fit(space, message):
    space = {SCHEDULE + name: values for name, values in space.items()}
    with pytest.raises(SktuneError, match=message):
        randomized(scheduled("cosine"), space, n_iter=2, cv=2).fit(X, y)


def test_an_argument_that_a_policy_does_not_take_is_turned_off_by_none():
    estimator = scheduled("step").set_params(callbacks__schedule__gamma=0.5)
    space = {SCHEDULE + "policy": ["cosine"]}
    with pytest.raises(SktuneError, match=r"gamma is no argument.*set it to None"):
        randomized(estimator, space, n_iter=1, cv=2).fit(X, y)
    space[SCHEDULE + "gamma"] = [None]
    randomized(estimator, space, n_iter=1, cv=2, error_score="raise").fit(X, y)
