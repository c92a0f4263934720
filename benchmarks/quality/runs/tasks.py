"""Which runs there are to make, and making those that no file has yet."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

from landscapes import is_noisy, landscapes
from searchers import SLOW, searchers

from runs import finished
from runs.trajectory import REFERENCE, reference, trajectory

QUICK = ("mixed-7", "branches-5", "branches-5~1%")
NOISE = {"without": (False,), "with": (True,), "both": (False, True)}


class Task(NamedTuple):
    landscape: str
    searcher: str
    seed: int
    candidates: int
    cache: Path | None
    data: Path | None

    @property
    def key(self) -> finished.Key:
        """What the run is known by."""
        return finished.Key(*self[:4], finished.version_of(self.searcher))


def one_run(task: Task) -> dict[str, Any]:
    known = landscapes(task.cache, task.data, frozenset({task.landscape}))
    landscape = known[task.landscape]
    n, seed = task.candidates, task.seed
    if task.searcher == REFERENCE:
        return reference(landscape, n)
    searcher = searchers()[task.searcher](landscape.space, seed, n)
    return trajectory(landscape, searcher, seed, n)


OneRun = Callable[[Task], dict[str, Any]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that makes such runs."""
    parser.add_argument("--cache", type=Path, help="folder of tables of real models")
    parser.add_argument("--data", type=Path, help="folder of published records")
    parser.add_argument("--runs", type=Path, help="file of finished runs")
    parser.add_argument("--json", type=Path, help="where the result goes")
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--problems", nargs="*", help="names; all by default")
    parser.add_argument(
        "--noise", choices=NOISE, default="both", help="landscapes without it, with it"
    )
    parser.add_argument("--report-only", action="store_true", help="run nothing")
    parser.add_argument("--quick", action="store_true", help="a minute of it")


def planned(args: argparse.Namespace, names: list[str]) -> list[Task]:
    """Seed by seed, so that all are equally far wherever the command is ended."""
    models = frozenset(args.problems) if args.problems else None
    known = landscapes(args.cache, args.data, models)
    chosen = [name for name in known if args.problems and name in args.problems]
    if not args.problems:
        chosen = [name for name in known if is_noisy(name) in NOISE[args.noise]]
    seeds = {REFERENCE: 1} | {name: args.seeds for name in names}
    seeds |= {name: min(args.seeds, args.slow_seeds) for name in names if name in SLOW}
    tasks = [
        Task(landscape, name, seed, args.candidates, args.cache, args.data)
        for seed in range(max(args.seeds, 1))
        for landscape in chosen
        for name in seeds
        if seed < seeds[name]
    ]
    if args.report_only:
        done = finished.read(args.runs)
        tasks = [task for task in tasks if task.key in done]
    return tasks


def run_all(
    tasks: list[Task], path: Path | None, jobs: int, one: OneRun = one_run
) -> dict[Any, Any]:
    """The runs of all tasks, those that `path` has among them."""
    done = finished.read(path)
    new = [task for task in tasks if task.key not in done]
    for task, outcome in _carried_out(new, jobs, one):
        if isinstance(outcome, str):
            print(f"{task[:4]} failed:\n{outcome}", file=sys.stderr, flush=True)
            continue
        run = {**task.key._asdict(), **outcome}
        finished.append(path, run)
        done[task.key] = run
    return {task.key[:3]: done[task.key] for task in tasks if task.key in done}


def _carried_out(
    tasks: list[Task], jobs: int, one: OneRun
) -> Iterator[tuple[Task, Any]]:
    if jobs == 1:
        for task in tasks:
            yield task, _safely(one, task)
        return
    with ProcessPoolExecutor(jobs) as pool:
        submitted = {pool.submit(_safely, one, task): task for task in tasks}
        for future in as_completed(submitted):
            yield submitted[future], future.result()


def _safely(one: OneRun, task: Task) -> dict[str, Any] | str:
    """A run, or what went wrong in it: one that fails does not end the others."""
    try:
        return one(task)
    except Exception:
        return traceback.format_exc()
