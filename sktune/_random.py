"""One seed tree: a seed comes from (root, purpose, ids), never from arrival order."""

from __future__ import annotations

import zlib

import numpy as np


def derive_seed(root: int, purpose: str, *ids: int) -> int:
    """Seed in [0, 2**31) for one purpose, e.g. ``derive_seed(root, "fit", 3, 0)``."""
    key = (zlib.crc32(purpose.encode()), *ids)
    state = np.random.SeedSequence(root, spawn_key=key).generate_state(1)
    return int(state[0]) >> 1


def fresh_root() -> int:
    """A root that no other search has, from the operating system."""
    return int(np.random.SeedSequence().generate_state(1)[0])
