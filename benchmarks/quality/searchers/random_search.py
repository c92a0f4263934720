"""Random search: independent draws."""

from __future__ import annotations

import numpy as np
from landscapes import Params, Spaces


class Random:
    """What RandomizedSearchCV does: independent draws."""

    def __init__(self, space: Spaces, seed: int, n_candidates: int) -> None:
        self.spaces = space if isinstance(space, list) else [space]
        self.rng = np.random.RandomState(seed)

    def ask(self) -> Params:
        space = self.spaces[self.rng.randint(len(self.spaces))]
        return {
            name: d.rvs(random_state=self.rng)
            if hasattr(d, "rvs")
            else d[self.rng.randint(len(d))]
            for name, d in space.items()
        }

    def tell(self, params: Params, score: float) -> None:
        pass
