"""Candidates by two objectives or more, and their front."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sktune._pareto import non_dominated
from sktune.inspection._pareto_front import Objectives, front_of
from sktune.inspection.displays._axes import (
    BLUE,
    STAR,
    fading,
    legend_above,
    new_axes,
    no_scores,
    panels,
)


class ParetoFrontDisplay:
    """Every candidate by two objectives, and those that no other beats in both.

    Two objectives are the two axes. The line is what candidates of the front come to:
    whoever lies behind it is beaten by one of them. Bars are a standard error over the
    splits to each side. Of three objectives or more there is a panel for each pair,
    without a line: who is on the front of all need not be on that of two.

    It is made by `from_search`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    values : array-like of shape (n_candidates, n_objectives)
    errors : array-like of shape (n_candidates, n_objectives), default=None
        Standard errors; NaN where there is none.
    names : sequence of str, default=None
        Of the objectives.
    signs : sequence of float, default=None
        1 where greater is better, -1 where less is; by default 1.
    best : int, default=None
        Row of the candidate that the search calls its best.

    Attributes
    ----------
    axes_ : ndarray of shape (n_pairs,)
        Axes of the pairs of objectives.
    ax_ : matplotlib.axes.Axes
        The first of these.
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    sktune.inspection.pareto_front : The front as a table.

    Examples
    --------
    >>> from sktune.inspection import ParetoFrontDisplay
    >>> values = [[0.9, -30.0], [0.8, -10.0], [0.7, -20.0]]
    >>> display = ParetoFrontDisplay(values=values, names=["accuracy", "size"]).plot()
    >>> display.ax_.get_xlabel()
    'size'
    """

    def __init__(
        self,
        *,
        values: ArrayLike,
        errors: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        signs: Sequence[float] | None = None,
        best: int | None = None,
    ) -> None:
        self.values = values
        self.errors = errors
        self.names = names
        self.signs = signs
        self.best = best

    @classmethod
    def from_search(
        cls, search: Any, objectives: Objectives = None, *, ax: Any = None
    ) -> ParetoFrontDisplay:
        """Draw a fitted search, or the journal of one that may still run.

        Parameters
        ----------
        search : fitted search, or path of a journal
        objectives : sequence of str, or dict, default=None
            As :func:`sktune.inspection.pareto_front` takes them.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : ParetoFrontDisplay

        Raises
        ------
        ValueError
            As `pareto_front`.
        """
        front = front_of(search, objectives)
        best = front.record.best
        return cls(
            values=front.values,
            errors=front.errors,
            names=front.names,
            signs=front.signs.tolist(),
            best=front.rows.index(best) if best in front.rows else None,
        ).plot(ax)

    def plot(self, ax: Any = None) -> ParetoFrontDisplay:
        """Draw it, in a new figure or in the place of `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes of `matplotlib.pyplot.subplots`; with three objectives or more there
            will be several in their place.

        Returns
        -------
        display : ParetoFrontDisplay
        """
        values = np.asarray(self.values, dtype=float)
        pairs = list(combinations(range(values.shape[1]), 2))
        above = None
        if len(pairs) == 1:
            axes = [new_axes("ParetoFrontDisplay") if ax is None else ax]
        else:
            columns = min(len(pairs), 3)
            n_rows = -(-len(pairs) // columns)
            size = (3.6 * columns, 0.6 + 3.2 * n_rows)
            above, grid = panels("ParetoFrontDisplay", ax, size, n_rows, columns)
            axes = grid.ravel().tolist()
            for rest in axes[len(pairs) :]:
                rest.set_axis_off()
        self.axes_ = np.array(axes[: len(pairs)], dtype=object)
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        signs = np.ones(values.shape[1]) if self.signs is None else self.signs
        signs = np.asarray(signs, dtype=float)
        is_on = non_dominated(signs * values)
        handles: dict[str, Any] = {}
        for axes, (up, along) in zip(self.axes_, pairs, strict=True):
            handles |= self._draw_pair(axes, values[:, [along, up]], is_on, [along, up])
            if len(pairs) == 1 and is_on.any():
                self._draw_line(values[is_on][:, [along, up]], signs[[along, up]])
        if handles:
            legend_above(self.ax_ if above is None else above, handles, ncols=3)
        return self

    def _draw_pair(self, ax: Any, xy: Any, is_on: Any, which: list[int]) -> Any:
        """Candidates by two of the objectives."""
        names = self.names or [f"objective {j}" for j in range(1 + max(which))]
        ax.set_xlabel(names[which[0]])
        ax.set_ylabel(names[which[1]])
        if not len(xy):
            no_scores(ax, 0)
            return {}
        handles: dict[str, Any] = {}
        rest = xy[~is_on]
        if len(rest):
            handles["candidate"] = ax.scatter(
                *rest.T, s=16, color="0.5", alpha=fading(len(rest)), linewidth=0
            )
        if self.errors is not None:
            errors = np.asarray(self.errors, dtype=float)[is_on][:, which]
            bars = np.nan_to_num(errors)
            ax.errorbar(
                *xy[is_on].T, xerr=bars[:, 0], yerr=bars[:, 1],
                fmt="none", ecolor=BLUE, elinewidth=1, alpha=0.6, zorder=3,
            )  # fmt: skip
        label = "on the front, ± standard error" if self.errors is not None else ""
        handles[label or "on the front"] = ax.scatter(
            *xy[is_on].T, s=30, color=BLUE, zorder=4, linewidth=0
        )
        if self.best is not None:
            handles["best"] = ax.scatter(*xy[self.best], **STAR)
        return handles

    def _draw_line(self, front: Any, signs: Any) -> None:
        """The edge of what the front has beaten."""
        order = np.argsort(front[:, 0] * signs[0], kind="stable")
        # From one to the next that is better along x, the lower of both counts.
        where = "pre"
        self.ax_.step(*front[order].T, where=where, color=BLUE, linewidth=1.2, zorder=2)
