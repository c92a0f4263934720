"""Where pictures are drawn, and what they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

# Colours that everybody can tell apart (Okabe and Ito, "Color universal design").
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
COLORS = (BLUE, "#E69F00", GREEN, "#CC79A7", "#56B4E9", VERMILLION, "#8C8C00")


def new_axes(name: str) -> Any:
    """Axes in a figure of their own; `name` is the function that needs them."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f'{name} needs matplotlib: pip install "sktune[plot]"'
        ) from error
    return pyplot.subplots(layout="constrained")[1]


def legend_above(ax: Any, handles: dict[str, Any], ncols: int = 2) -> None:
    """What is what, by its label, where it hides nothing."""
    ax.legend(
        handles.values(),
        handles.keys(),
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=ncols,
        frameon=False,
    )


def floor_of(means: np.ndarray) -> float:
    """Lowest score to draw to scale: a few bad candidates must not flatten the rest."""
    if not means.size:
        return 0.0
    quarter, best = np.quantile(means, 0.25), means.max()
    return float(max(means.min(), quarter - (best - quarter)))


def mark_at_the_edge(
    ax: Any, below: Iterable[float], failed: Iterable[float]
) -> dict[str, Any]:
    """Mark at the lower edge, at their x, candidates that have no place in the frame.

    Called when all is drawn that is drawn to scale.

    Returns
    -------
    handles : dict
        What was drawn, by its label.
    """
    handles: dict[str, Any] = {}
    at = ax.get_xaxis_transform()  # y from 0 at the lower edge to 1
    for values, marker, label, height in [
        (below, "v", "candidate, further down", 0.075),
        (failed, "x", "candidate, failed", 0.03),
    ]:
        counts = Counter(float(x) for x in values)
        if not counts:
            continue
        if not handles:  # what is drawn to scale moves up
            lowest, highest = ax.get_ylim()
            ax.set_ylim(bottom=lowest - 0.1 * (highest - lowest))
        (handles[label],) = ax.plot(
            sorted(counts),
            [height] * len(counts),
            marker,
            markersize=5,
            color=VERMILLION,
            transform=at,
            label=label,
        )
        for x, n in counts.items():
            if n > 1:
                ax.annotate(
                    str(n),
                    (x, height),
                    xycoords=at,
                    xytext=(6, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize="small",
                    color=VERMILLION,
                )
    return handles
