"""How often the winner of a search is one, and whether `repeat` knows.

    python benchmarks/repeat/run.py --data DATA --json FILE

`DATA` is a folder with a `load.py`; without it, digits only.

A search of 16 random candidates on 400 rows is repeated with 5 seeds. What is true is
told by two larger repetitions of the same five candidates: on the same 400 rows under
12 other seeds and splits, and on other rows of the same data set, 80 times with as
many of them to train on, scored on 1000 that are left.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import numpy as np
import torch
from published_records import published_records
from report import environment, markdown_table, save
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from sktune import RandomizedSearchCV
from sktune.inspection import repeat
from sktune.inspection._paired_scores import PairedScores, likely_best

DATA = ("digits", "letter", "satimage", "magic", "reg_power_plant")
N_ROWS, N_OTHER, N_TESTED = 400, 4000, 1000
N_SPLITS, N_SEEDS, N_SEEDS_OF_TRUTH, N_SAMPLES = 5, 5, 12, 80
N_CANDIDATES = 5
BINS = (0.0, 0.2, 0.5, 0.8, 0.95, 1.0)
TRUTHS = ("same rows", "other rows")


class MLP(nn.Sequential):
    def __init__(self, n_in: int, n_out: int, hidden: int = 16, dropout: float = 0.0):
        super().__init__(
            nn.Linear(n_in, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, n_out),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder that has a load.py")
    parser.add_argument("--works", nargs="+", default=list(DATA), choices=DATA)
    parser.add_argument("--seeds", type=int, default=10, help="searches of each")
    parser.add_argument("--json", type=Path, help="continued where it exists")
    args = parser.parse_args()
    torch.set_num_threads(1)
    report: dict[str, Any] = {"records": []}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text())
    report |= environment("torch", "skorch")
    done = {(one["data"], one["seed"]) for one in report["records"]}
    for seed in range(args.seeds):
        for name in args.works:
            if (name, seed) in done or (name != "digits" and args.data is None):
                continue
            report["records"].append(measured(name, args.data, seed))
            save(args.json, report)
            print(name, seed, f"{report['records'][-1]['seconds']:.0f} s", flush=True)
    print(tables(report["records"]))


def data_of(name: str, folder: Path | None) -> tuple[Any, Any]:
    if name == "digits":
        X, y = load_digits(return_X_y=True)
    else:
        found = published_records(folder).dataset(name)
        X, y = found["X"], found["y"]
    if name.startswith("reg"):
        return X.astype(np.float32), ((y - y.mean()) / y.std()).astype(np.float32)
    return X.astype(np.float32), np.unique(y, return_inverse=True)[1].astype(np.int64)


def search_on(X: Any, y: Any, seed: int) -> RandomizedSearchCV:
    is_regression = y.dtype.kind == "f"
    kind = NeuralNetRegressor if is_regression else NeuralNetClassifier
    given = {} if is_regression else {"criterion": nn.CrossEntropyLoss}
    net = kind(
        MLP,
        module__n_in=X.shape[1],
        module__n_out=1 if is_regression else int(y.max()) + 1,
        optimizer=torch.optim.Adam,
        max_epochs=10,
        batch_size=64,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        **given,
    )
    step = f"{kind.__name__.lower()}__"
    space = {
        f"{step}lr": loguniform(1e-3, 1e-1),
        f"{step}module__hidden": [8, 16, 32],
        f"{step}module__dropout": [0.0, 0.2, 0.4],
    }
    return RandomizedSearchCV(
        make_pipeline(StandardScaler(), net),
        space,
        n_iter=16,
        cv=N_SPLITS,
        stacked=True,
        refit=False,
        random_state=seed,
    )


def measured(name: str, folder: Path | None, seed: int) -> dict[str, Any]:
    """One search, its repetition, and what is true."""
    X, y = data_of(name, folder)
    if y.dtype.kind == "f":
        y = y.reshape(-1, 1)
    rows = np.random.default_rng(seed).permutation(len(X))
    here, there = rows[:N_ROWS], rows[N_ROWS : N_ROWS + N_OTHER]
    start = time.process_time()
    search = search_on(X, y, seed).fit(X[here], y[here])
    searched = time.process_time()
    given = {"n_candidates": N_CANDIDATES}
    found = repeat(
        search, X[here], y[here], n_seeds=N_SEEDS, random_state=seed, **given
    )
    repeated = time.process_time()
    many = N_SEEDS_OF_TRUTH
    large = repeat(
        search, X[here], y[here], n_seeds=many, random_state=1000 + seed, **given
    )
    n_tested = min(N_TESTED, len(there) - N_ROWS)
    search.cv = ShuffleSplit(
        N_SAMPLES,
        train_size=N_ROWS * (N_SPLITS - 1) // N_SPLITS,
        test_size=n_tested,
    )
    other = repeat(
        search, X[there], y[there], n_seeds=1, random_state=2000 + seed, **given
    )
    scores = found.scores["score"]
    naive = PairedScores.of(scores, 0.0, has_new_splits=True)
    return {
        "data": name,
        "seed": seed,
        "candidates": found.candidates.tolist(),
        "winner": found.winner,
        "search": found.search_scores.tolist(),
        "mean": found.mean.tolist(),
        "low": found.low.tolist(),
        "high": found.high.tolist(),
        "probability": found.probability_best.tolist(),
        "naive": naive.probability_best().tolist(),
        "same rows": in_order(found, large),
        "other rows": in_order(found, other),
        "seconds": time.process_time() - start,
        "search_seconds": searched - start,
        "repeat_seconds": repeated - searched,
    }


def in_order(found: Any, of: Any) -> list[float]:
    """Means of another repetition, in the order of this one's candidates."""
    means = dict(zip(of.candidates.tolist(), of.mean.tolist(), strict=True))
    return [means[number] for number in found.candidates.tolist()]


def is_best(record: dict[str, Any], truth: str) -> np.ndarray:
    """1 for the one that is truly best; equals share."""
    means = np.array(record[truth])
    best = means == means.max()
    return best / best.sum()


def tables(records: list[dict[str, Any]]) -> str:
    return "\n\n".join(
        [
            winners(records),
            *(calibration(records, truth) for truth in TRUTHS),
            sets(records),
        ]
    )


def winners(records: list[dict[str, Any]]) -> str:
    """How often the search's winner is the best, and how lucky it had been."""
    head = ["data", "searches", "winner is best, same rows", "other rows"]
    head += ["of the repetition's best, same rows", "other rows"]
    head += ["probability of the winner", "search - other rows", "repeated - other"]
    head += ["repeat / search"]
    names = [n for n in DATA if any(r["data"] == n for r in records)]
    lines = []
    for name in [*names, "all"]:
        mine = [r for r in records if name in (r["data"], "all")]
        places = [r["candidates"].index(r["winner"]) for r in mine]
        pairs = list(zip(mine, places, strict=True))
        won = [np.mean([is_best(r, t)[k] for r, k in pairs]) for t in TRUTHS]
        first = [np.mean([is_best(r, t)[0] for r in mine]) for t in TRUTHS]
        said = np.mean([r["probability"][k] for r, k in pairs])
        luck = [
            np.array([r[one][k] - r["other rows"][k] for r, k in pairs])
            for one in ("search", "mean")
        ]
        cost = np.median([r["repeat_seconds"] / r["search_seconds"] for r in mine])
        lines.append(
            [name, str(len(mine)), *(f"{100 * share:.0f} %" for share in won + first)]
            + [f"{100 * said:.0f} %"]
            + [f"{one.mean():+.4f} ± {one.std() / len(one) ** 0.5:.4f}" for one in luck]
            + [f"{cost:.1f}"]
        )
    return markdown_table(head, lines, "l" + "r" * 9)


def calibration(records: list[dict[str, Any]], truth: str) -> str:
    """Of candidates that were given a probability, how many are the best."""
    head = [f"said ({truth})", "candidates", "mean said", "are best", "standard error"]
    head += ["without the correction: candidates", "mean said", "are best"]
    best = np.concatenate([is_best(r, truth) for r in records])
    said = {
        name: np.concatenate([r[name] for r in records])
        for name in ("probability", "naive")
    }
    lines = []
    for low, high in pairwise(BINS):
        cells = [f"{100 * low:.0f} to {100 * high:.0f} %"]
        for name, p in said.items():
            there = (p >= low) & ((p < high) | (high == 1.0))
            n = int(there.sum())
            mean = p[there].mean() if n else np.nan
            share = best[there].mean() if n else np.nan
            cells += [str(n), percent(mean), percent(share)]
            if name == "probability":
                cells.append(percent((share * (1 - share) / n) ** 0.5 if n else np.nan))
        lines.append(cells)
    covered = np.mean(
        [
            low <= true <= high
            for r in records
            for low, high, true in zip(r["low"], r["high"], r[truth], strict=True)
        ]
    )
    table = markdown_table(head, lines, "l" + "r" * 7)
    return f"{table}\n\n{percent(covered)} of the 95 % intervals have the truth."


def sets(records: list[dict[str, Any]]) -> str:
    """Whether the best is among the fewest that add up to 95 %, and their number."""
    lines = []
    for name, label in (("probability", "corrected"), ("naive", "not corrected")):
        chosen = [likely_best(np.array(r[name]), 0.95) for r in records]
        hits = [
            np.mean(
                [is_best(r, t)[k].sum() for r, k in zip(records, chosen, strict=True)]
            )
            for t in TRUTHS
        ]
        errors = [
            np.mean([np.sum((np.array(r[name]) - is_best(r, t)) ** 2) for r in records])
            for t in TRUTHS
        ]
        size = np.mean([len(k) for k in chosen])
        lines.append(
            [label, f"{size:.1f}", *map(percent, hits), *(f"{e:.2f}" for e in errors)]
        )
    head = ["probabilities", "of five, are in the tie", "the best is, same rows"]
    head += ["other rows", "Brier score, same rows", "other rows"]
    return markdown_table(head, lines, "l" + "r" * 5)


def percent(share: float) -> str:
    return f"{100 * share:.0f} %" if np.isfinite(share) else ""


if __name__ == "__main__":
    main()
