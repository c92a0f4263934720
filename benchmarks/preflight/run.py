"""Does a search take as long as `preflight` says?

    python benchmarks/preflight/run.py --data DATA --json FILE

`DATA` is a folder with a `load.py`; without it, the searches on scikit-learn's data.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import numpy as np
import torch
from joblib.externals.loky import get_reusable_executor
from report import environment, markdown_table, save
from searches import SEARCHES, data_of

from sktune.advice import preflight


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder that has a load.py")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--searches", nargs="+", default=list(SEARCHES))
    parser.add_argument("--json", type=Path, help="continued where it exists")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    report: dict[str, Any] = {"records": {}}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text())
    report |= environment("torch", "skorch")
    for _ in range(args.repeats):  # searches in turn: the machine changes its mind
        for name in args.searches:
            found = measured(name, args.data)
            if found is None or len(report["records"].get(name, ())) >= args.repeats:
                continue
            report["records"].setdefault(name, []).append(found)
            save(args.json, report)
            print(name, json.dumps(found), flush=True)
    print(table(report["records"]))


def measured(name: str, folder: Path | None) -> dict[str, float] | None:
    """What is said, and right after it how long the search takes.

    `busier` is how many times as much of the machine others had in the search as in
    the preflight: seconds that pass for each of the processor.
    """
    search, data_name = SEARCHES[name]()
    data = data_of(data_name, folder)
    if data is None:
        return None
    load = os.getloadavg()[0]
    _end_workers()
    busy = time.process_time()
    found = preflight(search, *data)
    busy = found.preflight_seconds / (time.process_time() - busy)
    _end_workers()  # those of a search that comes later start, too
    if found.time is None:
        raise RuntimeError(f"{name} is not ready:\n{found}")
    start, cpu = time.perf_counter(), time.process_time()
    search.fit(*data)
    passed = time.perf_counter() - start
    busy_then = passed / (time.process_time() - cpu)
    is_here = search.n_jobs is None  # of other processes it cannot be told
    return {
        "said": found.time.seconds,
        "low": found.time.low,
        "high": found.time.high,
        "took": passed,
        "preflight": found.preflight_seconds,
        "load": load,
        "busier": busy_then / busy if is_here else float("nan"),
    }


def _end_workers() -> None:
    get_reusable_executor().shutdown(wait=True)


def table(records: dict[str, list[dict[str, float]]]) -> str:
    head = ["search", "said, s", "took, s", "said / took", "of all runs"]
    head += ["as busy", "preflight, s"]
    rows, ratios_of_all, medians, fair = [], [], [], []
    for name, runs in records.items():
        ratios = sorted(run["said"] / run["took"] for run in runs)
        as_busy = [run["said"] * run["busier"] / run["took"] for run in runs]
        ratios_of_all += ratios
        medians.append(float(np.median(ratios)))
        fair += [ratio for ratio in as_busy if np.isfinite(ratio)]
        said, took, itself = (
            f"{np.median([run[key] for run in runs]):.1f}"
            for key in ("said", "took", "preflight")
        )
        listed = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        middle = float(np.median(as_busy))
        same = f"{middle:.2f}" if np.isfinite(middle) else ""
        rows.append([name, said, took, f"{medians[-1]:.2f}", listed, same, itself])
    told = [
        f"Within a factor of 1.5: {_within(medians)} searches (medians), "
        f"{_within(ratios_of_all)} runs, {_within(fair)} runs if the machine had been "
        "as busy."
    ]
    return "\n\n".join([markdown_table(head, rows, "l" + "r" * 6), *told])


def _within(ratios: list[float]) -> str:
    n = sum(max(ratio, 1 / ratio) <= 1.5 for ratio in ratios)
    return f"{n} of {len(ratios)}"


if __name__ == "__main__":
    main()
