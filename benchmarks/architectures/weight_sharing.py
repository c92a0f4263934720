"""What shared weights find, beside random search at equal cost.

python benchmarks/architectures/weight_sharing.py --data DATA \
    --json benchmarks/architectures/weight_sharing.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "wallclock"))
from data_sets import rows_of
from report import environment, markdown_table, save

from sktune import GridSearchCV
from sktune.architectures import (
    CellNet,
    CellSpace,
    DARTSSearchCV,
    WeightSharingSearchCV,
    _shared_weights_search,
)
from sktune.architectures._shared_weights_search import SharedWeightsSearch

# Stages by processor time: all runs in this process, and others share the machine.
_shared_weights_search.perf_counter = time.process_time

OPERATIONS = ["none", "skip", "conv1x1", "conv3x3", "avg_pool3x3"]
DATA_SETS = ("digits", "mnist1d")
N_ROWS, EPOCHS, CV = 500, 12, 2
N_POOL = 12  # cells of random search
DARTS_EPOCHS = {"supernet_epochs": 20}  # it sees half of the rows
METHODS: dict[str, tuple[Any, dict[str, Any]]] = {
    "random, shared weights": (WeightSharingSearchCV, {"strategy": "random"}),
    "controller (ENAS)": (WeightSharingSearchCV, {}),
    "DARTS, 1st order": (DARTSSearchCV, DARTS_EPOCHS),
    "DARTS, 2nd order": (DARTSSearchCV, {"order": 2, **DARTS_EPOCHS}),
    "DARTS, perturbation": (
        DARTSSearchCV,
        {"perturbation": True, **DARTS_EPOCHS},
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder that has a load.py")
    parser.add_argument("--datasets", nargs="+", default=DATA_SETS, choices=DATA_SETS)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(3)))
    parser.add_argument("--json", type=Path, help="continued where it exists")
    args = parser.parse_args()
    torch.set_num_threads(1)
    report: dict[str, Any] = {"records": {}}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text())
    report |= environment("torch", "skorch")
    records = report["records"]
    for seed in args.seeds:
        for name in args.datasets:
            data = rows_for(name, seed, args.data)
            for method in ("random", *METHODS):
                key = f"{name}/{seed}/{method}"
                if key not in records:
                    records[key] = measured(method, data, seed)
                    save(args.json, report)
                    print(key, records[key], flush=True)
    for name in args.datasets:
        print(f"\n{name}\n\n{table(records, name)}")


def rows_for(name: str, seed: int, folder: Path | None) -> list[Any]:
    """Rows to search on, and all others: X, X held out, y, y held out."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        X = (X / 16).reshape(-1, 1, 8, 8)
    else:
        X, y = rows_of(name, folder)
        X = (X - X.mean()) / X.std()
        X = X.reshape(len(X), 1, 1, -1)  # an image of one line
    return train_test_split(
        X.astype(np.float32),
        y.astype(np.int64),
        train_size=N_ROWS,
        random_state=seed,
        stratify=y,
    )


def net() -> NeuralNetClassifier:
    return NeuralNetClassifier(
        CellNet,
        module__n_inputs=1,
        module__n_outputs=10,
        module__channels=8,
        module__n_cells=1,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.02,
        max_epochs=EPOCHS,
        batch_size=32,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def baseline_once() -> Any:
    """Random search with shared weights is the same in all methods of a seed."""
    run = SharedWeightsSearch._baseline
    found: dict[tuple[float, int], Any] = {}

    def baseline(self: Any, searched: Any, X: Any, *rest: Any) -> Any:
        if self.__class__ is WeightSharingSearchCV and self.strategy == "random":
            return run(self, searched, X, *rest)
        key = float(X.sum()), self.random_state
        if key not in found:
            found[key] = run(self, searched, X, *rest)
        return found[key]

    return baseline


SharedWeightsSearch._baseline = baseline_once()


def measured(method: str, data: list[Any], seed: int) -> dict[str, Any]:
    if method == "random":
        return measured_random(data, seed)
    X, _, y, _ = data
    kind, options = METHODS[method]
    search = kind(
        net(),
        {"module__cell": CellSpace(OPERATIONS)},
        n_candidates=20,
        n_separate=3,
        n_random=5,
        cv=CV,
        random_state=seed,
        **options,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they say is recorded below
        search.fit(X, y)
    origins = search.cv_results_["origin"]
    mine = np.flatnonzero(origins == "shared weights")
    scores = search.cv_results_["mean_test_score"]
    cells = [search.cv_results_["params"][k]["module__cell"] for k in mine]
    each = search.seconds_["separate training"] / len(scores)
    chosen = cells[int(np.argmax(scores[mine]))]
    held_out = {cell: held_out_score(cell, data, seed) for cell in {cells[0], chosen}}
    return {
        "first": held_out[cells[0]],
        "chosen": held_out[chosen],
        "cell": cells[0],
        "cv_first": search.comparison_.first,
        "cv_random_median": search.comparison_.random_median,
        "is_worse_than_random": search.comparison_.is_worse_than_random,
        "kendall": search.rank_correlation_random_["kendall"],
        "spearman": search.rank_correlation_random_["spearman"],
        "stopped": [one["stopped"] for one in getattr(search, "relaxations_", [])],
        # What a search without the comparison would take.
        "cpu_first": search.seconds_["supernet"]
        + search.seconds_["shared scores"]
        + each,
        "cpu_chosen": search.seconds_["supernet"]
        + search.seconds_["shared scores"]
        + each * len(mine),
        "cpu_supernet": search.seconds_["supernet"],
    }


def measured_random(data: list[Any], seed: int) -> dict[str, Any]:
    """Random cells, trained separately, in the order in which they were drawn."""
    X, _, y, _ = data
    generator = np.random.RandomState(1000 + seed)
    cells = [
        tuple(OPERATIONS[k] for k in generator.randint(len(OPERATIONS), size=6))
        for _ in range(N_POOL)
    ]
    begin = time.process_time()
    search = GridSearchCV(
        net(), {"module__cell": cells}, cv=CV, refit=False, random_state=seed
    )
    search.fit(X, y)
    cpu = time.process_time() - begin
    return {
        "cv": search.cv_results_["mean_test_score"].tolist(),
        "held_out": [held_out_score(cell, data, seed) for cell in cells],
        "cpu_each": cpu / N_POOL,
    }


def held_out_score(cell: Any, data: list[Any], seed: int) -> float:
    X, held_out, y, truth = data
    torch.manual_seed(seed)
    one = clone(net()).set_params(module__cell=cell)
    return float(one.fit(X, y).score(held_out, truth))


def table(records: dict[str, Any], name: str) -> str:
    """Accuracy on rows held out in percent, means and standard errors over seeds."""
    seeds = sorted({int(key.split("/")[1]) for key in records if key.startswith(name)})
    random = [records[f"{name}/{seed}/random"] for seed in seeds]
    medians = [np.median(one["held_out"]) for one in random]
    each = [one["cpu_each"] for one in random]
    lines = [["a random cell", with_error(medians), "", "", "", cell_of(each), ""]]
    for method in METHODS:
        mine = [records[f"{name}/{seed}/{method}"] for seed in seeds]
        equal = [
            at_equal_cost(one, other["cpu_chosen"])
            for one, other in zip(random, mine, strict=True)
        ]
        stopped = [reason for one in mine for reason in one["stopped"]]
        n_stopped = sum(reason is not None for reason in stopped)
        lines.append(
            [
                method,
                with_error([one["first"] for one in mine]),
                with_error([one["chosen"] for one in mine]),
                with_error(equal),
                f"{np.nanmean([one['kendall'] for one in mine]):+.2f}",
                cell_of([one["cpu_chosen"] for one in mine]),
                f"{n_stopped} of {len(stopped)}" if stopped else "",
            ]
        )
    head = (
        "method",
        "its first cell",
        "best of three",
        "random search at equal cost",
        "Kendall's tau",
        "seconds",
        "stopped",
    )
    return markdown_table(head, lines, "lrrrrrr")


def at_equal_cost(random: dict[str, Any], seconds: float) -> float:
    """The held-out score of the best by cross-validation, of as many as time allows."""
    n = int(np.clip(seconds / random["cpu_each"], 1, N_POOL))
    return float(random["held_out"][int(np.argmax(random["cv"][:n]))])


def with_error(values: list[float]) -> str:
    values = 100 * np.asarray(values)
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return f"{values.mean():.1f} ± {error:.1f}"


def cell_of(seconds: list[float]) -> str:
    return f"{np.median(seconds):.1f}"


if __name__ == "__main__":
    main()
