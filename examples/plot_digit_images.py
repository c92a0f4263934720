"""
Images and learning curves
==========================

A convolutional net on images of digits. ``RandomizedSearchCV`` is scikit-learn's by a
changed import, and two arguments spare much of its training: ``racing=True`` spares a
candidate the rest of its splits as soon as it is clearly behind, and
``early_stopping="growth"`` ends the training of a net whose learning curve cannot win.

Look at how many epochs were trained of those that there might have been, and at where
curves end in the picture.
"""

import matplotlib.pyplot as plt
import torch
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier

from sktune import RandomizedSearchCV
from sktune.inspection import best_candidates, plot_learning_curves
from sktune.nets import RelativeLRScheduler

# %%
# The images
# ----------
#
# 8 x 8 pixels and one channel: what a convolution takes has the shape (n, 1, 8, 8).

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32").reshape(-1, 1, 8, 8)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, stratify=y, train_size=700, random_state=0
)

# %%
# The net
# -------
#
# Its learning rate rises to ``max_lr`` and falls again, over the length of whatever
# training it is: ``RelativeLRScheduler`` counts the batches as each begins.


class Net(torch.nn.Module):
    def __init__(self, channels=8):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(1, channels, kernel_size=3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Linear(channels * 4 * 4, 10),
        )

    def forward(self, X):
        return self.layers(X)


net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.AdamW,
    max_epochs=9,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=None,  # the search holds data out, the net need not
    callbacks=[("schedule", RelativeLRScheduler("OneCycleLR", max_lr=0.01))],
    verbose=0,
)

# %%
# The search
# ----------

search = RandomizedSearchCV(
    net,
    {
        "callbacks__schedule__max_lr": loguniform(1e-4, 1e0),
        "module__channels": [4, 8, 16],
        "optimizer__weight_decay": loguniform(1e-4, 1e0),
    },
    n_iter=10,
    racing=True,
    early_stopping="growth",
    cv=3,
    random_state=0,
)
search.fit(X_train, y_train)
print(best_candidates(search, n=3))

# %%
# What was trained
# ----------------
#
# ``curves_`` has the learning curve of each fit. Without a validation part of its own
# (``train_split=None``), a net is scored on the test part of its split, after some of
# the epochs.

n_trained = sum(max(curve["epochs"]) for curve in search.curves_)
n_all = search.n_iter * search.n_splits_ * net.max_epochs
print(f"{n_trained} of {n_all} epochs were trained")
print(f"{search.cv_results_['stopped'].sum()} of {search.n_iter} candidates stopped")

# %%
# Against a linear model
# ----------------------

linear = LogisticRegression(max_iter=1000).fit(X_train.reshape(-1, 64), y_train)
print(f"linear model  {linear.score(X_test.reshape(-1, 64), y_test):.3f}")
print(f"net           {search.score(X_test, y_test):.3f}")

# %%
# The picture
# -----------
#
# Every candidate's mean over the splits that it was run on. What is far below the
# others is cut off, and with it those that were stopped there.

plot_learning_curves(search)
plt.show()
