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
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before numpy: one core for each run

import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1]))
import runs as finished  # noqa: E402
from peers import NEEDS, SLOW, Random, missing, searchers  # noqa: E402
from problems import Problem, landscapes  # noqa: E402
from report import where  # noqa: E402
from summary import summarise  # noqa: E402
from tables_md import markdown  # noqa: E402

N_REFERENCE = 200
REFERENCE = "reference"
QUICK = ("mixed-7", "branches-5")


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
        curve.append(float(incumbent))
        cpu.append(round(1e3 * thought, 3))
    return {"curve": curve, "cpu_ms": cpu}


def reference(problem: Problem, n: int) -> dict[str, Any]:
    """Mean of the incumbent's score over many random searches."""
    found = [
        trajectory(problem, Random(problem.space, 10_000 + s), 10_000 + s, n)["curve"]
        for s in range(N_REFERENCE)
    ]
    return {"curve": np.mean(found, axis=0).tolist(), "best": problem.best}


Task = tuple[str, str, int, int, Path | None, Path | None]


def one_run(task: Task) -> dict[str, Any]:
    name, searcher, seed, n, cache, data = task
    problem = known_landscapes(cache, data)[name]
    if searcher == REFERENCE:
        return reference(problem, n)
    return trajectory(problem, searchers(n)[searcher](problem.space, seed), seed, n)


OneRun = Callable[[Task], dict[str, Any]]


def safely(one: OneRun, task: Task) -> dict[str, Any] | str:
    """A run, or what went wrong in it: one that fails does not end the others."""
    try:
        return one(task)
    except Exception:
        return traceback.format_exc()


@functools.cache
def known_landscapes(cache: Path | None, data: Path | None) -> dict[str, Problem]:
    return {problem.name: problem for problem in landscapes(cache, data)}


def planned(args: argparse.Namespace, names: list[str]) -> list[Task]:
    """Seed by seed, so that all are equally far wherever the command is ended."""
    known = known_landscapes(args.cache, args.data)
    problems = [p for p in known if not args.problems or p in args.problems]
    seeds = {REFERENCE: 1} | {name: args.seeds for name in names}
    seeds |= {name: min(args.seeds, args.slow_seeds) for name in names if name in SLOW}
    tasks: list[Task] = [
        (problem, name, seed, args.candidates, args.cache, args.data)
        for seed in range(max(args.seeds, 1))
        for problem in problems
        for name in seeds
        if seed < seeds[name]
    ]
    if args.report_only:
        done = finished.read(args.runs)
        tasks = [t for t in tasks if (*t[:4], finished.version_of(t[1])) in done]
    return tasks


def carried_out(
    tasks: list[Task], jobs: int, one: OneRun
) -> Iterator[tuple[Task, Any]]:
    if jobs == 1:
        for task in tasks:
            yield task, safely(one, task)
        return
    with ProcessPoolExecutor(jobs) as pool:
        submitted = {pool.submit(safely, one, task): task for task in tasks}
        for future in as_completed(submitted):
            yield submitted[future], future.result()


def run_all(
    tasks: list[Task], path: Path | None, jobs: int, one: OneRun = one_run
) -> dict[Any, Any]:
    """The runs of all tasks, those that `path` has among them."""
    done = finished.read(path)
    keys = {task: (*task[:4], finished.version_of(task[1])) for task in tasks}
    new = [task for task in tasks if keys[task] not in done]
    for task, outcome in carried_out(new, jobs, one):
        if isinstance(outcome, str):
            print(f"{task[:4]} failed:\n{outcome}", file=sys.stderr, flush=True)
            continue
        landscape, searcher, seed, candidates, version = keys[task]
        run = {
            "landscape": landscape,
            "searcher": searcher,
            "seed": seed,
            "candidates": candidates,
            "version": version,
            **outcome,
        }
        finished.append(path, run)
        done[keys[task]] = run
    return {key[:3]: done[key] for key in keys.values() if key in done}


def chosen_searchers(args: argparse.Namespace) -> list[str]:
    """Those who are installed, and those of whom there are runs."""
    names = [*searchers(args.candidates)]
    if args.report_only:
        known = {key[1] for key in finished.read(args.runs)}
        names += [name for name in NEEDS if name in known and name not in names]
    if not args.searchers:
        for name in NEEDS:
            if name not in names:
                print(f"{name} is left out: no {', '.join(missing(name))} here")
        return names
    unknown = [name for name in args.searchers if name not in [*names, *NEEDS]]
    if unknown:
        raise SystemExit(f"--searchers {unknown} not known. Choose among {names}.")
    for name in args.searchers:
        if name not in names:
            print(f"{name} is left out: no {', '.join(missing(name))} here")
    return [name for name in names if name in args.searchers]


def add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cache", type=Path, help="folder of tables of real models")
    parser.add_argument("--data", type=Path, help="folder of published records")
    parser.add_argument("--runs", type=Path, help="file of finished runs")
    parser.add_argument("--json", type=Path, help="where the result goes")
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--problems", nargs="*", help="names; all by default")
    parser.add_argument("--report-only", action="store_true", help="run nothing")
    parser.add_argument("--quick", action="store_true", help="a minute of it")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common(parser)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--slow-seeds", type=int, default=2, help=f"seeds of {' and '.join(SLOW)}"
    )
    parser.add_argument("--searchers", nargs="*", help="names; all by default")
    parser.add_argument("--markdown", type=Path, help="where its tables go")
    parser.add_argument("--plot", type=Path, help="where the picture goes")
    args = parser.parse_args()
    if args.quick:
        args.problems = args.problems or list(QUICK)
        args.seeds, args.slow_seeds, args.candidates = 1, 1, 12
    return args


def main() -> None:
    args = parsed()
    names = chosen_searchers(args)
    tasks = planned(args, names)
    results = run_all(tasks, args.runs, args.jobs)
    problems = list(dict.fromkeys(task[0] for task in tasks))
    summary = summarise(results, problems, names, args.candidates)
    packages = sorted({package for needs in NEEDS.values() for package in needs})
    named = {"skopt": "scikit-optimize"}
    report = {
        "candidates": args.candidates,
        **where(*(named.get(package, package) for package in packages)),
        **summary,
    }
    text = markdown(summary, problems, args.candidates)
    print(text)
    if args.markdown:
        args.markdown.write_text(text)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1))
    if args.plot:
        from plot import plot

        plot(summary, args.plot)


if __name__ == "__main__":
    main()
