"""How the best score grew as candidates came in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sktune.inspection._ranked_scores import floor_of
from sktune.inspection._search_record import SearchRecord, record_of
from sktune.inspection.displays._axes import (
    BLUE,
    SCORES,
    fading,
    legend_above,
    mark_at_the_edge,
    new_axes,
    no_scores,
)


class ConvergenceDisplay:
    """Every candidate's score, and the best score so far, in the order of candidates.

    In a search with rungs a candidate is there once in each of its rungs. Scores at
    different resources are not compared: each resource has a colour, and a best so far
    of its own, which is thick for the largest.

    It is made by `from_search`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    mean : array-like of shape (n_rows,)
        Mean score of each candidate, NaN where it has failed. Candidates far below the
        others, and those that failed, are marked at the lower edge.
    std : array-like of shape (n_rows,), default=None
        Standard deviation over the splits.
    n_resources : array-like of shape (n_rows,), default=None
        What each was given, in a search with rungs.
    best : array-like of shape (n_rows,), default=None
        The best score so far at the resource of each; by default the greatest.
    metric : str, default="score"
    resource : str, default="n_resources"
        What candidates are given more of.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import ConvergenceDisplay
    >>> search = GridSearchCV(SVC(), {"C": [0.01, 1, 100]})
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> display = ConvergenceDisplay.from_search(search)
    >>> display.ax_.get_ylabel()
    'score'
    """

    def __init__(
        self,
        *,
        mean: ArrayLike,
        std: ArrayLike | None = None,
        n_resources: ArrayLike | None = None,
        best: ArrayLike | None = None,
        metric: str = "score",
        resource: str = "n_resources",
    ) -> None:
        self.mean = mean
        self.std = std
        self.n_resources = n_resources
        self.best = best
        self.metric = metric
        self.resource = resource

    @classmethod
    def from_search(
        cls, search: Any, *, ax: Any = None, metric: str | None = None
    ) -> ConvergenceDisplay:
        """Draw a fitted search, or the journal of one that may still run.

        Parameters
        ----------
        search : fitted search, or path of a journal
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.
        metric : str, default=None
            The metric to draw, where `scoring` has several; by default the one that
            `refit` names.

        Returns
        -------
        display : ConvergenceDisplay
        """
        record = record_of(search, metric)
        rows, metric = record.rows, record.metric
        display = cls(
            mean=[row.score(metric) for row in rows],
            std=[row.std(metric) for row in rows],
            n_resources=[r.n_resources or 0 for r in rows] if record.resource else None,
            best=_best_so_far(record),
            metric=metric,
            resource=record.resource or "n_resources",
        )
        return display.plot(ax)

    def plot(self, ax: Any = None) -> ConvergenceDisplay:
        """Draw it, in a new figure or into `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : ConvergenceDisplay
        """
        if ax is None:
            ax = new_axes("ConvergenceDisplay")
        self.ax_, self.figure_ = ax, ax.figure
        mean = np.asarray(self.mean, dtype=float)
        number = np.arange(len(mean))
        scored = np.isfinite(mean)
        floor = floor_of(mean)
        shown = scored & (mean >= floor)
        handles: dict[str, Any] = {}
        levels = np.zeros(len(mean))
        if self.n_resources is not None:
            levels = np.asarray(self.n_resources, dtype=float)
        if shown.any():
            label = "candidate, mean ± std over splits"
            handles[label] = ax.errorbar(
                [], [], yerr=[], fmt="o", markersize=4, color="0.5"
            )
        for level, color in _colors(levels, self.n_resources is not None):
            here = levels == level
            if (here & shown).any():
                label = f"best at {self.resource}={level:g}" if level else "best so far"
                self._draw_points(number, here & shown, color if level else "0.5")
                handles[label] = self._draw_best(
                    label, number[here], here, floor, color, level == levels.max()
                )
        handles |= mark_at_the_edge(ax, number[scored & ~shown], number[~scored])
        if not scored.any():
            no_scores(ax, len(mean))
        if handles:
            legend_above(ax, handles)
        ax.set_xlabel("candidate" if self.n_resources is None else "candidate and rung")
        ax.set_ylabel(self.metric)
        ax.xaxis.get_major_locator().set_params(integer=True)
        if len(mean) == 1:
            ax.set_xlim(0.0, 2.0)
        return self

    def _draw_points(self, number: Any, rows: Any, color: Any) -> None:
        n = len(rows)
        self.ax_.errorbar(
            number[rows],
            np.asarray(self.mean)[rows],
            yerr=None if self.std is None else np.asarray(self.std)[rows],
            fmt="o",
            markersize=4 if n < 100 else 3,
            linewidth=1 if n < 100 else 0.6,
            color=color,
            alpha=fading(n),
        )

    def _draw_best(
        self, label: str, x: Any, rows: Any, floor: float, color: Any, is_last: bool
    ) -> Any:
        if self.best is not None:
            best = np.asarray(self.best, dtype=float)[rows]
        else:
            best = np.fmax.accumulate(np.asarray(self.mean, dtype=float)[rows])
        if self.n_resources is not None:  # to be seen where there is one candidate only
            x, best = np.append(x, x[-1] + 0.5), np.append(best, best[-1])
        (line,) = self.ax_.step(
            x,
            # What lies below has no place.
            np.where(np.nan_to_num(best, nan=-np.inf) >= floor, best, np.nan),
            where="post",
            color=color,
            linewidth=2.5 if is_last else 1.2,
            zorder=3,
            label=label,
        )
        return line


def plot_convergence(search: Any, ax: Any = None, *, metric: str | None = None) -> Any:
    """Plot every candidate's score, and the best score so far, against candidates.

    As `ConvergenceDisplay`, which can be drawn again.

    Parameters
    ----------
    search : fitted search, or path of a journal
        Any search with scikit-learn's ``cv_results_``; a journal may still grow.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; by default in a new figure.
    metric : str, default=None
        The metric to draw, where `scoring` has several; by default the one that `refit`
        names.

    Returns
    -------
    ax : matplotlib.axes.Axes
        ``ax.figure.savefig("convergence.png")`` saves the picture.
    """
    return ConvergenceDisplay.from_search(search, ax=ax, metric=metric).ax_


def _colors(levels: Any, has_rungs: bool) -> list[tuple[float, Any]]:
    """Each resource with a colour, from the smallest; 0 where there is none."""
    if not has_rungs:
        return [(0.0, BLUE)]
    from matplotlib import colormaps

    found = np.unique(levels)
    # Not to its end, which is too light on white.
    colors = colormaps[SCORES](np.linspace(0.8, 0.0, len(found)))
    return [(float(level), c) for level, c in zip(found, colors, strict=True)]


def _best_so_far(record: SearchRecord) -> list[float]:
    """Of each row the best so far at its resource; what is whole counts before."""
    best: dict[Any, tuple[Any, ...]] = {}
    found = []
    for row in record.rows:
        score = row.score(record.metric)
        if np.isfinite(score):
            key = (not row.stopped, row.n_run, score)
            best[row.n_resources] = max(best.get(row.n_resources, key), key)
        found.append(best[row.n_resources][-1] if row.n_resources in best else np.nan)
    return found
