"""
A check before the spend
========================

A search over nets may run for hours and then fail, or learn nothing. ``preflight``
trains a little, says what is wrong and what to do about it, and tells how long the
search will take.

Here it meets a search with three mistakes in it.
"""

# %%
# A search that is not ready
# --------------------------
#
# The net takes 60 columns and the digits have 64; a callback stops nets, as rungs do;
# and one digit is rare.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping
from torch import nn

from sktune import HyperbandSearchCV
from sktune.advice import preflight


class Net(nn.Sequential):
    """One hidden layer."""

    def __init__(self, n_in=60, hidden=32):
        super().__init__(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, 10))


X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
rows = np.flatnonzero((y != 8) | (np.cumsum(y == 8) <= 10))

net = NeuralNetClassifier(
    Net,
    criterion=nn.CrossEntropyLoss,
    batch_size=64,
    callbacks=[("stop", EarlyStopping(monitor="train_loss", patience=2))],
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
space = {"lr": loguniform(1e-2, 1), "module__hidden": [16, 64]}
search = HyperbandSearchCV(net, space, max_resources=9, cv=3, random_state=0)
print(preflight(search, X[rows], y[rows], n_candidates=2))

# %%
# What it says, done
# ------------------
#
# Each line names its remedy.

net.set_params(module__n_in=64, callbacks=None)
found = preflight(search, X, y, cost_per_hour=2.5, currency="EUR", n_candidates=3)
print(found)

# %%
# Where the time goes
# -------------------
#
# Most candidates are in the first rungs, and little of the time.

names = [f"bracket {rung.bracket}, iter {rung.iter}" for rung in found.time.rungs]
fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
bars = ax.barh(names, [rung.seconds for rung in found.time.rungs])
ax.bar_label(bars, [f"{rung.n_fits} fits" for rung in found.time.rungs], padding=3)
ax.margins(x=0.15)
ax.invert_yaxis()
ax.set(xlabel="seconds of training and scoring", title="What each rung takes")
plt.show()
