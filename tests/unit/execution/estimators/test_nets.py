"""Nets that are brought to another device."""

import torch

from sktune.execution.estimators._nets import bring
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
