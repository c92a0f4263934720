"""What a search with rungs is going to do, before it does anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape

from sktune.schedule._rungs import Rung, n_evaluations, total_resources

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

    @property
    def summary(self) -> str:
        """What it comes to, in one line."""
        how = "continued" if self.continues else "trained from scratch"
        return (
            f"{self.n_candidates} candidates x {self.n_splits} splits, {how} from rung "
            f"to rung: {self.n_fits} fits, {self.total_resources} {self.resource}"
        )

    def __repr__(self) -> str:
        # Numbers of candidates and resources may be long.
        widths = [
            max(len(str(row[column])) for row in [self._head, *self.rungs])
            for column in range(4)
        ]
        lines = [
            "  ".join(str(cell).rjust(w) for cell, w in zip(row, widths, strict=True))
            if row
            else f"    ... {len(self.rungs) - 2 * _SHOWN} more rungs ..."
            for row in [self._head, *self._rows()]
        ]
        return "\n".join([*lines, self.summary])

    def _repr_html_(self) -> str:
        def line(cells: Sequence[object], tag: str) -> str:
            texts = (escape(str(cell)) for cell in cells)
            return f"<tr>{''.join(f'<{tag}>{text}</{tag}>' for text in texts)}</tr>"

        rows = (line(row or ["..."] * 4, "td") for row in self._rows())
        head, summary = line(self._head, "th"), escape(self.summary)
        return f"<table>{head}{''.join(rows)}</table><p>{summary}</p>"

    @property
    def _head(self) -> tuple[str, ...]:
        return ("bracket", "iter", "candidates", self.resource)

    def _rows(self) -> list[Rung | None]:
        """The rungs; None stands for those in the middle of very many."""
        if len(self.rungs) <= 2 * _SHOWN + 1:
            return list(self.rungs)
        return [*self.rungs[:_SHOWN], None, *self.rungs[-_SHOWN:]]


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
