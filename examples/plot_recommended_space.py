"""
A space to begin with
=====================

What is worth searching of a net, and where? ``recommended_space`` looks at the net, its
optimizer and the number of rows, and gives an ordinary dict to edit.

Look at how many of the candidates are good: in a wide space most of a random search is
spent on rates at which nothing is learnt.
"""

# %%
# What is recommended
# -------------------

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_digits
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from sktune import RandomizedSearchCV
from sktune.advice import recommended_space


class Net(torch.nn.Sequential):
    """One hidden layer."""

    def __init__(self, hidden=32, dropout=0.0):
        super().__init__(
            torch.nn.Linear(64, hidden),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(hidden, 10),
        )


X, y = load_digits(return_X_y=True)
X, y = X[:600].astype("float32"), y[:600]
net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.SGD,
    max_epochs=4,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
pipeline = Pipeline([("scale", StandardScaler()), ("net", net)])

recommended = recommended_space(pipeline, X, y)
for name, values in recommended.items():
    is_list = isinstance(values, list)
    print(name, values if is_list else f"{values.dist.name}{values.args}")

# %%
# Beside a wide space
# -------------------
#
# The same parameters, each over all that might be: what one writes who does not know
# yet what is usual. Nets of one shape are trained as one, so that both searches are
# quick.

wide = {
    "net__lr": loguniform(1e-6, 1e1),
    "net__optimizer__momentum": uniform(0.0, 0.99),
    "net__optimizer__weight_decay": loguniform(1e-8, 1.0),
    "net__batch_size": [8, 16, 32, 64, 128, 256],
    "net__module__hidden": [4, 16, 64, 256],
    "net__module__dropout": uniform(0.0, 0.9),
}
scores = {}
for name, space in {"recommended": recommended, "wide": wide}.items():
    search = RandomizedSearchCV(
        pipeline, space, n_iter=16, cv=2, stacked=True, refit=False, random_state=0
    )
    search.fit(X, y)
    scores[name] = np.sort(search.cv_results_["mean_test_score"])[::-1]
    n_good = (scores[name] > scores[name][0] - 0.05).sum()
    print(f"{name}: best {scores[name][0]:.3f}, {n_good} of 16 within five points")

figure, ax = plt.subplots(layout="constrained")
for (name, values), marker in zip(scores.items(), "os", strict=True):
    ax.plot(range(1, 17), values, marker=marker, label=f"{name} space")
ax.set(xlabel="candidate, best first", ylabel="accuracy, mean of 2 splits")
ax.legend()
