"""
Where to look for a learning rate
=================================

What is a good learning rate depends on the optimizer more than on the data. One sweep,
in which the rate rises from batch to batch, shows where a net learns and where its loss
explodes. It takes less than one training.

Look at how far apart the optimizers are, and at where the searched scores are good
beside what the sweep suggests.
"""

# %%
# Three optimizers
# ----------------
#
# The net stands at the end of a pipeline; it is trained on what the scaler makes of the
# digits, for a hundred batches and under three seeds.

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from sktune import GridSearchCV
from sktune.advice import lr_range_test


class Net(torch.nn.Sequential):
    """One hidden layer."""

    def __init__(self, hidden=64):
        super().__init__(
            torch.nn.Linear(64, hidden),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden, 10),
        )


X, y = load_digits(return_X_y=True)
X = X.astype("float32")
net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    max_epochs=10,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
pipeline = Pipeline([("scale", StandardScaler()), ("net", net)])
variants = [
    {"net__optimizer": torch.optim.SGD},
    {"net__optimizer": torch.optim.SGD, "net__optimizer__momentum": 0.9},
    {"net__optimizer": torch.optim.Adam},
]
found = lr_range_test(pipeline, X, y, variants=variants, random_state=0)
print(found)

# %%
# Thin lines are single seeds, thick ones their smoothed mean. The suggestion, dashed,
# is a tenth of the rate at which the loss is lowest.

display = found.plot()

# %%
# What a search finds
# -------------------
#
# Nets of all rates are trained as one, so that a search over 16 of them is quick. The
# space that the sweep recommends is shaded.

rates = [10 ** (k / 3) for k in range(-12, 4)]
search = GridSearchCV(
    pipeline.set_params(**variants[2]),
    {"net__lr": rates},
    cv=3,
    stacked=True,
    refit=False,
    random_state=0,
)
search.fit(X, y)
scores = search.cv_results_["mean_test_score"]
print(f"best rate {rates[scores.argmax()]:.2g}, accuracy {scores.max():.3f}")

figure, ax = plt.subplots(layout="constrained")
low, high = found.to_distribution(variant=2).support()
ax.axvspan(low, high, color="0.9", label="space to search")
ax.semilogx(rates, scores, marker="o", label="accuracy, mean of 3 splits")
ax.axvline(found.curves[2].suggestion, linestyle="--", color="black", label="suggested")
ax.set(xlabel="learning rate of Adam", ylabel="accuracy")
ax.legend()
