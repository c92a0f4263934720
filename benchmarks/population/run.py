"""Does a population find better nets than Hyperband or random search, for equal epochs?

    python benchmarks/population/run.py --data DATA --json FILE

`DATA` is a folder with a `load.py`; without it, the net on digits.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "wallclock"))
import single_thread  # noqa: F401

# isort: split
import numpy as np
import torch
from data_sets import DATA_SETS, Work, work_on
from report import environment, markdown_table, save
from sklearn.base import clone

from sktune import HyperbandSearchCV, PopulationBasedSearchCV, RandomizedSearchCV

N_SPLITS, INTERVAL = 3, 3
# Of Hyperband: to a population and to random search as many candidates as cost no more.
N_ROUNDS = (1,)
COMMON = {"cv": N_SPLITS, "stacked": True, "error_score": -1.0}
SEARCHES = ("population", "hyperband", "hyperband, bayes", "random")
AS = {**{name: name for name in SEARCHES}, "constant": "population, its last params"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder that has a load.py")
    parser.add_argument("--works", nargs="+", default=list(DATA_SETS))
    parser.add_argument("--searches", nargs="+", default=SEARCHES, choices=SEARCHES)
    parser.add_argument("--rounds", nargs="+", type=int, default=list(N_ROUNDS))
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="continued where it exists")
    args = parser.parse_args()
    torch.set_num_threads(1)
    report: dict[str, Any] = {"records": {}}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text())
    report |= environment("torch", "skorch")
    for n_rounds in args.rounds:
        for seed in range(args.first_seed, args.first_seed + args.seeds):
            for name in args.works:
                if name != "digits" and args.data is None:
                    continue
                of_rounds = report["records"].setdefault(str(n_rounds), {})
                records = of_rounds.setdefault(name, {})
                record = records.setdefault(str(seed), {})
                left = [label for label in args.searches if label not in record]
                if left:
                    record |= measured(name, seed, args.data, n_rounds, left)
                    save(args.json, report)
                    short = {k: v["score"] for k, v in record.items()}
                    print(n_rounds, name, seed, short, flush=True)
    for n_rounds, records in report["records"].items():
        print(f"\n{n_rounds} rounds of Hyperband\n\n{table(records)}")
        print(f"\n{differences(records)}")


def measured(
    name: str, seed: int, folder: Path | None, n_rounds: int, labels: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Scores of what each search found, also on rows that none has seen."""
    work = work_on(name, seed, folder)
    # What cannot change while a net is trained is searched by none of them.
    space = {k: v for k, v in work.space.items() if not k.endswith("module__width")}
    hyperband = HyperbandSearchCV(
        work.estimator, space, n_rounds=n_rounds, random_state=seed, **COMMON
    )
    epochs = hyperband.plan().total_resources
    n = epochs // (N_SPLITS * work.epochs)
    searches: dict[str, Callable[[], Any]] = {
        "population": lambda: PopulationBasedSearchCV(
            work.estimator,
            space,
            population_size=n,
            interval=INTERVAL,
            random_state=seed,
            **COMMON,
        ),
        "hyperband": lambda: hyperband,
        "hyperband, bayes": lambda: clone(hyperband).set_params(strategy="bayes"),
        "random": lambda: RandomizedSearchCV(
            work.estimator, space, n_iter=n, random_state=seed, **COMMON
        ),
    }
    found: dict[str, dict[str, Any]] = {}
    for label in labels:
        start, search = time.process_time(), searches[label]()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rates at which nets end in NaN
            search.fit(work.X, work.y)
        found[label] = {
            "score": held_out(search, work),
            "cv_score": float(search.best_score_),
            "epochs": spent(search, work.epochs),
            "seconds": time.process_time() - start,
            "params": {k: str(v) for k, v in search.best_params_.items()},
        }
        if label == "population":
            found[label]["lineage"] = len(search.best_lineage_)
            last = clone(work.estimator).set_params(**search.best_params_)
            torch.manual_seed(seed)
            score = held_out(last.fit(work.X, work.y), work)
            found["constant"] = {"score": score}
    return found


def held_out(estimator: Any, work: Work) -> float:
    """Accuracy or R2 on rows that the search has not seen."""
    try:
        return float(estimator.score(work.X_held_out, work.y_held_out))
    except ValueError:  # its predictions are no numbers
        return 0.0


def spent(search: Any, most: int) -> int:
    """Epochs of all splits together, without the refit."""
    results = search.cv_results_
    if "n_resources" not in results:
        return len(results["params"]) * most * N_SPLITS
    # Of a candidate's first row all, or what it was given beyond its parent.
    total, last = 0, 0
    reached: dict[int, int] = {}
    before: dict[int, int] = {}
    for row in np.lexsort((results["iter"], results["bracket"])):
        if row and results["iter"][row] != results["iter"][last]:
            before = dict(reached)
        one, n = int(results["candidate"][row]), int(results["n_resources"][row])
        parent = int(results["parent"][row]) if "parent" in results else -1
        total += n - before.get(one, before.get(parent, 0))
        reached[one], last = n, row
    return total * N_SPLITS


def table(records: dict[str, Any]) -> str:
    others = SEARCHES[1:]
    head = ["work", *AS.values(), "cross-validated: population", *others]
    rows = []
    for name, by_seed in records.items():
        ones = list(by_seed.values())
        held = [mean_of(scores_of(ones, label, "score")) for label in AS]
        cross = [mean_of(scores_of(ones, label, "cv_score")) for label in SEARCHES]
        rows.append([name, *held, *cross])
    return markdown_table(head, rows, "l" + "r" * (len(head) - 1))


def scores_of(records: list[Any], label: str, kind: str) -> list[float]:
    return [100 * one[label][kind] for one in records if label in one]


def mean_of(scores: list[float]) -> str:
    if not scores:
        return ""
    error = np.std(scores, ddof=1) / np.sqrt(len(scores)) if len(scores) > 1 else np.nan
    return f"{np.mean(scores):.1f} ± {error:.1f}"


def differences(records: dict[str, Any]) -> str:
    """Population less another, seed by seed, on rows that none has seen."""
    others = [label for label in AS if label != "population"]
    head = ["population less", *(AS[label] for label in others)]
    rows, pooled = [], {label: [] for label in others}
    for name, by_seed in records.items():
        row = [name]
        for label in others:
            pairs = [
                100 * (one["population"]["score"] - one[label]["score"])
                for one in by_seed.values()
                if label in one and "population" in one
            ]
            pooled[label] += pairs
            row.append(said(pairs))
        rows.append(row)
    rows.append(["all", *(said(pooled[label]) for label in others)])
    return markdown_table(head, rows, "l" + "r" * (len(head) - 1))


def said(pairs: list[float]) -> str:
    """Mean with its standard error, and how often it is above zero."""
    if not pairs:
        return ""
    wins, ties = sum(one > 0 for one in pairs), sum(one == 0 for one in pairs)
    ending = f", {ties} equal" if ties else ""
    sign = "+" if np.mean(pairs) >= 0 else ""
    return f"{sign}{mean_of(pairs)} ({wins} of {len(pairs)}{ending})"


if __name__ == "__main__":
    main()
