"""The tables of a summary, as they stand in the README."""

from __future__ import annotations

from typing import Any

from report import markdown_table

from analysis.summary import marks_of

TITLES = {"all": "all", "seen": "seen", "held_out": "held out"}
TITLES |= {f"noisy_{group}": f"{title} noisy" for group, title in TITLES.items()}


def markdown(summary: dict[str, Any], landscapes: list[str], n: int) -> str:
    parts = [searchers_table(summary, n), landscapes_table(summary, landscapes, n)]
    if summary["tests"]:
        parts.insert(1, tests_table(summary, n))
    return "\n\n".join(parts) + "\n"


def searchers_table(summary: dict[str, Any], n: int) -> str:
    """Mean regret and mean rank at the marks, over landscapes that everybody has."""
    at = " / ".join(map(str, marks_of(n)))
    groups = summary["landscapes"]
    head = ["searcher"]
    head += [f"regret at {at}, {len(some)} {TITLES[g]}" for g, some in groups.items()]
    head += [f"its standard error, {TITLES[g]}" for g in groups]
    head += [f"mean rank, {TITLES[g]}" for g in groups]
    head += ["seeds", "CPU ms per candidate"]
    rows = []
    for name, row in summary["searchers"].items():
        cells = [_marks(row["mean_regret"][g], n) for g in groups]
        cells += [_marks(row["standard_error"][g], n) for g in groups]
        cells += [_marks(row["mean_rank"][g], n, 1) for g in groups]
        few, many = row["seeds"]
        cells += [str(few) if few == many else f"{few} to {many}"]
        cpu = row["cpu_ms_per_candidate"]
        rows.append([name, *cells, "-" if cpu is None else f"{cpu:.1f}"])
    return markdown_table(head, rows)


def tests_table(summary: dict[str, Any], n: int) -> str:
    """Where the base is ahead of the others, below 0."""
    head = [f"{summary['base']} against", "landscapes", "at"]
    head += ["pairs ahead / equal / behind", "difference (standard error)", "p, pairs"]
    head += ["landscapes ahead / equal / behind", "p, landscapes"]
    rows = []
    for name, by_group in summary["tests"].items():
        for group, by_mark in by_group.items():
            if group.endswith("seen"):
                continue
            for t in map(str, marks_of(n)):
                if t not in by_mark:
                    continue
                pairs, means = by_mark[t]["pairs"], by_mark[t]["landscapes"]
                cells = [_counts(pairs), _difference(pairs)]
                cells += [f"{pairs['p']:.2g}", _counts(means), f"{means['p']:.2g}"]
                rows.append([name, TITLES[group], t, *cells])
    return markdown_table(head, rows)


def _difference(pairs: dict[str, Any]) -> str:
    error = pairs["standard_error"]
    return f"{pairs['mean_difference']:+.2f}" + (f" ({error:.2f})" if error else "")


def landscapes_table(summary: dict[str, Any], landscapes: list[str], n: int) -> str:
    rows = summary["searchers"]
    at = " / ".join(map(str, marks_of(n)))
    lines = [
        [name, *(_marks(row["regret"].get(name, {}), n) for row in rows.values())]
        for name in landscapes
    ]
    return markdown_table([f"regret at {at}", *rows], lines)


def _marks(values: dict[str, float], n: int, digits: int = 2) -> str:
    if not values:
        return "-"
    return " / ".join(f"{values[str(t)]:.{digits}f}" for t in marks_of(n))


def _counts(test: dict[str, Any]) -> str:
    return f"{test['ahead']} / {test['equal']} / {test['behind']}"
