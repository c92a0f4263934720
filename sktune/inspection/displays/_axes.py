"""Where pictures are drawn, and what they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

# Colours that everybody can tell apart (Okabe and Ito, "Color universal design").
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
COLORS = (BLUE, "#E69F00", GREEN, "#CC79A7", "#56B4E9", VERMILLION, "#8C8C00")
# Of scores, from low to high; it is told apart in grey, too.
SCORES = "viridis"
# Characters of a name beside others.
NAME = 22
# How the best candidate is marked among points.
STAR: dict[str, Any] = {
    "marker": "*",
    "s": 170,
    "color": "#E69F00",
    "edgecolor": "black",
    "linewidth": 0.8,
    "zorder": 5,
}
# About, in the default font.
_POINTS_OF_A_LETTER, _POINTS_OF_A_MARK = 5.2, 35.0
# A legend may be wider than its axes are before they are laid out.
_SPARE = 1.15


def new_axes(name: str, size: tuple[float, float] | None = None) -> Any:
    """Axes in a figure of their own; `name` is the function that needs them."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f'{name} needs matplotlib: pip install "sktune[plot]"'
        ) from error
    return pyplot.subplots(layout="constrained", figsize=size)[1]


def panels(
    name: str, ax: Any, size: tuple[float, float], n_rows: int, n_columns: int
) -> tuple[Any, Any]:
    """Axes of a legend, and a grid of axes, in the place of `ax` or in a new figure."""
    if ax is None:
        ax = new_axes(name, size)
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError(
            f"ax={ax!r} has no place in a grid, and {name} has several panels. Give "
            "axes of pyplot.subplots, or leave ax out."
        )
    ax.set_axis_off()
    # Above them there is room for a legend.
    top, below = place.subgridspec(2, 1, height_ratios=[0.001, 1.0])
    legend = ax.figure.add_subplot(top)
    legend.set_axis_off()
    grid = below.subgridspec(n_rows, n_columns)
    axes = np.empty((n_rows, n_columns), dtype=object)
    for i, j in np.ndindex(axes.shape):
        axes[i, j] = ax.figure.add_subplot(grid[i, j])
    return legend, axes


def legend_above(ax: Any, handles: dict[str, Any], ncols: int = 2) -> None:
    """What is what, by its label, where it hides nothing.

    Axes beside others are narrow; a legend that is wider would make them narrower yet.
    """
    room = ax.get_window_extent().width / ax.figure.dpi * 72 * _SPARE
    while ncols > 1 and _width_of_legend(list(handles), ncols) > room:
        ncols -= 1
    legend = ax.legend(
        handles.values(),
        handles.keys(),
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=ncols,
        frameon=False,
    )
    for handle in legend.legend_handles:  # one of many that are faint
        if hasattr(handle, "set_alpha"):
            handle.set_alpha(1.0)


def _width_of_legend(labels: Sequence[str], ncols: int) -> float:
    """In points, about; columns are filled one after the other."""
    n_rows = -(-len(labels) // ncols)
    columns = [labels[k : k + n_rows] for k in range(0, len(labels), n_rows or 1)]
    longest = [max(map(len, column)) for column in columns]
    return sum(n * _POINTS_OF_A_LETTER + _POINTS_OF_A_MARK for n in longest)


def fading(n: int, most: float = 0.7, least: float = 0.15) -> float:
    """How opaque each of n things is, of which many overlap."""
    return float(np.clip(most * (60 / max(n, 1)) ** 0.5, least, most))


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


def no_scores(ax: Any, n: int) -> None:
    """Frame for a search in which nothing has a score: there is no scale to show."""
    ax.set_ylim(0, 1)
    ax.set_yticks([])
    what = "no candidate has a score" if n else "no candidate has been scored yet"
    ax.text(0.5, 0.5, what, transform=ax.transAxes, ha="center", color="0.4")


def thinned(ticks: Sequence[Any], most: int) -> Sequence[Any]:
    """Not more than so many of them, the last among them."""
    return list(ticks)[:: -(-len(ticks) // most) or 1]
