"""Published tables and learning curves, from a folder that has a `load.py`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any


def published_records(folder: Path) -> Any:
    """The folder's `load.py`: `names()`, `table(name)` and `curves(name)`."""
    spec = importlib.util.spec_from_file_location("_records", folder / "load.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
