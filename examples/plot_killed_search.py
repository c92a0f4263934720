"""
Searches that are killed
========================

With a ``journal`` a search writes down every fit as it ends. Here one runs in a process
of its own, with two workers, and is killed in the middle, as if the machine had run out
of memory. Then it is fitted again: what is in the journal is not run a second time,
nets go on from where they paused, and the result is that of a search which nobody has
killed.

Look at how many fits there are before and after, and at the comparison at the end.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cloudpickle
import matplotlib.pyplot as plt
import torch
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier
from torch.nn.utils import parameters_to_vector

from sktune import HyperbandSearchCV
from sktune.inspection import best_candidates, plot_rungs, read_journal

# %%
# The search
# ----------


class Net(torch.nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(64, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 10)
        )

    def forward(self, X):
        return self.layers(X)


X, y = load_digits(return_X_y=True)
X, y = (X[:600] / 16).astype("float32"), y[:600]
net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    max_epochs=9,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
folder = tempfile.TemporaryDirectory()
journal = Path(folder.name, "search.jsonl")
search = HyperbandSearchCV(
    net,
    {"lr": loguniform(1e-4, 1e-1), "module__hidden": [16, 32, 64]},
    cv=3,
    n_jobs=2,
    return_train_score=False,
    random_state=0,
    journal=journal,
)
print(search.plan())

# %%
# It is killed
# ------------
#
# A program of your own says ``search.fit(X, y)``, and is run again when it was killed.
# To have both on one page, the search is sent to another Python, which gets a SIGKILL
# when there are twenty fits in the journal.

program = "import pickle, sys; s, X, y = pickle.load(sys.stdin.buffer); s.fit(X, y)"
process = subprocess.Popen(
    [sys.executable, "-c", program],
    stdin=subprocess.PIPE,
    stderr=subprocess.DEVNULL,  # joblib complains that nobody has cleaned up
)
with process.stdin as stdin:
    stdin.write(cloudpickle.dumps((search, X, y)))
while not journal.exists() or journal.read_text().count('"record": "fit"') < 20:
    if process.poll() is not None:
        raise RuntimeError("the search ended before it was killed")
    time.sleep(0.01)
process.kill()
process.wait()
print(f"{len(read_journal(journal))} fits in the journal")

# %%
# It goes on
# ----------
#
# Here with one worker: what comes out does not depend on that.

search.set_params(n_jobs=1).fit(X, y)
after = read_journal(journal)
n_twice = after.duplicated(["candidate", "split", "n_resources"]).sum()
print(f"{len(after)} fits in the journal, {n_twice} of them twice")
print(best_candidates(search, n=3))

# %%
# The same as unbroken
# --------------------
#
# To the last bit, the weights of the refitted net included.

unbroken = clone(search).set_params(journal=None).fit(X, y)
scores, scores_unbroken = (
    one.cv_results_["mean_test_score"] for one in (search, unbroken)
)
weights, weights_unbroken = (
    parameters_to_vector(one.best_estimator_.module_.parameters())
    for one in (search, unbroken)
)
print("equal scores: ", (scores == scores_unbroken).all())
print("equal weights:", torch.equal(weights, weights_unbroken))
folder.cleanup()

# %%
# The picture
# -----------
#
# Nothing in it shows where the search was broken off.

plot_rungs(search)
plt.show()
