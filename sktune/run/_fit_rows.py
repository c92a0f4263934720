"""What became of single fits: the rows of `leases_` and of `paths_`."""

from __future__ import annotations

from typing import Any

from sktune._types import Evaluation, FitOutcome


def leases_of(evaluations: list[Evaluation]) -> list[dict[str, Any]]:
    """The leases of all fits, the earliest first."""
    rows = [
        row
        for one in evaluations
        for split, outcome in one.outcomes.items()
        for row in lease_rows(
            outcome,
            candidate=one.candidate.id,
            split=split,
            n_resources=one.n_resources,
        )
    ]
    return sorted(rows, key=lambda row: row["start"])


def lease_rows(outcome: FitOutcome, **of: Any) -> list[dict[str, Any]]:
    """The lease of a fit; before it the one under which it ran out of memory."""
    if outcome.lease is None:
        return []
    last = dict(outcome.lease)
    first = last.pop("retry_of", None)
    leases = [last] if first is None else [first, last]
    of = {"candidate": None, "split": None, "n_resources": None, **of}
    return [{**of, **lease, "out_of_memory": lease is not last} for lease in leases]


def paths_of(evaluations: list[Evaluation]) -> list[dict[str, Any]]:
    """How the nets of all fits were trained, in the order of the decisions."""
    return [
        row
        for one in evaluations
        for split, outcome in sorted(one.outcomes.items())
        for row in path_rows(
            outcome,
            candidate=one.candidate.id,
            split=split,
            n_resources=one.n_resources,
        )
    ]


def path_rows(outcome: FitOutcome, **of: Any) -> list[dict[str, Any]]:
    """How the net of a fit was trained; nothing where there is none."""
    if outcome.path is None:
        return []
    of = {"candidate": None, "split": None, "n_resources": None, **of}
    return [{**of, **outcome.path}]
