"""Who has reached the reference, and after which part of its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from reached import GOAL, REFERENCE, Compared

# Okabe and Ito's colours, which the colour-blind tell apart. Peers are dashed; with
# racing and early stopping, or all splits in every rung, the colour is that of the
# search without them.
LINES = {
    REFERENCE: ("#000000", "--"),
    "sklearn-halving": ("#999999", "--"),
    "optuna": ("#E69F00", "--"),
    "random-stacked": ("#56B4E9", "-"),
    "bayes-stacked": ("#CC79A7", "-"),
    "random-racing-growth-stacked": ("#56B4E9", "-."),
    "bayes-racing-growth-stacked": ("#CC79A7", "-."),
    "halving-stacked": ("#009E73", ":"),
    "hyperband-bayes-stacked": ("#D55E00", ":"),
    "halving-few-splits-stacked": ("#009E73", "-"),
    "hyperband-few-splits-stacked": ("#0072B2", "-"),
    "hyperband-bayes-few-splits-stacked": ("#D55E00", "-"),
}
LIMITS = 0.004, 2.0


def draw(methods: Mapping[str, Sequence[Compared]], path: Path) -> None:
    """A step line for each of `LINES` that was run on all data sets.

    Where seeds are missing, the share is of those that are there.
    """
    figure, axes = plt.subplots(figsize=(9.5, 5))
    pairs = methods[REFERENCE]
    for method, (colour, style) in LINES.items():
        found = methods.get(method, ())
        if {one.data for one in found} == {one.data for one in pairs}:
            missing = len(pairs) - len(found)
            label = f"{method} ({len(found)} of {len(pairs)})" if missing else method
            times = np.sort([one.reached for one in found])
            shares = 100 * np.arange(1, len(times) + 1) / len(times)
            n_reached = int(np.isfinite(times).sum())
            x = [LIMITS[0], *times[:n_reached], LIMITS[1]]
            y = [0, *shares[:n_reached], shares[n_reached - 1] if n_reached else 0]
            axes.step(
                x, y, where="post", color=colour, linestyle=style, lw=2, label=label
            )
    axes.axvline(GOAL, color="#666666", lw=1)
    axes.text(GOAL, 101.5, "1/40", ha="center", va="bottom", color="#666666")
    axes.set_xscale("log")
    axes.set_xlim(*LIMITS)
    axes.set_ylim(0, 101)
    ticks = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("processor time until reached, over the time of the reference")
    axes.set_ylabel("reached the reference, % of data sets and seeds")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
