"""What came of the best candidates under other seeds and splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import fill
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sktune._text import aligned, html_table, short_names
from sktune.inspection._paired_scores import Array, PairedScores, likely_best
from sktune.inspection._table import text_of


@dataclass(frozen=True, repr=False)
class Repetition:
    """What `repeat` has found; prints as a table and some sentences.

    All arrays have a value for each candidate, the one with the best mean first.

    Attributes
    ----------
    candidates : ndarray of shape (n_candidates,), int
        Their numbers in the search.
    params : list of dict
    mean, low, high : ndarray of shape (n_candidates,)
        Mean score over all repetitions, and the ends of its interval. NaN where a fit
        failed.
    behind, behind_low, behind_high : ndarray of shape (n_candidates,)
        How far its mean is below the best one, and the interval of that.
    probability_best : ndarray of shape (n_candidates,)
    search_scores : ndarray of shape (n_candidates,)
        What the search gave each.
    scores : dict of str -> ndarray of shape (n_candidates, n_seeds, n_splits)
        By metric, all of them.
    metric : str
        The one that is compared by.
    winner : int
        Number of the candidate that has won the search.
    confidence_level : float
    has_new_splits : bool
        Whether each repetition had splits of its own.
    """

    candidates: NDArray[np.intp]
    params: list[Mapping[str, Any]]
    mean: Array
    low: Array
    high: Array
    behind: Array
    behind_low: Array
    behind_high: Array
    probability_best: Array
    search_scores: Array
    scores: Mapping[str, Array]
    metric: str
    winner: int
    confidence_level: float
    has_new_splits: bool

    @classmethod
    def of(
        cls,
        found: PairedScores,
        is_whole: NDArray[np.bool_],
        *,
        candidates: NDArray[np.intp],
        params: Sequence[Mapping[str, Any]],
        search_scores: Array,
        scores: Mapping[str, Array],
        metric: str,
        confidence_level: float,
        has_new_splits: bool,
    ) -> Self:
        """Of scores of those candidates that have not failed, the winner first."""

        def whole(values: Array, otherwise: float = np.nan) -> Array:
            spread = np.full(len(is_whole), otherwise)
            spread[is_whole] = values
            return spread[order]

        mean = np.full(len(is_whole), -np.inf)
        mean[is_whole] = found.mean
        order = np.argsort(-mean, kind="stable")
        low, high = found.interval(confidence_level)
        behind, behind_low, behind_high = found.behind(confidence_level)
        return cls(
            candidates[order],
            [dict(params[k]) for k in order],
            whole(found.mean),
            whole(low),
            whole(high),
            whole(behind),
            whole(behind_low),
            whole(behind_high),
            whole(found.probability_best(), 0.0),
            search_scores[order],
            {name: values[order] for name, values in scores.items()},
            metric,
            int(candidates[0]),
            confidence_level,
            has_new_splits,
        )

    @property
    def best(self) -> int:
        """Number of the candidate with the best mean of all repetitions."""
        return int(self.candidates[0])

    @property
    def likely_best(self) -> list[int]:
        """The fewest candidates among which the best is with `confidence_level`."""
        found = likely_best(self.probability_best, self.confidence_level)
        return [int(self.candidates[k]) for k in found]

    @property
    def verdict(self) -> str:
        """Whether the winner of the search is one, in words."""
        return " ".join([self._who_is_best(), self._how_lucky(), *self._how_split()])

    def _who_is_best(self) -> str:
        place = list(self.candidates).index(self.winner)
        p, level = float(self.probability_best[place]), self.confidence_level
        if len(self.candidates) == 1:
            return f"Candidate {self.winner} has no other to be compared with."
        if np.isnan(self.mean[place]):
            return f"The winner of the search, candidate {self.winner}, has failed."
        told = (
            f"The winner of the search, candidate {self.winner}, is the best of these "
            f"{len(self.candidates)} with a probability of {_percent(p)}"
        )
        likely = self.likely_best
        if likely == [self.winner]:
            return f"{told}: it is a winner."
        if len(likely) == 1:
            return f"{told}: candidate {likely[0]} is better."
        numbers = ", ".join(map(str, sorted(likely)[:-1]))
        return (
            f"{told}. It is a tie: one of the candidates {numbers} and "
            f"{max(likely)} is the best, with {_percent(level)}."
        )

    def _how_lucky(self) -> str:
        place = list(self.candidates).index(self.winner)
        score, mean = float(self.search_scores[place]), float(self.mean[place])
        low, high = float(self.low[place]), float(self.high[place])
        told = (
            f"The search gave it {score:.4g}, and the repetition {mean:.4g} "
            f"({low:.4g} to {high:.4g})"
        )
        if score > high:
            return f"{told}: it had been lucky."
        if score > mean:
            return f"{told}: it may have been lucky by {score - mean:.2g}."
        return f"{told}."

    def _how_split(self) -> list[str]:
        if self.has_new_splits:
            return []
        only = "only the seeds differ, and the intervals are wide"
        if self.scores[self.metric].shape[2] == 1:
            only = "with this one split nothing is said of other rows"
        return [
            f"The splits are those of the search, since its cv makes no others: {only}."
            " A splitter with shuffle=True or a random_state has others."
        ]

    # -- tables --------------------------------------------------------------------

    def to_frame(self) -> Any:
        """Return the table as a pandas data frame, with a row for each candidate.

        Returns
        -------
        frame : pandas.DataFrame
        """
        import pandas as pd

        return pd.DataFrame(self._rows())

    def plot(self, ax: Any = None) -> Any:
        """Draw the scores of each candidate.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : RepeatDisplay
        """
        from sktune.inspection.displays import RepeatDisplay

        return RepeatDisplay.from_repetition(self, ax=ax)

    def __repr__(self) -> str:
        return f"{aligned(self._cells())}\n{_wrapped(self.verdict)}"

    def _repr_html_(self) -> str:
        head, *body = self._cells()
        return f"{html_table(head, body)}<p>{escape(self.verdict)}</p>"

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "candidate": int(self.candidates[k]),
                "search": float(self.search_scores[k]),
                self.metric: float(self.mean[k]),
                "low": float(self.low[k]),
                "high": float(self.high[k]),
                "behind": float(self.behind[k]),
                "best with": float(self.probability_best[k]),
                **params,
            }
            for k, params in enumerate(self.params)
        ]

    def _cells(self) -> list[list[str]]:
        rows = self._rows()
        head = list(dict.fromkeys(name for row in rows for name in row))
        body = [
            [
                _percent(row[name])
                if name == "best with"
                else text_of(row[name])
                if name in row
                else ""
                for name in head
            ]
            for row in rows
        ]
        return [short_names(head), *body]


def _percent(probability: float) -> str:
    """Whole ones, and never all or nothing, which no sample shows."""
    if probability < 0.005:
        return "< 1 %"
    return "> 99 %" if probability > 0.995 else f"{100 * probability:.0f} %"


def _wrapped(text: str) -> str:
    # No line ends between a number and its %.
    return fill(text.replace(" %", "\N{NO-BREAK SPACE}%"), 88).replace("\xa0", " ")
