"""
Learning-rate schedules, before and after
=========================================

What a schedule does can be seen before anything is trained: ``LRScheduleDisplay`` steps
through the batches of a training without doing it. Whether it helps, a search tells, in
which its name is a parameter like others.

Look at the highest rate in the last picture: at a constant one the net learns nothing,
where one cycle still is near its best.
"""

# %%
# A net with a schedule
# ---------------------
#
# The net's ``lr`` is the highest rate of each schedule.

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier

from sktune import GridSearchCV
from sktune.advice import LRScheduleDisplay
from sktune.nets import LRSchedule


class Net(torch.nn.Sequential):
    """One hidden layer."""

    def __init__(self, hidden=64):
        super().__init__(
            torch.nn.Linear(64, hidden),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden, 10),
        )


X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer__momentum=0.9,
    lr=0.1,
    max_epochs=10,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    callbacks=[("schedule", LRSchedule("cosine"))],
    verbose=0,
)

# %%
# All of them
# -----------
#
# Each as it is by default, and after a warm-up of one epoch. Two of them lower the
# momentum, dashed, where the rate is high.

policies = [
    "exponential",
    "natural_exponential",
    "inverse_time",
    "step",
    "piecewise",
    "polynomial",
    "cosine",
    "warm_restarts",
    "triangular",
    "one_cycle",
]
figure, axes = plt.subplots(5, 2, figsize=(9, 13), sharex=True, layout="constrained")
for policy, ax in zip(policies, axes.flat, strict=True):
    name = "callbacks__schedule__policy"
    warmed = {name: policy, "callbacks__schedule__warmup": 1}
    display = LRScheduleDisplay.from_estimator(
        net, X, y, variants=[{name: policy}, warmed], ax=ax
    )

# %%
# Which of them, at which rate
# ----------------------------
#
# Nets of all schedules and rates are trained as one, so that the search is quick.

names = ["constant", "cosine", "one_cycle", "step"]
rates = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
search = GridSearchCV(
    net,
    {"callbacks__schedule__policy": names, "lr": rates},
    cv=3,
    stacked=True,
    refit=False,
    random_state=0,
)
search.fit(X, y)
scores = search.cv_results_["mean_test_score"].reshape(len(names), len(rates))

figure, ax = plt.subplots(layout="constrained")
for name, row in zip(names, scores, strict=True):
    best = rates[row.argmax()]
    print(f"{name:10}  best lr {best:5}  accuracy {row.max():.3f}")
    ax.semilogx(rates, row, marker="o", label=name)
ax.set(xlabel="lr, the highest rate", ylabel="accuracy, mean of 3 splits")
ax.set_ylim(bottom=0.85)
ax.legend()
plt.show()
