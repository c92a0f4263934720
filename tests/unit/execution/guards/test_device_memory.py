"""A device while a fit is on it: found too small, given back, made current."""

from __future__ import annotations

import gc
from contextlib import contextmanager

import pytest
import torch

from sktune.execution.guards._device_memory import (
    give_memory_back,
    is_out_of_memory,
    on_device,
)


def chained() -> Exception:
    try:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        except RuntimeError as error:
            raise ValueError("A wrapper says something else.") from error
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("anything"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (ValueError("bad_alloc: cudaErrorMemoryAllocation"), True),
        (chained(), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (ValueError("Input contains NaN"), False),
    ],
)
def test_errors_of_memory(error, expected):
    assert is_out_of_memory(error) is expected


def test_memory_is_given_back_on_accelerators_only(monkeypatch):
    calls = []
    monkeypatch.setattr(gc, "collect", lambda: calls.append("collect"))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: calls.append("empty"))
    give_memory_back("cpu:0")
    assert calls == []
    give_memory_back("mps")
    assert calls == ["collect", "empty"]
    give_memory_back("cuda:0")  # not initialised: there is nothing to empty
    assert calls == ["collect", "empty", "collect"]


def test_the_current_device_is_the_leased_one(monkeypatch):
    current: list = []

    @contextmanager
    def device(index):
        current.append(index)
        yield
        current.remove(index)

    monkeypatch.setattr(torch.cuda, "device", device)
    for name, expected in (("cuda:1", [1]), ("cpu:1", [])):
        with on_device(name):
            assert current == expected
    assert current == []  # the refitted net is brought back where "cuda" means its own
