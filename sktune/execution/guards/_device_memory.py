"""A device while a fit is on it: made current, found too small, given back."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sktune._compat import clear_cublas_workspaces
from sktune.placement import device_index, device_kind

# What says in words that a device had too little memory. Before they had a type, such
# errors were plain RuntimeErrors; libraries of NVIDIA and boosters still raise others.
_OUT_OF_MEMORY = re.compile(r"out of memory|_ALLOC_FAILED|cudaErrorMemoryAllocation")


class OutOfMemory(Exception):
    """A fit has run out of a device's memory, and may be tried once more."""


def watch_memory(error: Exception) -> None:
    """Raise `OutOfMemory` where an error says that a device had too little memory."""
    if is_out_of_memory(error):
        raise OutOfMemory from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device had too little memory, in an error or in what led to it."""
    torch = sys.modules.get("torch")
    return any(
        (torch is not None and isinstance(one, torch.OutOfMemoryError))
        or _OUT_OF_MEMORY.search(str(one)) is not None
        for one in chain(error)
    )


def chain(error: BaseException) -> list[BaseException]:
    """An error, and the errors that led to it."""
    errors: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in errors:
        errors.append(one)
        one = one.__cause__ or one.__context__
    return errors


@contextmanager
def on_device(device: str) -> Iterator[None]:
    """Let torch's current device be that one, so that none is used by accident."""
    if device_kind(device) != "cuda":
        yield
        return
    import torch

    with torch.cuda.device(device_index(device)):
        yield


def give_memory_back(device: str, everything: bool = True) -> None:
    """Free what a fit that is over has left on an accelerator.

    Not `everything` where other threads of this process compute.
    """
    kind = device_kind(device)
    torch = sys.modules.get("torch")
    if kind == "cpu" or torch is None:
        return
    gc.collect()  # nets and their callbacks refer to each other
    module = getattr(torch, kind)
    if getattr(module, "is_initialized", lambda: True)():
        if kind == "cuda" and everything:
            clear_cublas_workspaces()
        module.empty_cache()
