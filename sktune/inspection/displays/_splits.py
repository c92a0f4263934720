"""What each split said of the best few candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from sktune.inspection._search_record import record_of
from sktune.inspection.displays._axes import BLUE, COLORS, legend_above, panels

_LEVEL = 0.975  # of both ends of an interval of 95 %


class SplitsDisplay:
    """The scores of the best candidates, split by split, and how far each is behind.

    On the left are the scores of each candidate on each split, with their mean. Splits
    differ in how hard they are, but they are so for all candidates: on the right are
    the differences to the best candidate on the same split, with their mean and its 95
    % interval, by the variance of [1]_, since training parts overlap. A candidate whose
    interval has 0 in it may well be as good as the best.

    It is made by `from_search`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    scores : array-like of shape (n_candidates, n_splits)
        The best candidate first; NaN where a split was not run.
    names : sequence of str, default=None
        What each is called; by default the number of its row.
    metric : str, default="score"

    Attributes
    ----------
    axes_ : ndarray of shape (2,)
        Those of the scores, and those of the differences.
    ax_ : matplotlib.axes.Axes
        The first of these.
    figure_ : matplotlib.figure.Figure

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine
           Learning 52, 2003.

    Examples
    --------
    >>> from sktune.inspection import SplitsDisplay
    >>> display = SplitsDisplay(scores=[[0.9, 0.7, 0.8], [0.8, 0.7, 0.7]]).plot()
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['0', '1']
    """

    def __init__(
        self,
        *,
        scores: ArrayLike,
        names: Sequence[str] | None = None,
        metric: str = "score",
    ) -> None:
        self.scores = scores
        self.names = names
        self.metric = metric

    @classmethod
    def from_search(
        cls, search: Any, *, ax: Any = None, metric: str | None = None, n: int = 10
    ) -> SplitsDisplay:
        """Draw a fitted search, or the journal of one that may still run.

        Parameters
        ----------
        search : fitted search, or path of a journal
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.
        metric : str, default=None
            The metric to draw, where `scoring` has several; by default the one that
            `refit` names.
        n : int, default=10
            Candidates at most. In a search with rungs they are those that were given
            as much as the best.

        Returns
        -------
        display : SplitsDisplay

        Raises
        ------
        ValueError
            Where no candidate has a score.
        """
        if n < 1:
            raise ValueError(f"n={n!r} must be at least 1: it is how many candidates.")
        record = record_of(search, metric)
        if record.best is None:
            raise ValueError(
                f"{record.search} has no candidate with a score yet, so that there are "
                "no splits to compare."
            )
        amount = record.rows[record.best].n_resources
        rows = [record.rows[i] for i in record.ranked]
        rows = [row for row in rows if row.n_resources == amount][:n]
        scores = np.full((len(rows), record.n_splits), np.nan)
        for i, row in enumerate(rows):
            for k, score in row.scores[record.metric].items():
                scores[i, k] = score
        names = [f"#{row.candidate}" for row in rows]
        return cls(scores=scores, names=names, metric=record.metric).plot(ax)

    def plot(self, ax: Any = None) -> SplitsDisplay:
        """Draw it, in a new figure or in the place of `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes of `matplotlib.pyplot.subplots`, in whose place there will be two.

        Returns
        -------
        display : SplitsDisplay
        """
        scores = np.asarray(self.scores, dtype=float)
        n, n_splits = scores.shape
        high = max(2.4, 1.5 + 0.3 * n)
        above, axes = panels("SplitsDisplay", ax, (8.0, high), 1, 2)
        self.axes_ = axes[0]
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        differences = scores - scores[:1]
        several = n_splits <= len(COLORS)
        handles: dict[str, Any] = {}
        for axes, values in zip(self.axes_, (scores, differences), strict=True):
            for k in range(n_splits):
                label = f"split {k}" if several else "a split"
                handles[label] = axes.scatter(
                    values[:, k],
                    # Side by side, so that equal scores are all seen.
                    np.arange(n) + _aside(k, n_splits),
                    s=14,
                    color=COLORS[k] if several else BLUE,
                    alpha=0.8 if several else 0.5,
                    linewidth=0,
                    zorder=2,
                )
            axes.set_ylim(n - 0.5, -0.5)
            axes.hlines(
                np.arange(n - 1) + 0.5, 0, 1, color="0.9", linewidth=0.7, zorder=0,
                transform=axes.get_yaxis_transform(),
            )  # fmt: skip
        handles["mean"] = self.ax_.scatter(
            np.nanmean(scores, axis=1),
            range(n),
            marker="|",
            s=190,
            color="black",
            zorder=3,
        )
        self._draw_intervals(differences, handles)
        names = self.names if self.names is not None else [str(i) for i in range(n)]
        self.ax_.set_yticks(range(n), names)
        self.ax_.set_ylabel("candidate, the best first")
        self.ax_.set_xlabel(self.metric)
        self.axes_[1].set_yticks(range(n), [""] * n)
        self.axes_[1].set_xlabel("difference to the best, split by split")
        legend_above(above, handles, ncols=4)
        return self

    def _draw_intervals(self, differences: NDArray[Any], handles: Any) -> None:
        axes = self.axes_[1]
        axes.axvline(0.0, color="0.4", linewidth=0.8, linestyle="dotted", zorder=1)
        if len(differences) > 1:
            means, halves = np.array([_interval(row) for row in differences[1:]]).T
            handles["mean difference, 95 % interval"] = axes.errorbar(
                means,
                np.arange(1, len(differences)),
                xerr=halves,
                fmt="|",
                markersize=13,
                color="black",
                elinewidth=1.2,
                capsize=3,
                zorder=3,
            )
            # Of two splits an interval may be so wide that nothing else is seen.
            dots = differences[np.isfinite(differences)]
            far = max(np.ptp(dots), 1e-12)
            low = max(dots.min() - far, min(dots.min(), np.nanmin(means - halves)))
            high = min(dots.max() + far, max(dots.max(), np.nanmax(means + halves)))
            axes.set_xlim(low - 0.05 * far, high + 0.05 * far)


def _aside(k: int, n_splits: int) -> float:
    return 0.0 if n_splits == 1 else 0.5 * (k / (n_splits - 1) - 0.5)


def _interval(differences: NDArray[Any]) -> tuple[float, float]:
    """Mean of what is there, and half of its interval; 0 where that is not known."""
    found = differences[np.isfinite(differences)]
    m = len(found)
    if m < 2:
        return float(found.mean()) if m else np.nan, 0.0
    # Of m splits each tests one part of m, and is trained on m - 1.
    variance = found.var(ddof=1) * (1.0 / m + 1.0 / (m - 1))
    return float(found.mean()), float(student.ppf(_LEVEL, m - 1) * np.sqrt(variance))
