"""Trains nets stacked and each by itself, and compares what comes of it."""

from contextlib import contextmanager
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from sktune._types import Fit
from sktune.execution.fitting._unit import run_unit
from sktune.execution.guards._random_states import preserved_random_states
from sktune.execution.stacking._stack import Stack
from tests.helpers.estimators import blobs
from tests.helpers.trained import job_of

X, y = blobs(66)
X = X.astype(float)
SPLITS = [(np.delete(np.arange(66), k), k) for k in np.array_split(np.arange(66), 3)]
RATES = [{"lr": 0.05}, {"lr": 0.02}]


class Kept:
    """A scorer that keeps what was trained, by the params of the fit."""

    def __init__(self):
        self.nets = []

    def __call__(self, estimator, X, y=None):
        self.nets.append(estimator)
        return float(np.abs(estimator.forward(X).numpy()).sum())


def trained(estimator, params, stacked, X=X, y=y, splits=SPLITS, error_score="raise"):
    """Nets, their outcomes and the sizes of their stacks."""
    keep = Kept()
    job = job_of(
        estimator, None, X=X, y=y, splits=splits, scorer=keep, stacked=stacked,
        threads_of_a_net=1, error_score=error_score,
    )  # fmt: skip
    fits = [
        Fit(c, s, p, 10 * c + s)
        for (c, p), s in product(enumerate(params), range(len(splits)))
    ]
    with preserved_random_states():
        if stacked:
            outcomes = run_unit(job, tuple(fits))
        else:
            outcomes = [run_unit(job, (fit,))[0] for fit in fits]
    return keep.nets, outcomes


def states(net):
    optimizer = net.optimizer_.state_dict()
    history = [
        {k: v for k, v in row.items() if k != "dur"} for row in net.history.to_list()
    ]
    return dict(net.module_.state_dict()), optimizer, history


def close(a, b, path=""):
    """Equal within rounding, through dicts and lists."""
    if isinstance(a, dict):
        assert set(a) == set(b), path
        for key in a:
            close(a[key], b[key], f"{path}/{key}")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), path
        for k, (one, other) in enumerate(zip(a, b, strict=True)):
            close(one, other, f"{path}/{k}")
    elif isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype, path
        scale = max(float(a.abs().max()), 1e-3) if a.numel() else 1.0
        gap = float((a.double() - b.double()).abs().max()) if a.numel() else 0.0
        assert gap <= 1e-9 * scale, (path, gap, scale)
    elif isinstance(a, float):
        assert a == pytest.approx(b, rel=1e-8, abs=1e-10), path
    else:
        assert a == b, path


@contextmanager
def epochs_of_stacks():
    """How many nets each epoch that is run as one has."""
    sizes, run = [], Stack.run

    def counted(stack, runners, *args):
        sizes.append(len(runners))
        run(stack, runners, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stack, "run", counted)
        yield sizes


def assert_same(
    estimator, params=RATES, X=X, y=y, splits=SPLITS, stacked=True, close=close
):
    alone, _ = trained(estimator, params, False, X, y, splits)
    with epochs_of_stacks() as sizes:
        together, _ = trained(estimator, params, True, X, y, splits)
    assert (max(sizes, default=1) == len(params) * len(splits)) == stacked
    for a, b in zip(alone, together, strict=True):
        close(states(a), states(b))


class Layers(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.Sequential(*layers())

    def forward(self, X):
        return self.layers(X)


class Smooth(nn.Module):
    """Without kinks, at which rounding decides the gradient."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))

    def forward(self, X):
        return self.layers(X)
