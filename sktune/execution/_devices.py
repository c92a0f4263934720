"""A fit on a leased device: the device is written to the estimator, memory given back.

Where a fit runs out of the device's memory, it runs once more, alone on the device.
"""

from __future__ import annotations

import gc
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

import joblib
import numpy as np

from sktune._compat import MultimetricScorer, clear_cublas_workspaces
from sktune._errors import DeviceError
from sktune._types import FitOutcome
from sktune.execution._nets import bring, find_nets, is_net
from sktune.placement import Placement, lease

# What says in words that a device had too little memory. Before they had a type, such
# errors were plain RuntimeErrors; libraries of NVIDIA and boosters still raise others.
_OUT_OF_MEMORY = re.compile(r"out of memory|_ALLOC_FAILED|cudaErrorMemoryAllocation")

Train = Callable[..., None]


class OutOfMemory(BaseException):
    """Leaves scikit-learn's code, which records every `Exception` as a failed fit."""


class LeasedDevice(str):
    """A leased device as it is written to a net: clones of the net have it too.

    Attributes
    ----------
    own : str or torch.device
        What the user had set there.
    """

    own: Any

    def __new__(cls, device: str, own: Any) -> LeasedDevice:
        """A `device` that remembers the user's `own`."""
        leased = super().__new__(cls, device)
        leased.own = own
        return leased

    def __reduce__(self) -> Any:
        return LeasedDevice, (str(self), self.own)


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


# -- what has a device --------------------------------------------------------------


def find_placeable(estimator: Any) -> dict[str, Any]:
    """Parts of an estimator that take a device, by the prefix of their parameters.

    Not a net whose device is None: the user places its modules.
    """
    if not hasattr(estimator, "get_params") or isinstance(estimator, type):
        return {}
    nets = find_nets(estimator)
    parts = {"": estimator} | {
        f"{name}__": value
        for name, value in estimator.get_params(deep=True).items()
        if hasattr(value, "get_params") and not isinstance(value, type)
    }
    return {
        prefix: part
        for prefix, part in parts.items()
        if _takes_device(part)
        and not any(prefix != net and prefix.startswith(net) for net in nets)
    }


def _takes_device(part: Any) -> bool:
    if is_net(part):
        return part.device is not None
    return "device" in part.get_params(deep=False)


def write_device(estimator: Any, device: str) -> None:
    """Let every part of an estimator use that device, whether it is fitted or not."""
    for part in find_placeable(estimator).values():
        if not is_net(part):
            part.set_params(device=device)
        elif not getattr(part, "initialized_", False):
            part.set_params(device=LeasedDevice(device, _own_device(part)))
    for net in _nets_within(estimator):
        if net.device is not None and net.device != device:
            net.device = LeasedDevice(device, _own_device(net))
            bring(net)


def _own_device(net: Any) -> Any:
    return net.device.own if isinstance(net.device, LeasedDevice) else net.device


class OwnDevices:
    """Devices as the user has set them, to be set again on what was fitted."""

    def __init__(self, estimator: Any) -> None:
        self._of_others = {
            f"{prefix}device": part.get_params(deep=False)["device"]
            for prefix, part in find_placeable(estimator).items()
            if not is_net(part)
        }

    def restore(self, estimator: Any) -> None:
        """Bring all nets back, and let nothing tell of the lease."""
        if self._of_others:
            estimator.set_params(**self._of_others)
        for net in _nets_within(estimator):
            if isinstance(net.device, LeasedDevice):
                leased, net.device = net.device, net.device.own
                try:
                    bring(net)
                except (RuntimeError, AssertionError) as error:
                    net.device = str(leased)
                    bring(net)
                    warnings.warn(
                        f"The net was fitted on {leased} and stays there, since it "
                        f"cannot be brought to its own device, {leased.own} ({error}).",
                        UserWarning,
                        stacklevel=2,
                    )


def _nets_within(estimator: Any) -> Iterator[Any]:
    """All nets in an estimator, those that it made of its parameters too."""
    seen: dict[int, Any] = {}
    todo = [estimator]
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen[id(one)] = one
        if is_net(one):
            yield one
        elif isinstance(one, dict):
            todo += one.values()
        elif isinstance(one, list | tuple):
            todo += one
        elif isinstance(one, np.ndarray):
            todo += one.flat if one.dtype.hasobject else ()
        elif hasattr(one, "get_params") or type(one).__module__.startswith("sklearn."):
            todo += getattr(one, "__dict__", {}).values()


# -- where fits run -----------------------------------------------------------------


def check_placement(
    placement: Placement, estimator: Any, dicts: Sequence[Mapping[str, Any]]
) -> Placement | None:
    """Say what is wrong with devices before the first fit; returns those of the refit.

    That is None where workers of other machines have the devices, and this one has not.

    Parameters
    ----------
    placement : Placement
    estimator : estimator
    dicts : sequence of dict
        The dicts that are searched.

    Raises
    ------
    DeviceError
        For a device that workers would not find, or that is searched as well.
    """
    placeable = find_placeable(estimator)
    names = {f"{prefix}device" for prefix in placeable}
    for subspace in dicts:
        searched = sorted(names & set(subspace))
        if searched:
            raise DeviceError(
                f"{searched[0]!r} is searched, and devices would set it to the device "
                "of each fit. Leave one of them out."
            )
    if not placeable and not any(_may_bring_device(d) for d in dicts):
        warnings.warn(
            f"devices has nothing to place: no part of {type(estimator).__name__} has "
            "a parameter `device` that is not None. Fits still wait for a slot.",
            UserWarning,
            stacklevel=2,
        )
    try:
        here = placement.here()
    except DeviceError:
        if _workers_are_here():
            raise
        warnings.warn(
            "This machine has not the devices that the search names: the refit runs on "
            "the estimator's own device.",
            UserWarning,
            stacklevel=2,
        )
        return None
    if placement.devices is None and here[0].name == "cpu":
        warnings.warn(
            "devices='auto' finds no GPU on this machine, where fits run on the CPU.",
            UserWarning,
            stacklevel=2,
        )
    return placement


def _may_bring_device(subspace: Mapping[str, Any]) -> bool:
    """Whether a value that is searched may have a device of its own."""
    for values in subspace.values():
        if hasattr(values, "rvs") or not isinstance(values, list | tuple):
            continue
        for value in values:
            parts = value if isinstance(value, list) else [("", value)]
            steps = (part[1] if isinstance(part, tuple) else part for part in parts)
            if any(find_placeable(step) for step in steps):
                return True
    return False


def _workers_are_here() -> bool:
    """Whether joblib's workers are on this machine, as far as it can be known."""
    backend, _ = joblib.parallel.get_active_backend()
    local = ("loky", "multiprocessing", "sequential", "threading")
    return isinstance(backend, tuple(joblib.parallel.BACKENDS[name] for name in local))
