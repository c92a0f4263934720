"""
Sequences of different lengths
==============================

A recurrent net over sequences that are not equally long: padded they are one array,
which can be split into rows, and in the net they are packed, so that nothing is learnt
from the padding. ``FreezeThawSearchCV`` trains slice by slice: after each slice a
surrogate says of every candidate what it would score in the end, and the next slice
goes to the one that is expected to gain most.

Look at how few candidates are trained to the end, and at what a model scores that does
not go through the sequence step by step.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import loguniform
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from sktune import FreezeThawSearchCV
from sktune.inspection import best_candidates, plot_rungs

# %%
# The data
# --------
#
# Logs of a machine that is off at first: 1 turns it on, 2 off, 3 the one or the other,
# and entries from 4 to 8 say nothing of it. Is it on at the end? Logs have 3 to 12
# entries and are filled up with zeros.

rng = np.random.default_rng(0)
logs, targets = [], []
for length in rng.integers(3, 13, 800):
    log, is_on = rng.integers(1, 9, length), False
    for entry in log:
        is_on = {1: True, 2: False, 3: not is_on}.get(entry, is_on)
    logs.append(torch.as_tensor(log))
    targets.append(int(is_on))
X, y = pad_sequence(logs, batch_first=True).numpy(), np.array(targets)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, stratify=y, test_size=300, random_state=0
)
for log, is_on in zip(X[:3], y[:3], strict=True):
    print(log, "on" if is_on else "off")

# %%
# The net
# -------
#
# ``pack_padded_sequence`` takes each sequence as long as it is, so that the last state
# of the recurrent layer is that after its last entry.


class Net(torch.nn.Module):
    def __init__(self, embedding=8, hidden=16):
        super().__init__()
        self.embedding = torch.nn.Embedding(9, embedding, padding_idx=0)
        self.recurrent = torch.nn.GRU(embedding, hidden, batch_first=True)
        self.output = torch.nn.Linear(hidden, 2)

    def forward(self, X):
        packed = pack_padded_sequence(
            self.embedding(X),
            lengths=(X != 0).sum(dim=1).cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        _, last = self.recurrent(packed)
        return self.output(last[-1])


net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.AdamW,
    max_epochs=12,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)

# %%
# The search
# ----------
#
# Its budget is what three candidates cost that are trained to the end.

search = FreezeThawSearchCV(
    net,
    {
        "lr": loguniform(1e-4, 1e-1),
        "module__embedding": [4, 8, 16],
        "module__hidden": [8, 16, 32],
    },
    n_iter=3,
    cv=2,
    return_train_score=False,
    random_state=0,
)
print(search.plan())
search.fit(X_train, y_train)
print(best_candidates(search, n=3))

# %%
# Against a model of the columns
# ------------------------------
#
# To a forest the padded array is a table. Its columns do not say what came before what.

forest = RandomForestClassifier(random_state=0).fit(X_train, y_train)
print(f"forest         {forest.score(X_test, y_test):.3f}")
print(f"recurrent net  {search.score(X_test, y_test):.3f}")

# %%
# The picture
# -----------
#
# A line for each candidate that was given more epochs, a dot for each that was not.

plot_rungs(search)
plt.show()
