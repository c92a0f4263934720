"""What a search with rungs is going to do, before it does anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape

from sktune._text import html_table
from sktune.schedule._rungs import Rung, n_evaluations, splits_of, total_resources

# A longer table shows so many rungs of its beginning, and of its end.
_SHOWN = 12


@dataclass(frozen=True, repr=False)
class Plan:
    """Rungs of a search, and what they cost; shown as a table.

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
    min_splits : int or None
        Splits that the lowest rungs run on; None: all run on all.
    n_splits_run : tuple of int
        Splits that each rung runs on.
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
    min_splits: int | None = None

    @property
    def n_splits_run(self) -> tuple[int, ...]:
        return tuple(splits_of(self.rungs, self.n_splits, self.min_splits).values())

    @property
    def n_candidates(self) -> int:
        return sum(rung.n_candidates for rung in self.rungs if rung.iter == 0)

    @property
    def n_evaluations(self) -> int:
        return n_evaluations(self.rungs)

    @property
    def n_fits(self) -> int:
        pairs = zip(self.rungs, self.n_splits_run, strict=True)
        return sum(rung.n_candidates * n for rung, n in pairs)

    @property
    def total_resources(self) -> int:
        continues = self.continues
        return total_resources(self.rungs, self.n_splits_run, continues=continues)

    @property
    def summary(self) -> str:
        """What it comes to, in one line."""
        fewest, most = min(self.n_splits_run, default=self.n_splits), self.n_splits
        splits = f"{most}" if fewest == most else f"{fewest} to {most}"
        how = "continued" if self.continues else "trained from scratch"
        return (
            f"{self.n_candidates} candidates x {splits} splits, {how} from rung "
            f"to rung: {self.n_fits} fits, {self.total_resources} {self.resource}"
        )

    def __repr__(self) -> str:
        # Numbers of candidates and resources may be long.
        table = [self._head, *self._table]
        widths = [
            max(len(str(cell)) for cell in column)
            for column in zip(*table, strict=True)
        ]
        lines = [
            "  ".join(str(cell).rjust(w) for cell, w in zip(row, widths, strict=True))
            if row
            else f"    ... {len(self.rungs) - 2 * _SHOWN} more rungs ..."
            for row in [self._head, *self._rows()]
        ]
        return "\n".join([*lines, self.summary])

    def _repr_html_(self) -> str:
        dots = ["..."] * len(self._head)
        table = html_table(self._head, (row or dots for row in self._rows()))
        return f"{table}<p>{escape(self.summary)}</p>"

    @property
    def _head(self) -> tuple[str, ...]:
        head = ("bracket", "iter", "candidates", self.resource)
        return head if self.min_splits is None else (*head, "splits")

    @property
    def _table(self) -> list[tuple[int, ...]]:
        if self.min_splits is None:
            return list(self.rungs)
        pairs = zip(self.rungs, self.n_splits_run, strict=True)
        return [(*rung, n) for rung, n in pairs]

    def _rows(self) -> list[tuple[int, ...] | None]:
        """The rungs; None stands for those in the middle of very many."""
        table = self._table
        if len(table) <= 2 * _SHOWN + 1:
            return [*table]
        return [*table[:_SHOWN], None, *table[-_SHOWN:]]


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
