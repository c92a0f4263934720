"""The picture of a summary: mean regret after each candidate, for all who search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

TITLES = {"all": "{} landscapes", "held_out": "{} of them held out"}
COLOURS = {
    "random": "#999999",
    "sktune Bayes": "#d62728",
    "Optuna GP": "#1f77b4",
    "Optuna TPE": "#17becf",
    "hyperopt TPE": "#2ca02c",
    "SMAC": "#9467bd",
    "BoTorch": "#ff7f0e",
    "scikit-optimize": "#8c564b",
}


def plot(summary: dict[str, Any], path: Path) -> None:
    groups = [group for group in TITLES if group in summary["landscapes"]]
    figure, axes = plt.subplots(
        1, len(groups), figsize=(5 * len(groups), 4.2), sharey=True, squeeze=False
    )
    for ax, group in zip(axes[0], groups, strict=True):
        for name, row in summary["searchers"].items():
            curve = row["curve"][group]
            ours = name.startswith("sktune")
            ax.plot(
                range(1, len(curve) + 1),
                curve,
                label=name,
                color=COLOURS.get(name),
                linewidth=2.4 if ours else 1.3,
                linestyle="--" if name == "random" else "-",
                zorder=3 if ours else 2,
            )
        ax.set_title(TITLES[group].format(len(summary["landscapes"][group])))
        ax.set_xlabel("candidates")
        ax.grid(alpha=0.3)
        ax.set_xlim(1, len(curve))
    axes[0, 0].set_ylabel("mean regret (1: random search of 200 runs)")
    axes[0, 0].set_ylim(bottom=0)
    axes[0, -1].legend(fontsize=8, loc="upper right")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
