"""What does the start of workers cost, and when is a second worker faster than one?

Eight fits of a small net that take a second each, most of it asleep, so that two
workers are two on whatever machine. Every repetition is a new program, with and without
the early start of workers. Of the workers' imports, processor time is counted.

    python benchmarks/workers/start.py --json benchmarks/workers/start.json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import nn

import sktune
import sktune.search._base
from sktune import GridSearchCV

sys.path.insert(0, str(Path(__file__).parents[1]))
from report import environment, markdown_table, save

SPACE = {"lr": [0.1, 0.03, 0.01, 0.003]}


class Sleep(Callback):
    """Takes a second for the two epochs of a fit."""

    def on_epoch_end(self, net, **kwargs):
        time.sleep(0.5)


class Net(NeuralNetClassifier):
    """Its score says what its process had spent when the first fit began and ended."""

    began = ended = None

    def fit(self, X, y, **params):
        if Net.began is None:
            Net.began = time.process_time(), time.time()
        super().fit(X, y, **params)
        if Net.ended is None:
            Net.ended = time.process_time()
        return self


def spent(net, X, y):
    began, moment = type(net).began
    return {"began": began, "ended": type(net).ended, "moment": moment}


def one_program(n_rows, early):
    """Seconds of three searches, and what a new worker has spent."""
    torch.set_num_threads(1)
    if not early:
        sktune.search._base.EarlyWorkers.__enter__ = lambda early: early
    X = np.random.default_rng(0).normal(size=(n_rows, 4)).astype(np.float32)
    y = np.arange(n_rows) % 3
    few = [(np.arange(60), np.arange(60, 90)), (np.arange(30, 90), np.arange(30))]
    net = Net(
        nn.Linear,
        module__in_features=4,
        module__out_features=3,
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=2,
        verbose=0,
        callbacks=[("sleep", Sleep())],
    )
    seconds = {}
    for name, n_jobs in (("new", 2), ("there", 2), ("one", 1)):
        search = GridSearchCV(
            net, SPACE, cv=few, n_jobs=n_jobs, refit=False, scoring=spent
        )
        begin = time.time()
        search.fit(X, y)
        seconds[name] = time.time() - begin
        if name == "new":
            rows = search.cv_results_
            columns = {
                key: np.r_[rows[f"split0_test_{key}"], rows[f"split1_test_{key}"]]
                for key in ("began", "ended", "moment")
            }
            seconds["cpu_before_first_fit"] = float(columns["began"].min())
            seconds["cpu_of_first_fit"] = float(
                (columns["ended"] - columns["began"]).max()
            )
            seconds["first_fit_after"] = float(columns["moment"].min() - begin)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="*", default=[90, 10_000_000])
    parser.add_argument("--program", nargs=2, type=int, help="for the benchmark itself")
    args = parser.parse_args()
    if args.program:
        print(json.dumps(one_program(args.program[0], bool(args.program[1]))))
        return
    about = environment("torch", "skorch")
    runs = {}
    for _ in range(args.repeat):
        for n_rows in args.rows:
            for early in (0, 1):
                command = [sys.executable, __file__, "--program"]
                said = subprocess.run(
                    [*command, str(n_rows), str(early)],
                    capture_output=True,
                    text=True,
                    check=True,
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                ).stdout
                runs.setdefault((n_rows, early), []).append(json.loads(said))
                print(n_rows, early, said.strip(), flush=True)
    table = [
        {
            "rows": n_rows,
            "early": bool(early),
            **{key: statistics.median(one[key] for one in found) for key in found[0]},
        }
        for (n_rows, early), found in runs.items()
    ]
    keys = list(table[0])
    print(
        markdown_table(
            keys,
            [
                [f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values()]
                for row in table
            ],
        )
    )
    save(args.json, {**about, "args": {**vars(args), "json": None}, "table": table})


if __name__ == "__main__":
    main()
