"""How the best score grew as candidates came in."""

from __future__ import annotations

from typing import Any

import numpy as np

from sktune.inspection._axes import new_axes
from sktune.inspection._ranked_scores import scores_of


def plot_convergence(search: Any, ax: Any = None, *, metric: str | None = None) -> Any:
    """Plot every candidate's score, and the best score so far, against candidates.

    In a search with rungs a candidate is there once in each of its rungs, and the best
    is the best among those with the most resources so far.

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
    """
    scores = scores_of(search, metric)
    if ax is None:
        ax = new_axes("plot_convergence")
    number = np.arange(1, len(scores.mean) + 1)
    scored = np.isfinite(scores.mean)
    floor = floor_of(scores.mean[scored])
    shown = scored & (scores.mean >= floor)
    ax.errorbar(
        number[shown],
        scores.mean[shown],
        yerr=scores.std[shown],
        fmt="o",
        markersize=4,
        linewidth=1,
        color="tab:gray",
        label="candidate, mean ± std over splits",
    )
    for where, marker, label in [
        (scored & ~shown, "v", "candidate, further down"),
        (~scored, "x", "candidate, failed"),
    ]:
        if where.any():
            level = np.full(where.sum(), floor)
            ax.plot(number[where], level, marker, color="tab:red", label=label)
    best = [np.argmin(scores.rank[:k]) for k in number]
    ax.step(
        number,
        scores.mean[best],
        where="post",
        color="tab:blue",
        linewidth=2,
        zorder=3,
        label="best so far",
    )
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    ax.set_xlabel("candidate" if scores.n_resources is None else "candidate and rung")
    ax.set_ylabel(scores.metric)
    lowest, highest = ax.get_ylim()
    ax.set_ylim(bottom=max(lowest, floor - 0.05 * (highest - floor)))
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax


def floor_of(means: np.ndarray) -> float:
    """Lowest score to draw to scale: a few bad candidates must not flatten the rest."""
    if not means.size:
        return 0.0
    quarter, best = np.quantile(means, 0.25), means.max()
    return float(max(means.min(), quarter - (best - quarter)))
