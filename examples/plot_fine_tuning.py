"""
Fine-tuning with frozen layers
==============================

A net that knows the digits 0 to 4 is to learn 5 to 9 from fifty images. Which way
is best: to freeze what it has learnt and train a new head, to unfreeze it after some
epochs, at a rate of its own, or to begin anew? One search over a conditional space
tells. Each way is a dict with the params that it has, and the surrogate of
``BayesSearchCV`` learns across them.

Look at how often each way was tried, and at what the best of each comes to on images
that took no part in the search.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from skorch.callbacks import Freezer, Unfreezer

from sktune import BayesSearchCV
from sktune.advice import LRScheduleDisplay
from sktune.inspection import plot_convergence
from sktune.nets import LRSchedule, ParamGroups

# %%
# A net that has learnt something
# -------------------------------
#
# Here it is trained on the images of 0 to 4. Mostly it would be a download.

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32").reshape(-1, 1, 8, 8)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(
            torch.nn.Conv2d(1, 16, kernel_size=3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(16, 32, kernel_size=3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
        )
        self.head = torch.nn.Linear(32 * 2 * 2, 5)

    def forward(self, X):
        return self.head(self.body(X))


torch.manual_seed(0)
net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.01,
    max_epochs=6,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
net.fit(X[y < 5], y[y < 5])
learnt = net.module_.body.state_dict()

# %%
# The other digits
# ----------------
#
# What is learnt is loaded where a net is made, so that no fit begins with what another
# has trained.

X_train, X_test, y_train, y_test = train_test_split(
    X[y >= 5], y[y >= 5] - 5, stratify=y[y >= 5], train_size=50, random_state=0
)


class Pretrained(Net):
    def __init__(self):
        super().__init__()
        self.body.load_state_dict(learnt)


net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=ParamGroups(torch.optim.Adam),
    optimizer__param_groups=[("body.*", {"name": "body"})],
    max_epochs=8,
    batch_size=16,
    iterator_train__shuffle=True,
    train_split=None,
    callbacks=[
        ("freezer", Freezer("body.*")),
        ("unfreezer", Unfreezer("body.*", at=2)),
        ("schedule", LRSchedule("cosine", warmup=0.1)),
    ],
    verbose=0,
)

# %%
# Three ways, one search
# ----------------------
#
# ``Freezer`` freezes the body at the beginning, ``Unfreezer`` lets it learn from epoch
# ``at`` on, and None in place of a callback turns it off. ``ParamGroups`` makes the
# learning rate of the body a parameter of the net; what is not in a group, the head,
# has ``lr``. Both rates follow the one schedule.

rate = loguniform(1e-4, 3e-2)
ways = {
    "frozen": {"module": [Pretrained], "callbacks__unfreezer": [None], "lr": rate},
    "unfrozen": {
        "module": [Pretrained],
        "callbacks__unfreezer__at": [1, 2, 4, 6],
        "optimizer__param_groups__body__lr": rate,
        "lr": rate,
    },
    "anew": {
        "module": [Net],
        "callbacks__freezer": [None],
        "callbacks__unfreezer": [None],
        "lr": rate,
    },
}
search = BayesSearchCV(
    net, list(ways.values()), n_iter=16, cv=4, stacked=True, random_state=0
)
search.fit(X_train, y_train)

# %%
# Which way was best
# ------------------
#
# The best candidate of each is trained under three seeds. The images of the last column
# took no part in the search, whose own scores are of few images and flatter the best.
# With a hundred images to train on, the three come to about the same.

scores = search.cv_results_["mean_test_score"]
print("          candidates  in the search  on other images  params")
for way, space in ways.items():
    of_way = [
        (score, params)
        for score, params in zip(scores, search.cv_results_["params"], strict=True)
        if set(params) == set(space)
    ]
    score, params = max(of_way, key=lambda pair: pair[0])
    tests = []
    for seed in range(3):
        torch.manual_seed(seed)
        best = clone(net).set_params(**params).fit(X_train, y_train)
        tests.append(best.score(X_test, y_test))
    found = f"{np.mean(tests):.3f} ± {np.std(tests, ddof=1) / 3**0.5:.3f}"
    numbers = {
        name.rsplit("__", 2)[-2 if name.endswith("__lr") else -1]: round(value, 5)
        for name, value in params.items()
        if isinstance(value, int | float)
    }
    print(f"{way:8}  {len(of_way):10}  {score:13.3f}  {found:>15}  {numbers}")

# %%
# The pictures
# ------------
#
# A dot for each candidate, in the order in which they were proposed.

plot_convergence(search)

# %%
# The rates of the best, whose body and head have a line each. They share one schedule,
# and the body is trained only from the epoch on that was found for it.

LRScheduleDisplay.from_estimator(search.best_estimator_, X_train, y_train)
plt.show()
