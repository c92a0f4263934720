"""What every benchmark writes: tables, and JSON with commit, machine and versions."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import sktune

PACKAGES = ("joblib", "numpy", "scikit-learn", "scipy")


def environment(*packages: str) -> dict[str, object]:
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


def save(path: Path | None, report: Mapping[str, object]) -> None:
    """Write the JSON that `--json` names; None: nobody asked for it."""
    if path is not None:
        path.write_text(json.dumps(report, indent=1) + "\n")


def markdown_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], align: str = ""
) -> str:
    """`align` has an l or an r for each column; those that it lacks are left."""
    sides = align.ljust(len(head), "l")
    rule = ["---:" if side == "r" else "---" for side in sides]
    return "\n".join(markdown_row(cells) for cells in (head, rule, *rows))


def markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


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
