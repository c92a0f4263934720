"""What a newcomer writes, held to `mypy --strict` as a user's own script would be."""

from typing import Any

import numpy as np
import torch
from scipy.stats import loguniform
from skorch import NeuralNetClassifier

import sktune
from sktune.ensemble import SearchEnsembleClassifier
from sktune.inspection import best_candidates, final_score

net: Any = NeuralNetClassifier(
    torch.nn.Linear, module__in_features=4, module__out_features=3, verbose=0
)
space = {"lr": loguniform(1e-3, 1.0), "batch_size": [16, 32]}


def main(X: "np.ndarray[Any, np.dtype[np.float32]]", y: Any) -> float:
    search = sktune.BayesSearchCV(net, space, n_iter=5, cv=3, keep="best")
    search.fit(X, y)
    score: float = search.best_score_
    print(best_candidates(search, n=3), sktune.__version__)
    rungs = sktune.HyperbandSearchCV(net, space, strategy="bayes", min_splits=1)
    print(rungs.plan(X, y).n_fits)
    ensemble = SearchEnsembleClassifier(search, prefit=True).fit(X, y)
    print(ensemble.weights_, final_score(search, X, y).low)
    return score
