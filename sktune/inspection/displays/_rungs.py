"""How candidates did from rung to rung."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sktune.inspection._ranked_scores import floor_of
from sktune.inspection._search_record import record_of
from sktune.inspection.displays._axes import (
    COLORS,
    fading,
    legend_above,
    mark_at_the_edge,
    new_axes,
    no_scores,
    thinned,
)

# More tick labels would overlap.
_MOST_TICKS = 10
_BEST = "the best candidate"
_INHERITED = "goes on with the weights of another"


class RungsDisplay:
    """The score of every candidate against the resource that it was given.

    One line for each candidate that was resumed, one dot for each that was not; a
    colour for each bracket. The best candidate's line is thick and black. Of a
    population, a dotted line leads from each child back to its parent.

    It is made by `from_search`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    candidate : array-like of shape (n_rows,)
        Number of the candidate.
    n_resources : array-like of shape (n_rows,)
        What it was given.
    mean : array-like of shape (n_rows,)
        Its mean score there, NaN where it has failed. Candidates far below the others,
        and those that failed, are marked at the lower edge, with their number where
        there are several at one resource.
    bracket : array-like of shape (n_rows,), default=None
    best : int, default=None
        Number of the best candidate.
    metric : str, default="score"
    resource : str, default="n_resources"
        What candidates are given more of.
    parent : array-like of shape (n_rows,), default=None
        The candidate with whose weights it has begun, -1 where that is none.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from sktune.inspection import RungsDisplay
    >>> display = RungsDisplay(
    ...     candidate=[0, 1, 0], n_resources=[1, 1, 3], mean=[0.6, 0.5, 0.8], best=0
    ... )
    >>> [text.get_text() for text in display.plot().ax_.get_xticklabels()]
    ['1', '3']
    """

    def __init__(
        self,
        *,
        candidate: ArrayLike,
        n_resources: ArrayLike,
        mean: ArrayLike,
        bracket: ArrayLike | None = None,
        best: int | None = None,
        metric: str = "score",
        resource: str = "n_resources",
        parent: ArrayLike | None = None,
    ) -> None:
        self.candidate = candidate
        self.n_resources = n_resources
        self.mean = mean
        self.bracket = bracket
        self.best = best
        self.metric = metric
        self.resource = resource
        self.parent = parent

    @classmethod
    def from_search(
        cls, search: Any, *, ax: Any = None, metric: str | None = None
    ) -> RungsDisplay:
        """Draw a fitted search, or the journal of one that may still run.

        Parameters
        ----------
        search : fitted search with rungs, or path of a journal
            Of a `SuccessiveHalvingSearchCV`, `HyperbandSearchCV`,
            `FreezeThawSearchCV` or `PopulationBasedSearchCV`.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.
        metric : str, default=None
            The metric to draw, where `scoring` has several; by default the one that
            `refit` names.

        Returns
        -------
        display : RungsDisplay

        Raises
        ------
        ValueError
            For a search that gives every candidate everything at once.
        """
        record = record_of(search, metric)
        rows, best = record.rows, record.best
        if record.resource is None:
            raise ValueError(
                f"{record.search} has no rungs to plot: every candidate was given "
                "everything at once. plot_convergence shows such a search."
            )
        has_brackets = any(row.bracket is not None for row in rows)
        parents = [-1 if row.parent is None else int(row.parent) for row in rows]
        display = cls(
            candidate=[row.candidate for row in rows],
            n_resources=[row.n_resources or 0 for row in rows],
            mean=[row.score(record.metric) for row in rows],
            bracket=[row.bracket or 0 for row in rows] if has_brackets else None,
            best=None if best is None else rows[best].candidate,
            metric=record.metric,
            resource=record.resource,
            parent=parents if any(parent >= 0 for parent in parents) else None,
        )
        return display.plot(ax)

    def plot(self, ax: Any = None) -> RungsDisplay:
        """Draw it, in a new figure or into `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : RungsDisplay
        """
        if ax is None:
            ax = new_axes("RungsDisplay")
        self.ax_, self.figure_ = ax, ax.figure
        mean = np.asarray(self.mean, dtype=float)
        n_resources = np.asarray(self.n_resources)
        scored = np.isfinite(mean)
        shown = scored & (mean >= floor_of(mean))
        ax.set_xscale("log")
        handles = self._draw_candidates(np.where(shown, mean, np.nan), n_resources)
        handles |= self._draw_descent(np.where(shown, mean, np.nan), n_resources)
        best_first = sorted(handles, key=lambda label: (label != _BEST, label))
        levels = np.unique(n_resources)
        ticks = thinned(levels.tolist(), _MOST_TICKS)
        ax.set_xticks(ticks, [f"{level:g}" for level in ticks])
        ax.minorticks_off()
        if len(levels):
            ax.set_xlim(levels[0] / 1.15, levels[-1] * 1.35)
        marks = mark_at_the_edge(ax, n_resources[scored & ~shown], n_resources[~scored])
        if not scored.any():
            no_scores(ax, len(mean))
        legend_above(ax, {label: handles[label] for label in best_first} | marks)
        ax.set_xlabel(self.resource)
        ax.set_ylabel(self.metric)
        return self

    def _draw_candidates(self, mean: Any, n_resources: Any) -> dict[str, Any]:
        """Their lines; the first of each kind by its label."""
        candidate = np.asarray(self.candidate)
        brackets = np.zeros(len(candidate), dtype=int)
        if self.bracket is not None:
            brackets = np.asarray(self.bracket, dtype=int)
        several = 1 < len(np.unique(brackets)) <= len(COLORS)
        numbers = np.unique(candidate)
        alpha = fading(len(numbers), 0.6)
        handles: dict[str, Any] = {}
        for number in numbers:
            rows = np.flatnonzero(candidate == number)
            if not np.isfinite(mean[rows]).any():
                continue
            rows = rows[np.argsort(n_resources[rows], kind="stable")]
            bracket = int(brackets[rows[0]])
            label = f"candidates of bracket {bracket}" if several else "candidates"
            is_best = number == self.best
            (line,) = self.ax_.plot(
                n_resources[rows],
                mean[rows],
                marker="o",
                markersize=6 if is_best else 3,
                linewidth=2.5 if is_best else 0.8,
                color="black" if is_best else COLORS[bracket if several else 0],
                alpha=1.0 if is_best else alpha,
                zorder=3 if is_best else 2,
                label=_BEST if is_best else label,
            )
            handles.setdefault(line.get_label(), line)
        return handles

    def _draw_descent(self, mean: Any, n_resources: Any) -> dict[str, Any]:
        """Lines from children back to their parents, where there are such."""
        if self.parent is None:
            return {}
        candidate, parents = np.asarray(self.candidate), np.asarray(self.parent)
        handles: dict[str, Any] = {}
        for number in np.unique(candidate[parents >= 0]):
            rows = np.flatnonzero(candidate == number)
            first = rows[np.argmin(n_resources[rows])]
            of_parent = candidate == parents[first]
            before = np.flatnonzero(of_parent & (n_resources < n_resources[first]))
            if not len(before):
                continue
            ends = [before[np.argmax(n_resources[before])], first]
            (line,) = self.ax_.plot(
                n_resources[ends],
                mean[ends],
                linestyle=":",
                linewidth=2.5 if number == self.best else 0.8,
                color="black" if number == self.best else "gray",
                zorder=1,
                label=_INHERITED,
            )
            handles[_INHERITED] = line
        return handles


def plot_rungs(search: Any, ax: Any = None, *, metric: str | None = None) -> Any:
    """Plot the score of every candidate against the resource it was given.

    As `RungsDisplay`, which can be drawn again.

    Parameters
    ----------
    search : fitted search with rungs, or path of a journal
        Of a `SuccessiveHalvingSearchCV`, `HyperbandSearchCV`, `FreezeThawSearchCV` or
        `PopulationBasedSearchCV`; a journal may still grow.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; by default in a new figure.
    metric : str, default=None
        The metric to draw, where `scoring` has several; by default the one that `refit`
        names.

    Returns
    -------
    ax : matplotlib.axes.Axes
        ``ax.figure.savefig("rungs.png")`` saves the picture.

    Raises
    ------
    ValueError
        For a search that gives every candidate everything at once.
    """
    return RungsDisplay.from_search(search, ax=ax, metric=metric).ax_
