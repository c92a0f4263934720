"""Leased devices on a real GPU: run where there is one."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler

from sktune import GridSearchCV, RandomizedSearchCV, SuccessiveHalvingSearchCV
from tests.helpers.estimators import Net, blobs, net

pytestmark = pytest.mark.skipif(
    torch.cuda.device_count() == 0, reason="needs a GPU that torch can use"
)

ROOT = Path(__file__).parents[2]
LR = {"lr": loguniform(1e-2, 1)}
X, y = blobs(120)


@pytest.fixture(autouse=True)
def locks(tmp_path, monkeypatch):
    monkeypatch.setenv("SKTUNE_DEVICE_LOCKS", str(tmp_path / "locks"))


def adam(**kwargs):
    return net(
        optimizer=torch.optim.Adam,
        callbacks=[LRScheduler("StepLR", step_size=2, gamma=0.5)],
        verbose=0,
        **kwargs,
    )


def search_of(cls=RandomizedSearchCV, estimator=None, **kwargs):
    estimator = adam() if estimator is None else estimator
    options = {"cv": 2, "random_state": 0, "devices": "cuda:0", **kwargs}
    return cls(estimator, LR, **options)


def devices_of_tensors(one) -> set[str]:
    state = one.optimizer_.state.values()
    tensors = [*one.module_.parameters(), *(v for s in state for v in s.values())]
    return {tensor.device.type for tensor in tensors if torch.is_tensor(tensor)}


def test_memory_is_given_back():
    torch.zeros(1, device="cuda:0")
    before = torch.cuda.memory_allocated(0)
    search = search_of(n_iter=3).fit(X, y)
    assert {row["device"] for row in search.leases_} == {"cuda:0"}
    assert torch.cuda.memory_allocated(0) == before
    assert search.best_estimator_.device == "cpu"
    assert devices_of_tensors(search.best_estimator_) == {"cpu"}


def test_the_same_as_with_a_device_of_its_own():
    leased = search_of(n_iter=3).fit(X, y)
    own = search_of(estimator=adam(device="cuda"), n_iter=3, devices=None).fit(X, y)
    for key in ("mean_test_score", "std_test_score"):
        np.testing.assert_allclose(
            leased.cv_results_[key], own.cv_results_[key], atol=0.05
        )
    own = search_of(estimator=adam(device="cuda"), n_iter=1).fit(X, y)
    assert own.best_estimator_.device == "cuda"
    assert "cuda" in devices_of_tensors(own.best_estimator_)


def test_a_paused_net_goes_on():
    rungs = {"min_resources": 1, "max_resources": 9, "n_candidates": 9}
    search = search_of(SuccessiveHalvingSearchCV, **rungs).fit(X, y)
    results = search.cv_results_
    (last,) = np.flatnonzero(results["n_resources"] == 9)
    params = {name: [value] for name, value in results["params"][last].items()}
    at_once = GridSearchCV(adam(max_epochs=9), params, cv=2, devices="cuda:0")
    at_once.fit(X, y)  # other seeds: about as good
    assert abs(at_once.best_score_ - results["mean_test_score"][last]) < 0.2


@pytest.mark.parametrize("own", ["cpu", "cuda"])
def test_a_fitted_search_is_read_without_a_gpu(tmp_path, own):
    # skorch itself maps nets whose own device is a GPU, but no optimizer of a schedule.
    estimator = adam() if own == "cpu" else net(device="cuda", verbose=0)
    search = search_of(estimator=estimator, n_iter=2).fit(X, y)
    path = tmp_path / "search.pkl"
    path.write_bytes(pickle.dumps(search))
    code = (
        "import pickle, sys, warnings; warnings.simplefilter('ignore')\n"
        "from tests.helpers.estimators import blobs\n"
        "search = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(len(search.predict(blobs(120)[0])))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["120"]


def test_cuda_is_not_initialised_before_workers_start():
    code = (
        "import torch\n"
        "from tests.helpers.estimators import blobs, net\n"
        "from sktune import GridSearchCV\n"
        "grid = {'lr': [0.1, 0.2]}\n"
        "search = GridSearchCV(net(verbose=0), grid, cv=2, n_jobs=2, refit=False,\n"
        "                      devices='auto').fit(*blobs(60))\n"
        "assert search.leases_[0]['device'].startswith('cuda')\n"
        "assert not torch.cuda.is_initialized()\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


class Large(Net):
    """Takes most of a GPU while it is asked for anything."""

    def __init__(self, share=0.6, **kwargs):
        super().__init__(**kwargs)
        self.share = share

    def forward(self, X):
        total = torch.cuda.get_device_properties(X.device).total_memory
        held = torch.empty(int(self.share * total), dtype=torch.uint8, device=X.device)
        held[:1] = 0
        return super().forward(X)


def large(**kwargs):
    criterion = torch.nn.CrossEntropyLoss
    options = {"max_epochs": 5, "train_split": None, "verbose": 0, **kwargs}
    return NeuralNetClassifier(Large, criterion=criterion, **options)


def test_too_little_memory_is_survived():
    search = search_of(
        estimator=large(), n_iter=3, n_jobs=3, fits_per_device=3, refit=False
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_as_many_as_there_is_memory_for():
    search = search_of(
        estimator=large(module__share=0.2, max_epochs=30),
        n_iter=6,
        n_jobs=6,
        fits_per_device="auto",
        refit=False,
    ).fit(X, y)
    first, *others = search.leases_
    assert all(row["start"] >= first["end"] for row in others)
    slots = {row["slot"] for row in others}
    assert {0, 1} <= slots <= {0, 1, 2, 3}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_stacked_nets_are_the_nets_by_themselves(dropout):
    """Masks of dropout are other draws than torch's own, and as good."""
    estimator = adam(module__dropout=dropout)
    alone = search_of(estimator=estimator, n_iter=6).fit(X, y)
    stacked = search_of(estimator=estimator, n_iter=6, stacked=True).fit(X, y)
    assert {row["stacked"] for row in stacked.paths_[:-1]} == {12}
    np.testing.assert_allclose(
        stacked.cv_results_["mean_test_score"],
        alone.cv_results_["mean_test_score"],
        atol=0.02 if dropout == 0 else 0.2,
    )


def test_masks_of_stacked_nets_do_not_depend_on_the_stack():
    few, many = (
        search_of(n_iter=6, stacked=True, max_stack=n, refit=False).fit(X, y)
        for n in (2, 12)
    )
    np.testing.assert_allclose(
        few.cv_results_["mean_test_score"],
        many.cv_results_["mean_test_score"],
        atol=0.02,
    )


def test_a_stack_that_is_too_large_is_halved():
    free, _ = torch.cuda.mem_get_info(0)
    wide = int((free / 4 / 40) ** 0.5)  # a quarter of them fit, with their states
    net_of = adam(module__hidden=wide).set_params(max_epochs=1)
    search = search_of(estimator=net_of, n_iter=4, stacked=True, refit=False)
    assert np.isfinite(search.fit(X, y).cv_results_["mean_test_score"]).all()
