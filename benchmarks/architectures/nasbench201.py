"""Which strategy finds good cells with few nets?

    python benchmarks/architectures/nasbench201.py --data FOLDER --json nasbench201.json

FOLDER has a `load.py` with the table of NAS-Bench-201 (15,625 cells, three trainings of
each on CIFAR-10) and, for settings that were chosen, tables of FCNet. A cell is six
parameters, one for each edge, whose values are the names of five operations. A query
draws one of a cell's trainings; what a search calls best by these scores is judged by
the mean of all its trainings. `--runs` keeps each run in a file, so that a benchmark
that was ended goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import numpy as np
from published_records import published_records
from report import environment, markdown_table, save

from sktune._random import derive_seed
from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import (
    Annealing,
    Bayes,
    Evolution,
    Listed,
    LocalSearch,
    Reinforce,
)

MARKS = (50, 100, 200)
SLOW = ("REINFORCE", "REINFORCE, rate 0.01")
# NAS-Bench-201's own names of operations, in the words of this project.
WORDS = {
    "none": "none",
    "skip_connect": "skip",
    "nor_conv_1x1": "conv1x1",
    "nor_conv_3x3": "conv3x3",
    "avg_pool_3x3": "avg_pool3x3",
}


class Table:
    """A table as a space of categories, with a query that is noisy."""

    def __init__(self, records: Any, name: str) -> None:
        table = records.table(name)
        self.grid = {
            # As text: what has an order in the table has none here.
            key: [WORDS.get(value, str(value)) for value in values]
            for key, values in table["grid"].items()
        }
        values = np.asarray(table["values"], dtype=float)
        # Of errors the order of magnitude, as a score of which greater is better.
        self.scores = -np.log10(values) if table["minimize"] else values
        self.mean = np.nanmean(self.scores, axis=1)
        self.space = Space(self.grid)
        self._shape = [len(values) for values in self.grid.values()]

    def row(self, params: dict[str, Any]) -> int:
        places = [values.index(params[key]) for key, values in self.grid.items()]
        return int(np.ravel_multi_index(places, self._shape))

    def drawn(self, seed: int) -> np.ndarray[Any, Any]:
        """One training of each cell, of those that it has."""
        rng = np.random.default_rng(derive_seed(seed, "noise"))
        order = np.where(np.isnan(self.scores), 2.0, rng.random(self.scores.shape))
        return self.scores[np.arange(len(self.scores)), order.argmin(axis=1)]


def at_random(table: Table, seed: int, n: int) -> Listed:
    rng = np.random.default_rng(derive_seed(seed, "random"))
    points = rng.random((2 * n, table.space.n_dims))
    found = {table.space.key(p): p for p in map(table.space.decode, points)}
    return Listed([*found.values()][:n])


METHODS: dict[str, Callable[[Table, int, int], Any]] = {
    "random": at_random,
    "annealing": lambda table, seed, n: Annealing(),
    "evolution": lambda table, seed, n: Evolution(),
    "evolution, ageing": lambda table, seed, n: Evolution(30, 10, ageing=True),
    "local search": lambda table, seed, n: LocalSearch(),
    "REINFORCE": lambda table, seed, n: Reinforce(),
    "REINFORCE, rate 0.01": lambda table, seed, n: Reinforce(learning_rate=0.01),
    "Bayes": lambda table, seed, n: Bayes(),
    "Bayes, pairs": lambda table, seed, n: Bayes(surrogate="pairs"),
    "Bayes, tpe": lambda table, seed, n: Bayes(surrogate="tpe"),
}


def one_run(table: Table, method: str, seed: int, n: int) -> dict[str, Any]:
    """The judged score of the best so far after each candidate."""
    strategy = METHODS[method](table, seed, n)
    state = strategy.init(Problem(table.space, n))
    drawn = table.drawn(seed)
    best, curve, began = -np.inf, [], time.process_time()
    for number in range(n):
        params = strategy.ask(state, number, (), derive_seed(seed, "ask", number))
        row = table.row(params)
        score = float(drawn[row])
        state = strategy.tell(state, Observation(number, params, {0: score}))
        if score > best:
            best, judged = score, float(table.mean[row])
        curve.append(round(judged, 5))
    return {"curve": curve, "seconds": round(time.process_time() - began, 2)}


def all_runs(args: argparse.Namespace, table: Table) -> dict[str, list[dict[str, Any]]]:
    runs: dict[str, list[dict[str, Any]]] = {method: [] for method in args.methods}
    folder = args.runs and args.runs / args.table.replace("/", "-")
    for seed in range(args.seeds):
        for method in args.methods:
            if method in SLOW and seed >= args.slow_seeds:
                continue
            path = folder and folder / f"{method} {args.candidates} {seed}.json"
            if path and path.exists():
                run = json.loads(path.read_text())
            else:
                run = one_run(table, method, seed, args.candidates)
                if path:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(json.dumps(run))
            runs[method].append(run)
    return runs


def summarise(runs: list[dict[str, Any]], marks: list[int]) -> dict[str, Any]:
    curves = np.array([run["curve"] for run in runs])
    error = curves.std(axis=0, ddof=1) / np.sqrt(len(curves))
    seconds = float(np.median([run["seconds"] for run in runs]))
    return {
        "seeds": len(runs),
        "mean": {t: round(float(curves[:, t - 1].mean()), 4) for t in marks},
        "error": {t: round(float(error[t - 1]), 4) for t in marks},
        "ms_per_candidate": round(1000.0 * seconds / curves.shape[1], 1),
    }


def show(summary: dict[str, dict[str, Any]], marks: list[int]) -> None:
    rows = [
        [
            method,
            str(one["seeds"]),
            *(f"{one['mean'][t]:.3f} +-{one['error'][t]:.3f}" for t in marks),
            f"{one['ms_per_candidate']:.1f}",
        ]
        for method, one in summary.items()
    ]
    head = ["", "seeds", *(f"{t} candidates" for t in marks), "ms per candidate"]
    print(markdown_table(head, rows, "l" + "r" * (len(head) - 1)))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of load.py")
    parser.add_argument("--table", default="nasbench201/cifar10")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[*METHODS])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--slow-seeds", type=int, default=10, help="of REINFORCE")
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--runs", type=Path, help="folder that keeps each run")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    args = parsed()
    table = Table(published_records(args.data), args.table)
    marks = [t for t in MARKS if t <= args.candidates]
    runs = all_runs(args, table)
    summary = {method: summarise(of, marks) for method, of in runs.items()}
    print(f"{args.table}: best {table.mean.max():.3f}\n")
    show(summary, marks)
    about = {"table": args.table, "best": float(table.mean.max())}
    save(args.json, {**about, "methods": summary, **environment()})


if __name__ == "__main__":
    main()
