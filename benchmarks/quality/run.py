"""Which strategy finds better params with the same number of candidates?

    python benchmarks/quality/run.py --cache /tmp/quality --json result.json

Regret of a run after t candidates is that of the candidate with the best observed
score, by its score without noise: 0 is the best known, 1 what random search reaches
with t candidates (mean of 200 runs).
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before numpy: one core for each run

import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1]))
from peers import Random, searchers  # noqa: E402
from problems import HELD_OUT, Problem, landscapes  # noqa: E402
from report import where  # noqa: E402

N_REFERENCE = 200


def trajectory(problem: Problem, searcher: Any, seed: int, n: int) -> dict[str, Any]:
    """Noise-free score of the incumbent after each candidate, and CPU ms for each."""
    rng = np.random.default_rng([seed, 1])
    incumbent, best_seen = -np.inf, -np.inf
    curve, cpu = [], []
    for _ in range(n):
        start = time.process_time()
        params = searcher.ask()
        thought = time.process_time() - start
        if params is not None:
            score = problem.score(params)
            seen = score + problem.noise * rng.standard_normal()
            if seen > best_seen:
                best_seen, incumbent = seen, score
            start = time.process_time()
            searcher.tell(params, seen)
            thought += time.process_time() - start
        curve.append(incumbent)
        cpu.append(1e3 * thought)
    return {"curve": curve, "cpu_ms": cpu}


def reference(problem: Problem, n: int) -> np.ndarray:
    """Mean of the incumbent's score over many random searches, (n,)."""
    runs = [
        trajectory(problem, Random(problem.space, 10_000 + s), 10_000 + s, n)["curve"]
        for s in range(N_REFERENCE)
    ]
    return np.mean(runs, axis=0)


Task = tuple[str, str, int, int, Path, Path | None]


def one_run(task: Task) -> dict[str, Any]:
    problem_name, searcher_name, seed, n, cache, data = task
    problem = known_landscapes(cache, data)[problem_name]
    if searcher_name == "reference":
        return {"curve": reference(problem, n).tolist(), "best": problem.best}
    searcher = searchers(n)[searcher_name](problem.space, seed)
    return trajectory(problem, searcher, seed, n)


@functools.cache
def known_landscapes(cache: Path, data: Path | None) -> dict[str, Problem]:
    return {problem.name: problem for problem in landscapes(cache, data)}


def summarise(
    problems: list[str], names: list[str], seeds: int, results: dict[Any, Any], n: int
) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name in names:
        row: dict[str, Any] = {"problems": {}, "cpu_ms_per_candidate": 0.0}
        for problem in problems:
            base = results[problem, "reference", 0]
            curves = np.array(
                [results[problem, name, s]["curve"] for s in range(seeds)]
            )
            scale = base["best"] - np.array(base["curve"])
            regret = ((base["best"] - curves) / scale).mean(axis=0)
            row["problems"][problem] = {
                str(t): float(regret[t - 1]) for t in sorted({min(25, n), n})
            }
        for t in sorted({min(25, n), n}):
            for which, some in groups(problems).items():
                row[f"regret_at_{t}_{which}"] = float(
                    np.mean([row["problems"][p][str(t)] for p in some])
                )
        row["cpu_ms_per_candidate"] = float(
            np.mean(
                [results[p, name, s]["cpu_ms"] for p in problems for s in range(seeds)]
            )
        )
        table[name] = row
    return table


def groups(problems: list[str]) -> dict[str, list[str]]:
    """Landscapes that the strategy was made with, and those that were held out."""
    found = {
        "seen": [p for p in problems if p not in HELD_OUT],
        "held_out": [p for p in problems if p in HELD_OUT],
    }
    return {which: some for which, some in found.items() if some}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder of tables")
    parser.add_argument("--data", type=Path, help="folder of published records")
    parser.add_argument("--json", type=Path, help="where the result goes")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--problems", nargs="*", help="names; all by default")
    parser.add_argument("--searchers", nargs="*", help="names; all by default")
    args = parser.parse_args()

    problems = list(known_landscapes(args.cache, args.data))
    problems = [p for p in problems if not args.problems or p in args.problems]
    names = [
        s
        for s in searchers(args.candidates)
        if not args.searchers or s in args.searchers
    ]
    tasks = [
        (problem, name, seed, args.candidates, args.cache, args.data)
        for problem in problems
        for name in ["reference", *names]
        for seed in range(1 if name == "reference" else args.seeds)
    ]
    with ProcessPoolExecutor(args.jobs) as pool:
        outcomes = pool.map(one_run, tasks)
        results = {
            task[:3]: outcome for task, outcome in zip(tasks, outcomes, strict=True)
        }
    table = summarise(problems, names, args.seeds, results, args.candidates)
    report = {
        "candidates": args.candidates,
        "seeds": args.seeds,
        **where("optuna"),
        "table": table,
    }
    show(table, problems, args.candidates)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1))


def show(table: dict[str, Any], problems: list[str], n: int) -> None:
    width = max(map(len, problems)) + 2
    print(" " * width + "".join(f"{name:>16}" for name in table))
    for t in sorted({min(25, n), n}):
        print(f"regret at {t}")
        for problem in problems:
            cells = [row["problems"][problem][str(t)] for row in table.values()]
            print(f"{problem:<{width}}" + "".join(f"{c:16.2f}" for c in cells))
        for which in groups(problems):
            cells = [row[f"regret_at_{t}_{which}"] for row in table.values()]
            print(f"{which:<{width}}" + "".join(f"{c:16.2f}" for c in cells))
    cells = [row["cpu_ms_per_candidate"] for row in table.values()]
    print(f"{'CPU ms':<{width}}" + "".join(f"{c:16.1f}" for c in cells))


if __name__ == "__main__":
    main()
