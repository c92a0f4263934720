"""What does each learning-rate schedule buy, beside a constant rate?

    python benchmarks/lr_schedules/run.py --data DATA --json FILE

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
from report import environment, markdown_table, save
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from works import WORKS, work_on

from sktune import GridSearchCV
from sktune.nets import LRSchedule

N_HELD_OUT = 500  # of 1,500 rows at most
N_SPLITS = 3
# Rates by optimizer, each 10**0.5 times the one before.
RATES = {
    "SGD": np.geomspace(1e-2, 10, 7),
    "momentum": np.geomspace(1e-3, 1, 7),
    "adaptive": np.geomspace(1e-4, 1e-1, 7),
}
# Each as it is by default, and two with a warm-up over a tenth of the training.
VARIANTS: dict[str, dict[str, Any]] = {
    "constant": {},
    "constant, warm-up": {"policy": "constant", "warmup": 0.1},
    "exponential": {},
    "natural_exponential": {},
    "inverse_time": {},
    "step": {},
    "piecewise": {},
    "polynomial": {},
    "cosine": {},
    "cosine, warm-up": {"policy": "cosine", "warmup": 0.1},
    "warm_restarts": {},
    "triangular": {},
    "one_cycle": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder that has a load.py")
    parser.add_argument("--works", nargs="+", default=list(WORKS), choices=WORKS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="continued where it exists")
    args = parser.parse_args()
    torch.set_num_threads(1)
    report: dict[str, Any] = {"records": {}}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text())
    report |= environment("torch", "skorch")
    for seed in range(args.seeds):
        for name in args.works:
            records = report["records"].setdefault(name, {})
            work = work_on(name, args.data)
            if work is not None and str(seed) not in records:
                records[str(seed)] = measured(name, *work, seed)
                save(args.json, report)
                print(name, seed, json.dumps(records[str(seed)]), flush=True)
    print(tables(report["records"]))


def rates_of(name: str) -> list[float]:
    kind = name.rsplit(", ", 1)[1]
    return list(map(float, RATES.get(kind, RATES["adaptive"])))


def measured(
    name: str, estimator: Any, prefix: str, X: Any, y: Any, seed: int
) -> dict[str, Any]:
    """Scores of every schedule at every rate, and held-out scores at its best."""
    strata = None if y.ndim == 2 else y
    X, X_held_out, y, y_held_out = train_test_split(
        X, y, test_size=min(N_HELD_OUT, len(X) // 3), stratify=strata, random_state=seed
    )
    estimator.set_params(**{f"{prefix}callbacks": [("schedule", LRSchedule())]})
    schedule = f"{prefix}callbacks__schedule__"
    fixed = [
        {schedule + k: v for k, v in {"policy": label, **options}.items()}
        for label, options in VARIANTS.items()
    ]
    rates = rates_of(name)
    grid = [
        {f"{prefix}lr": rates, **{k: [v] for k, v in params.items()}}
        for params in fixed
    ]
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rates at which nets end in NaN
        search = GridSearchCV(
            estimator,
            grid,
            cv=N_SPLITS,
            stacked=True,
            refit=False,
            random_state=seed,
            error_score=-1.0,
        ).fit(X, y)
    scores = search.cv_results_["mean_test_score"].reshape(len(fixed), len(rates))
    held_out = {}
    for label, params, row in zip(VARIANTS, fixed, scores, strict=True):
        torch.manual_seed(seed)
        best = {f"{prefix}lr": rates[int(row.argmax())], **params}
        one = clone(estimator).set_params(**best).fit(X, y)
        held_out[label] = float(one.score(X_held_out, y_held_out))
    return {
        "rates": rates,
        "cv_scores": dict(zip(VARIANTS, scores.tolist(), strict=True)),
        "held_out": held_out,
        "seconds": time.process_time() - start,
    }


def gains(records: dict[str, Any], label: str) -> dict[str, list[np.ndarray]]:
    """Points over the constant rate by seed, of three kinds, for each work."""
    found: dict[str, list[np.ndarray]] = {"held-out": [], "cv": [], "same": []}
    for by_seed in records.values():
        if not by_seed:
            continue
        ones = list(by_seed.values())
        cv = [np.array(one["cv_scores"][label]) for one in ones]
        base = [np.array(one["cv_scores"]["constant"]) for one in ones]
        pairs = list(zip(cv, base, strict=True))
        of_held_out = [
            one["held_out"][label] - one["held_out"]["constant"] for one in ones
        ]
        found["held-out"].append(100 * np.array(of_held_out))
        found["cv"].append(100 * np.array([a.max() - b.max() for a, b in pairs]))
        same = [a[b.argmax()] - b.max() for a, b in pairs]
        found["same"].append(100 * np.array(same))
    return found


def told(points: np.ndarray) -> str:
    error = points.std(ddof=1) / len(points) ** 0.5 if len(points) > 1 else np.nan
    return f"{points.mean():+.2f} ± {error:.2f}"


def tables(records: dict[str, Any]) -> str:
    """All works, then each work; a mean over works has its error over works."""
    head = ["schedule", "held-out rows", "better, even, worse works"]
    head += ["in the search", "at the rate that is best for a constant one"]
    rows = []
    for label in VARIANTS:
        if label == "constant":
            continue
        found = gains(records, label)
        means = {k: np.array([w.mean() for w in v]) for k, v in found.items()}
        wins = [w.mean() > 2 * w.std(ddof=1) / len(w) ** 0.5 for w in found["held-out"]]
        losses = [
            w.mean() < -2 * w.std(ddof=1) / len(w) ** 0.5 for w in found["held-out"]
        ]
        even = len(wins) - sum(wins) - sum(losses)
        counts = f"{sum(wins)}, {even}, {sum(losses)}"
        cells = [told(means[kind]) for kind in ("held-out", "cv", "same")]
        rows.append([label, cells[0], counts, *cells[1:]])
    by_work = []
    names = [name for name, by_seed in records.items() if by_seed]
    for label in VARIANTS:
        if label == "constant":
            ones = [
                np.array([100 * o["held_out"][label] for o in records[name].values()])
                for name in names
            ]
            by_work.append([label, *(f"{one.mean():.2f}" for one in ones)])
        else:
            by_work.append([label, *map(told, gains(records, label)["held-out"])])
    return "\n\n".join(
        [
            markdown_table(head, rows, "lrrrr"),
            markdown_table(["schedule", *names], by_work, "l" + "r" * len(names)),
        ]
    )


if __name__ == "__main__":
    main()
