"""Folders that go when their process is killed, not only when it ends."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from joblib.externals.loky.backend import resource_tracker


def temporary_folder(parent: str | os.PathLike[str] | None = None) -> Path:
    """Make a folder that nobody else has, and that does not outlive this process.

    Parameters
    ----------
    parent : str, path or None
        Where; None is the system's folder of temporary files.
    """
    folder = Path(tempfile.mkdtemp(prefix="sktune-", dir=parent))
    goes_with_process(folder)
    return folder


def goes_with_process(folder: str | os.PathLike[str]) -> None:
    """Have a folder removed should this process be killed.

    A process of loky's, which outlives this one, does so.
    """
    resource_tracker.register(str(folder), "folder")


def remove_folder(folder: str | os.PathLike[str]) -> None:
    """Remove a folder that would have gone with the process.

    A worker that nobody waits for may still write into it, and would keep it from
    going. So it has another name first, by which no worker knows it.
    """
    gone = f"{folder}.gone"
    try:
        os.rename(folder, gone)
    except OSError:  # it is not there, or is in use on Windows
        gone = str(folder)
    shutil.rmtree(gone, ignore_errors=True)
    resource_tracker.unregister(str(folder), "folder")
