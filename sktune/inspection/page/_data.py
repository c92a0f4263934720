"""What the page's script is told of a search: short, since a page is to stay small."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sktune._text import cut, short_names
from sktune.inspection._search_record import RecordedRow, SearchRecord
from sktune.inspection._words import words_of

# Characters of a word.
_LONGEST = 60
# Points of all learning curves together, and of one at least.
_POINTS, _FEWEST = 10_000, 12


def data_of(record: SearchRecord) -> dict[str, Any]:
    """Candidates, rows, params by column, and curves; ready for JSON.

    Rows are in the order of rungs, then of candidates, whatever order the fits ended
    in: a search and its journal give the same. Candidates are told by where they are
    in ``candidates``, rows by where they are in ``rows``.
    """
    order = sorted(range(len(record.rows)), key=lambda i: _place(record.rows[i]))
    rows = [record.rows[i] for i in order]
    at = {i: k for k, i in enumerate(order)}
    candidates = list(dict.fromkeys(row.candidate for row in rows))
    index = {candidate: k for k, candidate in enumerate(candidates)}
    params = {row.candidate: row.params for row in rows}
    return {
        "metric": record.metric,
        "metrics": list(record.metrics),
        "resource": record.resource,
        "n_splits": record.n_splits,
        "candidates": candidates,
        "rows": [
            [
                index[row.candidate],
                row.n_resources,
                row.n_run,
                _digits(row.fit_time, 4),
                int(row.failed) + 2 * int(row.stopped),
            ]
            for row in rows
        ],
        "scores": [[_digits(row.mean(m), 6) for row in rows] for m in record.metrics],
        "stds": [[_digits(row.std(m), 3) for row in rows] for m in record.metrics],
        "ranked": [at[i] for i in record.ranked],
        "params": _columns(record, [params[one] for one in candidates]),
        "curves": _curves(record, index),
        "on": sorted({str(curve["on"]) for curve in record.curves}),
    }


def as_script(data: Mapping[str, Any]) -> str:
    """JSON that cannot end the element that it stands in."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _place(row: RecordedRow) -> tuple[float, ...]:
    return (row.bracket or 0, row.iter or 0, row.candidate, row.n_resources or 0)


def _digits(value: float, n: int) -> float | None:
    return float(f"{value:.{n}g}") if math.isfinite(value) else None


def _columns(
    record: SearchRecord, params: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """By param its values, null for a candidate that has no such param.

    Of a category a value is its place in ``words``. A number is itself, and what is
    no number, such as None, is text.
    """
    names = list(dict.fromkeys(name for one in params for name in one))
    return [
        {
            "name": name,
            "short": short,
            "scale": record.scales[name],
            **_values(record, name, [one.get(name, _ABSENT) for one in params]),
        }
        for name, short in zip(names, short_names(names), strict=True)
    ]


_ABSENT = object()


def _values(record: SearchRecord, name: str, values: Sequence[Any]) -> dict[str, Any]:
    if record.scales[name] != "category":
        return {"values": [_number(v) for v in values]}
    texts = [None if v is _ABSENT else _text(v) for v in values]
    found = {text for text in texts if text is not None}
    given = [text for text in _given_words(record, name) if text in found]
    words = list(dict.fromkeys([*given, *sorted(found, key=_by_number)]))
    place = {text: k for k, text in enumerate(words)}
    return {
        "words": words,
        "values": [None if text is None else place[text] for text in texts],
    }


def _number(value: Any) -> Any:
    if value is _ABSENT:
        return None
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else str(value)
    return value if isinstance(value, int) and abs(value) < 2**53 else str(value)


def _text(value: Any) -> str:
    return cut(f"{value:.5g}" if isinstance(value, float) else str(value), _LONGEST)


def _by_number(text: str) -> tuple[float, str]:
    """Words by the alphabet, behind numbers by size."""
    try:
        return float(text), text
    except ValueError:
        return math.inf, text


def _given_words(record: SearchRecord, name: str) -> list[str]:
    """Words of a list in the order in which the user gave them."""
    lists = (given for given in given_for(record, name) if isinstance(given, list))
    return [
        _text(one if isinstance(one, bool | int | float) else words_of(one))
        for given in lists
        for one in given
    ]


def given_for(record: SearchRecord, name: str) -> list[Any]:
    """What a param is drawn from, in each of the spaces that have it, as JSON."""
    arguments = record.arguments
    space = arguments.get("param_distributions", arguments.get("param_grid"))
    return [
        one[name]
        for one in (space if isinstance(space, list) else [space])
        if isinstance(one, Mapping) and name in one
    ]


def _curves(record: SearchRecord, index: Mapping[int, int]) -> list[list[Any]]:
    """Of each candidate its place, epochs and scores: the mean over its splits.

    Epochs are 0 where they are 1, 2, 3 and so on.
    """
    by_candidate: dict[int, dict[int, dict[int, float]]] = {}
    for curve in record.curves:
        points = by_candidate.setdefault(curve["candidate"], {})
        # Of a fit that went on, the latest has all.
        points.setdefault(curve["split"], {}).update(
            zip(map(int, curve["epochs"]), map(float, curve["scores"]), strict=True)
        )
    by_candidate = {k: v for k, v in by_candidate.items() if k in index}
    n_points = max(_FEWEST, _POINTS // max(1, len(by_candidate)))
    curves = []
    for candidate in sorted(by_candidate):
        splits = list(by_candidate[candidate].values())
        # Where only some of the splits came, their mean would jump.
        epochs = sorted(set(splits[0]).intersection(*splits[1:]))
        if not epochs:
            continue
        if len(epochs) > n_points:
            kept = np.linspace(0, len(epochs) - 1, n_points).round().astype(int)
            epochs = [epochs[k] for k in kept]
        means = [float(np.mean([split[e] for split in splits])) for e in epochs]
        is_counted = epochs == list(range(1, len(epochs) + 1))
        curves.append(
            [
                index[candidate],
                0 if is_counted else epochs,
                [_digits(mean, 4) for mean in means],
            ]
        )
    return curves
