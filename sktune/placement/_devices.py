"""What `devices` and `fits_per_device` mean, and which devices a machine has."""

from __future__ import annotations

import os
import re
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from numbers import Integral
from pathlib import Path
from typing import Any

from sktune._errors import DeviceError
from sktune.placement._device_names import device_index, device_kind
from sktune.placement._memory import MEASURED, Memory, memory_of

# Names the folder of the locks, where containers that share devices share a folder.
FOLDER_VARIABLE = "SKTUNE_DEVICE_LOCKS"


@dataclass(frozen=True, slots=True)
class Device:
    """One device of this machine.

    Attributes
    ----------
    name : str
        As torch takes it here: ``"cuda:0"``.
    key : str
        Names the physical device, whatever CUDA_VISIBLE_DEVICES says.
    n_fits : int, "auto" or None
        Fits that may share it; None is no limit.
    """

    name: str
    key: str
    n_fits: int | str | None


@dataclass(frozen=True)
class Placement:
    """Where the fits of one search may run; sent to workers, so it holds no lock.

    Attributes
    ----------
    devices : tuple of (str, int or "auto"), or None
        Devices and the fits that may share each; None is every GPU of the machine that
        a fit runs on, or the CPU without a limit where there is none.
    fits_per_device : int or "auto"
        Fits that may share one of these GPUs.
    folder : str or None
        Of the locks; None for the machine's own.
    search : str
        A token: what is measured of a fit belongs to one search.
    memory : callable
        ``memory(name)`` tells how full a device is.
    """

    devices: tuple[tuple[str, int | str], ...] | None
    fits_per_device: int | str = 1
    folder: str | None = None
    search: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    memory: Callable[[str], Memory] = memory_of

    @classmethod
    def of(cls, devices: Any, fits_per_device: Any = 1) -> Placement | None:
        """What the two arguments of a search say; None where devices are not placed.

        Raises
        ------
        DeviceError
            For a value that is no device, or no number of fits.
        """
        if not _is_number_of_fits(fits_per_device):
            raise DeviceError(
                f"fits_per_device={fits_per_device!r} is no number of fits. Pass an "
                "integer of at least 1, or 'auto'."
            )
        if devices is None:
            if fits_per_device != 1:
                raise DeviceError(
                    f"fits_per_device={fits_per_device!r} is of no use with "
                    "devices=None, where every fit runs on the estimator's own "
                    "device. Pass devices='auto' or a device, such as 'cuda:0'."
                )
            return None
        folder = os.environ.get(FOLDER_VARIABLE)
        if isinstance(devices, str) and devices == "auto":
            return cls(None, _plain(fits_per_device), folder)
        return cls(_parse(devices, fits_per_device), folder=folder)

    def here(self) -> list[Device]:
        """The devices that this machine has.

        Raises
        ------
        DeviceError
            For one that is asked for by name and not there.
        """
        if self.devices is None:
            gpus = [Device(g, physical(g), self.fits_per_device) for g in find_gpus()]
            return gpus or [Device("cpu", "cpu", None)]
        for name, _ in self.devices:
            check_is_here(name)
        return [Device(name, physical(name), n) for name, n in self.devices]

    @property
    def path(self) -> Path:
        """Folder of the locks."""
        return Path(self.folder) if self.folder else default_folder()


def _parse(devices: Any, fits_per_device: Any) -> tuple[tuple[str, int | str], ...]:
    if isinstance(devices, Mapping):
        if fits_per_device != 1:
            raise DeviceError(
                f"fits_per_device={fits_per_device!r} is given beside "
                f"devices={devices!r}, which says it for each device. Leave one out."
            )
        pairs = [(_name(d, devices), n) for d, n in devices.items()]
        for name, n in pairs:
            if not _is_number_of_fits(n):
                raise DeviceError(
                    f"devices={devices!r} gives {name!r} {n!r} fits. Pass an integer "
                    "of at least 1, or 'auto'."
                )
    else:
        listed = [devices] if _is_one(devices) else devices
        if not isinstance(listed, list | tuple):
            raise _no_device(devices, devices)
        pairs = [(_name(d, devices), fits_per_device) for d in listed]
    names = [name for name, _ in pairs]
    if not names:
        raise DeviceError(
            f"devices={devices!r} names none. Pass devices='auto', None for the "
            "estimator's own device, or at least one, such as ['cuda:0']."
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DeviceError(
            f"devices={devices!r} names {twice!r} more than once. For two fits on one "
            f"device pass devices={{{twice!r}: 2}}, or fits_per_device=2."
        )
    for name, n in pairs:
        if n == "auto" and device_kind(name) not in MEASURED:
            raise DeviceError(
                f"fits_per_device='auto' cannot be found out for {name!r}: its memory "
                f"cannot be measured. Pass a number, such as devices={{{name!r}: 1}}."
            )
    return tuple((name, _plain(n)) for name, n in pairs)


def _name(device: Any, devices: Any) -> str:
    """``"cuda:0"`` of ``"cuda"``, which is what torch means by it at first."""
    name = str(device)
    if not _is_one(device) or not re.fullmatch(r"[a-z]+(:(0|[1-9][0-9]*))?", name):
        raise _no_device(device, devices)
    import torch

    try:
        torch.device(name)
    except RuntimeError:
        raise _no_device(device, devices) from None
    return f"{name}:0" if name in ("cuda", "xpu") else name


def _is_one(device: Any) -> bool:
    # A torch.device, told by its name: torch need not be there to say no.
    return isinstance(device, str) or type(device).__qualname__ == "device"


def _no_device(device: Any, devices: Any) -> DeviceError:
    return DeviceError(
        f"devices={devices!r}: {device!r} is no device. Pass 'auto' for all GPUs, a "
        "device such as 'cuda:1', a list of devices, a dict of devices and the number "
        "of fits that share each, or None for the estimator's own device."
    )


def _is_number_of_fits(n: Any) -> bool:
    if isinstance(n, str):
        return n == "auto"
    return isinstance(n, Integral) and n is not True and int(n) >= 1


def _plain(n: Any) -> int | str:
    return n if isinstance(n, str) else int(n)


# -- what there is ------------------------------------------------------------------


def find_gpus() -> list[str]:
    """Names of all GPUs of this machine that torch sees. Does not initialise CUDA."""
    return list(_gpus(os.environ.get("CUDA_VISIBLE_DEVICES")))


@lru_cache(maxsize=8)
def _gpus(visible: str | None) -> tuple[str, ...]:
    import torch

    for kind in ("cuda", "xpu"):
        n = getattr(torch, kind).device_count()
        if n:
            return tuple(f"{kind}:{i}" for i in range(n))
    return ("mps",) if torch.backends.mps.is_available() else ()


def check_is_here(name: str) -> None:
    """Raise `DeviceError` for a GPU that this machine does not have."""
    if device_kind(name) not in ("cuda", "xpu", "mps"):
        return
    gpus = find_gpus()
    if name not in gpus and f"{name}:0" not in gpus:
        there = f"There are {', '.join(gpus)}." if gpus else "There is no GPU."
        raise DeviceError(
            f"devices: torch cannot use {name!r} on this machine. {there} Name devices "
            "that are there, or pass devices='auto', which takes what there is."
        )


def physical(name: str) -> str:
    """What this device is called in the names of locks.

    ``cuda:0`` is another device in each process that sees others.
    """
    if device_kind(name) != "cuda":
        return name.replace(":", "-")
    from sktune._compat import physical_cuda_device

    return re.sub(r"[^\w.-]", "_", f"cuda-{physical_cuda_device(device_index(name))}")


def default_folder() -> Path:
    """One folder for all processes of a machine, whatever TMPDIR each has."""
    common = Path("/tmp")
    root = common if common.is_dir() else Path(tempfile.gettempdir())
    return root / "sktune-devices"
