"""Values with which a module cannot run are none to search."""

import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from sktune.advice import recommended_space
from tests.helpers.estimators import blobs, net

X, y = blobs(160)


class Unpadded(nn.Module):
    """Of four numbers, a kernel of five or seven sees none."""

    def __init__(self, kernel_size=3):
        super().__init__()
        self.conv = nn.Conv1d(1, 3, kernel_size)

    def forward(self, X):
        return self.conv(X[:, None]).mean(dim=2)


def test_values_with_which_the_module_cannot_run():
    given = net().set_params(module=Unpadded)
    assert recommended_space(given)["module__kernel_size"] == [1, 3, 5, 7]
    state = torch.get_rng_state()
    piped = make_pipeline(StandardScaler(), given)
    space = recommended_space(piped, X, y)
    assert space["neuralnetclassifier__module__kernel_size"] == [1, 3]
    assert torch.equal(state, torch.get_rng_state()) and not given.initialized_
