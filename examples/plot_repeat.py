"""
Is the winner one?
==================

The best of many candidates has been lucky, too. Here the best five of a search are
trained again under five other seeds, each with other splits, and compared on equal
terms.

Look at the diamonds, which are the scores in the search, beside the means of the
repetitions; and at who is in a tie.
"""

# %%
# A search over nets
# ------------------
#
# Twelve candidates, which are trained as one.

import torch
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from sktune import RandomizedSearchCV
from sktune.inspection import param_sensitivity, repeat


class Net(torch.nn.Sequential):
    """One hidden layer."""

    def __init__(self, hidden=16):
        super().__init__(
            torch.nn.Linear(64, hidden),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden, 10),
        )


X, y = load_digits(return_X_y=True)
X, y = X[:300].astype("float32"), y[:300]
net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    max_epochs=6,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
search = RandomizedSearchCV(
    Pipeline([("scale", StandardScaler()), ("net", net)]),
    {"net__lr": loguniform(1e-3, 1e-1), "net__module__hidden": [8, 16, 32]},
    n_iter=12,
    cv=StratifiedKFold(3, shuffle=True, random_state=0),
    stacked=True,
    refit=False,
    random_state=0,
).fit(X, y)

# %%
# Again, with other luck
# ----------------------

found = repeat(search, X, y, n_candidates=5, n_seeds=5, random_state=0)
print(found)

# %%
# Small points are repetitions, the larger ones their means with intervals that are
# corrected for splits of the same rows.

display = found.plot()

# %%
# How far from the best?
# ----------------------
#
# How far each parameter may be moved before the expected score falls by more than its
# standard error, and what its worst value costs.

print(param_sensitivity(search))
