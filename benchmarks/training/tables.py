"""The tables of the README, from stored results."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from report import markdown_table

Row = Mapping[str, Any]


def table(part: str, rows: list[Row]) -> str:
    if part == "layers":
        return layer_table(rows)
    head = ["setting", "trained by", "CPU s", "wall s", "ratio", "goal", "scores"]
    more = {
        "trained": ("stacks", str),
        "ms_per_net_and_step": ("ms per net and step", lambda v: f"{v:.3f}"),
        "fits_per_second": ("fits per second", lambda v: f"{v:.1f}"),
        "max_memory_allocated": ("MB", lambda v: f"{v / 1e6:.1f}"),
    }
    more = {
        key: value for key, value in more.items() if any(row.get(key) for row in rows)
    }
    cells = [
        [
            row["setting"],
            row["contestant"],
            f"{row['cpu_seconds']:.2f}",
            f"{row['wall_seconds']:.2f}",
            as_ratio(row["ratio"]),
            as_ratio(row["goal"]),
            agreement(row, rows),
            *(shown(row[key]) for key, (_, shown) in more.items()),
        ]
        for row in rows
    ]
    head += [name for name, _ in more.values()]
    sides = "".join("l" if key == "trained" else "r" for key in more)
    return markdown_table(head, cells, align="llrrrrl" + sides)


def as_ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.{2 if value > 0.1 else 3}f}"


def agreement(row: Row, rows: list[Row]) -> str:
    """How the scores compare with those of the first of the setting."""
    first = next(one for one in rows if one["setting"] == row["setting"])
    if row is first:
        return ""
    text = "equal"
    if row["difference"] != 0:
        text = f"within {row['difference']:.2g}"
    if row["missing"]:
        n = row["n_candidates"]
        text += f", {n - row['missing']} of {n} in common"
    return text


def layer_table(rows: list[Row]) -> str:
    """A line for each layer and batch size."""
    lines: dict[tuple[str, int], dict[str, Row]] = {}
    for row in rows:
        line = lines.setdefault((row["layer"], row["batch_size"]), {})
        line[row["contestant"]] = row
    kinds = list(dict.fromkeys(row["contestant"] for row in rows))
    cells = [
        [
            layer,
            str(size),
            *(f"{line[kind]['ms_per_net_and_step']:.3f}" for kind in kinds),
            *(f"{line[kind]['ratio']:.2f}" for kind in kinds[1:]),
            max(
                (agreement(line[kind], rows) for kind in kinds[1:]),
                key=lambda text: text != "equal",
            ),
            line[kinds[-1]]["trained"],
        ]
        for (layer, size), line in lines.items()
    ]
    head = ["layer", "batch", *kinds, *(f"ratio, {kind}" for kind in kinds[1:])]
    return markdown_table([*head, "scores", "stacks"], cells, align="lrrrrrrll")


def write(readme: Path, report: Mapping[str, Any]) -> None:
    """Put the table of each part between its marks, with where it was measured."""
    text = readme.read_text()
    for part, result in report.items():
        mark = re.compile(rf"(<!-- {part} -->\n).*?(<!-- end of {part} -->)", re.S)
        filled = f"{about(result)}\n\n{table(part, result['rows'])}\n\n"
        text = mark.sub(lambda m, filled=filled: m[1] + filled + m[2], text)
    readme.write_text(text)


def about(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    device = result["rows"][0].get("device")
    repeats = result["arguments"]["repeats"]
    quick = ", `--quick`: a trial only" if result["arguments"]["quick"] else ""
    return (
        f"{device + ', ' if device else ''}{machine['cpu']}, {machine['cores']} cores, "
        f"load before {machine['load_before']:.1f}; torch "
        f"{result['versions']['torch']}; repetitions: {repeats}{quick}."
    )
