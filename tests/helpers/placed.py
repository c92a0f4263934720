"""Nets and scorers that tell where they are, and devices that are too small."""

from __future__ import annotations

from pathlib import Path

import torch

from sktune.execution.estimators._device_parameters import _nets_within
from sktune.placement._locks import Lock
from tests.helpers.estimators import Net

DEVICES = ["cpu:0", "cpu:1"]  # the same to torch, and two devices to sktune


def devices_of(estimator) -> set[str]:
    """Devices of all nets in it, those that it has fitted too."""
    return {str(net.device) for net in _nets_within(estimator)}


def where(estimator, X, y) -> dict[str, float]:
    """A scorer that says on which of `DEVICES` the nets are."""
    (device,) = devices_of(estimator)
    return {"score": estimator.score(X, y), "device": DEVICES.index(device)}


def check_places(search) -> None:
    """Every fit was on the device of its lease, and no slot was leased twice."""
    results = search.cv_results_
    candidates = results.get("candidate", range(len(results["params"])))
    resources = results.get("n_resources", [None] * len(results["params"]))
    leases = {(r["candidate"], r["split"], r["n_resources"]): r for r in search.leases_}
    for i, (candidate, n) in enumerate(zip(candidates, resources, strict=True)):
        for split in range(search.n_splits_):
            device = DEVICES[int(results[f"split{split}_test_device"][i])]
            assert leases[candidate, split, n]["device"] == device
    slots: dict = {}
    for row in sorted(search.leases_, key=lambda row: row["start"]):
        before = slots.get((row["device"], row["slot"]))
        assert before is None or before["end"] <= row["start"]
        slots[row["device"], row["slot"]] = row


def is_alone(folder) -> bool:
    lock = Lock(Path(folder) / "cpu-0.exclusive")
    if lock.try_acquire():
        lock.release()
        return False
    return True


class Hungry(Net):
    """Has too little memory unless it is alone on the device."""

    def __init__(self, folder, after=0, never=False, **kwargs):
        super().__init__(**kwargs)
        self.folder = folder
        self.after = after
        self.never = never

    def forward(self, X):
        self.after -= 1
        if self.after < 0 and (self.never or not is_alone(self.folder)):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return super().forward(X)


class HungryScore:
    """A scorer that has too little memory unless it is alone."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, estimator, X, y):
        if not is_alone(self.folder):
            raise RuntimeError("CUDA error: out of memory")
        return estimator.score(X, y)
