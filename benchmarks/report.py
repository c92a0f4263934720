"""What every benchmark notes beside its numbers: commit, machine and versions."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import sktune

PACKAGES = ("joblib", "numpy", "scikit-learn", "scipy")


def where(*packages: str) -> dict[str, object]:
    """Commit, machine and versions; `packages` are noted beside the core ones."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(": ")[2] for line in lines if "model name" in line]
    return {
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--", "../sktune")),
        "machine": {
            "cpu": models[0] if models else platform.processor(),
            "cores": os.cpu_count(),
            "system": platform.system(),
            "load_before": os.getloadavg()[0],
        },
        "versions": {
            "python": platform.python_version(),
            "sktune": sktune.__version__,
            **{package: _version(package) for package in (*PACKAGES, *packages)},
        },
    }


def _git(*args: str) -> str:
    command = ["git", *args]
    run = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True
    )
    return run.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
