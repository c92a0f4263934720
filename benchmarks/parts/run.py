"""What does each part of a training buy on real data, and where does it buy nothing?

    python benchmarks/parts/run.py --data DATA --json benchmarks/parts/results.json

`DATA` is a folder with a `load.py`; without it, scikit-learn's data sets alone.
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
import torch
from published_records import published_records
from report import environment, markdown_table, save
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

from sktune.nets import (
    LAMB,
    LARS,
    BalancedLoader,
    ClassWeights,
    GradualUnfreezing,
    ParamGroups,
    SnapshotEnsemble,
    StochasticWeightAveraging,
)

BUNDLED = {
    "digits": load_digits,
    "wine": load_wine,
    "breast cancer": load_breast_cancer,
}
RECORDED = ("satimage", "letter")
N_ROWS, N_TEST = 500, 2000  # at most
EPOCHS = 16
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
RARE = 0.05  # share of rows of half of the classes that are left


class MLP(nn.Module):
    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(n_in, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()
        )
        self.head = nn.Linear(64, n_out)

    def forward(self, X: Any) -> Any:
        return self.head(self.body(X))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder that has a load.py")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(5)))
    parser.add_argument("--json", type=Path, help="continued where it exists")
    args = parser.parse_args()
    torch.set_num_threads(1)
    report: dict[str, Any] = {"records": {}}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text())
    report |= environment("torch", "skorch")
    for seed in args.seeds:
        for name in (*BUNDLED, *(RECORDED if args.data else ())):
            if f"{name}/{seed}" not in report["records"]:
                begin = time.process_time()
                record = measured(*rows_of(name, args.data), seed)
                report["records"][f"{name}/{seed}"] = record
                save(args.json, report)
                took = time.process_time() - begin
                print(f"{name} {seed}: {took:.0f} s", flush=True)
    print(tables(report["records"]))


def rows_of(name: str, folder: Any) -> tuple[np.ndarray, np.ndarray]:
    if name in BUNDLED:
        X, y = BUNDLED[name](return_X_y=True)
    else:
        found = published_records(folder).dataset(name)
        X, y = found["X"], found["y"]
    y = np.unique(y, return_inverse=True)[1]
    return X.astype("float32"), y.astype("int64")


def measured(X: np.ndarray, y: np.ndarray, seed: int) -> dict[str, Any]:
    """Scores of each part and of the same net without it, by topic."""
    n_train = min(N_ROWS, len(X) // 2)
    X, X_test, y, y_test = train_test_split(
        X,
        y,
        train_size=n_train,
        test_size=min(N_TEST, len(X) - n_train),
        stratify=y,
        random_state=seed,
    )
    scaler = StandardScaler().fit(X)
    rows = Rows(scaler.transform(X), y, scaler.transform(X_test), y_test, seed)
    found = {
        "rare classes": rare_classes(rows),
        "large batches": large_batches(rows),
        "last weights": last_weights(rows),
    }
    if len(np.unique(y)) >= 6:
        found["fine-tuning"] = fine_tuning(rows)
    return found


class Rows:
    """Rows for training, of which a part chooses the rate, and rows for the score."""

    def __init__(self, X: Any, y: Any, X_test: Any, y_test: Any, seed: int) -> None:
        self.X, self.y, self.X_test, self.y_test = X, y, X_test, y_test
        self.seed = seed

    def score(
        self,
        make: Callable[[float], Any],
        metric: Callable[..., float],
        rates: tuple[float, ...] = RATES,
    ) -> float:
        """On the test rows, at the rate that is best on a third of the others."""
        X, X_valid, y, y_valid = train_test_split(
            self.X, self.y, test_size=1 / 3, stratify=self.y, random_state=self.seed
        )

        def scored(lr: float, *rows: Any) -> float:
            torch.manual_seed(self.seed)
            net = make(lr).fit(rows[0], rows[1])
            return float(metric(rows[3], net.predict(rows[2])))

        best = max(rates, key=lambda lr: scored(lr, X, y, X_valid, y_valid))
        return scored(best, self.X, self.y, self.X_test, self.y_test)


def accuracy(truth: Any, predicted: Any) -> float:
    return float((truth == predicted).mean())


def net(rows: Rows, lr: float, **options: Any) -> Any:
    settings = dict(
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=lr,
        max_epochs=EPOCHS,
        batch_size=32,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    n_classes = int(max(rows.y.max(), rows.y_test.max())) + 1
    module = options.pop("module", MLP)
    shape = dict(module__n_in=rows.X.shape[1], module__n_out=n_classes)
    return NeuralNetClassifier(module, **shape, **settings | options)


def rare_classes(rows: Rows) -> dict[str, float]:
    """Of every other class few rows are left; balanced accuracy."""
    rng = np.random.default_rng(rows.seed)
    is_left = np.ones(len(rows.y), dtype=bool)
    for label in np.unique(rows.y)[1::2]:
        of_class = np.flatnonzero(rows.y == label)
        n_left = max(6, round(RARE * len(of_class)))
        is_left[rng.permutation(of_class)[n_left:]] = False
    few = Rows(rows.X[is_left], rows.y[is_left], rows.X_test, rows.y_test, rows.seed)
    ways: dict[str, dict[str, Any]] = {
        "plain": {},
        "BalancedLoader": {"iterator_train": BalancedLoader},
        "BalancedLoader, 0.5": {
            "iterator_train": BalancedLoader,
            "iterator_train__balance": 0.5,
        },
        "ClassWeights": {"callbacks": [ClassWeights()]},
    }
    return {
        way: few.score(lambda lr, o=o: net(few, lr, **o), balanced_accuracy_score)
        for way, o in ways.items()
    }


def large_batches(rows: Rows) -> dict[str, float]:
    """A quarter of the rows in a batch; accuracy. SGD and Adam, and their like."""
    size = max(32, len(rows.X) // 4)
    rates = {
        torch.optim.SGD: (0.03, 0.1, 0.3, 1.0),
        LARS: (3.0, 10.0, 30.0, 100.0),
        torch.optim.Adam: RATES,
        LAMB: (0.003, 0.01, 0.03, 0.1),
    }
    found = {}
    for optimizer, tried in rates.items():
        more = {"optimizer__momentum": 0.9} if optimizer is torch.optim.SGD else {}
        found[optimizer.__name__] = rows.score(
            lambda lr, o=optimizer, m=more: net(
                rows, lr, optimizer=o, batch_size=size, **m
            ),
            accuracy,
            tried,
        )
    return found


def last_weights(rows: Rows) -> dict[str, float]:
    """Accuracy of the last weights, of their mean, and of the nets of four cycles."""
    ways: dict[str, list[Any]] = {
        "plain": [],
        "one cosine": [SnapshotEnsemble(1)],
        "StochasticWeightAveraging": [StochasticWeightAveraging(0.5)],
        "SnapshotEnsemble": [SnapshotEnsemble(4)],
    }
    return {
        way: rows.score(lambda lr, c=c: net(rows, lr, callbacks=c), accuracy)
        for way, c in ways.items()
    }


def fine_tuning(rows: Rows) -> dict[str, float]:
    """A body that has learnt half of the classes, and 10 rows of each of the others."""
    middle = (rows.y.max() + 1) // 2
    old, new = rows.y < middle, rows.y >= middle
    torch.manual_seed(rows.seed)
    known = Rows(rows.X[old], rows.y[old], rows.X_test, rows.y_test, rows.seed)
    learnt = net(known, 0.003).fit(known.X, known.y).module_.body.state_dict()

    class Pretrained(MLP):
        def __init__(self, n_in: int, n_out: int) -> None:
            super().__init__(n_in, n_out)
            self.body.load_state_dict(learnt)

    picked = np.concatenate(
        [np.flatnonzero(rows.y == k)[:10] for k in np.unique(rows.y[new])]
    )
    is_test = rows.y_test >= middle
    few = Rows(
        rows.X[picked],
        rows.y[picked] - middle,
        rows.X_test[is_test],
        rows.y_test[is_test] - middle,
        rows.seed,
    )
    groups = {
        "optimizer": ParamGroups(torch.optim.Adam),
        "optimizer__param_groups": [("body.0.*", {}), ("body.2.*", {})],
    }
    thawed = ["body.2.*", "body.0.*"]
    ways: dict[str, dict[str, Any]] = {
        "anew": {},
        "all at once": {"module": Pretrained},
        "frozen": {
            "module": Pretrained,
            "callbacks": [GradualUnfreezing(thawed, start=EPOCHS)],
        },
        "group_decay": {
            "module": Pretrained,
            **groups,
            "optimizer__group_decay": 2.6,
        },
        "GradualUnfreezing": {
            "module": Pretrained,
            "callbacks": [GradualUnfreezing(thawed, start=3, every=3)],
        },
        "both": {
            "module": Pretrained,
            **groups,
            "optimizer__group_decay": 2.6,
            "callbacks": [GradualUnfreezing(thawed, start=3, every=3)],
        },
    }
    return {
        way: few.score(lambda lr, o=o: net(few, lr, **o), accuracy)
        for way, o in ways.items()
    }


# What each is compared with.
BEFORE = {"LAMB": "Adam", "LARS": "SGD"}


def tables(records: dict[str, Any]) -> str:
    """A table for each topic: points of what it is compared with, and differences."""
    names = list(dict.fromkeys(key.split("/")[0] for key in records))
    parts = []
    topics = list(dict.fromkeys(t for one in records.values() for t in one))
    for topic in topics:
        mine = [(k.split("/")[0], r[topic]) for k, r in records.items() if topic in r]
        ways = list(mine[0][1])
        plain = ways[0] if topic != "large batches" else None
        rows = []
        for name in [*names, "all"]:
            of = [one for key, one in mine if name in (key, "all")]
            if of:
                rows.append([name, *(cell(of, way, plain) for way in ways)])
        table = markdown_table([topic, *ways], rows, "l" + "r" * len(ways))
        parts.append(table)
    return "\n\n".join(parts)


def cell(records: list[dict[str, float]], way: str, plain: str | None) -> str:
    before = BEFORE.get(way, plain)
    scores = 100 * np.array([one[way] for one in records])
    if before is None or before == way:
        return f"{scores.mean():.1f}"
    gains = scores - 100 * np.array([one[before] for one in records])
    error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
    return f"{gains.mean():+.1f} ± {error:.1f}"


if __name__ == "__main__":
    main()
