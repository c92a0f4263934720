"""
Params that change while nets are trained
=========================================

A population of nets is trained, and after every few epochs the worst go on as the best,
with params that differ a little. What comes out is a net, and the schedule of params
that it was trained with.

Look at the learning rate of the best: nobody has asked for a schedule.
"""

# %%
# A population on digits
# ----------------------

import matplotlib.pyplot as plt
import torch
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_digits
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from sktune import PopulationBasedSearchCV
from sktune.inspection import RungsDisplay


class Net(torch.nn.Sequential):
    """One hidden layer."""

    def __init__(self, dropout=0.0):
        super().__init__(
            torch.nn.Linear(64, 32),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(32, 10),
        )


X, y = load_digits(return_X_y=True)
X, y = X[:400].astype("float32"), y[:400]
net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer__momentum=0.9,
    max_epochs=16,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
pipeline = Pipeline([("scale", StandardScaler()), ("net", net)])
space = {
    "net__lr": loguniform(1e-4, 1.0),
    "net__module__dropout": uniform(0.0, 0.5),
}
search = PopulationBasedSearchCV(
    pipeline,
    space,
    population_size=12,
    interval=2,
    cv=2,
    stacked=True,
    random_state=0,
)
search.fit(X, y)
print(search.plan(X, y))
print(f"accuracy {search.best_score_:.3f}")

# %%
# How the best member came about: params, and the epoch up to which it was trained with
# them. ``best_estimator_`` was trained on all rows in the same stages.

for stage in search.best_lineage_:
    print(stage["n_resources"], stage["params"])

# %%
# The rates of all members
# ------------------------
#
# Each line is a candidate; it begins where its parent was, at a rate that differs. Most
# of the first rates are given up within a few epochs.

results = search.cv_results_
figure, ax = plt.subplots(layout="constrained")
for number in sorted(set(results["candidate"])):
    own = results["candidate"] == number
    rates = results["param_net__lr"][own]
    ax.semilogy(results["n_resources"][own], rates, "o-", color="0.7", markersize=3)
epochs, rates, before = [], [], 0
for stage in search.best_lineage_:
    epochs += [before, stage["n_resources"]]
    rates += [stage["params"]["net__lr"]] * 2
    before = stage["n_resources"]
ax.semilogy(epochs, rates, linewidth=3, label="the best, with its ancestors")
ax.set(xlabel="epochs", ylabel="learning rate")
ax.legend()

# %%
# And what they scored; dotted lines lead from parents to their children.

display = RungsDisplay.from_search(search)
