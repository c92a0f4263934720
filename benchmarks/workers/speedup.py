"""How much faster are two workers than one, on nets that are trained?

The same candidates of a net on digits, with one thread each, by `RandomizedSearchCV`,
sktune's and scikit-learn's, and by `SuccessiveHalvingSearchCV`. Repetitions are
interleaved; workers are started beforehand.

    python benchmarks/workers/speedup.py --json benchmarks/workers/speedup.json
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

import sklearn.model_selection
import torch
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_digits

import sktune

sys.path.insert(0, str(Path(__file__).parents[1]))
from digits import net
from report import environment, markdown_table, save

SPACE = {"lr": loguniform(1e-3, 1e0), "module__dropout": uniform(0, 0.5)}


def searches(n_jobs, epochs):
    options = dict(
        cv=3, n_jobs=n_jobs, refit=False, random_state=0, return_train_score=False
    )
    return {
        "sktune.RandomizedSearchCV": sktune.RandomizedSearchCV(
            net(max_epochs=epochs), SPACE, n_iter=6, **options
        ),
        "sktune.SuccessiveHalvingSearchCV": sktune.SuccessiveHalvingSearchCV(
            net(max_epochs=27), SPACE, **options
        ),
        "sklearn.RandomizedSearchCV": sklearn.model_selection.RandomizedSearchCV(
            net(max_epochs=epochs), SPACE, n_iter=6, **options
        ),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    about = environment("torch", "skorch")
    X, y = load_digits(return_X_y=True)
    X = X.astype("float32")
    for search in searches(2, 1).values():
        search.fit(X, y)
    seconds = {}
    for _ in range(args.repeat):
        for n_jobs in (1, 2):
            for name, search in searches(n_jobs, args.epochs).items():
                begin = time.perf_counter()
                search.fit(X, y)
                took = time.perf_counter() - begin
                seconds.setdefault((name, n_jobs), []).append(took)
                print(name, n_jobs, f"{took:.2f}", flush=True)
    table = []
    for name in searches(1, 1):
        one, two = seconds[name, 1], seconds[name, 2]
        ratios = [a / b for a, b in zip(one, two, strict=True)]
        row = {"search": name, "one": statistics.median(one)}
        row |= {"two": statistics.median(two), "speedup": statistics.median(ratios)}
        table.append(row)
    cells = [
        [
            row["search"],
            f"{row['one']:.1f}",
            f"{row['two']:.1f}",
            f"{row['speedup']:.2f}",
        ]
        for row in table
    ]
    head = ["search", "1 job, s", "2 jobs, s", "faster by"]
    print("\n" + markdown_table(head, cells, align="lrrr"))
    save(args.json, {**about, "args": {**vars(args), "json": None}, "table": table})


if __name__ == "__main__":
    main()
