"""Nets that are brought to another device, and nets that are made silent."""

import copy
import pickle
import sys

import torch
from sklearn.base import clone
from skorch.callbacks import PrintLog, ProgressBar

from sktune.execution.estimators._nets import bring, silence
from tests.helpers.estimators import net
from tests.helpers.trained import at_once


def test_state_of_the_cpu_goes_to_an_accelerator():
    one = at_once(net(optimizer=torch.optim.Adam), 1)
    vars(one)["device"] = "meta"
    bring(one)
    assert {p.device.type for p in one.module_.parameters()} == {"meta"}
    for kept in one.optimizer_.state.values():
        assert kept["step"].device.type == "cpu"
        assert kept["exp_avg"].device.type == "meta"


class Counting(ProgressBar):
    """Does more than print."""

    n_epochs = 0

    def on_epoch_begin(self, net, **kwargs):
        Counting.n_epochs += 1

    def on_batch_end(self, net, **kwargs): ...

    def on_epoch_end(self, net, **kwargs): ...


def test_what_a_subclass_of_a_progress_bar_does_is_done():
    silent = silence(net(callbacks=[Counting()]))
    Counting.n_epochs = 0
    at_once(silent, 2)
    assert Counting.n_epochs > 0


def test_a_silent_net_can_be_cloned_and_pickled():
    callbacks = [ProgressBar(), ("log", PrintLog(sink=sys.stderr.write))]
    silent = silence(clone(net(callbacks=callbacks)))
    for one in (clone(silent), copy.deepcopy(silent)):
        one.initialize_callbacks()
        told = dict(one.callbacks_)
        assert type(told["ProgressBar"]).__name__ == "NoProgressBar"
        assert told["log"].sink("text") is None
        assert silence(one) is one
    pickle.loads(pickle.dumps(silent))
    assert type(callbacks[0]) is ProgressBar
    assert callbacks[1][1].sink == sys.stderr.write
    assert silence(net(callbacks="disable")).callbacks == "disable"
