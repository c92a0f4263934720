"""
More of the last epochs
=======================

A net ends with the weights of its last batch, which are one of many that are about as
good. Two callbacks make more of them in the same time: ``StochasticWeightAveraging``
gives the net the mean of its weights over the last epochs; ``SnapshotEnsemble`` lets
the learning rate go down in cycles, and the nets at their ends predict together.

Look at the picture: a grey line is a seed. Both help here, where the rate is large and
the last weights are a matter of luck. With a rate of 0.02 in place of 0.05 the mean
gains little, and the nets of cycles lose: four epochs of seven batches are too few to
come to a good place at that rate.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier

from sktune.nets import SnapshotEnsemble, StochasticWeightAveraging

# %%
# Three trainings
# ---------------
#
# On 200 images, few enough for a net to err on the others.

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=200, stratify=y, random_state=0
)


class Net(torch.nn.Sequential):
    def __init__(self):
        super().__init__(
            torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
        )


callbacks = {
    "plain": [],
    "mean of the\nlast 6 epochs": [StochasticWeightAveraging(start=7)],
    "nets of 2\nof 3 cycles": [SnapshotEnsemble(3, n_used=2)],
}


def trained(seed, callbacks):
    torch.manual_seed(seed)
    net = NeuralNetClassifier(
        Net,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.05,
        max_epochs=12,
        batch_size=32,
        iterator_train__shuffle=True,
        callbacks=callbacks,
        train_split=None,
        verbose=0,
    )
    return net.fit(X_train, y_train)


# %%
# Three seeds
# -----------
#
# Scores on the images that took no part in the training.

scores = np.zeros((2, 3, len(callbacks)))
for seed in range(3):
    for k, some in enumerate(callbacks.values()):
        net = trained(seed, some)
        probabilities = net.predict_proba(X_test)
        scores[0, seed, k] = np.mean(probabilities.argmax(1) == y_test)
        scores[1, seed, k] = log_loss(y_test, probabilities)
for name, accuracy, loss in zip(callbacks, *scores.mean(1), strict=True):
    print(f"{' '.join(name.split()):24} accuracy {accuracy:.3f}, log loss {loss:.3f}")

# %%
# The picture
# -----------
#
# The rate of the cycles above, the scores below.

fig, axes = plt.subplot_mosaic(
    [["rate", "rate"], ["accuracy", "log loss"]],
    figsize=(6.4, 6),
    layout="constrained",
)
rates = np.ravel(net.history[:, "batches", :, "event_lr"])
epochs = np.arange(len(rates)) * 12 / len(rates)
axes["rate"].plot(epochs, rates)
axes["rate"].vlines([4, 8, 12], 0, rates.max(), linestyles="dotted", colors="gray")
axes["rate"].set(xlabel="epoch", ylabel="rate", title="Snapshots are at dotted lines")
for of_metric, metric in zip(scores, ("accuracy", "log loss"), strict=True):
    ax = axes[metric]
    ax.plot(of_metric.T, color="gray", linewidth=0.8, marker="o", markersize=3)
    ax.plot(of_metric.mean(0), color="C0", linewidth=2.5)
    ax.set(ylabel=metric, xticks=range(len(callbacks)), xticklabels=callbacks)
    ax.tick_params(axis="x", labelsize="small")
plt.show()
