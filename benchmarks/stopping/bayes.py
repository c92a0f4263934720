"""Does a surrogate that learns from stopped candidates find as much?

    python benchmarks/stopping/bayes.py --data FOLDER --json bayes.json

Recorded configurations are a finite space, searched by `Bayes` through the engine, one
candidate at a time on two splits; nothing is trained.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "schedules"))
import single_thread  # noqa: F401  isort: skip
import numpy as np
from recorded import Task, load_task, task_names
from report import environment, markdown_table, save

from sktune._types import NAMELESS, Fit, FitOutcome, Problem, Unit
from sktune.engine import Engine
from sktune.schedule import Flat, Growth, Percentile, Racing
from sktune.strategy import Bayes

N_EPOCHS = 27
WORST = 1e6  # of losses; those that diverge go beyond any float
RULES = {"no rule": None, "growth": Growth(), "median": Percentile(50)}


class Looking:
    """Workers that look curves up, and ask the rule of a fit."""

    n_workers = 1

    def __init__(self, task: Task) -> None:
        self._task = task
        self._free = np.ones(len(task.points), bool)
        self._queue: list[Fit] = []
        self.rows: dict[int, int] = {}
        self.finished: dict[int, list[bool]] = {}
        self.n_epochs = 0

    def submit(self, unit: Unit) -> None:
        self._queue += unit

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        if not self._queue:
            return []
        fit = self._queue.pop(0)
        if fit.candidate not in self.rows:
            u = self._task.space.encode(fit.params)
            far = np.square(self._task.points - u).sum(axis=1)
            row = int(np.argmin(np.where(self._free, far, np.inf)))
            self._free[row], self.rows[fit.candidate] = False, row
        losses = self._task.losses[self.rows[fit.candidate], fit.split]
        losses = np.clip(np.where(np.isnan(losses), WORST, losses), -WORST, WORST)
        curve = tuple((-losses).tolist())
        rule, n = fit.stop_rule, N_EPOCHS
        if rule is not None:
            lengths = range(1, N_EPOCHS)
            n = next((k for k in lengths if rule(curve[:k])), N_EPOCHS)
        self.n_epochs += n
        self.finished.setdefault(fit.candidate, []).append(n == N_EPOCHS)
        scores = {NAMELESS: curve[n - 1]}
        stopped = n < N_EPOCHS
        return [(fit, FitOutcome(scores, curve=curve[:n], stopped=stopped))]


def search(task: Task, rule: str, n: int, seed: int) -> tuple[float, float]:
    """Share of the epochs, and the regret of the best that has finished."""
    workers, problem = Looking(task), Problem(task.space, n, None, 2)
    schedule = Racing(n, None, RULES[rule], n_pending=1, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Engine(
            Bayes(),
            Flat(n) if RULES[rule] is None else schedule,
            problem,
            workers,
            root=seed,
            score=lambda outcome: outcome.score(NAMELESS),
            n_pending=1,
        ).run()
    regrets = task.regrets()
    finished = [c for c, fits in workers.finished.items() if fits == [True, True]]
    regret = min((float(regrets[workers.rows[c]]) for c in finished), default=200.0)
    return workers.n_epochs / (2 * N_EPOCHS * n), regret


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--candidates", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {rule: [] for rule in RULES}
    for name in task_names(args.data):
        task = load_task(args.data, name, N_EPOCHS, "spread", "recorded")
        for seed in range(args.seeds):
            for rule, cells in found.items():
                cells.append(search(task, rule, args.candidates, seed))
    rows = []
    for rule, cells in found.items():
        share, regret = np.array(cells).T
        error = regret.std(ddof=1) / np.sqrt(len(regret))
        rows.append(
            (rule, f"{100 * share.mean():.0f} %", f"{regret.mean():.1f} ± {error:.1f}")
        )
    print(markdown_table(("rule", "epochs", "regret"), rows, "lrr"))
    about = {"seeds": args.seeds, "candidates": args.candidates, "searches": found}
    save(args.json, {**environment("torch"), **about})


if __name__ == "__main__":
    main()
