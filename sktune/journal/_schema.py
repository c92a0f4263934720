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

from sktune._types import NAMELESS, Fit, FitOutcome, Scores
from sktune.journal._fingerprints import as_json, params_as_json
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
    has_failed = outcome.fit_error is not None or bool(outcome.failed)
    record: dict[str, Any] = {
        "record": "fit",
        "ended": moment(),
        "candidate": fit.candidate,
        "split": fit.split,
        "unit": fit.unit,
        "bracket": fit.bracket,
        "iter": fit.iter,
        "n_resources": fit.n_resources,
        **({} if fit.parent is None else {"parent": fit.parent}),
        "params": params_as_json(fit.params),
        "seed": fit.seed,
        "status": "failed" if has_failed else "ok",
        "failed": sorted(map(str, outcome.failed)),
        "test_scores": _encoded(outcome.test_scores, outcome),
    }
    if outcome.train_scores is not None:
        record["train_scores"] = _encoded(outcome.train_scores, outcome)
    record["fit_time"] = _number(outcome.fit_time)
    record["score_time"] = _number(outcome.score_time)
    record["n_test_samples"] = int(outcome.n_test_samples)
    if outcome.reached is not None:
        record["reached"] = outcome.reached
    if outcome.curve is not None:
        record["curve"] = [_number(value) for value in outcome.curve]
    if outcome.curve_epochs is not None:
        record["curve_epochs"] = list(outcome.curve_epochs)
    if outcome.stopped:
        record["stopped"] = True
    if outcome.path is not None:
        record["path"] = dict(outcome.path)
    if outcome.lease is not None:
        record["lease"] = as_json(outcome.lease)
    if outcome.score_error is not None:
        record["score_error"] = outcome.score_error
    return {**record, "fit_error": outcome.fit_error}


def outcome_of(record: Mapping[str, Any]) -> FitOutcome:
    """The outcome that a record tells of."""
    curve, epochs = record.get("curve"), record.get("curve_epochs")
    return FitOutcome(
        _scores(record["test_scores"]),
        _scores(record["train_scores"]) if "train_scores" in record else None,
        isinstance(record["test_scores"], dict),
        record.get("fit_error"),
        record.get("n_test_samples", 0),
        _decoded(record.get("fit_time", 0.0)),
        _decoded(record.get("score_time", 0.0)),
        record.get("lease"),
        record.get("reached"),
        None if curve is None else tuple(map(_decoded, curve)),
        record.get("score_error"),
        curve_epochs=None if epochs is None else tuple(epochs),
        stopped=bool(record.get("stopped")),
        path=record.get("path"),
    )


def _encoded(scores: Scores, outcome: FitOutcome) -> Any:
    """Scores for JSON; a number where the metric has no name."""
    encoded = {metric: _number(score) for metric, score in scores.items()}
    return encoded if outcome.is_multimetric else encoded[NAMELESS]


def _scores(encoded: Any) -> Scores:
    if not isinstance(encoded, dict):
        encoded = {NAMELESS: encoded}
    return {metric: _decoded(score) for metric, score in encoded.items()}


def _number(scores: Any) -> Any:
    """A number for JSON, which knows finite ones only; None stays."""
    if scores is None:
        return None
    try:
        score = float(scores)
    except OverflowError:  # an int that no float can hold
        score = math.inf if scores > 0 else -math.inf
    if math.isfinite(score):
        return score
    return "NaN" if math.isnan(score) else "Infinity" if score > 0 else "-Infinity"


def _decoded(number: Any) -> Any:
    return _SPECIAL[number] if isinstance(number, str) else number


def has_raised(outcome: FitOutcome) -> bool:
    """Whether the fit or its scorer raised."""
    return None in outcome.test_scores.values()


def read_fits(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """A flat dict for every fit in a journal, in the order in which they ended."""
    return read_search(path)[1]


def read_search(
    path: str | os.PathLike[str],
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first record of a journal, which says of what search it is, and its fits."""
    records = read_records(path)
    header = dict(next(iter(records), {}))
    rows = []
    for record in records:
        if record.get("record") != "fit":
            continue
        row = {k: v for k, v in record.items() if k not in ("record", "failed")}
        for name, value in row.pop("params").items():
            row[f"param_{name}"] = value
        for part in ("test", "train"):
            scores = _scores(row.pop(f"{part}_scores", None))
            if f"{part}_scores" in record:
                row.update({f"{part}_{metric}": s for metric, s in scores.items()})
        for name, value in (row.pop("lease", None) or {}).items():
            row[f"lease_{name}"] = value
        for name, value in (row.pop("path", None) or {}).items():
            row[f"path_{name}"] = value
        if "curve" in row:
            row["curve"] = tuple(map(_decoded, row["curve"]))
        if "curve_epochs" in row:
            row["curve_epochs"] = tuple(row["curve_epochs"])
        rows.append({**row, "fit_error": row.pop("fit_error", None)})
    return header, rows


def read_environment(path: str | os.PathLike[str], candidate: int) -> dict[str, Any]:
    """What the last fit of a candidate ran under, as far as a journal has it.

    Parameters
    ----------
    path : str or path-like
    candidate : int

    Returns
    -------
    environment : dict
        Versions, hardware, threads and precision.
    """
    records = read_records(path)
    header, found = dict(next(iter(records), {})), {}
    session: Mapping[str, Any] = {}
    for record in records:
        if record.get("record") == "session":
            session = record
        elif record.get("record") == "fit" and record["candidate"] == candidate:
            found = {**header, **session}
    names = ("versions", "hardware", "threads", "precision")
    return {name: found[name] for name in names if found.get(name) is not None}


def moment() -> str:
    """The time, for people to read."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def environment(threads_of_a_net: int | None = None) -> dict[str, Any]:
    """Versions, hardware and threads.

    Parameters
    ----------
    threads_of_a_net : int or None
        With which each net is trained; None where that is left to the workers.
    """
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in _PACKAGES},
        },
        "hardware": {
            "host": socket.gethostname(),
            "system": f"{platform.system()} {platform.machine()}",
            "processors": os.cpu_count(),
            **_of_torch(),
        },
        "threads": {
            "of_a_net": threads_of_a_net,
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
        },
    }


def _of_torch() -> dict[str, Any]:
    """What decides on the last digits, as far as that costs nothing to be told."""
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    found = {"instructions": torch.backends.cpu.get_cpu_capability()}
    if torch.cuda.is_initialized():  # to look at a card takes a part of its memory
        n = torch.cuda.device_count()
        found["cards"] = [torch.cuda.get_device_name(k) for k in range(n)]
    return found


def _version(name: str) -> str | None:
    if name in sys.modules:
        return getattr(sys.modules[name], "__version__", None)
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    try:
        return version(_PACKAGES[name])
    except PackageNotFoundError:
        return None
