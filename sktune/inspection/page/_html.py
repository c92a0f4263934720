"""The page itself, of one record: one file that fetches nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

from sktune._text import cut
from sktune.inspection._search_record import SearchRecord
from sktune.inspection.page._data import as_script, data_of
from sktune.inspection.page._facts import (
    best_params,
    counts_of,
    failures_of,
    figures_of,
    last_fit_of,
    lines_of,
    rungs_of,
    title_of,
)

# Whatever a name or a traceback might bring in, it may load nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_SCRIPTS = ("base.js", "scales.js", "pictures.js", "plots.js", "table.js")


def page_of(record: SearchRecord, *, reload_every: float | None = None) -> str:
    """The page as text.

    Parameters
    ----------
    record : SearchRecord
    reload_every : float, default=None
        Seconds after which a browser loads it again; by default it does not.
    """
    title = title_of(record)
    data = {**data_of(record), "reload": reload_every}
    script = "\n".join(map(_part, _SCRIPTS))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_part('page.css')}</style>\n"
        f"</head>\n<body>\n{_header(record)}\n<main>\n{_best(record)}\n{_PICTURES}\n"
        f"{_CANDIDATES}\n{_failures(record)}\n{_details(record)}\n</main>\n"
        '<div id="tip" role="status" aria-live="polite" hidden></div>\n'
        f'<script type="application/json" id="data">{as_script(data)}</script>\n'
        f'<script>\n"use strict";\n(() => {{\n{script}}})();\n</script>\n'
        "</body>\n</html>\n"
    )


def write_text(text: str, path: str | os.PathLike[str]) -> None:
    """Write a file so that a reader never meets half of it."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder: name a file to write")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{str(path)!r} cannot be written: there is no folder {str(path.parent)!r}"
        )
    if path.exists() and not path.is_file():  # of /dev/null nothing takes the place
        path.write_text(text, encoding="utf-8")
        return
    path = path.resolve()  # a link stays one
    part = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def summary_of(record: SearchRecord) -> str:
    """A few lines of HTML for a notebook, in the colours that it has."""
    cell = '<td style="text-align:left;padding:.1em 1.5em .1em 0">'
    rows = "".join(
        f"<tr>{cell}{escape(short)}</td>"
        f"{cell}<b>{escape(cut(value, 100))}</b></td></tr>"
        for _, short, value, _ in best_params(record)
    )
    best, *others = figures_of(record)
    told = [_in_words(best.name, best.value, best.notes)]
    for one in others:
        name = one.name.lower()
        name = name.removesuffix("s") if one.value == "1" else name
        told.append(_in_words(one.value, name, one.notes))
    table = f'<table style="margin:.3em 1.2em">{rows}</table>' if rows else ""
    return (
        '<details open style="margin:.6em .5em"><summary style="cursor:pointer">'
        f"{escape(', '.join(told))}</summary>{table}</details>"
    )


def _in_words(first: str, second: str, notes: Iterable[str]) -> str:
    inside = ", ".join(notes)
    return f"{first} {second} ({inside})" if inside else f"{first} {second}"


@cache
def _part(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _header(record: SearchRecord) -> str:
    search, _, estimator = title_of(record).partition(" of ")
    told = [f"of {estimator}"] if estimator else []
    under = ", ".join([*told, *last_fit_of(record)])
    under = f"<p>{escape(under)}</p>" if under else ""
    figures = "".join(
        f"<li><span>{escape(one.name)}</span><strong>{escape(one.value)}</strong>"
        + "".join(f"<small>{escape(note)}</small>" for note in one.notes)
        + "</li>"
        for one in figures_of(record)
    )
    return (
        f"<header><h1>{escape(search)}</h1>{under}"
        f'<ul class="figures">{figures}</ul></header>'
    )


def _best(record: SearchRecord) -> str:
    params = best_params(record)
    if not params:
        return ""
    is_told = any(space for *_, space in params)
    rows = "".join(
        f'<tr><th scope="row" title="{escape(name)}">{escape(short)}</th>'
        f"<td{_SHORT * (len(value) <= 24)}>{escape(value)}</td>"
        + (f'<td class="from">{escape(space)}</td></tr>' if is_told else "</tr>")
        for name, short, value, space in params
    )
    searched = '<th scope="col">searched</th>' if is_told else ""
    return (
        '<section id="best"><h2>Params of the best</h2>'
        '<div class="scroll" tabindex="0" role="region" '
        'aria-label="Params of the best">'
        '<table><thead><tr><th scope="col">param</th><th scope="col">best</th>'
        f"{searched}</tr></thead><tbody>{rows}</tbody></table></div>"
        "</section>"
    )


_SHORT = ' class="short"'  # a value that is not to be broken

_PICTURES = """<section id="pictures" hidden><h2>Pictures</h2>
<p class="legend" id="legend"></p>
<div class="grid" id="first"></div><div id="parallel"></div>
<div id="of-params" hidden><h3></h3><div class="grid small" id="params"></div></div>
</section>"""

_CANDIDATES = """<section id="candidates" hidden><h2>Candidates</h2>
<p class="tools"><label>Filter <input id="filter" type="search" autocomplete="off"
spellcheck="false" aria-describedby="found"></label>
<label id="all-rungs" hidden><input type="checkbox" id="rungs"> every rung</label>
<span id="found" role="status"></span></p>
<div class="scroll" id="rows" tabindex="0" role="region" aria-label="Candidates">
<table id="table"><thead></thead><tbody></tbody></table></div>
<p><button type="button" id="more" hidden></button></p>
</section>
<noscript><p>Pictures and the table of candidates need JavaScript.</p></noscript>"""


def _failures(record: SearchRecord) -> str:
    kinds, n_more = failures_of(record)
    if not kinds and not any(row.failed for row in record.rows):
        return ""
    folded = "".join(
        f"<details><summary><b>{escape(cut(one.message, 200))}</b> "
        f"<small>{escape(counts_of(one))}</small></summary>"
        f'<pre tabindex="0">{escape(one.traceback)}</pre></details>'
        for one in kinds
    )
    if not kinds:
        folded = "<p>Their tracebacks are in a journal, had the search one.</p>"
    more = f"<p>And {n_more} other kinds.</p>" if n_more else ""
    return f'<section id="failures"><h2>Failures</h2>{folded}{more}</section>'


def _details(record: SearchRecord) -> str:
    rungs = rungs_of(record)
    parts = [
        _folded("Rungs", _grid(rungs[0], rungs[1:])) if rungs else "",
        _folded("Arguments", _pairs(lines_of(record.arguments))),
        _folded("Versions", _pairs(lines_of(record.versions))),
        _folded("Machine", _pairs(lines_of(record.hardware))),
    ]
    return f'<section id="about"><h2>The search</h2>{"".join(parts)}</section>'


def _folded(heading: str, inside: str) -> str:
    if not inside:
        return ""
    return (
        f'<details><summary>{heading}</summary><div class="scroll" tabindex="0" '
        f'role="region" aria-label="{heading}">{inside}</div></details>'
    )


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f'<table class="numbers"><thead><tr>{names}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>'
        for name, text in pairs
    )
    return f'<table class="pairs">{rows}</table>' if rows else ""
