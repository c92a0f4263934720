"""Schedules whose length is fixed are compared with the trainings of a search."""

import pytest
from scipy.stats import loguniform
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EarlyStopping, LRScheduler
from skorch.dataset import ValidSplit
from torch.optim.lr_scheduler import CosineAnnealingLR, CyclicLR, OneCycleLR

from sktune._errors import EstimatorError
from sktune.nets import RelativeLRScheduler
from tests.helpers.estimators import blobs, net
from tests.helpers.searches import SEARCHES, halving, randomized

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

X, y = blobs(96)  # 3 epochs of 3 batches in the refit, of 2 in a split

DECAY = {"optimizer__weight_decay": [0.1]}


def one_cycle(scheduler=LRScheduler, policy=OneCycleLR, **kwargs):
    if policy is OneCycleLR:
        kwargs = {"max_lr": 0.1, "cycle_momentum": False, **kwargs}
    return [("lr", scheduler(policy, step_every="batch", **kwargs))]


def _fit(estimator, space=None, search=randomized, **kwargs):
    return search(estimator, space or DECAY, n_iter=1, cv=2, **kwargs).fit(X, y)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize(
    "length", [{"total_steps": 6}, {"epochs": 3, "steps_per_epoch": 2}]
)
def test_a_cycle_that_is_long_enough_for_the_splits_only(search, length):
    """Every fit works, and the refit would raise when all has been computed."""
    match = r"ends after 6 steps, and the refit.*9 \(3 epochs x 3 batches\).*Relative"
    with pytest.raises(EstimatorError, match=match):
        _fit(net(callbacks=one_cycle(**length)), search=search)
    piped = make_pipeline(StandardScaler(), net(callbacks=one_cycle(**length)))
    with pytest.raises(EstimatorError, match=match):
        _fit(piped, {"neuralnetclassifier__optimizer__weight_decay": [0.1]}, search)


@pytest.mark.parametrize("search", SEARCHES)
def test_a_cycle_that_is_long_enough_for_the_refit(search):
    match = r"laid out over 9 batches.*a split fewer"
    with pytest.warns(UserWarning, match=match) as caught:
        _fit(net(callbacks=one_cycle(total_steps=9)), search=search)
    assert len(caught) == 1


@pytest.mark.parametrize("search", SEARCHES)
def test_a_cycle_of_each_training(search):
    callbacks = one_cycle(RelativeLRScheduler)
    space = {"batch_size": [16, 32, 64]}
    best = _fit(net(callbacks=callbacks), space, search).best_estimator_
    n_batches = -(-len(X) // best.batch_size)
    scheduler = dict(best.callbacks_)["lr"].lr_scheduler_
    assert scheduler.total_steps == scheduler.last_epoch == 3 * n_batches


def test_by_epochs_and_by_what_is_searched():
    by_epoch = [LRScheduler(OneCycleLR, max_lr=0.1, total_steps=2)]
    with pytest.raises(EstimatorError, match=r"has 3 \(3 epochs\)"):
        _fit(net(callbacks=by_epoch))
    by_epoch = [
        LRScheduler(OneCycleLR, max_lr=0.1, total_steps=3, cycle_momentum=False)
    ]
    _fit(net(callbacks=by_epoch))
    callbacks = one_cycle(total_steps=9)
    with pytest.warns(UserWarning, match="ends after 9 steps, and the refit.*has 18"):
        _fit(net(callbacks=callbacks), {"batch_size": [64, 16]}, random_state=1)
    some = {"max_epochs": loguniform(1, 2)}  # nothing can be told of these
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        _fit(net(callbacks=callbacks), some)
    held_out = net(callbacks=one_cycle(total_steps=6), train_split=ValidSplit(3))
    with pytest.warns(UserWarning, match="laid out over 6 batches.*has 6"):
        _fit(held_out)
    stopping = net(callbacks=[*callbacks, EarlyStopping("train_loss")], max_epochs=4)
    with pytest.warns(UserWarning, match=r"has 12 \(4 epochs x 3 batches\)"):
        _fit(stopping, refit=False)


def test_rungs_whose_most_epochs_are_more():
    match = r"has 12 \(4 epochs x 3 batches\)"
    callbacks = one_cycle(total_steps=9)
    search = halving(net(callbacks=callbacks), DECAY, max_resources=4, cv=2)
    for method in (search.plan, search.fit):
        with pytest.raises(EstimatorError, match=match):
            method(X, y)


def test_other_schedules():
    cosine = one_cycle(policy=CosineAnnealingLR, T_max=9)
    with pytest.warns(UserWarning, match="CosineAnnealingLR.*laid out over 9 batches"):
        _fit(net(callbacks=cosine))
    periodic = one_cycle(policy=CyclicLR, base_lr=0.01, max_lr=0.1, step_size_up=2)
    periodic[0][1].cycle_momentum = False
    _fit(net(callbacks=periodic))
    match = r"no policy of the name 'OneCycleLR'. Pass the class, torch.optim.lr_sche"
    with pytest.raises(EstimatorError, match=match):
        _fit(net(callbacks=[LRScheduler("OneCycleLR", max_lr=0.1, total_steps=9)]))
    with pytest.raises(EstimatorError, match="mean 'StepLR'"):
        _fit(net(callbacks=[LRScheduler("StpLR", step_size=9)]))


def test_a_net_that_is_paused_is_in_the_same_cycle():
    """Its rates at the last rung are those of a training in one go."""
    one = net(callbacks=one_cycle(RelativeLRScheduler), max_epochs=4, lr=0.1)
    rates = []

    def scored(estimator, X, y):
        history = estimator.history[:, "batches", :, "event_lr"]
        rates.append([rate for batches in history for rate in batches])
        return float(len(rates))

    space = {"optimizer__weight_decay": [0.1, 0.2]}
    search = halving(one, space, n_iter=2, cv=2, refit=False, scoring=scored)
    n_resources = search.fit(X, y).cv_results_["n_resources"]
    assert n_resources.tolist() == [2, 2, 4]
    whole = one.fit(X[:48], y[:48]).history[:, "batches", :, "event_lr"]
    whole = [rate for batches in whole for rate in batches]
    assert rates[-1] == rates[-2] == whole
    assert rates[0] == whole[: len(whole) // 2]
