"""A fit on a leased device: the device is written to the estimator, memory given back.

Where a fit runs out of the device's memory, it runs once more, alone on the device.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

from sktune._compat import MultimetricScorer, clear_cublas_workspaces
from sktune._types import FitOutcome
from sktune.execution.estimators._device_parameters import write_device
from sktune.placement import Placement, lease

# What says in words that a device had too little memory. Before they had a type, such
# errors were plain RuntimeErrors; libraries of NVIDIA and boosters still raise others.
_OUT_OF_MEMORY = re.compile(r"out of memory|_ALLOC_FAILED|cudaErrorMemoryAllocation")

Train = Callable[..., None]


class OutOfMemory(BaseException):
    """Leaves scikit-learn's code, which records every `Exception` as a failed fit."""


@dataclass(frozen=True)
class Attempt:
    """One of the two times that a fit on a leased device is tried.

    Attributes
    ----------
    device : str
    is_last : bool
        Whether running out of memory is a failure like any other.
    """

    device: str
    is_last: bool

    def training(self, train: Train) -> Train:
        """``train(estimator, ...)`` on the device."""

        def train_there(estimator: Any, *args: Any) -> None:
            write_device(estimator, self.device)
            self.watch(train, estimator, *args)

        return train_there

    def scoring(self, scorer: Any) -> Any:
        """A scorer that lets an error of memory through."""
        if not isinstance(scorer, MultimetricScorer):
            return partial(self.watch, scorer)
        if self.is_last:
            return scorer
        watched = copy(scorer)
        watched.__class__ = _WatchedScorers
        return watched

    def watch(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call on the device, and tell an error of memory from others."""
        try:
            with on_device(self.device):
                return function(*args, **kwargs)
        except Exception as error:
            if self.is_last or not is_out_of_memory(error):
                raise
            raise OutOfMemory from error


class _WatchedScorers(MultimetricScorer):
    """Several scorers, of which one may run out of memory."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            scores = super().__call__(*args, **kwargs)
        except Exception as error:
            if is_out_of_memory(error):
                raise OutOfMemory from error
            raise
        # Where errors are not raised, their tracebacks are in the place of scores.
        texts = [score for score in scores.values() if isinstance(score, str)]
        if any(_OUT_OF_MEMORY.search(text) or _OOM_NAME in text for text in texts):
            raise OutOfMemory
        return scores


_OOM_NAME = "torch.OutOfMemoryError"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device had too little memory, in an error or in what led to it."""
    torch = sys.modules.get("torch")
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in chain:
        chain.append(one)
        one = one.__cause__ or one.__context__
    return any(
        (torch is not None and isinstance(one, torch.OutOfMemoryError))
        or _OUT_OF_MEMORY.search(str(one)) is not None
        for one in chain
    )


def run_leased(
    placement: Placement,
    run: Callable[[Attempt], FitOutcome],
    stopped: Event | None = None,
) -> FitOutcome:
    """Run a fit with a lease, and once more if it ran out of memory."""
    outcome, first = _try(placement, run, None, stopped)
    if outcome is not None:
        return outcome
    outcome, record = _try(placement, run, first["device"], stopped)
    assert outcome is not None
    outcome["lease"] = {**record, "retry_of": first}
    return outcome


def _try(
    placement: Placement,
    run: Callable[[Attempt], FitOutcome],
    alone_on: str | None,
    stopped: Event | None,
) -> tuple[FitOutcome | None, dict[str, Any]]:
    """What came of a fit, None if it has to be tried again; and its lease."""
    outcome = None
    with lease(placement, alone_on=alone_on, stopped=stopped) as held:
        try:
            outcome = run(Attempt(held.device, is_last=alone_on is not None))
        except OutOfMemory:
            held.ran_out()
        else:
            if outcome["fit_error"] is None:
                held.measure()
        finally:
            give_memory_back(held.device, everything=held.is_only)
    record = held.record()
    if outcome is not None:
        outcome["lease"] = record
    return outcome, record


@contextmanager
def on_device(device: str) -> Iterator[None]:
    """Let torch's current device be that one, so that none is used by accident."""
    kind, _, index = device.partition(":")
    if kind != "cuda":
        yield
        return
    import torch

    with torch.cuda.device(int(index)):
        yield


def give_memory_back(device: str, everything: bool = True) -> None:
    """Free what a fit that is over has left on an accelerator.

    Not `everything` where other threads of this process compute.
    """
    kind = device.partition(":")[0]
    torch = sys.modules.get("torch")
    if kind == "cpu" or torch is None:
        return
    gc.collect()  # nets and their callbacks refer to each other
    module = getattr(torch, kind)
    if getattr(module, "is_initialized", lambda: True)():
        if kind == "cuda" and everything:
            clear_cublas_workspaces()
        module.empty_cache()
