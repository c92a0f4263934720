"""A fit that goes on: what it leaves, what it finds, and what can go wrong."""

import builtins
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

from sktune._errors import EstimatorError
from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.checkpoint._state_files import read, write
from sktune.execution.estimators._nets import bring
from sktune.execution.estimators._resource import Resource
from tests.helpers.estimators import net
from tests.helpers.trained import TEST, TRAIN, all_of, at_once, job_of, run, rungs

EPOCHS = Resource("max_epochs", "epochs", 9)


@pytest.fixture
def checkpoints(tmp_path):
    with checkpoints_in(tmp_path) as one:
        yield one


class Count(Callback):
    """Counts epochs in this process, and looks at the net as a callback may."""

    n_epochs = 0

    def on_epoch_end(self, net, **kwargs):
        Count.n_epochs += 1
        assert net.max_epochs == EPOCHS.max_resources
        assert type(pickle.loads(pickle.dumps(net))) is NeuralNetClassifier
        assert not any("sktune" in name for name in vars(clone(net)))
        assert "fit" not in net.get_params()


class Interrupting(Callback):
    """Ends the training in its second epoch, in one way or another."""

    def __init__(self, how=None):
        self.how = how

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            if self.how == "signal":
                signal.raise_signal(signal.SIGINT)
            elif self.how == "error":
                raise RuntimeError("no more")
            elif self.how == "callback":
                raise KeyboardInterrupt


class Unpicklable(Callback):
    def on_train_begin(self, net, **kwargs):
        self.generator_ = (number for number in range(3))


def state(checkpoints, candidate=0, split=0) -> Path:
    return checkpoints.path / f"{candidate}" / f"{split}" / "state"


# -- nets ------------------------------------------------------------------------------


def test_epochs_are_trained_once(checkpoints):
    Count.n_epochs = 0
    job = job_of(net(callbacks=[Count]), EPOCHS, checkpoints)
    for n, (one, _) in zip((1, 3, 9), rungs(job, (1, 3, 9)), strict=True):
        assert Count.n_epochs == len(one.history) == n
        assert type(one) is NeuralNetClassifier
        kept = [state(checkpoints)] if n < 9 else []
        assert list(checkpoints.path.glob("0/*/*")) == kept  # nor an empty folder


def test_the_same_resource_again_is_only_scored(checkpoints):
    Count.n_epochs = 0
    job = job_of(net(callbacks=[Count]), EPOCHS, checkpoints)
    seen = []
    for fitted, score in rungs(job, (3, 3)):
        seen.append((all_of(fitted), score, state(checkpoints).stat().st_ino))
    assert Count.n_epochs == 3 and seen[0] == seen[1]  # nor is it written again


@pytest.mark.parametrize("kept", [b"", b"PK nonsense", b"nonsense"])
def test_an_unreadable_checkpoint_only_costs_time(checkpoints, kept):
    job = job_of(net(), EPOCHS, checkpoints)
    run(job, 3)
    state(checkpoints).write_bytes(kept)
    with pytest.warns(UserWarning, match="could not be read"):
        run(job, 9)
    assert all_of(job.scorer.estimator) == all_of(at_once(net(), 9))


def test_a_checkpoint_of_more_epochs_is_not_used(checkpoints):
    job = job_of(net(), EPOCHS, checkpoints)
    run(job, 5)
    run(job, 3)
    assert all_of(job.scorer.estimator) == all_of(at_once(net(), 3))


def test_what_cannot_be_pickled_is_said_once_and_starts_over(checkpoints):
    job = job_of(net(callbacks=[Unpicklable]), EPOCHS, checkpoints)
    with pytest.warns(UserWarning, match=r"could not be saved .*generator.*Replace"):
        run(job, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(job, 3, candidate=1)
        run(job, 9)
    assert not state(checkpoints).exists()
    assert all_of(job.scorer.estimator) == all_of(at_once(net(), 9))


def test_a_full_disk(checkpoints, monkeypatch):
    job = job_of(net(), EPOCHS, checkpoints)
    run(job, 1)

    def full(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr("torch.save", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        run(job, 3)
    assert state(checkpoints).exists()  # that of one epoch
    run(job, 9)
    assert all_of(job.scorer.estimator) == all_of(at_once(net(), 9))


def test_a_print_that_is_not_pythons(checkpoints, monkeypatch):
    """ray puts its own there; skorch's PrintLog still has the one from before."""
    monkeypatch.setattr(builtins, "print", lambda *args, **kwargs: None)
    job = job_of(net(), EPOCHS, checkpoints)
    run(job, 3)
    assert state(checkpoints).exists()
    run(job, 9)
    assert all_of(job.scorer.estimator) == all_of(at_once(net(), 9))


def test_without_checkpoints_every_fit_starts_over():
    job = job_of(net(), EPOCHS)
    *_, (one, _) = rungs(job, (3, 9))
    assert all_of(one) == all_of(at_once(net(), 9))


def test_a_failure_leaves_nothing(checkpoints):
    failing = net(callbacks=[Interrupting("error")])
    job = job_of(failing, EPOCHS, checkpoints, error_score=np.nan)
    assert run(job, 1).fit_error is None
    assert state(checkpoints).exists()
    outcome = run(job, 3)
    assert "no more" in outcome.fit_error and outcome.failed
    assert not list(checkpoints.path.glob("0/*"))


def test_a_net_that_ended_itself_is_not_trained_further(checkpoints):
    Count.n_epochs = 0
    callbacks = [Count, Interrupting("callback")]
    job = job_of(net(callbacks=callbacks), EPOCHS, checkpoints)
    scores = {score for _, score in rungs(job, (1, 3, 5, 9))}
    assert len(job.scorer.estimator.history) == Count.n_epochs == 2
    assert len(scores) <= 2  # one at the first resource, one at all others


def test_a_real_interrupt_leaves_nothing_half_trained(checkpoints):
    job = job_of(net(callbacks=[Interrupting("signal")]), EPOCHS, checkpoints)
    run(job, 1)
    before = state(checkpoints).read_bytes()
    with pytest.raises(KeyboardInterrupt):
        run(job, 3)
    assert state(checkpoints).read_bytes() == before


class Twice(NeuralNetClassifier):
    def fit(self, X, y=None, **fit_params):
        super().fit(X, y)
        return self.partial_fit(X, y)


class ByItself(NeuralNetClassifier):
    def partial_fit(self, X, y=None, classes=None, **fit_params):
        self.initialize()
        return self


class Deaf(NeuralNetClassifier):
    def fit_loop(self, X, y=None, epochs=None, **fit_params):
        return super().fit_loop(X, y, **fit_params)


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Twice, "Twice.fit does not train in one `fit_loop`"),
        (ByItself, "ByItself.fit does not train"),
        (Deaf, "Deaf.fit_loop trained more than the 3 epochs"),
    ],
)
def test_nets_that_cannot_be_paused_say_so(checkpoints, cls, message):
    job = job_of(cls(**net().get_params(deep=False)), EPOCHS, checkpoints)
    with pytest.raises(EstimatorError, match=message):
        run(job, 3)


def test_fits_in_threads(checkpoints):
    job = job_of(net(), EPOCHS, checkpoints, scorer=weights)

    def candidate(number):
        for n in (1, 3, 9):
            outcome = run(job, n, {"lr": 0.1 * (1 + number)}, number)
        return outcome.score("score")

    with ThreadPoolExecutor(2) as threads:
        seen = list(threads.map(candidate, range(3)))
    one = [weights(at_once(net(lr=0.1 * (1 + k)), 9)) for k in range(3)]
    assert seen == one and len(set(seen)) == 3


def weights(net, X=None, y=None) -> float:
    return float(sum(p.detach().double().abs().sum() for p in net.module_.parameters()))


# -- devices ---------------------------------------------------------------------------


def test_state_of_an_accelerator_is_read_on_the_cpu(tmp_path, monkeypatch):
    one = at_once(net(optimizer=torch.optim.Adam), 1)
    monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:3")
    with (tmp_path / "state").open("wb") as file:
        write({"net": dict(vars(one))}, file, one)
    owner = net()
    with (tmp_path / "state").open("rb") as file:
        with pytest.raises(RuntimeError, match="CUDA"):
            read(file)
        file.seek(0)
        vars(owner).update(read(file, owner, "cpu")["net"])
    assert all_of(owner) == all_of(one)
    (parameter, *_) = owner.optimizer_.param_groups[0]["params"]
    assert parameter is next(owner.module_.parameters())


def test_state_of_the_cpu_goes_to_an_accelerator():
    one = at_once(net(optimizer=torch.optim.Adam), 1)
    vars(one)["device"] = "meta"
    bring(one)
    assert {p.device.type for p in one.module_.parameters()} == {"meta"}
    for kept in one.optimizer_.state.values():
        assert kept["step"].device.type == "cpu"
        assert kept["exp_avg"].device.type == "meta"


# -- other resources -------------------------------------------------------------------


class Rows:
    def rows(self, n_resources):
        return TRAIN[:n_resources]


class Sized(ClassifierMixin, BaseEstimator):
    def __init__(self, size=1):
        self.size = size

    def fit(self, X, y):
        self.n_ = len(X)
        return self

    def score(self, X, y=None):
        assert len(X) == len(TEST)
        return self.n_ + self.size / 100


def test_subsets_of_the_training_part():
    resource = Resource("n_samples", "n_samples", 40)
    job = job_of(Sized(), resource, subsets=[Rows()])
    assert [score for _, score in rungs(job, (5, 20))] == [5.01, 20.01]


def test_another_parameter_starts_over():
    job = job_of(Sized(), Resource("size", "from_scratch", 9))
    assert [score for _, score in rungs(job, (1, 3))] == [40.01, 40.03]


# -- the folder ------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from sktune.execution import checkpoints_in
with checkpoints_in(sys.argv[1]) as checkpoints:
    checkpoints.save(0, 0, lambda file: file.write(b"state"))
    print(checkpoints.path, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_folder_goes_with_a_search_that_is_killed(tmp_path):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert killed.returncode == -signal.SIGKILL
    folder = Path(killed.stdout.strip())
    assert folder.parent == tmp_path
    for _ in range(100):
        if not folder.exists():
            break
        time.sleep(0.1)
    assert not list(tmp_path.iterdir())


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
