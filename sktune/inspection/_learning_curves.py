"""How candidates learnt, epoch by epoch, as a table."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sktune.inspection._ranked_scores import of_fitted
from sktune.inspection._search_record import curves_of
from sktune.inspection._table import Table
from sktune.journal import read_fits


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
        for curve in recorded_curves(search)
        for epoch, score in zip(curve["epochs"], curve["scores"], strict=True)
    )


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


def recorded_curves(search: Any) -> list[dict[str, Any]]:
    """The rows of `curves_`, of a search or of a journal."""
    is_journal = isinstance(search, str | os.PathLike)
    curves = of_fitted(search, "curves_")
    if is_journal:
        curves = curves_of(read_fits(search))
    if not curves:
        what = repr(os.fspath(search)) if is_journal else type(search).__name__
        raise ValueError(
            f"{what} has no learning curves: no nets were trained, or none that "
            "keep a part for validation (train_split) or are stopped early "
            "(early_stopping)."
        )
    return list(curves)
