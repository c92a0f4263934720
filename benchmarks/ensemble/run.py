"""What an ensemble of the best few candidates gains over the best one.

python benchmarks/ensemble/run.py --data DATA --json benchmarks/ensemble/results.json
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
from sklearn.base import is_classifier
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "wallclock"))
from data_sets import net_for, rows_of, space
from report import environment, markdown_table, save

from sktune import RandomizedSearchCV
from sktune.ensemble import SearchEnsembleClassifier, SearchEnsembleRegressor

SMALL = {
    "wine": load_wine,
    "breast_cancer": load_breast_cancer,
    "reg_diabetes": load_diabetes,
}
RECORDED = (
    "satimage",
    "letter",
    "magic",
    "mnist1d",
    "reg_power_plant",
    "reg_concrete",
)
DATA_SETS = ("digits", *SMALL, *RECORDED)
N_ROWS, N_HELD_OUT = 800, 4000  # at most
N_CANDIDATES, N_VOTERS, EPOCHS = 20, 10, 15
WAYS = ("best", "best, split nets", "ensemble", "ensemble, refitted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder that has a load.py")
    parser.add_argument("--datasets", nargs="+", default=DATA_SETS, choices=DATA_SETS)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(5)))
    parser.add_argument("--json", type=Path, help="continued where it exists")
    args = parser.parse_args()
    torch.set_num_threads(1)
    report: dict[str, Any] = {"records": {}}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text())
    report |= environment("torch", "skorch")
    for seed in args.seeds:
        for name in args.datasets:
            if f"{name}/{seed}" not in report["records"]:
                record = measured(name, seed, args.data)
                report["records"][f"{name}/{seed}"] = record
                save(args.json, report)
                print(name, seed, record["scores"], flush=True)
    print(table(report["records"]))


def measured(name: str, seed: int, folder: Path | None) -> dict[str, Any]:
    """Scores on rows held out: accuracy or R2, and for classifiers the log loss."""
    rows, held_out, y, truth = rows_for(name, seed, folder)
    classes = None if name.startswith("reg_") else len(np.unique(y))
    estimator = make_pipeline(
        StandardScaler(), net_for(rows.shape[1], classes, seed, EPOCHS)
    )
    search = RandomizedSearchCV(
        estimator,
        space(estimator.steps[-1][0], (32, 64)),
        n_iter=N_CANDIDATES,
        random_state=seed,
        stacked=True,
        keep=N_VOTERS,
    )
    kind = SearchEnsembleRegressor if classes is None else SearchEnsembleClassifier
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nets that have diverged
        search.fit(rows, y)
        searched = time.process_time() - begin
        alone = kind(search, n_candidates=1, prefit=True).fit(rows, y)
        begin = time.process_time()
        ensemble = kind(search, n_candidates=N_VOTERS, prefit=True).fit(rows, y)
        chosen = time.process_time() - begin
        refitted = kind(search, n_candidates=N_VOTERS, prefit=True, refit=True)
        refitted.fit(rows, y)
    found = dict(
        zip(WAYS, (search.best_estimator_, alone, ensemble, refitted), strict=True)
    )
    scores = {way: float(one.score(held_out, truth)) for way, one in found.items()}
    losses = {}
    if is_classifier(search):
        losses = {
            way: float(log_loss(truth, one.predict_proba(held_out)))
            for way, one in found.items()
        }
    return {
        "scores": scores,
        "log_losses": losses,
        "n_members": len(ensemble.members_),
        "cpu_search": searched,
        "cpu_choice": chosen,
    }


def rows_for(name: str, seed: int, folder: Path | None) -> list[np.ndarray]:
    if name in SMALL:
        X, y = SMALL[name](return_X_y=True)
        X = X.astype(np.float32)
        y = y.astype(np.float32).reshape(-1, 1) if name.startswith("reg_") else y
    else:
        X, y = rows_of(name, folder)
    if name.startswith("reg_"):
        y = (y - y.mean()) / y.std()
    n = min(N_ROWS, len(X) * 6 // 10)
    return train_test_split(
        X,
        y,
        train_size=n,
        test_size=min(N_HELD_OUT, len(X) - n),
        random_state=seed,
        stratify=None if name.startswith("reg_") else y,
    )


def table(records: dict[str, Any]) -> str:
    """Differences to the best candidate, refitted, in percentage points."""
    names = list(dict.fromkeys(key.split("/")[0] for key in records))
    lines = []
    for name in [*names, "all"]:
        mine = [r for k, r in records.items() if name in ("all", k.split("/")[0])]
        cells = [name]
        best = np.array([one["scores"]["best"] for one in mine])
        cells.append("" if name == "all" else f"{100 * best.mean():.2f}")
        for way in WAYS[1:]:
            gain = np.array([one["scores"][way] for one in mine]) - best
            cells.append(with_error(100 * gain))
        losses = [one["log_losses"] for one in mine if one["log_losses"]]
        ratio = [one["ensemble"] / one["best"] for one in losses]
        cells.append(f"{np.median(ratio):.2f}" if ratio else "")
        lines.append(cells)
    head = ["data set", *WAYS, "log loss, ensemble / best"]
    return markdown_table(head, lines, "lrrrrr")


def with_error(values: np.ndarray) -> str:
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return f"{values.mean():+.2f} ± {error:.2f}"


if __name__ == "__main__":
    main()
