"""All parameters of all candidates at once, a line for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sktune._text import cut
from sktune.inspection._parallel_places import parallel_places
from sktune.inspection._param_scales import number_text, round_numbers
from sktune.inspection._ranked_scores import floor_of
from sktune.inspection.displays._axes import (
    NAME,
    SCORES,
    VERMILLION,
    fading,
    legend_above,
    new_axes,
    thinned,
)

# Labels beside an axis; more would overlap.
_MOST_TICKS = 12
# Where lines of candidates without a score end.
_FAILED = -0.13

Ticks = Sequence[tuple[float, str]]


class ParallelCoordinatesDisplay:
    """A vertical axis for each parameter, and a line through them for each candidate.

    Axes are logarithmic where the space is, categories are in words, and what a
    candidate does not have, or has None for, is below the numbers. Lines are coloured
    by the score, the last axis, the better the later drawn; those of candidates that
    failed are dashed, and the best candidate's is black. In a search with rungs the
    last but one axis says how far a candidate came.

    It is made by `from_search`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    places : array-like of shape (n_candidates, n_params)
        Where each candidate is on each axis, from 0 to 1, or below.
    mean : array-like of shape (n_candidates,)
        Its mean score, NaN where it has failed.
    names : sequence of str
        What each axis is called.
    ticks : sequence
        Of each axis, pairs of a place and its label.
    best : int, default=None
        Row of the best candidate.
    metric : str, default="score"

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import ParallelCoordinatesDisplay
    >>> grid = {"C": [0.01, 1, 100], "kernel": ["linear", "rbf"]}
    >>> search = GridSearchCV(SVC(), grid).fit(*load_iris(return_X_y=True))
    >>> display = ParallelCoordinatesDisplay.from_search(search)
    >>> display.names
    ['C', 'kernel']
    """

    def __init__(
        self,
        *,
        places: ArrayLike,
        mean: ArrayLike,
        names: Sequence[str],
        ticks: Sequence[Ticks],
        best: int | None = None,
        metric: str = "score",
    ) -> None:
        self.places = places
        self.mean = mean
        self.names = names
        self.ticks = ticks
        self.best = best
        self.metric = metric

    @classmethod
    def from_search(
        cls,
        search: Any,
        *,
        ax: Any = None,
        metric: str | None = None,
        params: Sequence[str] | None = None,
    ) -> ParallelCoordinatesDisplay:
        """Draw a fitted search, or the journal of one that may still run.

        Parameters
        ----------
        search : fitted search, or path of a journal
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.
        metric : str, default=None
            The metric to draw, where `scoring` has several; by default the one that
            `refit` names.
        params : sequence of str, default=None
            Parameters to show, in this order; by default all that vary.

        Returns
        -------
        display : ParallelCoordinatesDisplay

        Raises
        ------
        ValueError
            For a parameter that no candidate has, and where there is no candidate yet.
        """
        return cls(**parallel_places(search, metric, params)).plot(ax)

    def plot(self, ax: Any = None) -> ParallelCoordinatesDisplay:
        """Draw it, in a new figure or into `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : ParallelCoordinatesDisplay
        """
        places = np.asarray(self.places, dtype=float)
        mean = np.asarray(self.mean, dtype=float)
        if ax is None:
            width = max(6.4, 1.25 * (places.shape[1] + 1))
            ax = new_axes("ParallelCoordinatesDisplay", (width, 4.8))
        self.ax_, self.figure_ = ax, ax.figure
        scored = np.isfinite(mean)
        floor = floor_of(mean)
        top = mean[scored].max() if scored.any() else floor
        width = top - floor or 1.0
        ends = np.where(scored, np.maximum(mean, floor), floor) - floor
        ends = np.where(scored, ends / width if top > floor else 0.5, _FAILED)
        lines = np.column_stack([places, ends])
        handles = self._draw_lines(lines, scored)
        self._draw_axes(lines, floor, float(top), bool((mean < floor).any()))
        legend_above(ax, handles, ncols=3)
        return self

    def _draw_lines(self, lines: Any, scored: Any) -> dict[str, Any]:
        from matplotlib import colormaps
        from matplotlib.collections import LineCollection

        ax, x = self.ax_, np.arange(lines.shape[1])
        order = np.argsort(lines[:, -1], kind="stable")
        order = order[scored[order]]
        colors = colormaps[SCORES](0.9 * lines[order, -1])  # its end is too light
        # Good candidates are seen before those that are not.
        alpha = fading(len(order), 0.9, 0.25) + 0.5 * lines[order, -1] ** 4
        colors[:, 3] = np.clip(alpha, 0.0, 1.0)
        paths = [np.column_stack([x, line]) for line in lines[order]]
        many = LineCollection(paths, colors=colors, linewidths=1.0, zorder=2)
        ax.add_collection(many)
        handles: dict[str, Any] = {}
        if self.best is not None:
            (handles["the best candidate"],) = ax.plot(
                x, lines[self.best], color="black", linewidth=2.2, zorder=4
            )
        if len(order) > 1:
            middle = colormaps[SCORES](0.45)
            (handles["candidate, coloured by score"],) = ax.plot([], [], color=middle)
        failed = lines[~scored]
        if len(failed):
            alpha = fading(len(failed), 0.8, 0.25)
            paths = [np.column_stack([x, line]) for line in failed]
            dashed = LineCollection(
                paths,
                colors=VERMILLION,
                linewidths=0.8,
                linestyles="dashed",
                alpha=alpha,
                zorder=1.5,
            )
            ax.add_collection(dashed)
            (handles[f"{len(failed)} failed"],) = ax.plot(
                [], [], color=VERMILLION, linestyle="dashed", linewidth=0.8
            )
        return handles

    def _draw_axes(self, lines: Any, floor: float, top: float, is_cut: bool) -> None:
        ax, n = self.ax_, lines.shape[1]
        scores = [(0.5, number_text(top))]
        if top > floor:
            scores = [
                ((score - floor) / (top - floor), number_text(score))
                for score in round_numbers(floor, top)
            ]
        if is_cut:  # and what would be too near to that
            scores = [(0.0, f"≤ {floor:.3g}"), *(s for s in scores if s[0] > 0.04)]
        if not np.isfinite(np.asarray(self.mean, dtype=float)).any():
            scores = []
        if (lines[:, -1] == _FAILED).any():
            scores = [(_FAILED, "failed"), *scores]
        for j, ticks in enumerate([*self.ticks, scores]):
            ax.axvline(j, color="0.3", linewidth=0.8, zorder=1)
            for at, label in thinned(ticks, _MOST_TICKS):
                ax.annotate(
                    cut(label, 14),
                    (j, at),
                    xytext=(4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize="x-small",
                    zorder=6,
                    bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none",
                          "alpha": 0.75},
                )  # fmt: skip
                ax.plot([j - 0.02, j + 0.02], [at, at], color="0.3", linewidth=0.8)
        names = [cut(name, NAME) for name in [*self.names, self.metric]]
        is_long = max(map(len, names)) > 12
        ax.set_xticks(
            range(n),
            names,
            rotation=20 if is_long else 0,
            ha="right" if is_long else "center",
        )
        ax.set_yticks([])
        ax.set_xlim(-0.15, n - 1 + 0.45)
        ax.set_ylim(min(-0.05, lines.min() - 0.05 if len(lines) else 0.0), 1.05)
        for side in ("left", "right", "top", "bottom"):
            ax.spines[side].set_visible(False)
        ax.tick_params(bottom=False)
