"""The tables of the README and its picture, from stored results.

python benchmarks/wallclock/tables.py benchmarks/wallclock/results.json
"""

from __future__ import annotations

import argparse
import json
import math
import re
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from picture import draw
from reached import REFERENCE, Compared, compared, median
from report import markdown_table

FOLDER = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("json", type=Path)
    args = parser.parse_args()
    report = json.loads(args.json.read_text())
    methods = in_order(compared(report["records"]))
    parts = {
        "about": about(report, methods),
        "reached": table_of(methods, "reached"),
        "for good": table_of(methods, "for_good"),
        "whole": table_of(methods, "whole"),
        "held out": held_out(methods),
    }
    if "growth" in report:
        parts["growth"] = growth(report["growth"])
    if "bounds" in report:
        parts["bounds"] = bounds(report["bounds"])
    for part, text in parts.items():
        print(f"{part}\n{text}\n")
    write(FOLDER / "README.md", parts)
    draw(methods, FOLDER / "reached.png")


def in_order(methods: Mapping[str, list[Compared]]) -> dict[str, list[Compared]]:
    """The reference, other peers, then by the time that the whole search takes."""

    def place(method: str) -> tuple[bool, bool, float]:
        peer = method.startswith("sklearn") or method == "optuna"
        whole = median(one.whole for one in methods[method])
        return method != REFERENCE, not peer, -whole

    return {method: methods[method] for method in sorted(methods, key=place)}


def table_of(methods: Mapping[str, list[Compared]], column: str) -> str:
    """Medians over seeds by data set, and over all."""
    data_sets = list(dict.fromkeys(one.data for one in methods[REFERENCE]))
    rows = []
    for method, found in methods.items():
        by_data = [
            [getattr(one, column) for one in found if one.data == name]
            for name in data_sets
        ]
        values = [value for values in by_data for value in values]
        row = [method, *(shown(values) for values in by_data), shown(values)]
        if column == "whole":
            row.append(f"{median(one.whole_wall for one in found):.3f}")
        else:
            row.append(f"{sum(map(math.isfinite, values))} of {len(values)}")
        rows.append(row)
    last = "wall, all" if column == "whole" else "reached"
    head = ["search", *data_sets, "all", last]
    return markdown_table(head, rows, align="l" + "r" * (len(head) - 1))


def shown(values: Sequence[float]) -> str:
    if not values:
        return ""
    middle = median(values)
    if math.isinf(middle):
        return "not reached"
    return f"{middle:.3f} (1/{1 / middle:.0f})" if middle < 0.4 else f"{middle:.2f}"


def held_out(methods: Mapping[str, list[Compared]]) -> str:
    """How the best of the whole search is, on rows that it did not see."""
    rows = []
    for method, found in methods.items():
        if method == REFERENCE:
            continue
        values = [one.difference for one in found]
        error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0
        better = sum(value > 1e-6 for value in values)
        equal = sum(abs(value) <= 1e-6 for value in values)
        rows.append(
            [
                method,
                f"{100 * statistics.mean(values):+.2f}",
                f"{100 * error:.2f}",
                f"{100 * min(values):+.2f}",
                f"{better}, {equal}, {len(values) - better - equal}",
            ]
        )
    head = ["search", "mean", "standard error", "worst", "better, equal, worse"]
    return markdown_table(head, rows, align="lrrrr")


def growth(rows: Sequence[Mapping[str, Any]]) -> str:
    cells = [
        [
            str(row["rows"]),
            str(row["width"]),
            str(row["candidates"]),
            f"{row['reference']:.1f}",
            f"{row['search']:.2f}",
            f"1/{row['reference'] / row['search']:.0f}",
            f"{row['refit']:.2f}",
            f"1/{row['reference'] / row['refit']:.0f}",
        ]
        for row in rows
    ]
    head = ["rows", "width", "candidates", "reference, s", "search, s", "ratio"]
    head += ["one refit, s", "ratio"]
    return markdown_table(head, cells, align="r" * len(head))


def bounds(found: Mapping[str, Mapping[str, float]]) -> str:
    parts = dict.fromkeys(part for shares in found.values() for part in shares)
    cells = [
        [part, *(f"{100 * shares.get(part, 0):.0f}" for shares in found.values())]
        for part in parts
    ]
    return markdown_table(["part, %", *found], cells, align="l" + "r" * len(found))


def about(report: Mapping[str, Any], methods: Mapping[str, list[Compared]]) -> str:
    machine, found = report["machine"], methods[REFERENCE]
    seeds = sorted({one.seed for one in found})
    records = report["records"]
    seconds = [one["cpu"] for key, one in records.items() if key.endswith(REFERENCE)]
    refits = statistics.median(
        one["refit_cpu"] / one["cpu"]
        for key, one in records.items()
        if key.endswith(REFERENCE)
    )
    return (
        f"{machine['cpu']}, {machine['cores']} cores, busy with other work too; torch "
        f"{report['versions']['torch']}; seeds: {', '.join(map(str, seeds))}; "
        f"{len(found)} pairs of data set and seed. The reference takes "
        f"{min(seconds):.0f} to {max(seconds):.0f} s of processor, of which its refit "
        f"is 1/{1 / refits:.0f} in the median."
    )


def write(readme: Path, parts: Mapping[str, str]) -> None:
    """Put each part between its marks."""
    text = readme.read_text()
    for part, filled in parts.items():
        mark = re.compile(rf"(<!-- {part} -->\n).*?(<!-- end of {part} -->)", re.S)
        text = mark.sub(lambda m, filled=filled: f"{m[1]}{filled}\n\n{m[2]}", text)
    readme.write_text(text)


if __name__ == "__main__":
    main()
