"""What of an estimator has a device: found, written, and given back its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sktune._errors import DeviceError
from sktune._warnings import warn
from sktune.execution.estimators._nets import bring, find_nets, is_net
from sktune.placement import Placement


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
                    warn(
                        f"The net was fitted on {leased} and stays there, since it "
                        f"cannot be brought to its own device, {leased.own} ({error})."
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


def check_placement(
    placement: Placement,
    estimator: Any,
    dicts: Sequence[Mapping[str, Any]],
    *,
    workers_are_here: bool,
) -> Placement | None:
    """Say what is wrong with devices before the first fit; returns those of the refit.

    That is None where workers of other machines have the devices, and this one has not.

    Parameters
    ----------
    placement : Placement
    estimator : estimator
    dicts : sequence of dict
        The dicts that are searched.
    workers_are_here : bool
        Whether fits run on this machine.

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
        warn(
            f"devices has nothing to place: no part of {type(estimator).__name__} has "
            "a parameter `device` that is not None. Fits still wait for a slot."
        )
    try:
        here = placement.here()
    except DeviceError:
        if workers_are_here:
            raise
        warn(
            "This machine has not the devices that the search names: the refit runs on "
            "the estimator's own device."
        )
        return None
    if placement.devices is None and here[0].name == "cpu":
        warn("devices='auto' finds no GPU on this machine, where fits run on the CPU.")
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
