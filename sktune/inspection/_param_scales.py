"""Where the values of a parameter are on an axis, be they numbers, words or missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sktune._errors import did_you_mean
from sktune._text import short_names
from sktune.inspection._search_record import RecordedRow, SearchRecord
from sktune.inspection._table import text_of

# Of a candidate that does not have a parameter, in a space of several dicts.
NOT_SET = "not set"
# Places of what is no number, beside the numbers, which lie on [0, 1].
_APART = 0.13
# Numbers with not more different values than that are known one by one.
_FEW = 6


@dataclass(frozen=True)
class ParamScale:
    """One parameter as an axis.

    Attributes
    ----------
    name, short : str
        In whole, and as short as it can be told from others.
    kind : {"log", "linear", "category"}
    low, high : float
        The least and the greatest number; NaN where there is none.
    words : tuple of str
        The categories; of numbers, what is there beside them: "None", "not set".
    numbers : tuple of float
        All different numbers, ascending.
    """

    name: str
    short: str
    kind: str
    low: float
    high: float
    words: tuple[str, ...]
    numbers: tuple[float, ...]

    @property
    def is_few(self) -> bool:
        """Whether it has few numbers, each of which is short."""
        if self.low == self.high:
            return True
        are_short = all(float(f"{v:.3g}") == v for v in self.numbers)
        return len(self.numbers) <= _FEW and are_short

    @property
    def n_values(self) -> int:
        return len(self.numbers) + len(self.words)

    def word(self, value: Any) -> str | None:
        """What a value is called, unless it is a number on its axis."""
        if value is NOT_SET:
            return NOT_SET
        is_number = self.kind != "category" and value is not None
        return None if is_number else _whole_text(value)

    def place(self, value: Any) -> float:
        """Numbers and categories on [0, 1], what is beside numbers below."""
        word = self.word(value)
        if word is None:
            return self._between(value)
        return self._word_place(self.words.index(word))

    def _between(self, value: float) -> float:
        if self.low == self.high:
            return 0.5
        low, at, high = (self._level(v) for v in (self.low, value, self.high))
        return (at - low) / (high - low)

    def _level(self, value: float) -> float:
        return math.log(value) if self.kind == "log" else float(value)

    def ticks(self) -> list[tuple[float, str]]:
        """Places that have a label."""
        labels = labels_of(self.words)
        if self.kind == "category":
            return [(self._word_place(k), word) for k, word in enumerate(labels)]
        values = self.numbers if self.is_few else self._round_numbers()
        found: list[tuple[float, str]] = []
        for value in values:
            at = self._between(value)
            if not found or at - found[-1][0] > 0.05:
                found.append((at, number_text(value)))
        beside = [(self._word_place(k), word) for k, word in enumerate(labels)]
        return [*beside[::-1], *found]

    def _word_place(self, k: int) -> float:
        if self.kind != "category":
            return -_APART * (k + 1)
        return k / (len(self.words) - 1) if len(self.words) > 1 else 0.5

    def _round_numbers(self) -> list[float]:
        from matplotlib.ticker import LogLocator

        if self.kind == "log":
            for subs in ((1.0,), (1.0, 2.0, 5.0)):
                locator = LogLocator(subs=subs, numticks=8)
                inside = _inside(locator, self.low, self.high)
                if len(inside) > 1:
                    return inside
        is_whole = all(float(v).is_integer() for v in self.numbers)
        return round_numbers(self.low, self.high, integer=is_whole)


def _whole_text(value: Any) -> str:
    """What tells a value from others: what is shown of it may be shorter."""
    return f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split())


def labels_of(words: Sequence[str]) -> list[str]:
    """Words in few characters; those that are alike in these have a number."""
    short = [text_of(word) for word in words]
    labels = []
    for k, word in enumerate(short):
        if short.count(word) == 1:
            labels.append(word)
        else:
            labels.append(f"{word} #{short[: k + 1].count(word)}")
    return labels


def round_numbers(low: float, high: float, *, integer: bool = False) -> list[float]:
    """A few round numbers between two."""
    from matplotlib.ticker import MaxNLocator

    locator = MaxNLocator(nbins=5, integer=integer, steps=[1, 2, 2.5, 5, 10])
    return _inside(locator, low, high)


def _inside(locator: Any, low: float, high: float) -> list[float]:
    values = np.asarray(locator.tick_values(low, high), dtype=float).tolist()
    return [value for value in values if low <= value <= high]


def number_text(value: float) -> str:
    """A number in few characters."""
    return f"{value:.4g}".replace("e-0", "e-").replace("e+0", "e")


def value_of(row: RecordedRow, name: str) -> Any:
    """What a candidate has for a parameter, `NOT_SET` where it has none."""
    return row.params.get(name, NOT_SET)


def scales_of(
    record: SearchRecord, params: Sequence[str] | None = None
) -> dict[str, ParamScale]:
    """Each parameter as an axis: those that are named, or all in their order.

    Raises
    ------
    ValueError
        For a name that no candidate has.
    """
    names = list(record.scales)
    short = dict(zip(names, short_names(names), strict=True))
    if isinstance(params, str):
        params = [params]
    chosen = names if params is None else [_whole(name, short) for name in params]
    return {name: _scale_of(record, name, short[name]) for name in chosen}


def _whole(name: str, short: dict[str, str]) -> str:
    """A name in whole, of one that may be short."""
    for whole, end in short.items():
        if name in (whole, end):
            return whole
    raise ValueError(
        f"params has {name!r}, which no candidate has; there are {list(short)}."
        + did_you_mean(name, [*short, *short.values()])
    )


def _scale_of(record: SearchRecord, name: str, short: str) -> ParamScale:
    kind = record.scales[name]
    values = [value_of(row, name) for row in record.rows]
    is_number = [
        kind != "category" and value is not None and value is not NOT_SET
        for value in values
    ]
    numbers = sorted({v for v, yes in zip(values, is_number, strict=True) if yes})
    others = [v for v, yes in zip(values, is_number, strict=True) if not yes]
    words = sorted({_whole_text(v) for v in others if v is not NOT_SET})
    if NOT_SET in others:
        words.append(NOT_SET)
    return ParamScale(
        name=name,
        short=short,
        kind=kind,
        low=float(numbers[0]) if numbers else math.nan,
        high=float(numbers[-1]) if numbers else math.nan,
        words=tuple(words),
        numbers=tuple(float(v) for v in numbers),
    )
