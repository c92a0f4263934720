"""How many epochs do rules spare that stop a net by its curve, and what do they lose?

python benchmarks/stopping/run.py --data FOLDER --json results.json
"""

from __future__ import annotations

import argparse
import heapq
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401  isort: skip
import numpy as np
from published_records import published_records
from report import environment, markdown_table, save
from rules import PRUNERS, RULES, pruned

from sktune.schedule import EarlyStopping, LearningCurve

N_CANDIDATES, N_POINTS = 60, 50
IN_FLIGHT = {"growth": (1, 2, 4, 8), "growth, keep 0.5": (1, 4)}
CHOSEN_ON = (
    "patch128_LSTM128_avg_bs64",
    "patch128_LSTM128_bs64",
    "patch32_GRU128_bs128",
    "alexnet_imagenet",
)
NETS_CHOSEN_ON = ("net digits", "net satimage")
GROUPS = ("all recorded", "TaskSet", "chosen on", "kept apart", "nets", "nets apart")


def tasks(folder: Path) -> dict[str, np.ndarray]:
    """Curves by candidate, split and point, greater is better."""
    records = published_records(folder)
    found = {}
    for name in records.names()["curves"]:
        record = records.curves(name)
        sign = -1.0 if record["minimize"] else 1.0
        curves = sign * np.asarray(record["curves"], dtype=float)
        n = min(N_POINTS, curves.shape[1] - 1)
        points = np.linspace(0, curves.shape[1] - 1, n + 1).round().astype(int)[1:]
        short = name.split("/")[1].replace("FixedTextRNNClassification_imdb_", "")
        found[short] = curves[:, None, points]
    own = np.load(Path(__file__).parent / "curves.npz")
    return found | {f"net {name}": own[name][:, 0].astype(float) for name in own.files}


def groups(name: str) -> list[str]:
    if name.startswith("net "):
        return ["nets", *(["nets apart"] if name not in NETS_CHOSEN_ON else [])]
    side = "chosen on" if name in CHOSEN_ON else "kept apart"
    return ["all recorded", side, *(["TaskSet"] if name.startswith("patch") else [])]


def stopped(rules: EarlyStopping, curves: np.ndarray, n_at_once: int) -> np.ndarray:
    """How far each candidate comes, where so many are trained at the same time."""
    n, length = curves.shape
    reached = np.full(n, length)
    running: list[tuple[int, int]] = []
    told: list[tuple[int, LearningCurve]] = []
    now = begun = 0
    while begun < n or running:
        if begun < n and len(running) < n_at_once:
            rule = rules.rule([curve for _, curve in sorted(told, key=lambda t: t[0])])
            values = tuple(curves[begun].tolist())
            for k in range(1, length if rule is not None else 1):
                if rule is not None and rule(values[:k]):
                    reached[begun] = k
                    break
            heapq.heappush(running, (now + int(reached[begun]), begun))
            begun += 1
            continue
        now, i = heapq.heappop(running)
        values = tuple(curves[i, : reached[i]].tolist())
        told.append((i, LearningCurve(values, bool(reached[i] == length))))
    return reached


def judged(all_curves: np.ndarray, order: np.ndarray, reached: np.ndarray) -> Any:
    """Share of the epochs, whether the winner is lost, and the regret."""
    last = all_curves[:, -1]
    final = np.where(np.isfinite(last), last, -np.inf)
    scale = final.max() - np.median(final)
    values, length = final[order], all_curves.shape[1]
    got = values[reached == length].max(initial=-np.inf)
    regret = min(100.0 * (values.max() - got) / scale, 200.0)
    return reached.sum() / (len(order) * length), float(got < values.max()), regret


def one(job: tuple[str, str, np.ndarray, int, int]) -> list[Any]:
    """All seeds of a rule on a task."""
    _, name, curves, n_at_once, n_seeds = job
    rows = []
    for seed in range(n_seeds):
        on_split = curves[:, seed % curves.shape[1]]
        order = np.random.default_rng([7, seed]).permutation(len(on_split))
        order = order[:N_CANDIDATES]
        if name in RULES:
            reached = stopped(RULES[name], on_split[order], n_at_once)
        else:
            reached = pruned(name, on_split[order])
        rows.append(judged(on_split, order, reached))
    return rows


def summary(rows: Sequence[Any]) -> dict[str, float]:
    share, lost, regret = np.mean(rows, axis=0)
    se = np.std([row[1] for row in rows]) / np.sqrt(len(rows))
    return {
        "searches": len(rows),
        "epochs": round(100 * share, 1),
        "lost": round(100 * lost, 1),
        "lost_se": round(100 * se, 1),
        "regret": round(regret, 2),
    }


def table(cells: dict[str, dict[str, dict[str, float]]], head: Sequence[str]) -> str:
    rows = [
        [name, *(_cell(by_group[g]) if g in by_group else "" for g in head)]
        for name, by_group in cells.items()
    ]
    return markdown_table(["", *head], rows)


def _cell(cell: dict[str, float]) -> str:
    lost = f"{cell['lost']:.1f} ± {cell['lost_se']:.1f}"
    return f"{cell['epochs']:.0f} %, {lost}, {cell['regret']:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--rules", nargs="*", help="some; keeps the others' results")
    parser.add_argument("--tasks", nargs="*", help="some of them")
    parser.add_argument("--n-jobs", type=int, default=2)
    args = parser.parse_args()
    found = tasks(args.data)
    found = {k: v for k, v in found.items() if not args.tasks or k in args.tasks}
    names = [*RULES, *(PRUNERS if find_spec("optuna") else ())]
    names = [name for name in names if not args.rules or name in args.rules]
    jobs = [
        (task, name, curves, k, args.seeds)
        for name in names
        for k in IN_FLIGHT.get(name, (1,))
        for task, curves in found.items()
    ]
    with ProcessPoolExecutor(args.n_jobs) as pool:
        results = list(pool.map(one, jobs))
    cells: dict[str, dict[str, Any]] = {}
    others: dict[str, Any] = {}  # where rows that are kept are from
    by_task: dict[str, dict[str, Any]] = {}
    flight: dict[str, dict[str, Any]] = {}
    for (task, name, _, k, _), rows in zip(jobs, results, strict=True):
        if k == 1:
            by_task.setdefault(task, {})[name] = summary(rows)
        for group in groups(task):
            if k == 1:
                cells.setdefault(name, {}).setdefault(group, []).extend(rows)
            if name in IN_FLIGHT:
                kind = name.removeprefix("growth")
                row = flight.setdefault(f"{k} in flight{kind}", {})
                row.setdefault(group, []).extend(rows)
    for block in (cells, flight):
        for row in block.values():
            row.update({group: summary(rows) for group, rows in row.items()})
    if args.rules and args.json is not None and args.json.exists():
        old = json.loads(args.json.read_text())
        rows = ("rules", "in_flight", "by_task")
        others = {"others": {k: v for k, v in old.items() if k not in rows}}
        cells = old["rules"] | cells
        flight = old["in_flight"] | flight
        by_task = {k: old["by_task"].get(k, {}) | row for k, row in by_task.items()}
    in_order = [name for name in (*RULES, *PRUNERS) if name in cells]
    cells = {name: cells[name] for name in in_order}
    print(table(cells, GROUPS), "\n")
    print(table(flight, GROUPS), "\n")
    print(table(by_task, in_order))
    report = {
        "setting": {"n_candidates": N_CANDIDATES, "chosen_on": CHOSEN_ON},
        "rules": cells,
        "in_flight": flight,
        "by_task": by_task,
    }
    save(args.json, environment("optuna") | report | others)


if __name__ == "__main__":
    main()
