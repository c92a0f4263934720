"""What a search that freezes and thaws is going to do, as far as that is known."""

from __future__ import annotations

from dataclasses import dataclass

from sktune.schedule._rungs import Rung
from sktune.schedule._slices import Slices


@dataclass(frozen=True, repr=False)
class SlicePlan:
    """What a search that freezes and thaws is going to do, as far as that is known.

    Attributes
    ----------
    slices : Slices
    n_iter : int
    resource : str
        Name of the resource.
    n_splits : int
    levels : tuple of int
        Resources at which candidates pause.
    rungs : tuple of Rung
        The halving that it begins with.
    total_resources : int
        Most that may be spent in all splits, without the refit.
    """

    slices: Slices
    n_iter: int
    resource: str
    n_splits: int

    @property
    def levels(self) -> tuple[int, ...]:
        return self.slices.levels

    @property
    def rungs(self) -> tuple[Rung, ...]:
        return self.slices.rungs

    @property
    def total_resources(self) -> int:
        return self.slices.budget * self.n_splits

    @property
    def summary(self) -> str:
        """What it comes to, in one line."""
        how = "continued" if self.slices.continues else "trained from scratch"
        return (
            f"{self.n_iter} full candidates x {self.n_splits} splits, {how} from level "
            f"to level: {self.total_resources} {self.resource} at most"
        )

    def __repr__(self) -> str:
        lines = [
            f"{'of these' if rung.iter else 'at first'} {rung.n_candidates:4} "
            f"candidates to {rung.n_resources} {self.resource}"
            for rung in self.rungs
        ]
        levels = ", ".join(map(str, self.levels))
        then = f"then whoever is expected to gain most, to the next of {levels}"
        return "\n".join([*lines, then, self.summary])
