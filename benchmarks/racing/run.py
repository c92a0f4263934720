"""What does racing over splits save, and what does it cost?

    cd benchmarks/racing
    python run.py recorded --json results.json
    python run.py live --data FOLDER --json results.json
    python run.py show --json results.json

`recorded` replays `tables.npz` and trains nothing; `live` searches. FOLDER has a
`load.py` with `dataset(name)`. The JSON keeps the part that is not run again.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import live
import numpy as np
from report import environment, markdown_table, save
from streams import DEFAULT, METHODS, OTHERS, Setting, streams
from works import HELD_OUT, SEEN

HALVES = {"seen": SEEN, "held out": HELD_OUT}
SETTINGS = (
    Setting(),
    Setting(n_candidates=30),
    Setting(n_candidates=10),
    Setting(n_splits=5),
    Setting(30, 5),
)
Rows = list[dict[str, Any]]


# -- recorded work -------------------------------------------------------------------


def recorded(args: argparse.Namespace) -> dict[str, Any]:
    """A row for each setting, method and work."""
    keys = [
        (setting, method, work)
        for setting in SETTINGS
        for method in [*METHODS, *(OTHERS if setting == Setting() else ())]
        for work in SEEN + HELD_OUT
    ]
    jobs = [(work, method, setting, args.streams) for setting, method, work in keys]
    with ProcessPoolExecutor(args.jobs) as pool:
        found = list(pool.map(streams, jobs, chunksize=4))
    rows = []
    for (setting, method, work), one in zip(keys, found, strict=True):
        row = {**vars(setting), "method": method, "work": work}
        for key, values in one.items():
            error = np.std(values) / np.sqrt(len(values))
            row[key] = round(float(np.mean(values)), 5)
            row[f"{key}_se"] = round(float(error), 5)
        rows.append(row)
    return {"streams": args.streams, "rows": rows}


def show_recorded(rows: Rows) -> None:
    for setting in SETTINGS:
        mine = [row for row in rows if vars(setting).items() <= row.items()]
        print(f"\n{setting.n_candidates} candidates, {setting.n_splits} splits\n")
        cells = [
            [method, *(summed(mine, method, works) for works in HALVES.values())]
            for method in dict.fromkeys(row["method"] for row in mine)
        ]
        print(markdown_table(["", *HALVES], cells, "lrr"))
    by_work(rows)


def summed(rows: Rows, method: str, works: tuple[str, ...]) -> str:
    """Means over works, with the standard errors of the streams."""
    mine = [row for row in rows if row["method"] == method and row["work"] in works]
    fits, lost, regret = (
        100 * mean(mine, "fits"),
        100 * mean(mine, "lost"),
        mean(mine, "regret"),
    )
    of_lost = 100 * error(mine, "lost")
    return f"{fits:.1f} % / {lost:.1f} ± {of_lost:.1f} / {regret:.2f}"


def mean(rows: Rows, key: str) -> float:
    return float(np.mean([row[key] for row in rows]))


def error(rows: Rows, key: str) -> float:
    squares = np.square([row[f"{key}_se"] for row in rows])
    return float(np.sqrt(squares.sum()) / len(rows))


def by_work(rows: Rows) -> None:
    shown = ["aggressive", "forgiving", DEFAULT]
    cells = []
    for work in SEEN + HELD_OUT:
        of = {
            row["method"]: row
            for row in rows
            if row["work"] == work and vars(Setting()).items() <= row.items()
        }
        cells.append([work, *(brief(of[method]) for method in shown)])
    print()
    print(markdown_table(["work", *shown], cells, "lrrr"))


def brief(row: dict[str, Any]) -> str:
    return f"{100 * row['fits']:.0f} % / {100 * row['lost']:.1f} / {row['regret']:.2f}"


# -- real searches -------------------------------------------------------------------


def searches(args: argparse.Namespace) -> dict[str, Any]:
    jobs = [
        (work, kind, seed, live.Sizes(), args.data)
        for seed in range(args.seeds)
        for work, kind in live.CONTESTS
    ]
    rows: Rows = []
    with ProcessPoolExecutor(args.jobs) as pool:
        for row in pool.map(live.contest, jobs):
            rows.append(row)
            print(json.dumps(row), flush=True)
    return {"seeds": args.seeds, **vars(live.Sizes()), "rows": rows}


def show_live(rows: Rows) -> None:
    cells = []
    for work, kind in live.CONTESTS:
        mine = [r for r in rows if (r["work"], r["search"]) == (work, kind)]
        if not mine:
            continue
        times = np.array([r["seconds_raced"] / r["seconds"] for r in mine])
        fits = np.array([r["fits_raced"] / r["fits"] for r in mine])
        regrets = np.array([r["regret"] for r in mine])
        same = sum(r["same_best"] for r in mine)
        cells.append(
            [
                work,
                kind,
                f"{np.median([r['seconds'] for r in mine]):.1f}",
                with_error(times),
                with_error(fits),
                f"{same} of {len(mine)}",
                with_error(regrets),
            ]
        )
    head = ["work", "search", "seconds", "time, raced", "fits, raced", "same best"]
    print(markdown_table([*head, "regret"], cells, "llrrrrr"))


def with_error(values: np.ndarray) -> str:
    if len(values) == 1:
        return f"{values[0]:.2f}"
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.2f} ± {error:.2f}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("part", choices=("recorded", "live", "show"))
    parser.add_argument("--data", type=Path, help="folder of load.py")
    parser.add_argument("--streams", type=int, default=120, help="of each work")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    known = args.json is not None and args.json.exists()
    report = json.loads(args.json.read_text()) if known else {}
    if args.part != "show":
        part = recorded if args.part == "recorded" else searches
        report[args.part] = {**environment("skorch", "torch"), **part(args)}
        save(args.json, report)
    if "recorded" in report:
        show_recorded(report["recorded"]["rows"])
    if "live" in report:
        show_live(report["live"]["rows"])


if __name__ == "__main__":
    main()
