"""What became of single fits: the rows of `leases_`, `paths_` and `curves_`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sktune._types import Evaluation, FitOutcome

Rows = list[dict[str, Any]]


def leases_of(evaluations: list[Evaluation]) -> Rows:
    """The leases of all fits, the earliest first."""
    return sorted(_rows(evaluations, lease_rows), key=lambda row: row["start"])


def paths_of(evaluations: list[Evaluation]) -> Rows:
    """How the nets of all fits were trained, in the order of the decisions."""
    return _rows(evaluations, path_rows)


def curves_of(evaluations: list[Evaluation]) -> Rows:
    """The learning curves of all fits, in the order of the decisions."""
    return _rows(evaluations, curve_rows)


def _rows(evaluations: list[Evaluation], rows_of: Callable[..., Rows]) -> Rows:
    return [
        row
        for one in evaluations
        for split, outcome in sorted(one.outcomes.items())
        for row in rows_of(
            outcome,
            candidate=one.candidate.id,
            split=split,
            n_resources=one.n_resources,
        )
    ]


def lease_rows(outcome: FitOutcome, **of: Any) -> Rows:
    """The lease of a fit; before it the one under which it ran out of memory."""
    if outcome.lease is None:
        return []
    last = dict(outcome.lease)
    first = last.pop("retry_of", None)
    leases = [last] if first is None else [first, last]
    of = {"candidate": None, "split": None, "n_resources": None, **of}
    return [{**of, **lease, "out_of_memory": lease is not last} for lease in leases]


def path_rows(outcome: FitOutcome, **of: Any) -> Rows:
    """How the net of a fit was trained; nothing where there is none."""
    if outcome.path is None:
        return []
    of = {"candidate": None, "split": None, "n_resources": None, **of}
    return [{**of, **outcome.path}]


def curve_rows(outcome: FitOutcome, **of: Any) -> Rows:
    """The learning curve of a fit; nothing where there is none."""
    if outcome.curve is None:
        return []
    told = {
        "epochs": outcome.epochs,
        "scores": outcome.curve,
        "on": "train_split" if outcome.curve_epochs is None else "test",
        "stopped": outcome.stopped,
    }
    return [{**of, **told}]
