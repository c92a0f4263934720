"""The panels of slices and maps of the surrogate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sktune._text import cut
from sktune.inspection._ranked_scores import floor_of
from sktune.inspection.displays._axes import (
    BLUE,
    SCORES,
    STAR,
    VERMILLION,
    fading,
    thinned,
)

_MOST_WORDS = 8  # labels of an axis


class Panels:
    """Draws what a `SurrogateDisplay` holds, panel by panel."""

    def __init__(self, display: Any) -> None:
        self._grids, self._scales = display.grids, display.scales
        self._slices, self._maps = display.slices, display.maps
        self._params, self._best = display.tried, display.best
        self._scores = np.asarray(display.scores, dtype=float)
        self._failed = np.asarray(display.failed, dtype=bool)

    def colors(self, which: int) -> tuple[float, float]:
        """Ends of the colours of the means, as in slices, or of the deviations."""
        floor, top = self.ends()
        if not self._maps:
            return floor, top
        if not which:
            means = np.concatenate([np.ravel(mean) for mean, _ in self._maps.values()])
            return min(floor, floor_of(means)), float(means.max())
        # Small beside the scores is certain.
        found = [float(np.max(std)) for _, std in self._maps.values()]
        return 0.0, max([0.1 * (top - floor), *found])

    def ends(self) -> tuple[float, float]:
        """Least and greatest score of all slices, but for what is far below."""
        scores = self._scores[~self._failed]
        scores = scores[np.isfinite(scores)]
        highs = [float(np.max(high)) for _, _, high in self._slices.values()]
        # Of rungs few come to the end, which is no crowd to be below of.
        floor = min(
            floor_of(np.concatenate([scores, np.asarray(mean, dtype=float)]))
            for mean, _, _ in self._slices.values()
        )
        top = max([scores.max(), *highs])
        return floor, top if top > floor else floor + 1.0

    def draw_slice(self, axes: Any, name: str) -> dict[str, Any]:
        mean, low, high = (np.asarray(part, dtype=float) for part in self._slices[name])
        x = self._places(name, self._grids[name])
        handles: dict[str, Any] = {}
        has, at = self._tried(name)
        scores, failed = self._scores, self._failed
        shown = has & np.isfinite(scores) & ~failed
        floor, top = self.ends()
        above = shown & (scores >= floor)
        handles["candidate"] = axes.scatter(
            at[above],
            scores[above],
            s=8,
            color="0.45",
            alpha=fading(int(above.sum())),
            linewidth=0,
        )
        if self.is_words(name):
            handles["surrogate, mean ± std"] = axes.errorbar(
                x,
                mean,
                yerr=np.maximum([mean - low, high - mean], 0.0),
                fmt="s",
                markersize=4,
                capsize=3,
                color=BLUE,
                zorder=3,
            )
        else:
            axes.fill_between(x, low, high, color=BLUE, alpha=0.2, linewidth=0)
            (handles["surrogate, mean ± std"],) = axes.plot(x, mean, color=BLUE)
        handles["the best candidate"] = axes.scatter(
            at[[self._best]], scores[[self._best]], **STAR
        )
        # The same for all, so that it is seen which parameters matter.
        axes.set_ylim(floor - 0.15 * (top - floor), top + 0.1 * (top - floor))
        edge = axes.get_xaxis_transform()
        below = shown & (scores < floor)
        for which, marker, label in [
            (has & failed, "x", "failed"),
            (below, "v", "further down"),
        ]:
            if which.any():
                handles[label] = axes.scatter(
                    at[which],
                    np.full(int(which.sum()), 0.04),
                    marker=marker,
                    s=16,
                    color=VERMILLION,
                    linewidth=1.0 if marker == "x" else 0.0,
                    alpha=max(0.4, fading(int(which.sum()))),
                    transform=edge,
                )
        return handles

    def draw_map(
        self, axes: Any, vertical: str, across: str, which: int, ends: Any
    ) -> Any:
        pair = (vertical, across)
        flip = pair not in self._maps
        values = np.asarray(
            self._maps[pair[::-1] if flip else pair][which], dtype=float
        )
        image = axes.pcolormesh(
            _edges(
                self._places(across, self._grids[across]),
                self._scales[across],
            ),
            _edges(
                self._places(vertical, self._grids[vertical]),
                self._scales[vertical],
            ),
            values.T if flip else values,
            cmap="Greys" if which else SCORES,
            vmin=ends[0],
            vmax=ends[1],
            rasterized=True,
        )
        has_x, x = self._tried(across)
        has_y, y = self._tried(vertical)
        has, failed = has_x & has_y, self._failed
        n = int(has.sum())
        axes.scatter(
            x[has & ~failed],
            y[has & ~failed],
            s=9 if n < 300 else 4,
            color="white",
            edgecolor="black",
            linewidth=0.4 if n < 300 else 0.2,
            alpha=max(0.5, fading(n)),
        )
        axes.scatter(
            x[has & failed],
            y[has & failed],
            s=16,
            marker="x",
            color=VERMILLION,
            linewidth=1.0,
            alpha=max(0.5, fading(n)),
        )
        axes.scatter(x[[self._best]], y[[self._best]], **STAR)
        return image

    def is_words(self, name: str) -> bool:
        values = self._grids[name]
        return self._scales[name] == "category" or None in values

    def _places(self, name: str, values: Sequence[Any]) -> Any:
        """Where values of a grid are on an axis; words are one apart."""
        if self.is_words(name):
            return np.arange(len(values), dtype=float)
        return np.asarray(values, dtype=float)

    def _tried(self, name: str) -> tuple[Any, Any]:
        """Which candidates have a parameter, and where; words a little aside."""
        has = np.array([name in params for params in self._params])
        if not self.is_words(name):
            values = [params.get(name, np.nan) for params in self._params]
            return has, np.array(values, dtype=float)
        index = {(type(v), v): k for k, v in enumerate(self._grids[name])}
        places = np.array(
            [
                index.get((type(params.get(name)), params.get(name)), np.nan)
                for params in self._params
            ],
            dtype=float,
        )
        aside = np.random.default_rng(0).uniform(-0.3, 0.3, len(places))
        aside[self._best] = 0.0
        return has, places + aside

    def lay_out(self, axis: Any, name: str, set_scale: Any, set_ends: Any) -> None:
        grid = self._grids[name]
        if self.is_words(name):
            labels = [cut(str(value), 14) for value in grid]
            shown = thinned(range(len(grid)), _MOST_WORDS)
            axis.set_ticks(shown, [labels[k] for k in shown])
            set_ends(-0.5, len(grid) - 0.5)
            return
        places = self._places(name, grid)
        if self._scales[name] == "log":
            set_scale("log")
        edges = _edges(places, self._scales[name])
        set_ends(edges[0], edges[-1])


def _edges(places: Any, kind: str) -> Any:
    """Ends of the cells around some places."""
    at = np.log(places) if kind == "log" else places
    if len(at) == 1:
        edges = np.array([at[0] - 0.5, at[0] + 0.5])
    else:
        middles = (at[1:] + at[:-1]) / 2
        edges = np.concatenate([[2 * at[0] - middles[0]], middles,
                                [2 * at[-1] - middles[-1]]])  # fmt: skip
    return np.exp(edges) if kind == "log" else edges


def turn_long_words(axes: Any) -> None:
    longest = max((len(t.get_text()) for t in axes.get_xticklabels()), default=0)
    if longest > 5 or len(axes.get_xticklabels()) > 6:
        for label in axes.get_xticklabels():
            label.set(rotation=35, ha="right", rotation_mode="anchor")
