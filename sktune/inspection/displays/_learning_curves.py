"""How candidates learnt, epoch by epoch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from sktune.inspection._learning_curves import (
    by_candidate,
    mean_curve,
    recorded_curves,
)
from sktune.inspection._ranked_scores import floor_of
from sktune.inspection._search_record import record_of
from sktune.inspection.displays._axes import (
    BLUE,
    VERMILLION,
    fading,
    legend_above,
    new_axes,
)

# Kind of a curve: its colour, how opaque it is among few, and its width.
_KINDS = {
    "the best candidate": ("black", 1.0, 2.5),
    "trained to its end": (BLUE, 0.6, 0.9),
    "paused, and not resumed": ("#56B4E9", 0.7, 0.9),
    "stopped": (VERMILLION, 0.6, 0.7),
}
_BEST = "the best candidate"
# Rungs that have a line each; more would be a hatching.
_MOST_RUNGS = 10


class LearningCurvesDisplay:
    """The learning curve of every candidate, the mean over its splits.

    Those that a rule has stopped end in a dot. In a search with rungs thin vertical
    lines are the rungs, and a bar is where a candidate paused and was resumed. The best
    candidate's curve is thick and black. Scores far below the others are cut off.

    It is made by `from_search`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    curves : sequence of dict
        As `curves_` of a search: `candidate`, `split`, `n_resources`, `epochs`,
        `scores`, `on` and `stopped` of each piece of each fit.
    best : int, default=None
        Number of the best candidate.
    failed : collection of int, default=()
        Numbers of candidates that have failed: a cross is at the end of their curves,
        and those that have none are counted.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    learning_curves : The points as a table.

    Examples
    --------
    >>> from sktune.inspection import LearningCurvesDisplay
    >>> curve = {"candidate": 0, "split": 0, "n_resources": None, "epochs": [1, 2],
    ...          "scores": [0.5, 0.7], "on": "test", "stopped": False}
    >>> display = LearningCurvesDisplay(curves=[curve], best=0)
    >>> display.plot().ax_.get_xlabel()
    'epoch'
    """

    def __init__(
        self,
        *,
        curves: Sequence[Mapping[str, Any]],
        best: int | None = None,
        failed: Collection[int] = (),
    ) -> None:
        self.curves = curves
        self.best = best
        self.failed = failed

    @classmethod
    def from_search(
        cls, search: Any, *, ax: Any = None, metric: str | None = None
    ) -> LearningCurvesDisplay:
        """Draw a fitted search, or the journal of one that may still run.

        Parameters
        ----------
        search : fitted search, or path of a journal
            One that has trained nets.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.
        metric : str, default=None
            The metric by which the best candidate is told, where `scoring` has several;
            by default the one that `refit` names.

        Returns
        -------
        display : LearningCurvesDisplay

        Raises
        ------
        ValueError
            Where there are no curves.
        """
        curves, record = recorded_curves(search), record_of(search, metric)
        best = None if record.best is None else record.rows[record.best].candidate
        failed = sorted({row.candidate for row in record.rows if row.failed})
        return cls(curves=curves, best=best, failed=failed).plot(ax)

    def plot(self, ax: Any = None) -> LearningCurvesDisplay:
        """Draw it, in a new figure or into `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : LearningCurvesDisplay
        """
        if ax is None:
            ax = new_axes("LearningCurvesDisplay")
        self.ax_, self.figure_ = ax, ax.figure
        of_candidates = by_candidate(self.curves)
        means = {c: mean_curve(curves) for c, curves in of_candidates.items()}
        handles: dict[str, Any] = {}
        for candidate, curves in of_candidates.items():
            kind = self._kind(candidate, curves)
            line = self._draw_line(kind, means[candidate], len(means), curves)
            handles.setdefault(kind, line)
        ends = [list(mean.values())[-1] for mean in means.values() if mean]
        lowest, highest = ax.get_ylim()
        floor = floor_of(np.array(ends, dtype=float))
        if np.isfinite(ends).any() and floor < highest:
            # A little of what leads there, too.
            ax.set_ylim(max(lowest, floor - 0.05 * (highest - floor)), highest)
        shown = {label: handles[label] for label in _KINDS if label in handles}
        shown |= self._draw_pauses(of_candidates, means)
        shown |= self._draw_failed(means)
        legend_above(ax, shown)
        ax.set_xlabel("epoch")
        on = {curve["on"] for curve in self.curves}
        part = "test" if on == {"test"} else "validation"
        ax.set_ylabel(f"score on the {part} part")
        ax.xaxis.get_major_locator().set_params(integer=True)
        return self

    def _kind(self, candidate: int, curves: Sequence[Mapping[str, Any]]) -> str:
        if candidate == self.best:
            return _BEST
        if any(curve["stopped"] for curve in curves):
            return "stopped"
        reached = max(curve["n_resources"] or 0 for curve in curves)
        most = max(curve["n_resources"] or 0 for curve in self.curves)
        return "paused, and not resumed" if reached < most else "trained to its end"

    def _draw_line(
        self, kind: str, mean: Mapping[int, float], n: int, curves: Sequence[Any]
    ) -> Any:
        color, alpha, width = _KINDS[kind]
        is_stopped = any(curve["stopped"] for curve in curves)
        (line,) = self.ax_.plot(
            list(mean),
            list(mean.values()),
            color=color,
            alpha=alpha if kind == _BEST else fading(n, alpha),
            linewidth=width,
            marker="o" if is_stopped or len(mean) == 1 else None,
            markevery=[-1],
            markersize=3,
            zorder=3 if kind == _BEST else 2,
            label=kind,
        )
        return line

    def _draw_pauses(
        self,
        of_candidates: Mapping[int, Sequence[Mapping[str, Any]]],
        means: Mapping[int, Mapping[int, float]],
    ) -> dict[str, Any]:
        """Rungs, and where candidates were resumed."""
        rungs: set[int] = set()
        pauses: list[tuple[int, int]] = []
        for candidate, curves in of_candidates.items():
            reached = {
                curve["n_resources"]: int(curve["epochs"][-1])
                for curve in curves
                if curve["n_resources"] and len(curve["epochs"])
            }
            rungs.update(reached.values())
            pauses += [(candidate, reached[level]) for level in sorted(reached)[:-1]]
        if 1 < len(rungs) <= _MOST_RUNGS:
            line = {"color": "0.85", "linewidth": 0.8, "zorder": 0}
            self.ax_.vlines(sorted(rungs), *self.ax_.get_ylim(), **line)
        if not pauses:
            return {}
        marks = self.ax_.scatter(
            [epoch for _, epoch in pauses],
            [means[candidate].get(epoch, np.nan) for candidate, epoch in pauses],
            marker="|",
            s=[90 if candidate == self.best else 35 for candidate, _ in pauses],
            color=["black" if c == self.best else BLUE for c, _ in pauses],
            alpha=max(0.35, fading(len(pauses))),
            linewidth=1.2,
            zorder=3,
        )
        return {"paused, and resumed": marks}

    def _draw_failed(self, means: Mapping[int, Mapping[int, float]]) -> dict[str, Any]:
        if not self.failed:
            return {}
        ends = []
        for candidate in self.failed:
            finite = [p for p in means.get(candidate, {}).items() if np.isfinite(p[1])]
            ends += finite[-1:]
        x, y = [epoch for epoch, _ in ends], [score for _, score in ends]
        marks = self.ax_.scatter(x, y, marker="x", color=VERMILLION, s=25, zorder=4)
        n_bare = len(self.failed) - len(ends)
        without = f", {n_bare} without a curve" if n_bare else ""
        return {f"{len(self.failed)} failed{without}": marks}


def plot_learning_curves(search: Any, ax: Any = None) -> Any:
    """Plot the learning curve of every candidate, the mean over its splits.

    As `LearningCurvesDisplay`, which can be drawn again.

    Parameters
    ----------
    search : fitted search, or path of a journal
        As `learning_curves` takes it.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; by default in a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
    """
    return LearningCurvesDisplay.from_search(search, ax=ax).ax_
