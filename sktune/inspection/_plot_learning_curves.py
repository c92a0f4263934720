"""How candidates learnt, epoch by epoch."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sktune.inspection._axes import BLUE, VERMILLION, floor_of, legend_above, new_axes
from sktune.inspection._search_record import curve_of
from sktune.inspection._table import Table
from sktune.journal import read_fits

_KINDS = {
    "trained to its end": (BLUE, 0.5, 0.9),
    "stopped": (VERMILLION, 0.5, 0.7),
    "the best candidate": ("black", 1.0, 2.5),
}


def learning_curves(search: Any) -> Table:
    """Return the learning curves of a search's nets, point by point.

    Parameters
    ----------
    search : fitted search, or path of a journal
        One that has trained nets; its journal may still grow.

    Returns
    -------
    table : Table
        A list with a dict for each point: `candidate`, `split`, `n_resources` (None
        where candidates get everything at once), `epoch`, `score` (greater is better),
        where it was scored (`on` "train_split", the net's own validation part, or
        "test", the test part of the split) and whether a rule has `stopped` the
        training. ``pandas.DataFrame(table)`` takes it.

    Raises
    ------
    ValueError
        Where there are no curves: no nets were trained, or none that keep a part for
        validation.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skorch import NeuralNetRegressor
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import learning_curves
    >>> net = NeuralNetRegressor(torch.nn.Linear, module__in_features=2,
    ...                          module__out_features=1, max_epochs=2, verbose=0)
    >>> X = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
    >>> search = GridSearchCV(net, {"lr": [0.1, 0.01]}, cv=2).fit(X, X[:, :1])
    >>> [(row["candidate"], row["split"], row["epoch"])
    ...  for row in learning_curves(search)][:3]
    [(0, 0, 1), (0, 0, 2), (0, 1, 1)]
    """
    return Table(
        {
            "candidate": curve["candidate"],
            "split": curve["split"],
            "n_resources": curve["n_resources"],
            "epoch": epoch,
            "score": score,
            "on": curve["on"],
            "stopped": curve["stopped"],
        }
        for curve in _curves_of(search)
        for epoch, score in zip(curve["epochs"], curve["scores"], strict=True)
    )


def plot_learning_curves(search: Any, ax: Any = None) -> Any:
    """Plot the learning curve of every candidate, the mean over its splits.

    Fits that a rule has stopped end in a dot. The curve of the best candidate of a
    fitted search is thick and black.

    Needs matplotlib: ``pip install "sktune[plot]"``.

    Parameters
    ----------
    search : fitted search, or path of a journal
        As `learning_curves` takes it.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; by default in a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes

    Notes
    -----
    Scores far below the others are cut off at the lower edge.
    """
    of_candidates = by_candidate(_curves_of(search))
    if ax is None:
        ax = new_axes("plot_learning_curves")
    best = _best_of(search)
    handles: dict[str, Any] = {}
    ends = []
    for candidate, curves in of_candidates.items():
        mean = mean_curve(curves)
        epochs, scores = list(mean), list(mean.values())
        is_stopped = any(curve["stopped"] for curve in curves)
        label = "stopped" if is_stopped else "trained to its end"
        label = "the best candidate" if candidate == best else label
        color, alpha, width = _KINDS[label]
        (line,) = ax.plot(
            epochs,
            scores,
            color=color,
            alpha=alpha,
            linewidth=width,
            marker="o" if is_stopped or len(epochs) == 1 else None,
            markevery=[-1],
            markersize=3,
            zorder=3 if candidate == best else 2,
            label=label,
        )
        handles.setdefault(label, line)
        ends += [score for score in scores[-1:] if np.isfinite(score)]
    lowest, highest = ax.get_ylim()
    ax.set_ylim(max(lowest, floor_of(np.array(ends))), highest)
    legend_above(ax, {label: handles[label] for label in _KINDS if label in handles})
    ax.set_xlabel("epoch")
    on = {curve["on"] for curves in of_candidates.values() for curve in curves}
    ax.set_ylabel(
        "score on the test part" if on == {"test"} else "score on the validation part"
    )
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax


def by_candidate(curves: Sequence[Mapping[str, Any]]) -> dict[int, list[Any]]:
    """Rows of `curves_`, those of a candidate together."""
    found: dict[int, list[Any]] = {}
    for curve in curves:
        found.setdefault(curve["candidate"], []).append(curve)
    return found


def mean_curve(curves: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    """By epoch, the mean of those fits of a candidate that came as far."""
    points: dict[int, dict[int, float]] = {}
    for curve in curves:  # of a fit that went on, the latest has all
        for epoch, score in zip(curve["epochs"], curve["scores"], strict=True):
            points.setdefault(int(epoch), {})[curve["split"]] = score
    return {k: float(np.mean(list(points[k].values()))) for k in sorted(points)}


def _best_of(search: Any) -> int | None:
    index = getattr(search, "best_index_", None)
    if index is None:
        return None
    candidates = search.cv_results_.get("candidate")
    return int(index if candidates is None else candidates[index])


def _curves_of(search: Any) -> list[dict[str, Any]]:
    """The rows of `curves_`, of a search or of a journal."""
    curves = getattr(search, "curves_", [])
    if isinstance(search, str | os.PathLike):
        curves = [curve_of(fit) for fit in read_fits(search) if "curve" in fit]
    if not curves:
        raise ValueError(
            f"{search!r} has no learning curves: no nets were trained, or none that "
            "keep a part for validation (train_split) or are stopped early "
            "(early_stopping)."
        )
    return list(curves)
