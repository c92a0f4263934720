"""With five splits: which fits of a candidate should have a rule?

    python benchmarks/stopping/modes.py --json modes.json

On the nets of record.py. The winner is the candidate of the best mean test score.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401  isort: skip
import numpy as np
from report import environment, markdown_table, save

from sktune._types import StopRule
from sktune.schedule import Growth, LearningCurve

N_CANDIDATES = 60
CURVES = ("inner validation part", "test part")
# How many splits have a rule, and whether the others are begun in spite of it.
MODES = {
    "by each": (5, True),
    "in turn, all with a rule": (5, False),
    "in turn, two with a rule": (2, False),
    "in turn, one with a rule": (1, False),
    "together": (0, False),
}


def end(rule: StopRule | None, values: tuple[float, ...]) -> int:
    """How many epochs a fit comes to."""
    if rule is None:
        return len(values)
    lengths = range(1, len(values))
    return next((n for n in lengths if rule(values[:n])), len(values))


def search(scores: np.ndarray, mode: str, growth: Growth, curve: int) -> Any:
    """Epochs of each candidate and split, and which candidates have finished."""
    n, _, n_splits, length = scores.shape
    n_ruled, goes_on = MODES[mode]
    known: list[list[LearningCurve]] = [[] for _ in range(n_splits)]
    reached = np.zeros((n, n_splits), int)
    for i, curves in enumerate(scores[:, curve]):
        if mode == "together":
            mean = tuple(curves.mean(axis=0).tolist())
            reached[i] = end(growth.rule(known[0]), mean)
            known[0].append(_learned(mean, reached[i, 0]))
            continue
        for split in range(n_splits):
            values = tuple(curves[split].tolist())
            rule = growth.rule(known[split]) if split < n_ruled else None
            reached[i, split] = end(rule, values)
            known[split].append(_learned(values, reached[i, split]))
            if reached[i, split] < length and not goes_on:
                break
    return reached, (reached == length).all(axis=1)


def _learned(values: tuple[float, ...], n: int) -> LearningCurve:
    return LearningCurve(values[:n], bool(n == len(values)))


def one(job: tuple[np.ndarray, str, Growth, int, int]) -> list[tuple[float, ...]]:
    """All seeds on one data set."""
    scores, mode, growth, curve, n_seeds = job
    final = scores[:, 1, :, -1].mean(axis=1)
    final = np.where(np.isfinite(final), final, -np.inf)
    rows = []
    for seed in range(n_seeds):
        order = np.random.default_rng([5, seed]).permutation(len(scores))
        order = order[:N_CANDIDATES]
        reached, finished = search(scores[order], mode, growth, curve)
        lost = final[order].max() - final[order][finished].max(initial=-np.inf)
        regret = min(100 * lost / (final.max() - np.median(final)), 200.0)
        share = reached.sum() / (reached.size * scores.shape[3])
        rows.append((share, float(lost > 0), regret))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--n-jobs", type=int, default=2)
    args = parser.parse_args()
    nets = np.load(Path(__file__).parent / "curves.npz")
    data = [nets[name].astype(float) for name in nets.files]
    cells: dict[str, dict[str, list[float]]] = {}
    jobs = {
        (mode, keep, CURVES[k]): [(d, mode, Growth(keep), k, args.seeds) for d in data]
        for mode in MODES
        for keep in (0.4, Growth().keep)
        for k in (0, 1)
    }
    with ProcessPoolExecutor(args.n_jobs) as pool:
        for (mode, keep, curve), job in jobs.items():
            rows = [row for rows in pool.map(one, job) for row in rows]
            share, lost, regret = np.mean(rows, axis=0)
            row = [100 * share, 100 * lost, regret]
            cells.setdefault(f"{mode}, keep {keep}", {})[curve] = row
    table = [
        [name, *(f"{r[0]:.1f} %, {r[1]:.1f}, {r[2]:.2f}" for r in by_curve.values())]
        for name, by_curve in cells.items()
    ]
    print(markdown_table(["", *CURVES], table))
    save(args.json, environment() | {"seeds": args.seeds, "modes": cells})


if __name__ == "__main__":
    main()
