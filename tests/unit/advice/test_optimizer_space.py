"""Rates, momentum and weight decay, by the kind of optimizer."""

import numpy as np
import pytest
from sklearn.model_selection import ParameterSampler
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import optim

from sktune.advice import recommended_space
from sktune.nets import ParamGroups
from tests.helpers.estimators import blobs, ends, net, signals

X, y = blobs(160)


OPTIMIZERS = [optim.SGD, optim.Adam, optim.AdamW, optim.NAdam, optim.RMSprop]
OPTIMIZERS += [optim.Adagrad, optim.Adadelta, ParamGroups(optim.SGD)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_draw_can_be_set_and_trained(optimizer):
    estimator = make_pipeline(StandardScaler(), signals(optimizer=optimizer))
    space = recommended_space(estimator, X, y)
    for params in ParameterSampler(space, 4, random_state=0):
        estimator.set_params(**params).fit(X, y)
        assert np.isfinite(estimator[-1].history[-1, "train_loss"])


def test_momentum_goes_with_lower_rates():
    plain = recommended_space(net(optimizer__momentum=0))
    assert "optimizer__momentum" not in plain
    assert ends(plain["lr"]) == (0.01, 1.0)
    assert ends(recommended_space(net())["lr"]) == (0.005, 0.2)
    slow = recommended_space(net(optimizer=optim.RMSprop, optimizer__momentum=0.9))
    assert ends(slow["lr"]) == (5e-5, 3e-3) and "optimizer__momentum" not in slow


def test_decay_that_is_decoupled_from_the_rate():
    adam = net(optimizer=optim.Adam)
    assert ends(recommended_space(adam)["optimizer__weight_decay"])[1] == 0.01
    for decoupled in (
        net(optimizer=optim.AdamW),
        net(optimizer=optim.NAdam, optimizer__decoupled_weight_decay=True),
    ):
        assert ends(recommended_space(decoupled)["optimizer__weight_decay"])[1] == 0.1


class OfOnesOwn(optim.Optimizer):
    def __init__(self, params, lr, weight_decay=0.0):
        super().__init__(params, {"lr": lr})


class LikeAdam(optim.Adam):
    pass


def test_optimizers_that_are_not_known_have_no_rates():
    space = recommended_space(net(optimizer=OfOnesOwn))
    assert "lr" not in space and "optimizer__weight_decay" in space
    assert "lr" not in recommended_space(net(optimizer=optim.LBFGS))
    assert ends(recommended_space(net(optimizer=LikeAdam))["lr"]) == (5e-4, 0.03)


@pytest.mark.parametrize("optimizer", [optim.SGD, optim.Adam, optim.RMSprop])
def test_fine_tuning(optimizer):
    given = signals(optimizer=optimizer)
    before, after = (recommended_space(given, fine_tuning=f) for f in (False, True))
    (low, high), (low_after, high_after) = ends(before["lr"]), ends(after["lr"])
    assert low / low_after == pytest.approx(100)
    assert high / high_after == pytest.approx(10)
    assert [k for k in after if "module" in k] == ["module__dropout"]
