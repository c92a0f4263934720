"""Callbacks that write files: each fit gets a folder of its own for them.

skorch's Checkpoint writes ``params.pt`` into the current folder. The fits of a search
would overwrite each other's, and ``load_best`` would load a stranger's weights.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sktune.execution.estimators._nets import callbacks_by_name, find_nets


def find_writers(estimator: Any) -> dict[str, Any]:
    """Nets with such callbacks in an estimator, by the prefix of their parameters."""
    nets = find_nets(estimator)
    return {prefix: net for prefix, net in nets.items() if _writes(net)}


def write_into(folder: Path, nets: dict[str, Any]) -> None:
    """Let all callbacks of these nets write into one folder; the nets are changed."""
    for prefix, net in nets.items():
        net.initialize_callbacks()  # which names them
        for name, callback in net.callbacks_:
            if _is_writer(callback):
                where = folder / f"{prefix}{name}"
                params = _into(where, callback.get_params(deep=False))
                net.set_params(
                    **{f"callbacks__{name}__{key}": v for key, v in params.items()}
                )


def folders_of(net: Any) -> dict[str, str]:
    """Where the callbacks of a net write, by their names."""
    return {name: c.dirname for name, c in net.callbacks_ if _is_writer(c)}


def move_into(folders: dict[str, str], net: Any) -> None:
    """Let callbacks write there that were paused on a machine with other folders."""
    for name, callback in net.callbacks_:
        if name not in folders or callback.dirname == folders[name]:
            continue
        callback.dirname = folders[name]
        if hasattr(callback, "checkpoint_"):
            callback.checkpoint_.dirname = folders[name]
        vars(net)[f"callbacks__{name}__dirname"] = folders[name]


def _writes(net: Any) -> bool:
    try:
        callbacks = callbacks_by_name(net)
    except ValueError:  # of two with one name; the fit will say so
        return False
    return any(map(_is_writer, callbacks.values()))


def _is_writer(callback: Any) -> bool:
    from skorch.callbacks import Checkpoint, TrainEndCheckpoint

    cls = callback if isinstance(callback, type) else type(callback)
    return issubclass(cls, Checkpoint | TrainEndCheckpoint)


def _into(folder: Path, params: dict[str, Any]) -> dict[str, Any]:
    """Parameters that make a callback write there, and nowhere else."""
    files = {k: _text(v) for k, v in params.items() if k.startswith("f_") and v}
    if not all(isinstance(file, str) for file in files.values()):
        return {}  # open files, or the like
    changed: dict[str, Any] = {"dirname": str(folder)}
    for key, value in {**files, "fn_prefix": params.get("fn_prefix") or ""}.items():
        flat = os.path.splitdrive(value)[1].replace("/", "_").replace(os.sep, "_")
        if flat != params.get(key, ""):  # a path of its own, which may be absolute
            changed[key] = flat
    return changed


def _text(file: Any) -> Any:
    """A path as the text that skorch makes the same name of."""
    if not isinstance(file, os.PathLike):
        return file
    # skorch fills in what is in braces, but only in a text.
    return os.fsdecode(file).replace("{", "{{").replace("}", "}}")
