"""
Mixed columns
=============

A table with words and numbers: one-hot columns and scaled ones go into one net, in a
pipeline, so that both are learnt from the training part of each split only. The search
is Hyperband with Bayes: many candidates get one epoch, the better ones more, and what
they score decides which candidates are tried next.

Look at the names of the params, which lead through the pipeline to the net, and at what
the net finds that a linear model of the same columns does not.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy.stats import loguniform
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skorch import NeuralNetClassifier

from sktune import HyperbandSearchCV
from sktune.inspection import best_candidates, plot_rungs

# %%
# The data
# --------
#
# Customers who leave or stay. What makes them leave depends on their plan: with one it
# is a high bill, with another that they hardly use it. Some of it is chance.

rng = np.random.default_rng(0)
n = 1200
X = pd.DataFrame(
    {
        "plan": rng.choice(["flat", "basic", "family"], n),
        "region": rng.choice(["north", "south", "east", "west"], n),
        "bill": rng.lognormal(3.5, 0.5, n),
        "hours": rng.gamma(2.0, 10.0, n),
        "years": rng.integers(0, 15, n),
    }
)
bill, hours = X["bill"] / 40 - 1, X["hours"] / 20 - 1
of_plan = {"flat": -6 * hours, "basic": 8 * bill, "family": 4 * hours - 6 * bill}
logit = np.select([X["plan"] == plan for plan in of_plan], list(of_plan.values()))
logit = logit + (X["region"] == "west") - 0.3 * (X["years"] - 7)
leaves = (rng.random(n) < 1 / (1 + np.exp(-logit))).to_numpy(dtype="int64")
X_train, X_test, y_train, y_test = train_test_split(
    X, leaves, stratify=leaves, test_size=400, random_state=0
)

# %%
# From columns to the net
# -----------------------
#
# A net takes float32, and the step before it makes that of all columns.


class Net(torch.nn.Module):
    def __init__(self, hidden=32, dropout=0.0):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(10, hidden),  # 3 plans, 4 regions and 3 numbers
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(hidden, 2),
        )

    def forward(self, X):
        return self.layers(X)


columns = make_column_transformer(
    (OneHotEncoder(sparse_output=False), ["plan", "region"]),
    (StandardScaler(), ["bill", "hours", "years"]),
)
net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.AdamW,
    max_epochs=9,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=None,  # the search holds data out, the net need not
    verbose=0,
)
pipeline = Pipeline(
    [("columns", columns), ("float32", FunctionTransformer(np.float32)), ("net", net)]
)

# %%
# The search
# ----------
#
# ``stacked=True`` trains the three nets of a candidate, one for each split, as one.

search = HyperbandSearchCV(
    pipeline,
    {
        "net__lr": loguniform(1e-4, 1e0),
        "net__module__hidden": [16, 32, 64],
        "net__module__dropout": [0.0, 0.2, 0.4],
        "net__optimizer__weight_decay": loguniform(1e-4, 1e0),
    },
    strategy="bayes",
    stacked=True,
    cv=3,
    return_train_score=False,
    random_state=0,
)
print(search.plan())
search.fit(X_train, y_train)
print(best_candidates(search, n=3))

# %%
# Against a linear model
# ----------------------
#
# On customers that no search and no model has seen. As the data are made, it is known
# how often the best guess is right; nobody can do better than that, except by luck.

linear = make_pipeline(columns, LogisticRegression()).fit(X_train, y_train)
best_guess = logit[X_test.index] > 0
print(f"linear model  {linear.score(X_test, y_test):.3f}")
print(f"net           {search.score(X_test, y_test):.3f}")
print(f"best guess    {(best_guess == y_test).mean():.3f}")

# %%
# The picture
# -----------
#
# A line is a candidate that was given more epochs, a dot one that was not. Bracket 0
# begins with one epoch and has most candidates; those of bracket 2 get nine at once.

plot_rungs(search)
plt.show()
