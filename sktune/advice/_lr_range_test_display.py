"""A picture of losses over learning rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sktune.inspection.displays._axes import COLORS, legend_above, new_axes

# Parts of the fall of the loss that are drawn above the highest before the explosion.
_ABOVE = 0.3


class LRRangeTestDisplay:
    """Losses over learning rates: one line for each seed, and what is suggested.

    It is made by `from_test`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    learning_rates : array-like of shape (n_steps,)
    losses : sequence of array-like of shape (n_seeds, n_steps)
        Losses of each variant, batch by batch, NaN where they exploded.
    smoothed : sequence of array-like of shape (n_steps,)
        The mean over the seeds, smoothed.
    suggestions : sequence of float
        The rate that is suggested for each variant; NaN where there is none.
    labels : sequence of str
        Names of the variants.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> from sktune.advice import LRRangeTestDisplay
    >>> rates = np.geomspace(1e-4, 1, 50)
    >>> display = LRRangeTestDisplay(
    ...     learning_rates=rates, losses=[[1 - rates]], smoothed=[1 - rates],
    ...     suggestions=[0.1],
    ...     labels=["net"])
    >>> display.plot().ax_.get_xscale()
    'log'
    """

    def __init__(
        self,
        *,
        learning_rates: Any,
        losses: Sequence[Any],
        smoothed: Sequence[Any],
        suggestions: Sequence[float],
        labels: Sequence[str],
    ) -> None:
        self.learning_rates = learning_rates
        self.losses = losses
        self.smoothed = smoothed
        self.suggestions = suggestions
        self.labels = labels

    @classmethod
    def from_test(cls, found: Any, *, ax: Any = None) -> LRRangeTestDisplay:
        """Draw what `lr_range_test` has found.

        Parameters
        ----------
        found : LRRangeTest
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : LRRangeTestDisplay
        """
        display = cls(
            learning_rates=found.learning_rates,
            losses=[curve.losses for curve in found.curves],
            smoothed=[curve.smoothed for curve in found.curves],
            suggestions=[curve.suggestion for curve in found.curves],
            labels=[curve.label for curve in found.curves],
        )
        return display.plot(ax)

    def plot(self, ax: Any = None) -> LRRangeTestDisplay:
        """Draw it, in a new figure or into `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : LRRangeTestDisplay
        """
        if ax is None:
            ax = new_axes("LRRangeTestDisplay")
        handles: dict[str, Any] = {}
        given = (self.labels, self.losses, self.smoothed, self.suggestions)
        for k, one in enumerate(zip(*given, strict=True)):
            label, losses, smoothed, suggestion = one
            color = COLORS[k % len(COLORS)]
            for seed in np.atleast_2d(losses):
                ax.plot(
                    self.learning_rates, seed, color=color, linewidth=0.6, alpha=0.35
                )
            (line,) = ax.plot(self.learning_rates, smoothed, color=color, linewidth=2)
            told = "no suggestion"
            if np.isfinite(suggestion):
                told = f"lr={suggestion:.2g}"
                ax.axvline(suggestion, color=color, linewidth=1.3, linestyle="--")
            handles[f"{label}: {told}"] = line
        ax.set_xscale("log")
        ax.set_ylim(*self._limits())
        ax.set_xlabel("learning rate")
        ax.set_ylabel("training loss")
        legend_above(ax, handles, ncols=1)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _limits(self) -> tuple[float, float]:
        """From the lowest to a little above where sweeps begin: not the explosions."""
        known = [one[np.isfinite(one)] for one in map(np.asarray, self.smoothed)]
        known = [seed for seed in known if seed.size]
        if not known:
            return 0.0, 1.0
        low = min(float(seed.min()) for seed in known)
        high = max(float(np.median(seed[: max(1, len(seed) // 4)])) for seed in known)
        room = (high - low) * _ABOVE or 0.5
        return low - room / 4, high + room
