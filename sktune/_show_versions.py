"""What runs here, for reports of faults."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

CORE = ("sktune", "scikit-learn", "skorch", "torch", "scipy", "numpy", "joblib")
OPTIONAL = (
    "cloudpickle",
    "filelock",
    "greenlet",
    "threadpoolctl",
    "tqdm",
    "pandas",
    "matplotlib",
    "dask",
    "ray",
    "psutil",
)


def show_versions() -> None:
    """Print the versions of sktune and what it uses, and the machine.

    Put what it prints into a report of a fault.

    Examples
    --------
    >>> import sktune
    >>> sktune.show_versions()  # doctest: +ELLIPSIS
    <BLANKLINE>
    System:
    ...
    """
    system = {
        "python": sys.version.replace("\n", " "),
        "executable": sys.executable,
        "machine": platform.platform(),
        "processors": str(os.cpu_count()),
        "devices": _devices(),
    }
    for title, rows in [
        ("System", system),
        ("Packages", {name: _version(name) for name in (*CORE, *OPTIONAL)}),
    ]:
        print(f"\n{title}:")
        for name, value in rows.items():
            print(f"{name:>13}: {value}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _devices() -> str:
    import torch

    found = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return ", ".join(found) or "none but the processors"
