"""A fit that goes on: what it leaves, what it finds, and what can go wrong."""

import builtins
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

from tests.helpers.estimators import net
from tests.helpers.trained import (
    EPOCHS,
    Count,
    Interrupting,
    all_of,
    at_once,
    job_of,
    run,
    rungs,
)


class Unpicklable(Callback):
    def on_train_begin(self, net, **kwargs):
        self.generator_ = (number for number in range(3))


def state(checkpoints, candidate=0, split=0) -> Path:
    return checkpoints.path / f"{candidate}" / f"{split}" / "state"


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


def test_a_real_interrupt_leaves_nothing_half_trained(checkpoints):
    job = job_of(net(callbacks=[Interrupting("signal")]), EPOCHS, checkpoints)
    run(job, 1)
    before = state(checkpoints).read_bytes()
    with pytest.raises(KeyboardInterrupt):
        run(job, 3)
    assert state(checkpoints).read_bytes() == before


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
