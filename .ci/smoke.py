"""What an installed sktune must do, outside of its checkout."""

import sys
from importlib.resources import files

import numpy as np
import torch
from scipy.stats import loguniform
from skorch import NeuralNetClassifier

import sktune

assert "site-packages" in sktune.__file__, sktune.__file__
assert files("sktune").joinpath("py.typed").is_file()
net = NeuralNetClassifier(
    torch.nn.Linear,
    module__in_features=4,
    module__out_features=2,
    criterion=torch.nn.CrossEntropyLoss,
    train_split=None,
    max_epochs=3,
    verbose=0,
)
X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
y = (X[:, 0] > 0).astype(np.int64)
space = {"lr": loguniform(1e-2, 1.0)}
for search in (
    sktune.BayesSearchCV(net, space, n_iter=3, cv=2, random_state=0),
    sktune.HyperbandSearchCV(net, space, cv=2, random_state=0, stacked=True),
):
    assert search.fit(X, y).best_score_ > 0.5
sktune.show_versions()
sys.exit(0)
