"""Statistics of batch normalization: borrowed, left alone, counted anew."""

import pytest
import torch
from torch import nn

from sktune.architectures._batch_statistics import count_anew, judged_by_batches


@pytest.fixture
def module():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))


def test_a_module_is_judged_by_the_batch_and_left_as_it_was(module):
    X = torch.randn(50, 3)
    module.eval()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    with judged_by_batches(module):
        outputs = module(X)
    torch.testing.assert_close(outputs.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    after = module.state_dict()
    running = [k for k in before if "running" in k]
    assert running
    assert all(torch.equal(before[k], after[k]) for k in running)
    assert not any(layer.training for layer in module.modules())
    assert module[1].momentum == 0.1


def test_statistics_are_those_of_all_batches(module):
    batches = torch.randn(4, 25, 3)
    count_anew(module, (module(batch) for batch in batches))
    hidden = module[0](batches.reshape(100, 3))
    torch.testing.assert_close(module[1].running_mean, hidden.mean(0))
    variances = torch.stack([module[0](b).var(0) for b in batches]).mean(0)
    torch.testing.assert_close(module[1].running_var, variances)
    assert not module.training and module[1].momentum == 0.1


def test_without_such_layers_nothing_is_computed():
    def fail():
        raise AssertionError
        yield

    count_anew(nn.Linear(1, 1), fail())
