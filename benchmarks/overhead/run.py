"""What does a search cost by itself, for each candidate?

Searches over an estimator that does nothing, so that all time is the search's own, by
scikit-learn and by sktune in one run. Repetitions are interleaved: a machine that slows
down slows all of them down.

    python benchmarks/overhead/run.py --json benchmarks/overhead/results.json
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import sklearn.model_selection
from scipy.stats import uniform
from sklearn.base import BaseEstimator

import sktune

sys.path.insert(0, str(Path(__file__).parents[1]))
from report import environment, markdown_table, save

SPACE = {"a": uniform(0, 1), "b": uniform(0, 1)}
N_SPLITS = 5
X = np.zeros((50, 2))
IMPORT = """
import sklearn.model_selection, time
start = time.perf_counter()
import sktune
sktune.BayesSearchCV
print(time.perf_counter() - start)
"""


class Nothing(BaseEstimator):
    """An estimator that neither learns nor predicts."""

    def __init__(self, a=0.0, b=0.0):
        self.a = a
        self.b = b

    def fit(self, X, y=None):
        return self

    def score(self, X, y=None):
        return self.a - self.b


def searches(n_candidates: int, bayes_up_to: int) -> dict[str, type]:
    compared = {
        "sklearn.RandomizedSearchCV": sklearn.model_selection.RandomizedSearchCV,
        "sktune.RandomizedSearchCV": sktune.RandomizedSearchCV,
    }
    if n_candidates <= bayes_up_to:
        compared["sktune.BayesSearchCV"] = sktune.BayesSearchCV
    return compared


def seconds(search: type, n_candidates: int, n_jobs: int, seed: int) -> float:
    unfitted = search(
        Nothing(),
        SPACE,
        n_iter=n_candidates,
        n_jobs=n_jobs,
        cv=N_SPLITS,
        refit=False,
        random_state=seed,
    )
    start = time.perf_counter()
    unfitted.fit(X)
    return time.perf_counter() - start


def measure(n_candidates: int, n_jobs: int, repeats: int, bayes_up_to: int) -> list:
    """One row for each search: milliseconds a candidate, and the ratio to sklearn's."""
    compared = searches(n_candidates, bayes_up_to)
    times: dict[str, list[float]] = {name: [] for name in compared}
    for name in compared:
        seconds(compared[name], 4, n_jobs, seed=0)  # starts the workers
    for repeat in range(repeats):
        order = list(compared)
        for name in order if repeat % 2 else reversed(order):
            spent = seconds(compared[name], n_candidates, n_jobs, seed=repeat)
            times[name].append(spent / n_candidates * 1e3)
    base = times["sklearn.RandomizedSearchCV"]
    return [
        {
            "search": name,
            "n_candidates": n_candidates,
            "n_jobs": n_jobs,
            "ms_per_candidate": statistics.median(ms),
            "ratio_to_sklearn": statistics.median(
                own / other for own, other in zip(ms, base, strict=True)
            ),
            "ms_of_each_repeat": ms,
        }
        for name, ms in times.items()
    ]


def import_seconds(repeats: int) -> float:
    """What `import sktune` adds to `import sklearn.model_selection`."""
    command = [sys.executable, "-c", IMPORT]
    return statistics.median(
        float(subprocess.run(command, capture_output=True, check=True).stdout)
        for _ in range(repeats)
    )


def table(rows: list[dict]) -> str:
    head = ["candidates", "n_jobs", "search", "ms a candidate", "ratio to sklearn"]
    cells = [
        [
            str(row["n_candidates"]),
            str(row["n_jobs"]),
            row["search"],
            f"{row['ms_per_candidate']:.2f}",
            f"{row['ratio_to_sklearn']:.2f}",
        ]
        for row in rows
    ]
    return markdown_table(head, cells, align="rrlrr")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, nargs="+", default=[50, 500, 2000])
    parser.add_argument("--n-jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--bayes-up-to", type=int, default=50, help="candidates")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    report = environment()
    report["repeats"] = args.repeats
    report["import_seconds"] = import_seconds(args.repeats)
    report["rows"] = rows = []
    for n_jobs in args.n_jobs:
        for n_candidates in args.candidates:
            rows += measure(n_candidates, n_jobs, args.repeats, args.bayes_up_to)
    print(table(rows))
    print(f"\nimport sktune adds {report['import_seconds']:.3f} s")
    save(args.json, report)


if __name__ == "__main__":
    main()
