"""What is searched: synthetic functions, and recorded scores of real models.

Recorded are the tables of `tabulated.py`, and, where there is a folder with a
`load.py` (`--data`), published tables and learning curves. A new one goes into one of
these files, and into HELD_OUT if nothing is chosen on it. Each is there without noise
and with one or more kinds of it, as a landscape of its own.
"""

from __future__ import annotations

import functools
from pathlib import Path

from landscapes.fitted import FITTED, fitted
from landscapes.landscape import (
    NOISE_MARK,
    Landscape,
    Params,
    Spaces,
    is_held_out,
    is_noisy,
)
from landscapes.published import published
from landscapes.synthetic import synthetic
from landscapes.tabulated import TABLES, tabulated

__all__ = [
    "Landscape",
    "Params",
    "Spaces",
    "is_held_out",
    "is_noisy",
    "landscapes",
]


@functools.cache
def landscapes(
    cache: Path | None, data: Path | None = None, models: frozenset[str] | None = None
) -> dict[str, Landscape]:
    """All by name, those held out last, then with noise; no `cache`, no real models.

    `models` are the names of those that are needed, with their noise or without; each
    takes a minute where the cache has it not.
    """
    found = synthetic()
    if cache is not None:
        wanted = {name.partition(NOISE_MARK)[0] for name in models or (*TABLES, FITTED)}
        found += [tabulated(name, cache) for name in TABLES if name in wanted]
        found += [fitted(cache)] if FITTED in wanted else []
    if data is not None:
        found += published(data)
    found.sort(key=lambda landscape: is_held_out(landscape.name))
    found += [noisy for landscape in found for noisy in landscape.with_noise()]
    return {landscape.name: landscape for landscape in found}
