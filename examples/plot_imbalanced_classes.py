"""
Imbalanced classes
==================

One row in twenty is of the class that matters. A net that is trained for accuracy
overlooks it, since to say "no" is right 95 times out of 100. Two things help: a loss in
which rare rows weigh more, with a weight that is searched like a learning rate, and a
score that counts both classes alike.

Look at the last table: with the usual loss accuracy is higher, and many of the rare
rows are missed, as recall says.
"""

import matplotlib.pyplot as plt
import pandas as pd
import torch
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from sktune import RandomizedSearchCV
from sktune.inspection import best_candidates, plot_convergence

# %%
# The data
# --------

X, y = make_classification(
    n_samples=4000,
    n_features=8,
    n_informative=5,
    n_redundant=0,
    weights=[0.95],
    flip_y=0,
    random_state=0,
)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32"), y, stratify=y, train_size=1600, random_state=0
)
print(f"{y_train.sum()} of {len(y_train)} rows for training are rare")

# %%
# A loss with a weight
# --------------------
#
# The argument of the loss is a parameter of the net: ``criterion__rare``.


class WeightedLoss(torch.nn.CrossEntropyLoss):
    def __init__(self, rare=1.0):
        super().__init__(weight=torch.tensor([1.0, rare]))


class Net(torch.nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(8, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 2)
        )

    def forward(self, X):
        return self.layers(X)


net = NeuralNetClassifier(
    Net,
    criterion=WeightedLoss,
    optimizer=torch.optim.AdamW,
    max_epochs=10,
    batch_size=128,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
pipeline = Pipeline([("scale", StandardScaler()), ("net", net)])

# %%
# The search
# ----------
#
# It scores by three metrics and decides by one, which ``refit`` names.

search = RandomizedSearchCV(
    pipeline,
    {
        "net__criterion__rare": loguniform(1, 50),
        "net__lr": loguniform(1e-3, 1e-1),
    },
    n_iter=14,
    scoring=["balanced_accuracy", "average_precision", "accuracy"],
    refit="balanced_accuracy",
    stacked=True,
    cv=4,
    random_state=0,
)
search.fit(X_train, y_train)
print(best_candidates(search, n=3))

# %%
# What the weight brings
# ----------------------
#
# The best candidate, and the same net with the usual loss, on rows that the search has
# not seen. Average precision says how well rows are ranked, wherever the line between
# the classes is drawn; a weight moves that line.

torch.manual_seed(0)
usual = clone(search.best_estimator_).set_params(net__criterion__rare=1.0)
models = {
    "usual loss": usual.fit(X_train, y_train),
    "weighted loss": search.best_estimator_,
}
scorers = search.scorer_ | {"recall": get_scorer("recall")}
table = pd.DataFrame(
    {
        name: {
            metric: score(model, X_test, y_test) for metric, score in scorers.items()
        }
        for name, model in models.items()
    }
)
print(table.T.round(3))

# %%
# The picture
# -----------
#
# The same candidates by the metric that decides, and by accuracy, which would have
# chosen others.

fig, axes = plt.subplots(2, 1, figsize=(6.4, 8), layout="constrained")
for ax, metric in zip(axes, ["balanced_accuracy", "accuracy"], strict=True):
    plot_convergence(search, ax=ax, metric=metric)
plt.show()
