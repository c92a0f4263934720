"""Records of a journal: how a fit is written as JSON, and read again."""

from __future__ import annotations

import math
import os
import platform
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sktune._types import Fit, FitOutcome
from sktune.journal._fingerprints import describe, encode
from sktune.persistence import read_records

_PACKAGES = {
    "sktune": "sktune",
    "sklearn": "scikit-learn",
    "skorch": "skorch",
    "torch": "torch",
    "numpy": "numpy",
    "scipy": "scipy",
}
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def record_of(fit: Fit, outcome: FitOutcome) -> dict[str, Any]:
    """One fit, as a record."""
    has_failed = outcome["fit_error"] is not None or bool(outcome["failed"])
    record: dict[str, Any] = {
        "record": "fit",
        "ended": moment(),
        "candidate": fit.candidate,
        "split": fit.split,
        "bracket": fit.bracket,
        "iter": fit.iter,
        "n_resources": fit.n_resources,
        "params": encode(fit.params),
        "seed": fit.seed,
        "status": "failed" if has_failed else "ok",
        "failed": sorted(outcome["failed"]),
        "test_scores": _encoded(outcome["test_scores"]),
    }
    if "train_scores" in outcome:
        record["train_scores"] = _encoded(outcome["train_scores"])
    record["fit_time"] = _encoded(outcome.get("fit_time", 0.0))
    record["score_time"] = _encoded(outcome.get("score_time", 0.0))
    record["n_test_samples"] = int(outcome.get("n_test_samples", 0))
    if "lease" in outcome:
        record["lease"] = describe(outcome["lease"])
    return {**record, "fit_error": outcome["fit_error"]}


def outcome_of(record: Mapping[str, Any]) -> FitOutcome:
    """The outcome that a record tells of."""
    outcome = FitOutcome(
        fit_error=record.get("fit_error"),
        test_scores=_score(record["test_scores"]),
        n_test_samples=record.get("n_test_samples", 0),
        fit_time=_score(record.get("fit_time", 0.0)),
        score_time=_score(record.get("score_time", 0.0)),
        failed=frozenset(record.get("failed", ())),
    )
    if "train_scores" in record:
        outcome["train_scores"] = _score(record["train_scores"])
    if "lease" in record:
        outcome["lease"] = record["lease"]
    return outcome


def _encoded(scores: Any) -> Any:
    """Scores for JSON, which knows numbers that are finite only."""
    if isinstance(scores, dict):
        return {metric: _encoded(score) for metric, score in scores.items()}
    if scores is None:
        return None
    try:
        score = float(scores)
    except OverflowError:  # an int that no float can hold
        score = math.inf if scores > 0 else -math.inf
    if math.isfinite(score):
        return score
    return "NaN" if math.isnan(score) else "Infinity" if score > 0 else "-Infinity"


def _score(scores: Any) -> Any:
    if isinstance(scores, dict):
        return {metric: _score(score) for metric, score in scores.items()}
    return _SPECIAL[scores] if isinstance(scores, str) else scores


def has_raised(outcome: FitOutcome) -> bool:
    """Whether the fit or its scorer raised."""
    scores = outcome["test_scores"]
    return None in (scores.values() if isinstance(scores, dict) else [scores])


def read_fits(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """A flat dict for every fit in a journal, in the order in which they ended."""
    rows = []
    for record in read_records(path):
        if record.get("record") != "fit":
            continue
        row = {k: v for k, v in record.items() if k not in ("record", "failed")}
        for name, value in row.pop("params").items():
            row[f"param_{name}"] = value
        for part in ("test", "train"):
            scores = _score(row.pop(f"{part}_scores", None))
            if not isinstance(scores, dict):
                scores = {"score": scores}
            if f"{part}_scores" in record:
                row.update({f"{part}_{metric}": s for metric, s in scores.items()})
        for name, value in (row.pop("lease", None) or {}).items():
            row[f"lease_{name}"] = value
        rows.append({**row, "fit_error": row.pop("fit_error", None)})
    return rows


def moment() -> str:
    """The time, for people to read."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def environment() -> dict[str, Any]:
    """Versions and hardware."""
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in _PACKAGES},
        },
        "hardware": {
            "host": socket.gethostname(),
            "system": f"{platform.system()} {platform.machine()}",
            "processors": os.cpu_count(),
        },
    }


def _version(name: str) -> str | None:
    if name in sys.modules:
        return getattr(sys.modules[name], "__version__", None)
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    try:
        return version(_PACKAGES[name])
    except PackageNotFoundError:
        return None
