"""What is printed: tables, and names and values in few characters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any


def aligned(rows: Sequence[Sequence[str]], *, to_the_left: bool = False) -> str:
    """Rows of cells as lines, columns two spaces apart; there is one row at least."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    justify = str.ljust if to_the_left else str.rjust
    lines = (
        "  ".join(justify(cell, w) for cell, w in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() if to_the_left else line for line in lines)


def html_table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """The same as a table of HTML, with a head; every cell is escaped."""

    def line(cells: Iterable[object], tag: str) -> str:
        inner = "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells)
        return f"<tr>{inner}</tr>"

    body = "".join(line(cells, "td") for cells in rows)
    return f"<table>{line(head, 'th')}{body}</table>"


def short_names(names: Sequence[str]) -> list[str]:
    """The ends of names in which they differ: ``lr`` for ``clf__net__lr``."""
    short = {name: name for name in names}
    for name in names:
        parts = name.split("__")
        for k in range(1, len(parts)):
            end = "__".join(parts[-k:])
            ends = sum(n == end or n.endswith(f"__{end}") for n in names)
            if ends == 1:
                short[name] = end
                break
    return list(short.values())


def rough_duration(seconds: float) -> str:
    """``3 s``, ``2 min``, ``2.2 h``: of what changes as one looks on."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def duration(seconds: float) -> str:
    """``0 s``, ``12 ms``, ``3.4 s``, ``2 min 5 s``, ``2 h 10 min``."""
    few, unit = (seconds * 1000, "ms") if 0 < seconds < 1 else (seconds, "s")
    if seconds < 100:
        return f"{few:.2g} {unit}" if few < 10 else f"{few:.0f} {unit}"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 100:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def cut(text: str, longest: int) -> str:
    """Not more than so many characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def label_of(params: Mapping[str, Any]) -> str:
    """``policy=cosine, lr=0.1``: params by short names, as the name of a variant."""
    values = [getattr(value, "__name__", value) for value in params.values()]
    pairs = zip(short_names(list(params)), values, strict=True)
    return ", ".join(f"{name}={value}" for name, value in pairs) or "as given"
