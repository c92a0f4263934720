"""How right is the time left that a search tells?

python benchmarks/progress/run.py --seeds 0 1 2 --json benchmarks/progress/results.json
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import pickle
import statistics
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
from recording import Recorder, Told, by_all, by_mean, told
from report import environment, markdown_table, save
from searches import SEARCHES
from sklearn.base import clone
from workers import with_workers

# Parts of the whole time at which it is asked how much is left.
SHARES = tuple(k / 20 for k in range(2, 19))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--searches", nargs="+", default=list(SEARCHES))
    parser.add_argument("--jobs", nargs="+", type=int, default=[1])
    parser.add_argument(
        "--workers", nargs="+", type=int, default=[2], help="to simulate, beside one"
    )
    parser.add_argument("--recordings", type=Path, help="a folder to keep them in")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    report = {**environment("torch", "skorch"), "records": []}
    for name in args.searches:
        for n_jobs in args.jobs:
            for seed in args.seeds:
                one = recorded(name, n_jobs, seed, args.recordings)
                for record in [one, *simulated(one, args.workers)]:
                    report["records"].append(measured(record))
                    print(json.dumps(report["records"][-1]), flush=True)
                save(args.json, report)
    print(table(report["records"]))


def recorded(name: str, n_jobs: int, seed: int, folder: Path | None) -> dict[str, Any]:
    """One search; from the folder, if it is there."""
    path = folder and folder / f"{name}-{n_jobs}-{seed}.pkl".replace(" ", "_")
    if path and path.exists():
        record: dict[str, Any] = pickle.loads(path.read_bytes())
        return record
    problem, kind, given = SEARCHES[name]
    estimator, X, y, space = problem()
    clone(estimator).fit(X, y)  # what is imported then
    common = {"cv": 5, "n_jobs": n_jobs, "random_state": seed, "verbose": 1}
    search = kind(estimator, space, **common, **given)
    with contextlib.ExitStack() as stack:
        if n_jobs == 1:
            stack.enter_context(processor_time())
        recorder = stack.enter_context(Recorder())
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        start = time.monotonic()
        search.fit(X, y)
        end = time.monotonic()
    record = {"name": name, "n_jobs": n_jobs, "seed": seed, **recorder.given}
    record |= {"t0": start, "t1": end, "ev": recorder.events}
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(record))
    return record


@contextlib.contextmanager
def processor_time() -> Iterator[None]:
    """Clocks do not run while other programs have the processor."""
    before = time.monotonic, time.time
    time.monotonic = time.time = time.process_time
    try:
        yield
    finally:
        time.monotonic, time.time = before


def simulated(record: dict[str, Any], workers: list[int]) -> list[dict[str, Any]]:
    """The same with several workers, where one is enough to know what they would do."""
    is_guided = getattr(record["schedule"], "is_guided", False)
    if record["n_jobs"] != 1 or is_guided:
        return []
    return [{**with_workers(record, n), "is_simulated": True} for n in workers]


def measured(record: dict[str, Any]) -> dict[str, Any]:
    """What was said to be left beside what really was, over the whole time."""
    told_by = {"ratios": told, "by_mean": by_mean, "by_all": by_all}
    return {
        "search": record["name"],
        "n_jobs": record["n_jobs"],
        "is_simulated": record.get("is_simulated", False),
        "seed": record["seed"],
        "seconds": record["t1"] - record["t0"],
        **{name: ratios(record, tell(record)) for name, tell in told_by.items()},
    }


def ratios(record: dict[str, Any], shown: Told) -> list[float | None]:
    start, end = record["t0"], record["t1"]
    return [ratio_at(share, shown, start, end) for share in SHARES]


def ratio_at(share: float, shown: Told, start: float, end: float) -> float | None:
    """Told over true, at a part of the whole time; None: nothing was known by then."""
    now = start + share * (end - start)
    before = [(at, left) for at, left in shown if at <= now]
    if not before or before[-1][1] is None:
        return None
    at, left = before[-1]  # what is on the screen
    return round(left / (end - at), 3) if left is not None else None


def table(records: list[dict[str, Any]]) -> str:
    rows = []
    keys = [(r["search"], r["n_jobs"], r["is_simulated"]) for r in records]
    for key in dict.fromkeys(keys):
        of = [r for r, k in zip(records, keys, strict=True) if k == key]
        known = [x for r in of for x in r["ratios"] if x is not None]
        rows.append(
            [
                key[0],
                f"{key[1]}{' (simulated)' * key[2]}",
                str(len(of)),
                f"{statistics.median(r['seconds'] for r in of):.0f}",
                f"{statistics.median(known):.2f}" if known else "",
                *(right(of, name) for name in ("ratios", "by_mean", "by_all")),
            ]
        )
    head = ["search", "n_jobs", "seeds", "seconds", "told / true, median"]
    head += ["right within a third", "by the mean", "by all fits"]
    return markdown_table(head, rows, "lrrrrrrr")


def right(records: list[dict[str, Any]], name: str) -> str:
    """How often it was right within a third; what is not known yet is wrong."""
    values = [value for record in records for value in record[name]]
    share = statistics.mean(v is not None and 2 / 3 <= v <= 4 / 3 for v in values)
    return f"{100 * share:.0f} %"


if __name__ == "__main__":
    main()
