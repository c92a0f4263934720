"""What the page says in words: the best, the plan, what was spent, what failed."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sktune._text import cut, duration, short_names
from sktune.inspection._search_record import RecordedRow, SearchRecord
from sktune.inspection._words import words_of
from sktune.inspection.page._data import given_for

# Kinds of failures that are shown, and characters of a traceback.
_KINDS, _LONGEST = 8, 3000
# What differs between failures of one kind.
_VALUES = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Figure:
    """One number that the page begins with."""

    name: str
    value: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failures:
    """Fits that failed alike."""

    message: str
    traceback: str
    fits: tuple[tuple[int, int], ...]  # candidate and split


def title_of(record: SearchRecord) -> str:
    """``HyperbandSearchCV of StandardScaler, NeuralNetClassifier``."""
    estimator = _estimator_of(record.arguments.get("estimator"))
    return f"{record.search} of {estimator}" if estimator else record.search


def _estimator_of(told: Any) -> str:
    if not isinstance(told, Mapping) or "class" not in told:
        return ""
    steps = (told.get("params") or {}).get("steps")
    if not isinstance(steps, list):
        return words_of(told["class"])
    parts = [one["tuple"][1] for one in steps if isinstance(one, Mapping)]
    return ", ".join(filter(None, map(_estimator_of, parts)))


def figures_of(record: SearchRecord) -> list[Figure]:
    """Best score, candidates, fits, time."""
    rows = record.rows
    n_candidates = len({row.candidate for row in rows})
    failed = {row.candidate for row in rows if row.failed}
    planned = record.n_candidates
    plan = [f"of {planned} planned"] if planned and planned != n_candidates else []
    stopped = sum(row.stopped for row in rows)
    n_failed = _n_failed_fits(record)
    fits = [f"{n_failed} failed"] if n_failed else []
    plural = "s" if stopped > 1 else ""
    fits += [f"{stopped} candidate{plural} stopped early"] if stopped else []
    fitting = sum(_finite(row.fit_time) * row.n_run for row in rows)
    scoring = sum(_finite(row.score_time) * row.n_run for row in rows)
    return [
        _best_score(record),
        Figure(
            "Candidates",
            number(n_candidates),
            (*plan, *([f"{len(failed)} failed"] if failed else [])),
        ),
        Figure("Fits", number(sum(row.n_run for row in rows)), tuple(fits)),
        Figure(
            "Fitting",
            duration(fitting),
            (f"and {duration(scoring)} of scoring",) if scoring else (),
        ),
        *_resources(record),
    ]


def _best_score(record: SearchRecord) -> Figure:
    if record.best is None:
        note = "all that ended have failed" if record.rows else "no fit has ended yet"
        return Figure(f"Best {record.metric}", "-", (note,))
    row = record.rows[record.best]
    notes = [f"candidate {row.candidate}"]
    if row.n_run > 1:
        notes.append(f"± {row.std(record.metric):.2g} over {row.n_run} splits")
    if row.n_resources is not None:
        notes.append(f"{record.resource or 'n_resources'} = {number(row.n_resources)}")
    value = number(row.mean(record.metric))
    return Figure(f"Best {record.metric}", value, tuple(notes))


def _n_failed_fits(record: SearchRecord) -> int:
    """Fits without a score; what failed but has an error score a journal knows."""
    there = {row.candidate for row in record.rows}
    fits = [fit for fit in record.fits if fit["candidate"] in there]
    told = sum(fit["status"] == "failed" for fit in fits)
    scores = [row.scores.get(record.metric, {}) for row in record.rows]
    return max(told, sum(math.isnan(s) for of in scores for s in of.values()))


def last_fit_of(record: SearchRecord) -> list[str]:
    """When the last fit of a journal ended."""
    ended = sorted(str(fit["ended"]) for fit in record.fits if fit.get("ended"))
    if not ended:
        return []
    return [f"last fit ended {datetime.fromisoformat(ended[-1]):%Y-%m-%d %H:%M:%S} UTC"]


def _resources(record: SearchRecord) -> list[Figure]:
    """Epochs that nets were trained, each once; else the resources of all fits."""
    reached: dict[tuple[int, int], float] = {}
    for fit in record.fits:
        if fit.get("reached") is not None:
            key = fit["candidate"], fit["split"]
            reached[key] = max(reached.get(key, 0), fit["reached"])
    if reached:
        return [Figure("Epochs trained", number(sum(reached.values())))]
    given = [(row.n_resources or 0) * row.n_run for row in record.rows]
    if record.resource is None or not sum(given):
        return []
    return [Figure(record.resource, number(sum(given)), ("given to all fits",))]


def best_params(record: SearchRecord) -> list[tuple[str, str, str, str]]:
    """Of the best: each param's name, short name, value, and what it was drawn from."""
    if record.best is None:
        return []
    params = record.rows[record.best].params
    names = list(dict.fromkeys(n for row in record.rows for n in row.params))
    shorts = dict(zip(names, short_names(names), strict=True))
    return [
        (name, shorts[name], str(params[name]), _space(record, name)) for name in params
    ]


def _space(record: SearchRecord, name: str) -> str:
    told = dict.fromkeys(words_of(v, quoted=True) for v in given_for(record, name))
    return " or ".join(cut(text, 120) for text in told if "fingerprint" not in text)


def rungs_of(record: SearchRecord) -> list[list[str]]:
    """A head and a line for each rung; empty where there are none."""
    rungs: dict[tuple[int, int, float], list[RecordedRow]] = {}
    for row in record.rows:
        if row.n_resources is not None:
            key = row.bracket or 0, row.iter or 0, row.n_resources
            rungs.setdefault(key, []).append(row)
    if not rungs:
        return []
    head = ["bracket", "rung", record.resource or "n_resources", "candidates"]
    lines = [[*head, "failed", f"best {record.metric}", "fitting"]]
    for (bracket, rung, amount), rows in sorted(rungs.items()):
        scores = (row.score(record.metric) for row in rows)
        best = max(filter(math.isfinite, scores), default=math.nan)
        seconds = sum(_finite(row.fit_time) * row.n_run for row in rows)
        n_failed = sum(row.failed for row in rows)
        shown = f"{best:#.4g}" if math.isfinite(best) else "-"
        told = [str(bracket), str(rung), number(amount), str(len(rows)), str(n_failed)]
        lines.append([*told, shown, duration(seconds)])
    return lines


def failures_of(record: SearchRecord) -> tuple[list[Failures], int]:
    """Kinds of failures, the most frequent first, and how many more kinds there are."""
    there = {row.candidate for row in record.rows}
    kinds: dict[str, list[tuple[str, tuple[int, int]]]] = {}
    for fit in record.fits:
        text = fit.get("fit_error") or fit.get("score_error")
        if text and fit["candidate"] in there:
            kind = _VALUES.sub("*", _message(str(text)))
            place = int(fit["candidate"]), int(fit["split"])
            kinds.setdefault(kind, []).append((str(text), place))
    ranked = sorted(kinds.values(), key=len, reverse=True)
    shown = []
    for of in ranked[:_KINDS]:
        text, fits = of[0][0], tuple(place for _, place in of)
        shown.append(Failures(_short(_message(text)), text[-_LONGEST:], fits))
    return shown, len(ranked) - len(shown)


def _short(message: str) -> str:
    """``InvalidParameterError: ...`` without the module that the error is of."""
    return re.sub(r"^(?:\w+\.)+(?=\w+(?::|$))", "", message)


def _message(traceback: str) -> str:
    """What an exception says, below its frames."""
    lines = traceback.rstrip().splitlines()
    last = max((k for k, one in enumerate(lines) if one[:2] == "  "), default=-1)
    return " ".join(lines[last + 1 :] or lines[-1:])


def counts_of(failures: Failures) -> str:
    """``4 fits of candidates 1, 3``."""
    candidates = Counter(candidate for candidate, _ in failures.fits)
    first = ", ".join(map(str, list(candidates)[:8]))
    more = f" and {len(candidates) - 8} more" if len(candidates) > 8 else ""
    n = len(failures.fits)
    plural = "s" if len(candidates) > 1 else ""
    return f"{n} fit{'s' * (n > 1)} of candidate{plural} {first}{more}"


def lines_of(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Arguments, versions or the machine: names and what they are."""
    told = ((name, _argument(value)) for name, value in values.items())
    return [(name, cut(text, 1000)) for name, text in told]


def _argument(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and not {"class", "distribution", "tuple"} & {*value}:
        return "\n".join(f"{k}: {words_of(v, quoted=True)}" for k, v in value.items())
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        return "\n\n".join(map(_argument, value))
    return words_of(value, quoted=True)


def number(value: float) -> str:
    """Four digits, and integers as they are."""
    is_integer = float(value).is_integer() and abs(value) < 1e15
    return f"{int(value):,}".replace(",", "\u202f") if is_integer else f"{value:.4g}"


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
