"""How candidates did from rung to rung."""

from __future__ import annotations

from typing import Any

import numpy as np

from sktune.inspection._axes import (
    COLORS,
    floor_of,
    legend_above,
    mark_at_the_edge,
    new_axes,
)
from sktune.inspection._ranked_scores import scores_of

# More tick labels would overlap.
_MOST_TICKS = 10
_BEST = "the best candidate"


def plot_rungs(search: Any, ax: Any = None, *, metric: str | None = None) -> Any:
    """Plot the score of every candidate against the resource it was given.

    One line for each candidate that was resumed, one dot for each that was not. The
    best candidate's line is thick and black.

    Needs matplotlib: ``pip install "sktune[plot]"``.

    Parameters
    ----------
    search : fitted search with rungs
        A `SuccessiveHalvingSearchCV` or `HyperbandSearchCV`.
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

    Notes
    -----
    Candidates far below the others, and those that failed, are marked at the lower
    edge, with their number where there are several at one resource.
    """
    scores = scores_of(search, metric)
    if scores.n_resources is None:
        raise ValueError(
            f"{type(search).__name__} has no rungs to plot: every candidate was given "
            "everything at once. plot_convergence shows such a search."
        )
    if ax is None:
        ax = new_axes("plot_rungs")
    scored = np.isfinite(scores.mean)
    floor = floor_of(scores.mean[scored])
    shown = scored & (scores.mean >= floor)
    best = scores.candidate[scores.rank.argmin()]
    brackets = search.cv_results_.get("bracket", np.zeros(len(scores.mean), dtype=int))
    several = 1 < len(np.unique(brackets)) <= len(COLORS)
    handles: dict[str, Any] = {}
    for candidate in np.unique(scores.candidate):
        rows = np.flatnonzero(scores.candidate == candidate)
        if not shown[rows].any():
            continue
        bracket = int(brackets[rows[0]])
        label = f"candidates of bracket {bracket}" if several else "candidates"
        is_best = candidate == best
        (line,) = ax.plot(
            scores.n_resources[rows],
            np.where(shown[rows], scores.mean[rows], np.nan),
            marker="o",
            markersize=6 if is_best else 3,
            linewidth=2.5 if is_best else 0.8,
            color="black" if is_best else COLORS[bracket if several else 0],
            alpha=1.0 if is_best else 0.6,
            zorder=3 if is_best else 2,
            label=_BEST if is_best else label,
        )
        handles.setdefault(line.get_label(), line)
    best_first = sorted(handles, key=lambda label: (label != _BEST, label))
    levels = np.unique(scores.n_resources)
    ax.set_xscale("log")
    ticks = levels[:: -(-len(levels) // _MOST_TICKS)]
    ax.set_xticks(ticks, [str(level) for level in ticks])
    ax.minorticks_off()
    marks = mark_at_the_edge(
        ax, scores.n_resources[scored & ~shown], scores.n_resources[~scored]
    )
    legend_above(ax, {label: handles[label] for label in best_first} | marks)
    ax.set_xlabel(getattr(search, "resource_", "n_resources"))
    ax.set_ylabel(scores.metric)
    return ax
