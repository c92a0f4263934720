"""
Accuracy against size
=====================

A net that is a little better may be ten times as large. Here a search looks for the
whole front of both: for each number of parameters, the net of the highest accuracy.

Look at where the front bends: up to there a larger net pays.
"""

# %%
# Two objectives
# --------------
#
# Each is a scorer, and greater is better: so the number of parameters is negated.
# `objectives` names those whose front is searched, `refit` the one by which the best
# candidate is chosen.

import torch
from scipy.stats import loguniform, randint
from sklearn.datasets import load_digits
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from sktune import BayesSearchCV
from sktune.inspection import ParetoFrontDisplay, pareto_front
from sktune.nets import neg_n_parameters


class Net(torch.nn.Sequential):
    """One hidden layer."""

    def __init__(self, hidden=16):
        super().__init__(
            torch.nn.Linear(64, hidden),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden, 10),
        )


X, y = load_digits(return_X_y=True)
X, y = X[:400].astype("float32"), y[:400]
net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    max_epochs=8,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
search = BayesSearchCV(
    Pipeline([("scale", StandardScaler()), ("net", net)]),
    {"net__lr": loguniform(1e-3, 1e-1), "net__module__hidden": randint(1, 64)},
    n_iter=24,
    cv=3,
    stacked=True,
    scoring={"accuracy": "accuracy", "neg_n_parameters": neg_n_parameters},
    refit="accuracy",
    objectives=("accuracy", "neg_n_parameters"),
    random_state=0,
).fit(X, y)

# %%
# The front
# ---------
#
# `se` is the standard error over the splits: two neighbours that are nearer than that
# may be the other way round on other data.

print(pareto_front(search))

# %%
# Whoever lies behind the line is beaten in both.

display = ParetoFrontDisplay.from_search(search)

# %%
# Any search with several metrics has a front, and so has what it costs: seconds of
# training against accuracy.

print(pareto_front(search, ["accuracy", "fit_time"]))
