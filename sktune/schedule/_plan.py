"""What a search with rungs is going to do, before it does anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sktune.schedule._rungs import Rung, n_evaluations, total_resources


@dataclass(frozen=True)
class Plan:
    """Rungs of a search, and what they cost; printed, a table.

    Attributes
    ----------
    rungs : tuple of Rung
        Named tuples ``(bracket, iter, n_candidates, n_resources)``, in the order in
        which they are run.
    resource : str
        Name of the resource.
    continues : bool
        Whether a candidate goes on where it paused, instead of starting over.
    n_splits : int
    n_candidates : int
        Candidates that are started.
    n_evaluations : int
        Rows of `cv_results_`.
    n_fits : int
        Fits on one split each, without the refit.
    total_resources : int
        Resources that are spent in all splits, without the refit. Of ``n_samples``,
        which counts the rows of X, each split trains on its share.
    """

    rungs: tuple[Rung, ...]
    resource: str
    continues: bool
    n_splits: int

    @property
    def n_candidates(self) -> int:
        return sum(rung.n_candidates for rung in self.rungs if rung.iter == 0)

    @property
    def n_evaluations(self) -> int:
        return n_evaluations(self.rungs)

    @property
    def n_fits(self) -> int:
        return self.n_evaluations * self.n_splits

    @property
    def total_resources(self) -> int:
        return self.n_splits * total_resources(self.rungs, continues=self.continues)

    def __str__(self) -> str:
        head = ("bracket", "iter", "candidates", self.resource)
        rows: list[Sequence[object]] = [head, *self.rungs]
        width = len(self.resource)
        lines = [f"{b:>7}  {i:>4}  {n:>10}  {r:>{width}}" for b, i, n, r in rows]
        how = "continued" if self.continues else "trained from scratch"
        lines.append(
            f"{self.n_candidates} candidates x {self.n_splits} splits, {how} from rung "
            f"to rung: {self.n_fits} fits, {self.total_resources} {self.resource}"
        )
        return "\n".join(lines)


def within(rungs: Sequence[Rung], n_candidates: int) -> tuple[Rung, ...]:
    """The rungs that are left where there are no more candidates than that.

    Brackets are filled in turn; the shares that go on within a bracket stay.
    """
    left, share, kept = n_candidates, Fraction(1), []
    for rung in rungs:
        if rung.iter == 0:
            started = min(rung.n_candidates, left)
            left -= started
            share = Fraction(started, rung.n_candidates)
        n = math.ceil(share * rung.n_candidates)
        if n:
            kept.append(rung._replace(n_candidates=n))
    return tuple(kept)
