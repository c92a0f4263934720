"""The picture of a summary: mean regret after each candidate, for all who search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

TITLES = {
    "all": "{} landscapes",
    "held_out": "{} of them held out",
    "noisy_all": "{} landscapes with noise",
    "noisy_held_out": "{} with noise held out",
}
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
    if not groups:
        raise SystemExit("--plot: there is no landscape on which everybody has run")
    figure, axes = plt.subplots(
        1,
        len(groups),
        figsize=(5 * len(groups), 4.8),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    shades = iter(("#e377c2", "#ff9896", "#8c1b13", "#f7b6d2"))
    colours = COLOURS | {
        name: next(shades, "#d62728")
        for name in summary["searchers"]
        if name.startswith("sktune") and name not in COLOURS
    }
    for ax, group in zip(axes[0], groups, strict=True):
        for name, row in summary["searchers"].items():
            curve = row["curve"][group]
            ours = name.startswith("sktune")
            ax.plot(
                range(1, len(curve) + 1),
                curve,
                label=name,
                color=colours.get(name),
                linewidth=2.2 if ours else 1.3,
                linestyle="--" if name == "random" else "-",
                zorder=3 if ours else 2,
            )
        ax.set_title(TITLES[group].format(len(summary["landscapes"][group])))
        ax.set_xlabel("candidates")
        ax.grid(alpha=0.3)
        ax.set_xlim(1, len(curve))
    axes[0, 0].set_ylabel("mean regret (1: random search of 200 runs)")
    axes[0, 0].set_ylim(bottom=0)
    lines, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside lower center", ncols=4, fontsize=9)
    figure.savefig(path, dpi=120, bbox_inches="tight")
    plt.close(figure)
