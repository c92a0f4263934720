"""Classes of a script, which no other process can import."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
import numpy as np
from scipy.stats import uniform
from sklearn.linear_model import SGDClassifier
from skorch.callbacks import Callback, EpochScoring
from sktune import SuccessiveHalvingSearchCV
from tests.helpers.estimators import Net, blobs, net

epochs, scored, passes = [], [], []


class Log(Callback):
    n_seen = 0

    def on_epoch_end(self, net, **kwargs):
        epochs.append(len(net.history))
        Log.n_seen += 1


def score(net, X, y=None):
    scored.append(1)
    return 0.0


class Module(Net):
    def forward(self, X):
        return super().forward(X) * FACTOR


class Passing(SGDClassifier):
    def partial_fit(self, *args, **kwargs):
        passes.append(1)
        return super().partial_fit(*args, **kwargs)


FACTOR = 1.0
X, y = blobs()
kept = Log.on_epoch_end, Module.forward
callbacks = [Log(), ("score", EpochScoring(score, name="own", on_train=True))]
one = net(max_epochs=9, callbacks=callbacks).set_params(module=Module)
options = {"cv": 3, "random_state": 0, "return_train_score": False, "refit": False}
search = SuccessiveHalvingSearchCV(one, {"lr": uniform(0.01, 0.2)}, **options)
search.fit(X, y)
assert len(epochs) == len(scored) == Log.n_seen == 63, (len(epochs), len(scored))
assert (Log.on_epoch_end, Module.forward) == kept
sgd = Passing(random_state=0)
options.update(resource="partial_fit", max_resources=9)
SuccessiveHalvingSearchCV(sgd, {"alpha": uniform(0, 1)}, **options).fit(X, y)
assert len(passes) == 63, len(passes)
FACTOR = 0.0
trained = one.set_params(max_epochs=1).fit(X, y)
assert not trained.forward(X).any(), "the module's own global is still its own"
search.set_params(estimator=one, n_jobs=2, max_resources=9).fit(X, y)
"""


@pytest.mark.slow
@pytest.mark.one_end
def test_classes_of_a_script_stay_what_they_are():
    """They cannot be imported, and are neither copied nor set back."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
