"""How right is the time left that a search tells?

python benchmarks/progress/run.py --seeds 0 1 2 --json benchmarks/progress/results.json
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
from digits import data, net
from report import environment, markdown_table, save
from scipy.stats import loguniform, uniform
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import sktune
from sktune.run.listeners import _progress
from sktune.run.listeners._time_left import TimeLeft

# Parts of the whole time at which it is asked how much is left.
SHARES = tuple(k / 20 for k in range(2, 19))
SPACE = {
    "net__lr": loguniform(1e-3, 1e0),
    "net__module__dropout": uniform(0, 0.5),
    "net__batch_size": [64, 128, 256],
}
RUNGS = {"resource": "net__max_epochs", "min_resources": 1, "max_resources": 27}
SEARCHES: dict[str, Any] = {
    "random": (sktune.RandomizedSearchCV, {"n_iter": 12}),
    "random, racing": (sktune.RandomizedSearchCV, {"n_iter": 16, "racing": True}),
    "random, stopped": (
        sktune.RandomizedSearchCV,
        {"n_iter": 14, "early_stopping": "growth"},
    ),
    "random, stacked": (sktune.RandomizedSearchCV, {"n_iter": 40, "stacked": True}),
    "Bayes": (sktune.BayesSearchCV, {"n_iter": 12}),
    "halving": (sktune.SuccessiveHalvingSearchCV, {"n_candidates": 81, **RUNGS}),
    "halving, one split": (
        sktune.SuccessiveHalvingSearchCV,
        {"n_candidates": 81, "min_splits": 1, **RUNGS},
    ),
    "Hyperband": (sktune.HyperbandSearchCV, RUNGS),
    "Hyperband, Bayes, stacked": (
        sktune.HyperbandSearchCV,
        {"strategy": "bayes", "stacked": True, **RUNGS},
    ),
    "asynchronous": (sktune.HyperbandSearchCV, {"asynchronous": True, **RUNGS}),
    "freeze-thaw": (sktune.FreezeThawSearchCV, {"n_iter": 8, **RUNGS}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--searches", nargs="+", default=list(SEARCHES))
    parser.add_argument("--jobs", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    report = {**environment("torch", "skorch"), "records": []}
    for name in args.searches:
        for n_jobs in args.jobs:
            for seed in args.seeds:
                record = {"search": name, "n_jobs": n_jobs, "seed": seed}
                record |= measured(*SEARCHES[name], n_jobs, seed)
                report["records"].append(record)
                save(args.json, report)
                print(json.dumps(record), flush=True)
    print(table(report["records"]))


def measured(kind: Any, given: dict[str, Any], n_jobs: int, seed: int) -> dict:
    """What a search said was left, beside what really was, over its whole time."""
    told: list[tuple[float, float]] = []
    seconds = TimeLeft.seconds

    def asked(self: TimeLeft, now: float) -> float | None:
        left = seconds(self, now)
        if left is not None:
            told.append((now, left))
        return left

    TimeLeft.seconds = asked  # type: ignore[method-assign]
    _progress._SECONDS_BETWEEN_LINES = 0.0
    try:
        X, y = data()
        steps = [("scale", StandardScaler()), ("net", net(max_epochs=27))]
        common = {"cv": 5, "n_jobs": n_jobs, "random_state": seed, "verbose": 1}
        search = kind(Pipeline(steps), SPACE, **common, **given)
        start = time.monotonic()
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            search.fit(X, y)
        end = time.monotonic()
    finally:
        TimeLeft.seconds = seconds  # type: ignore[method-assign]
    ratios = [ratio_at(share, told, start, end) for share in SHARES]
    return {"seconds": end - start, "ratios": ratios}


def ratio_at(
    share: float, told: list[tuple[float, float]], start: float, end: float
) -> float | None:
    """Told over true, at a part of the whole time; None: nothing was told by then."""
    now = start + share * (end - start)
    before = [(at, left) for at, left in told if at <= now]
    if not before:
        return None
    at, left = before[-1]  # what is on the screen
    return left / (end - at)


def table(records: list[dict[str, Any]]) -> str:
    rows = []
    for name, n_jobs in dict.fromkeys((r["search"], r["n_jobs"]) for r in records):
        of = [r for r in records if (r["search"], r["n_jobs"]) == (name, n_jobs)]
        ratios = [ratio for r in of for ratio in r["ratios"]]
        right = [r is not None and 2 / 3 <= r <= 4 / 3 for r in ratios]
        known = [r for r in ratios if r is not None]
        rows.append(
            [
                name,
                str(n_jobs),
                f"{statistics.median(r['seconds'] for r in of):.0f}",
                f"{statistics.median(known):.2f}" if known else "",
                f"{100 * statistics.mean(right):.0f} %",
            ]
        )
    head = [
        "search",
        "n_jobs",
        "seconds",
        "told / true, median",
        "right within a third",
    ]
    return markdown_table(head, rows, "lrrrr")


if __name__ == "__main__":
    main()
