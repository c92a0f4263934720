"""What is an earlier search worth to the next one, and what does a wrong one cost?

    python benchmarks/quality/warm.py --cache /tmp/quality --json warm.json

An earlier search of 25 candidates has run on the same landscape, on a related one, or
on one that misleads; the next one learns from it. Regret as in `run.py`: 0 is the best
known, 1 what random search reaches with 25 candidates.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before numpy: one core for each run

import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1]))
from peers import Sktune  # noqa: E402
from problems import Problem  # noqa: E402
from report import where  # noqa: E402
from run import known_landscapes, reference, trajectory  # noqa: E402

from sktune._types import WarmStartObservation  # noqa: E402
from sktune.space import Space  # noqa: E402

N_EARLIER, N = 25, 25
MARKS = (1, 3, 5, 10, 25)
PROBLEMS = (
    "branin-2",
    "hartmann-6",
    "rosenbrock-5",
    "mixed-7",
    "optimizers-5",
    "svc-cancer-3",
    "mlp-digits-4",
    "svr-diabetes-cond",
    "mlp-cancer-6",
    "boosting-cancer-5",
)
# Other data, the same space: each learns from the next.
RELATED = {
    "fcnet-0": "fcnet-1",
    "fcnet-1": "fcnet-0",
    "taskset-0": "taskset-1",
    "taskset-1": "taskset-2",
    "taskset-2": "taskset-0",
    "hartmann-6": "hartmann-6",
    "mixed-7": "mixed-7",
    "optimizers-5": "optimizers-5",
}
Rows = list[tuple[dict[str, Any], float]]


def earlier_search(problem: Problem, seed: int) -> Rows:
    """25 candidates of a search of its own, as they were observed."""
    rng = np.random.default_rng([seed, 2])
    searcher = Sktune(problem.space, 1000 + seed, n_candidates=N_EARLIER)
    rows = []
    for _ in range(N_EARLIER):
        params = searcher.ask()
        if params is None:
            break
        seen = problem.score(params) + problem.noise * rng.standard_normal()
        searcher.tell(params, seen)
        rows.append((params, seen))
    return rows


class Moved:
    """The landscape, every number a little elsewhere."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem, self.space = problem, Space(problem.space)
        rng = np.random.default_rng([seed, 3])
        self.shift = rng.uniform(-0.08, 0.08, self.space.n_dims)
        self.fixed = ~self.space.is_continuous

    def __call__(self, params: dict[str, Any]) -> float:
        u = self.space.encode(params)
        moved = np.where(self.fixed, u, np.clip(u + self.shift, 0.0, 1.0))
        return self.problem.score(self.space.decode(moved))


def unrelated(rows: Rows, problem: Problem, seed: int) -> Rows:
    """Candidates of a search for a point that was drawn at random."""
    space = Space(problem.space)
    rng = np.random.default_rng([seed, 4])
    target = space.features(space.snap(rng.random((1, space.n_dims))))[0]

    def score(params: dict[str, Any]) -> float:
        at = space.features(space.encode(params)[None])[0]
        return -float(((at - target) ** 2).sum())

    other = Problem("unrelated", problem.space, score, 0.0, 0.01)
    return earlier_search(other, seed)


def rows_of(kind: str, problem: Problem, seed: int, args: Any) -> Rows:
    landscapes = known_landscapes(*args)
    if kind == "none":
        return []
    if kind == "related":
        name = RELATED[problem.name]
        if name != problem.name:
            return earlier_search(landscapes[name], seed)
        return earlier_search(
            Problem(
                name, problem.space, Moved(problem, seed), problem.best, problem.noise
            ),
            seed,
        )
    rows = earlier_search(problem, seed)
    if kind == "shifted":  # other data: another level, another spread
        return [(params, 0.2 * score - 7.0) for params, score in rows]
    if kind == "opposite":
        return [(params, -score) for params, score in rows]
    if kind == "unrelated":
        return unrelated(rows, problem, seed)
    assert kind == "same", kind
    return rows


KINDS = ("none", "same", "shifted", "related", "unrelated", "opposite")
Task = tuple[str, str, int, Path, Path | None]


def one_run(task: Task) -> dict[str, Any]:
    name, kind, seed, *args = task
    problem = known_landscapes(*args)[name]
    if kind == "reference":
        return {"curve": reference(problem, N).tolist(), "best": problem.best}
    rows = rows_of(kind, problem, seed, args)
    warm_start = tuple(WarmStartObservation(p, s) for p, s in rows)
    searcher = Sktune(problem.space, seed, n_candidates=N, warm_start=warm_start)
    return trajectory(problem, searcher, seed, N)


def tasks_of(
    problems: list[str], kinds: list[str], seeds: int, args: Any
) -> list[Task]:
    return [
        (problem, kind, seed, args.cache, args.data)
        for problem in problems
        for kind in ["reference", *kinds]
        for seed in range(1 if kind == "reference" else seeds)
        if kind != "related" or problem in RELATED
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder of tables")
    parser.add_argument("--data", type=Path, help="folder of published records")
    parser.add_argument("--json", type=Path, help="where the result goes")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--problems", nargs="*", help="names; all by default")
    parser.add_argument("--kinds", nargs="*", default=KINDS)
    args = parser.parse_args()

    there = known_landscapes(args.cache, args.data)
    problems = [
        name
        for name in dict.fromkeys([*PROBLEMS, *RELATED])
        if name in there and (not args.problems or name in args.problems)
    ]
    tasks = tasks_of(problems, list(args.kinds), args.seeds, args)
    with ProcessPoolExecutor(args.jobs) as pool:
        outcomes = pool.map(one_run, tasks)
        results = {t[:3]: outcome for t, outcome in zip(tasks, outcomes, strict=True)}
    table = summarise(problems, list(args.kinds), args.seeds, results)
    show(table)
    if args.json:
        report = {"seeds": args.seeds, **where(), "table": table}
        args.json.write_text(json.dumps(report, indent=1))


def summarise(
    problems: list[str], kinds: list[str], seeds: int, results: dict[Any, Any]
) -> dict[str, Any]:
    """Mean regret by kind, mark and landscape; that of none beside each kind's."""
    table: dict[str, Any] = {}
    for kind in kinds:
        row: dict[str, Any] = {}
        for problem in problems:
            if (problem, kind, 0) not in results:
                continue
            base = results[problem, "reference", 0]
            scale = base["best"] - base["curve"][-1]
            runs = [results[problem, kind, s] for s in range(seeds)]
            regret = (base["best"] - np.array([r["curve"] for r in runs])) / scale
            row[problem] = {
                "regret": {str(t): float(regret[:, t - 1].mean()) for t in MARKS},
                "cpu_ms": float(np.mean([r["cpu_ms"] for r in runs])),
            }
        table[kind] = row
    return table


def show(table: dict[str, Any]) -> None:
    print(f"{'':<20}" + "".join(f"{kind:>11}" for kind in table))
    problems = list(dict.fromkeys(p for row in table.values() for p in row))
    for t in map(str, MARKS):
        print(f"regret at {t}")
        for problem in problems:
            cells = [row.get(problem) for row in table.values()]
            print(
                f"{problem:<20}"
                + "".join(f"{c['regret'][t]:11.2f}" if c else f"{'':11}" for c in cells)
            )
        means = [mean_of(row, t) for row in table.values()]
        print(f"{'mean':<20}" + "".join(f"{m:11.2f}" for m in means))
        alone = table.get("none", {})
        means = [
            mean_of({p: alone[p] for p in row if p in alone}, t)
            for row in table.values()
        ]
        print(f"{'none, the same':<20}" + "".join(f"{m:11.2f}" for m in means))
    cells = [np.mean([c["cpu_ms"] for c in row.values()]) for row in table.values()]
    print(f"{'CPU ms':<20}" + "".join(f"{c:11.1f}" for c in cells))


def mean_of(row: dict[str, Any], t: str) -> float:
    return float(np.mean([cell["regret"][t] for cell in row.values()] or [np.nan]))


if __name__ == "__main__":
    main()
