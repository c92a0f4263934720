"""
Architecture and learning rate in one search
============================================

What a net is made of is a parameter like any other. Here it is a cell, a small graph
with an operation on each edge. One search chooses the cell together with the learning
rate, cross-validated, and ends most trainings early.
"""

# %%
# A net that is told its cell
# ---------------------------
#
# The module is yours. It is given the cell as a tuple of names, one for each edge,
# ordered by where edges lead to. A node is the sum of what comes over its edges.

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier

from sktune import HyperbandSearchCV
from sktune.architectures import ArchitectureDisplay, CellSpace

EDGES = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]


def operation(name, width=32):
    """What one edge does."""
    layer = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}.get(name)
    if layer is None:
        return torch.nn.Identity()
    return torch.nn.Sequential(torch.nn.Linear(width, width), layer())


class CellNet(torch.nn.Module):
    """One cell between two linear layers."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell
        self.before = torch.nn.Linear(64, 32)
        self.operations = torch.nn.ModuleList(map(operation, cell))
        self.after = torch.nn.Linear(32, 10)

    def forward(self, X):
        first = self.before(X)
        nodes = [first] + [torch.zeros_like(first)] * 3
        for (source, target), name, run in zip(
            EDGES, self.cell, self.operations, strict=True
        ):
            if name != "none":
                nodes[target] = nodes[target] + run(nodes[source])
        return self.after(nodes[3])


X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
X, X_test, y, y_test = train_test_split(X, y, train_size=900, random_state=0)
net = NeuralNetClassifier(
    CellNet,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    max_epochs=9,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)

# %%
# A space of cells
# ----------------
#
# It stands beside the distribution of the learning rate, and says which operations
# there are; what they do is the module's matter.

cells = CellSpace(["none", "skip", "relu", "tanh"])
print(cells.size, "cells, such as", cells.rvs(random_state=1))
print(cells.words(cells.rvs(random_state=1)))

# %%
# One search for both
# -------------------
#
# To a strategy, each edge is a coordinate beside the learning rate. Splits, journal,
# workers and results are those of every search.

search = HyperbandSearchCV(
    net,
    {"module__cell": cells, "lr": loguniform(1e-4, 1e-1)},
    cv=3,
    random_state=0,
)
search.fit(X, y)
print(f"accuracy {search.best_score_:.3f}")
print(f"on new data {search.score(X_test, y_test):.3f}")
print(f"lr {search.best_params_['lr']:.4f}")
print(cells.words(search.best_params_["module__cell"]))

# %%
# The best cell; edges with "none" are left out.

display = ArchitectureDisplay.from_search(search)

# %%
# Cell or learning rate?
# ----------------------
#
# Candidates by their learning rate. At a wrong one every cell looks bad, so that a
# search of cells at one rate may only tell which of them suit that rate.

results = search.cv_results_
rates = results["param_lr"].astype(float)
reached = results["n_resources"]
chosen = results["param_module__cell"]
layers = [cell.count("relu") + cell.count("tanh") for cell in chosen]
figure, ax = plt.subplots(layout="constrained")
for n_epochs, marker in zip(np.unique(reached), "v^o", strict=True):
    own = reached == n_epochs
    points = ax.scatter(
        rates[own],
        results["mean_test_score"][own],
        c=np.array(layers)[own],
        marker=marker,
        label=f"{n_epochs} epochs",
        vmin=0,
        vmax=6,
    )
ax.set(xscale="log", xlabel="lr", ylabel="accuracy")
ax.legend()
figure.colorbar(points, label="edges with a layer")
