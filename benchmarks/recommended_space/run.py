"""Does a search in the recommended space find better nets than one in a wide space?

    python benchmarks/recommended_space/run.py --data DATA --json FILE

`DATA` is a folder with a `load.py`; without it, the nets on scikit-learn's data.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "lr_range_test"))
import single_thread  # noqa: F401

# isort: split
import numpy as np
import torch
from published_records import published_records
from report import environment, markdown_table, save
from scipy.stats import loguniform, uniform
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn
from works import BUNDLED

from sktune import RandomizedSearchCV
from sktune.advice import recommended_space

N_ROWS = 600  # that a search sees, of larger sets
N_HELD_OUT = 4000  # at most
N_CANDIDATES, N_SPLITS, EPOCHS = 25, 3, 8
SGD, ADAM = torch.optim.SGD, torch.optim.Adam
# Ranges were not changed after a look at the last two.
WORKS: dict[str, tuple[str, Any]] = {
    "digits, SGD": ("digits", SGD),
    "breast cancer, Adam": ("breast_cancer", ADAM),
    "satimage, SGD": ("satimage", SGD),
    "letter, Adam": ("letter", ADAM),
    "mnist1d, Adam": ("mnist1d", ADAM),
    "power plant, SGD": ("reg_power_plant", SGD),
}


class MLP(nn.Sequential):
    """One hidden layer, with dropout."""

    def __init__(
        self, n_in: int, n_out: int, width: int = 64, dropout: float = 0.0
    ) -> None:
        super().__init__(
            nn.Linear(n_in, width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, n_out),
        )


class LogInteger:
    """Whole numbers, even on a log scale, as far as scipy's do not have that."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        drawn = loguniform(self.low, self.high).rvs(size, random_state=random_state)
        return int(np.round(drawn)) if size is None else np.round(drawn).astype(int)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder that has a load.py")
    parser.add_argument("--works", nargs="+", default=list(WORKS), choices=WORKS)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="continued where it exists")
    args = parser.parse_args()
    torch.set_num_threads(1)
    report: dict[str, Any] = {"records": {}}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text())
    report |= environment("torch", "skorch")
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        for name in args.works:
            records = report["records"].setdefault(name, {})
            if str(seed) not in records and is_there(name, args.data):
                records[str(seed)] = measured(name, seed, args.data)
                save(args.json, report)
                print(name, seed, json.dumps(records[str(seed)]), flush=True)
    print(table(report["records"]))


def is_there(name: str, folder: Path | None) -> bool:
    return folder is not None or WORKS[name][0] in BUNDLED


def measured(name: str, seed: int, folder: Path | None) -> dict[str, Any]:
    """Scores of the refitted best of either space, on rows that no search has seen."""
    net, X, y, X_held_out, y_held_out = work_on(name, seed, folder)
    spaces = {"recommended": recommended_space(net, X, y), "wide": wide_space(net)}
    found: dict[str, Any] = {}
    for label, space in spaces.items():
        start = time.process_time()
        search = RandomizedSearchCV(
            net,
            space,
            n_iter=N_CANDIDATES,
            cv=N_SPLITS,
            stacked=True,
            random_state=seed,
            error_score=-1.0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rates at which nets end in NaN
            search.fit(X, y)
        found[label] = {
            "score": float(search.score(X_held_out, y_held_out)),
            "cv_score": float(search.best_score_),
            "cv_scores": sorted(map(float, search.cv_results_["mean_test_score"])),
            "seconds": time.process_time() - start,
            "params": {k: str(v) for k, v in search.best_params_.items()},
        }
    return found


def work_on(
    name: str, seed: int, folder: Path | None
) -> tuple[Any, Any, Any, Any, Any]:
    """Estimator, and rows for the search and for its best candidate."""
    data, optimizer = WORKS[name]
    if data in BUNDLED:
        X, y = BUNDLED[data](return_X_y=True)
    else:
        record = published_records(folder).dataset(data)
        X, y = record["X"], record["y"]
    is_regression = data == "reg_power_plant"
    X = X.astype(np.float32)
    if is_regression:
        y = ((y - y.mean()) / y.std()).astype(np.float32).reshape(-1, 1)
    else:
        y = np.unique(y, return_inverse=True)[1].astype(np.int64)
    n = min(N_ROWS, 2 * len(X) // 3)
    X, X_held_out, y, y_held_out = train_test_split(
        X,
        y,
        train_size=n,
        test_size=min(N_HELD_OUT, len(X) - n),
        stratify=None if is_regression else y,
        random_state=seed,
    )
    common = {
        "module__n_in": X.shape[1],
        "module__n_out": 1 if is_regression else len(np.unique(y)),
        "optimizer": optimizer,
        "max_epochs": EPOCHS,
        "iterator_train__shuffle": True,
        "train_split": None,
        "verbose": 0,
    }
    if is_regression:
        net: Any = NeuralNetRegressor(MLP, **common)
    else:
        net = NeuralNetClassifier(MLP, criterion=nn.CrossEntropyLoss, **common)
    return make_pipeline(StandardScaler(), net), X, y, X_held_out, y_held_out


def wide_space(net: Any) -> dict[str, Any]:
    """What one might write who knows of no net."""
    name, last = net.steps[-1]
    space = {
        "lr": loguniform(1e-6, 1.0),
        "batch_size": LogInteger(8, 1024),
        "optimizer__weight_decay": loguniform(1e-8, 1.0),
        "module__dropout": uniform(0.0, 0.9),
        "module__width": LogInteger(8, 1024),
    }
    if last.optimizer is SGD:
        space["optimizer__momentum"] = uniform(0.0, 0.99)
    return {f"{name}__{key}": values for key, values in space.items()}


def table(records: dict[str, Any]) -> str:
    head = ["work", "recommended", "wide", "difference, points", "better"]
    head.append("seconds, recommended / wide")
    rows, all_differences = [], []
    for name, by_seed in records.items():
        if not by_seed:
            continue
        ours, wide = (
            np.array([100 * one[label]["score"] for one in by_seed.values()])
            for label in ("recommended", "wide")
        )
        seconds = (
            f"{np.median([one[label]['seconds'] for one in by_seed.values()]):.1f}"
            for label in ("recommended", "wide")
        )
        all_differences.append(ours - wide)
        means = [f"{ours.mean():.1f}", f"{wide.mean():.1f}"]
        rows.append([name, *means, *said(ours - wide), " / ".join(seconds)])
    if rows:
        rows.append(["all", "", "", *said(np.concatenate(all_differences)), ""])
    return markdown_table(head, rows, "l" + "r" * (len(head) - 1))


def said(differences: Any) -> tuple[str, str]:
    """Mean with its standard error; how often it is above zero."""
    n = len(differences)
    error = differences.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    wins = int((differences > 0).sum())
    ties = int((differences == 0).sum())
    ending = f", {ties} equal" if ties else ""
    return f"{differences.mean():+.1f} ± {error:.1f}", f"{wins} of {n}{ending}"


if __name__ == "__main__":
    main()
