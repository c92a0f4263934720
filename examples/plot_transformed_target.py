"""
Transformed targets
===================

Prices, incomes and times are skewed: a few large ones make most of the squared error,
and a net that is trained on them as they are learns little of all others.
``TransformedTargetRegressor`` trains on a transformed target and transforms back what
is predicted. Which transformer does that is a parameter like any other.

The search is successive halving: 27 candidates are trained for one epoch, the best
third of them for two more, and so on. Nets go on where they paused, inside the
regressor, too.

Look at what is lost without the transformation, in the last table.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_friedman1
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_percentage_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler
from skorch import NeuralNetRegressor

from sktune import SuccessiveHalvingSearchCV
from sktune.inspection import best_candidates, plot_rungs

# %%
# The data
# --------
#
# Friedman's function, as the logarithm of a price.

X, y = make_friedman1(n_samples=700, noise=0.5, random_state=0)
X, price = X.astype("float32"), np.exp(y / 4).astype("float32")
X_train, X_test, y_train, y_test = train_test_split(
    X, price, test_size=300, random_state=0
)
low, median, high = np.quantile(price, [0.05, 0.5, 0.95])
print(
    f"half of the prices are below {median:.0f}, 5 % below {low:.0f} or over {high:.0f}"
)

# %%
# A net in a pipeline in a regressor
# ----------------------------------
#
# The target that ``TransformedTargetRegressor`` hands on has the shape (n,), and so has
# what the net puts out.


class Net(torch.nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(10, hidden),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden, hidden),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden, 1),
        )

    def forward(self, X):
        return self.layers(X).squeeze(-1)


net = NeuralNetRegressor(
    Net,
    optimizer=torch.optim.AdamW,
    max_epochs=27,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
regressor = TransformedTargetRegressor(
    Pipeline([("scale", StandardScaler()), ("net", net)]), transformer=StandardScaler()
)

# %%
# The search
# ----------
#
# Ten per cent too much is as bad for a low price as for a high one, so candidates are
# scored by the mean absolute percentage error.

search = SuccessiveHalvingSearchCV(
    regressor,
    {
        "transformer": [StandardScaler(), PowerTransformer()],
        "regressor__net__lr": loguniform(1e-3, 1e-1),
        "regressor__net__module__hidden": [16, 32, 64],
        "regressor__net__optimizer__weight_decay": loguniform(1e-4, 1e0),
    },
    scoring="neg_mean_absolute_percentage_error",
    cv=3,
    return_train_score=False,
    random_state=0,
)
print(search.plan())
search.fit(X_train, y_train)
print(best_candidates(search, n=3))

# %%
# What the transformation brings
# ------------------------------
#
# The net with the best params, trained on prices as they are, and a linear model.

torch.manual_seed(0)
as_they_are = clone(search.best_estimator_).set_params(transformer=None)
linear = TransformedTargetRegressor(
    make_pipeline(StandardScaler(), RidgeCV()), transformer=PowerTransformer()
)
models = {
    "net, transformed target": search.best_estimator_,
    "net, prices as they are": as_they_are.fit(X_train, y_train),
    "linear, transformed target": linear.fit(X_train, y_train),
}
for name, model in models.items():
    error = mean_absolute_percentage_error(y_test, model.predict(X_test))
    print(f"{name:26}  off by {error:.0%}")

# %%
# The picture
# -----------
#
# The score is the negative error: greater is better. A dot is a candidate that did not
# go on.

plot_rungs(search)
plt.show()
