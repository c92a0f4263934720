"""Fits of a candidate that is trained bit by bit, and what to compare of their nets."""

from __future__ import annotations

import pickle
import signal
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

from sktune._types import Fit
from sktune.execution._job import Job, silenced
from sktune.execution.estimators._nets import find_nets
from sktune.execution.estimators._resource import Resource
from sktune.execution.fitting._unit import run_unit
from sktune.execution.guards._random_states import (
    own_random_states,
    preserved_random_states,
)
from tests.helpers.estimators import blobs

SEED = 7
X, y = blobs(60)
TRAIN, TEST = np.arange(40), np.arange(40, 60)
EPOCHS = Resource("max_epochs", "epochs", 9)


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


class Keep:
    """A scorer that keeps the estimator it is given."""

    estimator: Any = None

    def __call__(self, estimator, X, y=None):
        self.estimator = estimator
        return estimator.score(X, y)


def job_of(estimator, resource: Resource | None, checkpoints=None, **kwargs) -> Job:
    estimator, scorer = silenced(estimator, kwargs.pop("scorer", Keep()))
    defaults = dict(
        estimator=estimator,
        X=X,
        y=y,
        splits=[(TRAIN, TEST)],
        scorer=scorer,
        fit_params={},
        score_params={},
        error_score="raise",
        return_train_score=False,
        verbose=0,
        n_candidates=None,
        threads_of_a_net=1,
        resource=resource,
        checkpoints=checkpoints,
    )
    return Job(**{**defaults, **kwargs})


def run(
    job: Job, n_resources: int | None, params=None, candidate=0, split=0, seed=SEED
) -> Any:
    """One fit of the candidate; it pauses unless it is at the end."""
    end = job.resource and job.resource.max_resources
    pause = n_resources is not None and n_resources < end
    fit = Fit(candidate, split, params or {}, seed, n_resources, pause)
    with preserved_random_states():
        (outcome,) = run_unit(job, (fit,))
        return outcome


def rungs(job: Job, resources: Iterable[int], params=None) -> Iterable[Any]:
    """The estimator at each of the resources, scored."""
    for n_resources in resources:
        outcome = run(job, n_resources, params)
        yield job.scorer.estimator, outcome.score("score")


def at_once(estimator, n_epochs: int, fit_params=None, **params: Any) -> Any:
    """The same estimator, trained by nothing but its own `fit`."""
    one = clone(estimator)
    for prefix in find_nets(one):
        one.set_params(**{f"{prefix}verbose": 0, f"{prefix}max_epochs": n_epochs})
    one.set_params(**params)
    with preserved_random_states(), own_random_states(SEED):
        return one.fit(X[TRAIN], y[TRAIN], **(fit_params or {}))


def all_of(net) -> dict[str, Any]:
    """Whatever must be equal, in a form that `==` compares bit for bit."""
    return {
        "weights": plain(net.module_.state_dict()),
        "optimizer": plain(net.optimizer_.state_dict()),
        "history": plain(list(net.history)),
        "schedulers": [
            plain(callback.lr_scheduler_.state_dict())
            for _, callback in net.callbacks_
            if hasattr(callback, "lr_scheduler_")
        ],
    }


def plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().numpy().tobytes()
    if isinstance(value, dict):
        # Neither durations nor closures are equal in two runs.
        return {k: plain(v) for k, v in value.items() if k != "dur" and not callable(v)}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value if not callable(v)]
    return repr(value)
