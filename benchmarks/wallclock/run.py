"""How long until a search has what `RandomizedSearchCV` comes to?

Each (data set, seed, method) is stored when it is done, and those that are in the JSON
file are not run again.

    python benchmarks/wallclock/run.py --data DATA --seeds 0 1 2 \
        --json benchmarks/wallclock/results.json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import torch
from data_sets import DATA_SETS, work_on
from measuring import Refits, measured
from methods import METHODS
from report import environment, save


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder that has a load.py")
    parser.add_argument("--datasets", nargs="+", default=DATA_SETS, choices=DATA_SETS)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(10)))
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--json", type=Path, help="continued where it exists")
    return parser.parse_args()


def main() -> None:
    args = parsed()
    torch.set_num_threads(1)
    report: dict[str, Any] = {"records": {}}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text())
    about = environment("torch", "skorch", "optuna", "optuna-integration")
    report |= about
    for seed in args.seeds:
        for name in args.datasets:
            run_all(report, name, seed, args)


def run_all(
    report: dict[str, Any], name: str, seed: int, args: argparse.Namespace
) -> None:
    """The methods that are missing for one data set and seed."""
    records = report["records"]
    missing = [m for m in args.methods if f"{name}/{seed}/{m}" not in records]
    if not missing:
        return
    work = work_on(name, seed, args.data)
    refits = Refits(work)
    for method in missing:
        warm_up(method)
        record = measured(METHODS[method], work, seed, refits)
        record["commit"] = report["commit"]
        records[f"{name}/{seed}/{method}"] = record
        save(args.json, report)
        print(
            f"{name}, seed {seed}, {method}: {record['cpu']:.2f} s, "
            f"held out {record['held_out']:.4f}",
            flush=True,
        )


WARM: set[str] = set()


def warm_up(method: str) -> None:
    """What a process does once is done: imports, and the first use of every layer."""
    if method not in WARM:
        WARM.add(method)
        work = work_on("digits", 0, None, n_rows=100, epochs=3)
        measured(METHODS[method], work, 0, Refits(work))


if __name__ == "__main__":
    main()
