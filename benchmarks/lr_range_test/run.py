"""Is the rate that `lr_range_test` suggests one that a search finds good?

    python benchmarks/lr_range_test/run.py --data DATA --json FILE

`DATA` is a folder with a `load.py`; without it, the nets on scikit-learn's data.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import numpy as np
import torch
from report import environment, markdown_table, save
from rules import RULES, chosen
from works import WORKS, work_on

from sktune import GridSearchCV
from sktune.advice import lr_range_test

RATES = np.geomspace(1e-5, 10, 25)
# Points of accuracy or R2 that a rate may be behind the best and still is good.
GOOD = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder that has a load.py")
    parser.add_argument("--works", nargs="+", default=list(WORKS), choices=WORKS)
    parser.add_argument("--json", type=Path, help="continued where it exists")
    args = parser.parse_args()
    torch.set_num_threads(1)
    report: dict[str, Any] = {"records": {}}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text())
    report |= environment("torch", "skorch")
    for name in args.works:
        if name not in report["records"]:
            work = work_on(name, args.data)
            if work is None:
                continue
            report["records"][name] = measured(*work)
            save(args.json, report)
            print(name, json.dumps(report["records"][name]), flush=True)
    print(tables(report["records"]))


def measured(net: Any, prefix: str, X: Any, y: Any) -> dict[str, Any]:
    """Scores over a grid of rates, and what the test finds under several seeds."""
    start = time.process_time()
    grid = {f"{prefix}lr": RATES.tolist()}
    search = GridSearchCV(
        net, grid, cv=5, stacked=True, refit=False, random_state=0, error_score=-1.0
    )
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    middle = time.process_time()
    found = [lr_range_test(net, X, y, random_state=seed) for seed in range(5)]
    end = time.process_time()
    return {
        "scores": [float(score) for score in scores],
        "rates": found[0].learning_rates.tolist(),
        "losses": [
            [[None if np.isnan(v) else float(v) for v in one] for one in test.losses]
            for test in (found_one.curves[0] for found_one in found)
        ],
        "n_rows": [one.curves[0].n_rows.tolist() for one in found],
        "spaces": [[one.suggestion / 10, one.suggestion * 10] for one in found],
        "search_seconds": middle - start,
        "test_seconds": (end - middle) / len(found),
    }


def good_rates(scores: list[float]) -> tuple[float, float]:
    """The ends of the rates around the best that are as good, about."""
    best = int(np.argmax(scores))
    is_good = np.asarray(scores) >= scores[best] - GOOD
    low = high = best
    while low and is_good[low - 1]:
        low -= 1
    while high + 1 < len(scores) and is_good[high + 1]:
        high += 1
    return float(RATES[low]), float(RATES[high])


def loss_of(scores: list[float], rate: float) -> float:
    """Points behind the best rate, by the scores of the nearest two."""
    if not np.isfinite(rate):
        return float("nan")
    at = np.interp(np.log(rate), np.log(RATES), scores)
    return 100 * float(max(scores) - at)


def tables(records: dict[str, Any]) -> str:
    head = ["work", "best rate", "good rates", *RULES, "space has a good rate"]
    rows, hits, behind = [], {rule: [] for rule in RULES}, {rule: [] for rule in RULES}
    for name, record in records.items():
        scores = record["scores"]
        low, high = good_rates(scores)
        cells = []
        for rule in RULES:
            tests = zip(record["losses"], record["n_rows"], strict=True)
            rates = [chosen(rule, record["rates"], *test) for test in tests]
            is_good = [low <= rate <= high for rate in rates]
            points = [loss_of(scores, rate) for rate in rates]
            hits[rule] += is_good
            behind[rule] += points
            cells.append(f"{np.nanmedian(rates):.2g} ({sum(is_good)} of {len(rates)})")
        holds = sum(a <= high and b >= low for a, b in record["spaces"])
        best = RATES[int(np.argmax(scores))]
        rows.append(
            [name, f"{best:.2g}", f"{low:.2g} to {high:.2g}", *cells, f"{holds} of 5"]
        )
    rows.append(
        ["good", "", "", *(f"{100 * np.mean(hits[r]):.0f} %" for r in RULES), ""]
    )
    rows.append(
        ["points behind the best, median", "", ""]
        + [f"{np.nanmedian(behind[r]):.1f}" for r in RULES]
        + [""]
    )
    return markdown_table(head, rows, "l" + "r" * (len(head) - 1))


if __name__ == "__main__":
    main()
