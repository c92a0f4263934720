"""What is searched: synthetic functions with noise, and recorded scores of real models.

Recorded are the tables of `tabulated.py`, and, where there is a folder with a
`load.py` (`--data`), published tables and learning curves. A new one goes into one of
these files, and into HELD_OUT if nothing is chosen on it.
"""

from __future__ import annotations

import functools
from pathlib import Path

from landscapes.fitted import fitted
from landscapes.landscape import HELD_OUT, Landscape, Params, Spaces
from landscapes.published import published
from landscapes.synthetic import synthetic
from landscapes.tabulated import TABLES, tabulated

__all__ = ["HELD_OUT", "Landscape", "Params", "Spaces", "landscapes"]


@functools.cache
def landscapes(cache: Path | None, data: Path | None = None) -> dict[str, Landscape]:
    """All by name, those of HELD_OUT last; without `cache`, no real models."""
    found = synthetic()
    if cache is not None:  # some minutes where it has none of the tables
        found += [*(tabulated(name, cache) for name in TABLES), fitted(cache)]
    if data is not None:
        found += published(data)
    found.sort(key=lambda landscape: landscape.name in HELD_OUT)
    return {landscape.name: landscape for landscape in found}
