"""How the best score grew as candidates came in."""

from __future__ import annotations

from typing import Any

import numpy as np

from sktune.inspection._axes import (
    BLUE,
    floor_of,
    legend_above,
    mark_at_the_edge,
    new_axes,
)
from sktune.inspection._ranked_scores import RankedScores, resource_of, scores_of


def plot_convergence(search: Any, ax: Any = None, *, metric: str | None = None) -> Any:
    """Plot every candidate's score, and the best score so far, against candidates.

    In a search with rungs a candidate is there once in each of its rungs. Scores at
    different resources are not compared: each resource has a colour, and a best so far
    of its own, which is thick for the largest.

    Needs matplotlib: ``pip install "sktune[plot]"``.

    Parameters
    ----------
    search : fitted search
        Any search with scikit-learn's ``cv_results_``.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; by default in a new figure.
    metric : str, default=None
        The metric to draw, where `scoring` has several; by default the one that `refit`
        names.

    Returns
    -------
    ax : matplotlib.axes.Axes
        ``ax.figure.savefig("convergence.png")`` saves the picture.

    Notes
    -----
    Candidates far below the others, and those that failed, are marked at the lower
    edge.
    """
    scores = scores_of(search, metric)
    if ax is None:
        ax = new_axes("plot_convergence")
    number = np.arange(1, len(scores.mean) + 1)
    scored = np.isfinite(scores.mean)
    floor = floor_of(scores.mean[scored])
    shown = scored & (scores.mean >= floor)
    label = "candidate, mean ± std over splits"
    of_any = ax.errorbar([], [], yerr=[], fmt="o", markersize=4, color="0.5")
    handles: dict[str, Any] = {label: of_any}
    levels = np.zeros(len(number)) if scores.n_resources is None else scores.n_resources
    for level, color in _colors(scores.n_resources):
        here = np.flatnonzero((levels == level) if level else number)
        rows = here[shown[here]]
        if not len(rows):
            continue
        ax.errorbar(
            number[rows],
            scores.mean[rows],
            yerr=scores.std[rows],
            fmt="o",
            markersize=4,
            linewidth=1,
            color=color if level else "0.5",
            alpha=0.7,
        )
        x, best = _best_so_far(number, scores, here)
        label = "best so far"
        if level:
            label = f"best at {resource_of(search)}={level}"
            # To be seen where there is one candidate only.
            x, best = np.append(x, x[-1] + 0.5), np.append(best, best[-1])
        (handles[label],) = ax.step(
            x,
            np.where(best >= floor, best, np.nan),  # what lies below has no place
            where="post",
            color=color,
            linewidth=2.5 if level == max(levels) else 1.2,
            zorder=3,
            label=label,
        )
    handles |= mark_at_the_edge(ax, number[scored & ~shown], number[~scored])
    legend_above(ax, handles)
    ax.set_xlabel("candidate" if scores.n_resources is None else "candidate and rung")
    ax.set_ylabel(scores.metric)
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax


def _colors(n_resources: np.ndarray | None) -> list[tuple[int, Any]]:
    """Each resource with a colour, from the smallest; 0 where there is none."""
    if n_resources is None:
        return [(0, BLUE)]
    from matplotlib import colormaps

    levels = np.unique(n_resources)
    # Not to its end, which is too light on white.
    colors = colormaps["viridis"](np.linspace(0.8, 0.0, len(levels)))
    return [(int(level), c) for level, c in zip(levels, colors, strict=True)]


def _best_so_far(
    number: np.ndarray, scores: RankedScores, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where some rows are, and the best of them so far."""
    best, steps = rows[0], []
    for row in rows:
        best = row if scores.rank[row] < scores.rank[best] else best
        steps.append(best)
    return number[rows], scores.mean[steps]
