"""How candidates did from rung to rung."""

from __future__ import annotations

from typing import Any

import numpy as np

from sktune.inspection._axes import new_axes
from sktune.inspection._plot_convergence import floor_of
from sktune.inspection._ranked_scores import scores_of


def plot_rungs(search: Any, ax: Any = None, *, metric: str | None = None) -> Any:
    """Plot the score of every candidate against the resource it was given.

    One line for each candidate that was resumed, one dot for each that was not. The
    best candidate's line is thick.

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
    """
    scores = scores_of(search, metric)
    if scores.n_resources is None:
        raise ValueError(
            f"{type(search).__name__} has no rungs to plot: every candidate was given "
            "everything at once. plot_convergence shows such a search."
        )
    if ax is None:
        ax = new_axes("plot_rungs")
    finite = np.isfinite(scores.mean)
    floor = floor_of(scores.mean[finite])
    best = scores.candidate[scores.rank.argmin()]
    brackets = search.cv_results_.get("bracket", np.zeros(len(scores.mean), dtype=int))
    for candidate in np.unique(scores.candidate):
        rows = np.flatnonzero((scores.candidate == candidate) & finite)
        if not len(rows):
            continue
        bracket = int(brackets[rows[0]])
        is_best = candidate == best
        ax.plot(
            scores.n_resources[rows],
            np.maximum(scores.mean[rows], floor),
            marker="o",
            markersize=6 if is_best else 3,
            linewidth=2.5 if is_best else 0.8,
            color=f"C{bracket % 10}",
            alpha=1.0 if is_best else 0.6,
            zorder=3 if is_best else 2,
            label=f"bracket {bracket}",
        )
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    if len(unique) > 1:
        ax.legend(
            unique.values(),
            unique.keys(),
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=4,
            frameon=False,
        )
    levels = np.unique(scores.n_resources)
    ax.set_xscale("log")
    ax.set_xticks(levels, [str(level) for level in levels])
    ax.minorticks_off()
    ax.set_xlabel(getattr(search, "resource_", "n_resources"))
    ax.set_ylabel(scores.metric)
    return ax
