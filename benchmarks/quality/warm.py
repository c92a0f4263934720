"""What is an earlier search worth to the next one, and what does a wrong one cost?

    python benchmarks/quality/warm.py --cache /tmp/quality --json warm.json

An earlier search of 25 candidates has run on the same landscape, on a related one, or
on one that misleads; the next one learns from it. Regret as in `run.py`: 0 is the best
known, 1 what random search reaches with 25 candidates.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import numpy as np
from landscapes import Landscape, Params, landscapes
from report import environment, save
from runs.trajectory import REFERENCE, Observer, reference, trajectory
from searchers import Sktune

from sktune.space import Space

N_SOURCE, N = 25, 25  # candidates of the earlier search, and of the next one
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
Rows = list[tuple[Params, float]]


def source_search(landscape: Landscape, seed: int) -> Rows:
    """25 candidates of a search of its own, as they were observed."""
    observer = Observer(landscape, seed)
    searcher = Sktune(landscape.space, 1000 + seed, N_SOURCE)
    rows = []
    for _ in range(N_SOURCE):
        params = searcher.ask()
        if params is None:
            break
        seen = observer.observe(params)
        searcher.tell(params, seen)
        rows.append((params, seen))
    return rows


class Moved:
    """The landscape's score, every number a little elsewhere."""

    def __init__(self, landscape: Landscape, seed: int) -> None:
        self.landscape, self.space = landscape, Space(landscape.space)
        rng = np.random.default_rng([seed, 3])
        self.shift = rng.uniform(-0.08, 0.08, self.space.n_dims)
        self.fixed = ~self.space.is_continuous

    def __call__(self, params: Params) -> float:
        u = self.space.encode(params)
        moved = np.where(self.fixed, u, np.clip(u + self.shift, 0.0, 1.0))
        return self.landscape.score(self.space.decode(moved))


def related(landscape: Landscape, seed: int, args: Any) -> Rows:
    """A search on other data, or on the landscape moved."""
    name = RELATED[landscape.name]
    if name != landscape.name:
        return source_search(landscapes(*args)[name], seed)
    return source_search(replace(landscape, score=Moved(landscape, seed)), seed)


def unrelated(landscape: Landscape, seed: int) -> Rows:
    """Candidates of a search for a point that was drawn at random."""
    space = Space(landscape.space)
    rng = np.random.default_rng([seed, 4])
    target = space.features(space.snap(rng.random((1, space.n_dims))))[0]

    def score(params: Params) -> float:
        at = space.features(space.encode(params)[None])[0]
        return -float(((at - target) ** 2).sum())

    other = Landscape("unrelated", landscape.space, score, 0.0)
    return source_search(other, seed)


def source_rows(kind: str, landscape: Landscape, seed: int, args: Any) -> Rows:
    if kind == "none":
        return []
    if kind == "related":
        return related(landscape, seed, args)
    if kind == "unrelated":
        return unrelated(landscape, seed)
    rows = source_search(landscape, seed)
    if kind == "shifted":  # other data: another level, another spread
        return [(params, 0.2 * score - 7.0) for params, score in rows]
    if kind == "opposite":
        return [(params, -score) for params, score in rows]
    assert kind == "same", kind
    return rows


KINDS = ("none", "same", "shifted", "related", "unrelated", "opposite")
Task = tuple[str, str, int, Path, Path | None]


def one_run(task: Task) -> dict[str, Any]:
    name, kind, seed, *args = task
    landscape = landscapes(*args)[name]
    if kind == REFERENCE:
        return reference(landscape, N)
    rows = source_rows(kind, landscape, seed, args)
    searcher = Sktune(landscape.space, seed, N, warm_start=rows)
    return trajectory(landscape, searcher, seed, N)


def tasks_of(
    problems: list[str], kinds: list[str], seeds: int, args: Any
) -> list[Task]:
    return [
        (problem, kind, seed, args.cache, args.data)
        for problem in problems
        for kind in [REFERENCE, *kinds]
        for seed in range(1 if kind == REFERENCE else seeds)
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

    there = landscapes(args.cache, args.data)
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
    save(args.json, {"seeds": args.seeds, **environment(), "table": table})


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
            base = results[problem, REFERENCE, 0]
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
        without = table.get("none", {})
        means = [
            mean_of({p: without[p] for p in row if p in without}, t)
            for row in table.values()
        ]
        print(f"{'none, the same':<20}" + "".join(f"{m:11.2f}" for m in means))
    cells = [np.mean([c["cpu_ms"] for c in row.values()]) for row in table.values()]
    print(f"{'CPU ms':<20}" + "".join(f"{c:11.1f}" for c in cells))


def mean_of(row: dict[str, Any], t: str) -> float:
    return float(np.mean([cell["regret"][t] for cell in row.values()] or [np.nan]))


if __name__ == "__main__":
    main()
