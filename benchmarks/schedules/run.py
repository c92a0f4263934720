"""Which schedule finds good params with the fewest epochs? Nothing is trained.

    python benchmarks/schedules/run.py --data FOLDER --json results.json --plot plot.png

FOLDER has a `load.py` with `names()["curves"]` and `curves(name)`. Results of methods
that are not run again are kept in the JSON file.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import numpy as np
from methods import METHODS, OTHERS
from recorded import (
    POINTS,
    OutOfBudget,
    RecordedWorkers,
    load_task,
    task_names,
)
from report import environment, save
from scipy.stats import wilcoxon

from sktune._types import NAMELESS, Problem
from sktune.engine import Engine

MARKS = (0.1, 0.25, 0.5, 1.0)
GRID = np.linspace(0.02, 1.0, 99)
KNOWN = METHODS | OTHERS
COMPARED = ("Hyperband with Bayes", "Hyperband")


def problem_of(task: Any, n_epochs: int, has_rungs: bool) -> Problem:
    max_resources = n_epochs if has_rungs else None
    return Problem(task.space, None, max_resources, task.losses.shape[1])


def one_run(job: tuple[str, str, int, argparse.Namespace]) -> dict[str, Any]:
    """Regret of the incumbent at each mark, and over epochs and time."""
    name, task_name, seed, args = job
    task = load_task(args.data, task_name, args.epochs, args.points, args.space)
    method = KNOWN[name]
    budget = float(args.full * args.epochs)
    workers = RecordedWorkers(task, method.n_workers, budget, seed, args.speeds)
    engine = Engine(
        method.strategy(task, args.epochs, seed),
        method.schedule(args.epochs, budget),
        problem_of(task, args.epochs, method.has_rungs),
        workers,
        root=seed,
        score=lambda outcome: outcome.score(NAMELESS),
        n_pending=method.n_pending,
    )
    start = time.process_time()
    with suppress(OutOfBudget):
        engine.run()
    cpu = time.process_time() - start
    steps = list(workers.incumbents())
    at_epochs = [(step.epochs / budget, regret) for step, regret in steps]
    # Time of one full candidate after the other, on one worker for each split.
    at_time = [(step.time / budget, regret) for step, regret in steps]
    return {
        "marks": _at(MARKS, at_epochs),
        "epochs": _at(GRID, at_epochs),
        "time": _at(GRID, at_time),
        "cpu_ms": 1e3 * cpu / max(1, len(workers.rows)),
    }


def _at(marks: Any, trajectory: list[tuple[float, float]]) -> list[float]:
    """The latest regret at each mark; that of twice the median before the first."""
    xs = np.array([x for x, _ in trajectory])
    regrets = [200.0, *(regret for _, regret in trajectory)]
    return [regrets[int((xs <= mark + 1e-9).sum())] for mark in marks]


def summarise(name: str, tasks: list[str], seeds: int, results: Any) -> dict[str, Any]:
    runs = {t: [results[name, t, s] for s in range(seeds)] for t in tasks}
    everything = [run for one in runs.values() for run in one]
    return {
        "regret": dict(zip(map(str, MARKS), _mean(everything, "marks"), strict=True)),
        "cpu_ms_per_candidate": float(np.mean([run["cpu_ms"] for run in everything])),
        "tasks": {t: [run["marks"] for run in one] for t, one in runs.items()},
        "over_epochs": _mean(everything, "epochs"),
        "over_time": _mean(everything, "time"),
    }


def _mean(runs: list[dict[str, Any]], key: str) -> list[float]:
    return [round(v, 3) for v in np.mean([run[key] for run in runs], axis=0).tolist()]


def test(table: dict[str, Any]) -> dict[str, Any]:
    """Wilcoxon's signed rank test, one pair for each task and seed, two-sided.

    At each mark; also after the seeds of a task are averaged, since tasks differ more
    than seeds do.
    """
    if not all(name in table for name in COMPARED):
        return {}
    one, other = (table[name]["tasks"] for name in COMPARED)
    tasks = [t for t in one if t in other]
    n = min(len(runs[t]) for runs in (one, other) for t in tasks)
    pairs = np.array([np.subtract(one[t][:n], other[t][:n]) for t in tasks])
    found: dict[str, Any] = {}
    for i, mark in enumerate(MARKS):
        difference = pairs[:, :, i].ravel()
        p = float(wilcoxon(difference).pvalue) if difference.any() else 1.0
        found[str(mark)] = {
            "mean_difference": float(difference.mean()),
            "better": int((difference < 0).sum()),
            "worse": int((difference > 0).sum()),
            "p": p,
            "tasks_better": int((pairs[:, :, i].mean(axis=1) < 0).sum()),
            "tasks": len(tasks),
        }
    return {"compared": list(COMPARED), "marks": found}


def show(report: dict[str, Any]) -> None:
    for name, row in report["table"].items():
        cells = "".join(f"{v:8.1f}" for v in row["regret"].values())
        print(f"{name:<24}{cells}{row['cpu_ms_per_candidate']:10.1f} ms")
    for mark, found in report["test"].get("marks", {}).items():
        print(
            f"{mark:>5}: {found['mean_difference']:+.2f}, better {found['better']}, "
            f"worse {found['worse']}, p {found['p']:.2g}"
        )


def plot(table: dict[str, Any], path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True)
    for axis, key, label in (
        (axes[0], "over_epochs", "epochs, share of the budget"),
        (axes[1], "over_time", "simulated time, share of what one worker may take"),
    ):
        for name, row in table.items():
            if key == "over_time" and "ASHA" not in name and name != "Hyperband":
                continue
            axis.plot(GRID, row[key], label=name)
        axis.set(xlabel=label, yscale="log", ylim=(None, 120))
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    axes[0].set_ylabel("regret: 0 the best recorded, 100 the median")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of load.py")
    parser.add_argument("--tasks", nargs="*", help="names; all by default")
    parser.add_argument("--methods", nargs="*", choices=KNOWN, help="default: METHODS")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=27, help="the largest resource")
    parser.add_argument("--full", type=int, default=60, help="budget in candidates")
    parser.add_argument("--points", choices=POINTS, default="spread")
    parser.add_argument("--space", choices=("recorded", "cube"), default="recorded")
    parser.add_argument("--speeds", type=float, default=0.5, help="log-normal spread")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="where results are kept")
    parser.add_argument("--plot", type=Path, help="where the picture goes")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    tasks = args.tasks or task_names(args.data)
    names = args.methods or list(METHODS)
    setting = {
        "tasks": tasks,
        **{k: getattr(args, k) for k in ("seeds", "epochs", "full", "points", "space")},
        "speeds": args.speeds,
    }
    table: dict[str, Any] = {}
    if args.json and args.json.exists():
        before = json.loads(args.json.read_text())
        if before["setting"] != setting:
            raise SystemExit(f"{args.json} holds results of another setting.")
        table = before["table"]
    for name in names:
        jobs = [(name, t, s, args) for t in tasks for s in range(args.seeds)]
        with ProcessPoolExecutor(args.jobs) as pool:
            outcomes = list(pool.map(one_run, jobs))
        results = {job[:3]: out for job, out in zip(jobs, outcomes, strict=True)}
        table[name] = {**summarise(name, tasks, args.seeds, results), **environment()}
        table = {known: table[known] for known in KNOWN if known in table}
        report = {"setting": setting, "table": table, "test": test(table)}
        save(args.json, report)
    show(report)
    if args.plot:
        plot(table, args.plot)


if __name__ == "__main__":
    main()
