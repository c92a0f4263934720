"""Finished runs, a line of JSON each: a benchmark goes on where it was ended."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import sktune


class Key(NamedTuple):
    """What a run is known by."""

    landscape: str
    searcher: str
    seed: int
    candidates: int
    version: str


def version_of(searcher: str) -> str:
    """What a run of sktune depends on: one of an earlier strategy is run again."""
    return f"sktune {_sources()}" if searcher.startswith("sktune") else ""


@functools.cache
def _sources() -> str:
    found = hashlib.sha256()
    for room in ("space", "strategy"):
        for path in sorted((Path(sktune.__file__).parent / room).glob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()[:12]


def read(path: Path | None) -> dict[Key, dict[str, Any]]:
    """All runs of a file; a last line that was cut off is not one."""
    if path is None or not path.exists():
        return {}
    found = {}
    for line in path.read_text().splitlines():
        try:
            run = json.loads(line)
        except ValueError:
            continue
        found[Key(*(run[name] for name in Key._fields))] = run
    return found


def append(path: Path | None, run: dict[str, Any]) -> None:
    if path is None:
        return
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, 2)
            if file.read() != b"\n":  # a line that was cut off stays one by itself
                file.write(b"\n")
        file.write(json.dumps(run).encode() + b"\n")
