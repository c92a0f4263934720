"""Do several candidates at once cost quality, where the strategy is told of them?

    python benchmarks/quality/pending.py --cache /tmp/quality --json pending.json

At equal numbers of candidates: one at a time; four in flight, of which the strategy is
told as the engine tells it; four in flight of which it is not told, so that the same
question is asked four times; and random search. Results arrive in the order in which
candidates were asked for, one whenever the fourth is in flight.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import numpy as np
from analysis.summary import at_marks, compare, groups_of, marks_of, regrets_of
from landscapes import Landscape, Params, landscapes
from report import environment, markdown_table, save
from runs import tasks
from runs.trajectory import REFERENCE, Observer
from searchers import Sktune

from sktune.space import Space

N_IN_FLIGHT = 4
NEAR = 0.01  # of the range of each parameter

ONE, TOLD, UNTOLD = "sktune, 1 at once", "sktune, 4 at once", "sktune, 4 times the same"
MODES = {ONE: (1, True), TOLD: (N_IN_FLIGHT, True), UNTOLD: (N_IN_FLIGHT, False)}
AGAINST = [(TOLD, ONE), (TOLD, UNTOLD), (UNTOLD, ONE), (TOLD, "random")]


def several(
    landscape: Landscape, seed: int, n: int, in_flight: int, told: bool
) -> dict[str, Any]:
    observer = Observer(landscape, seed)
    searcher = Sktune(landscape.space, seed, n)
    flying: deque[Params] = deque()
    asked: list[Params] = []
    curve: list[float] = []
    while len(curve) < n:
        if len(asked) < n and len(flying) < in_flight:
            params = searcher.ask(flying if told else ())
            if params is None:
                raise ValueError(f"{landscape.name} has less than {n} candidates")
            asked.append(params)
            flying.append(params)
            continue
        params = flying.popleft()
        searcher.tell(params, observer.observe(params))
        curve.append(observer.incumbent)
    space = Space(landscape.space)
    return {"curve": curve, "cpu_ms": [], **repeated(space, asked)}


def repeated(space: Space, asked: list[dict[str, Any]]) -> dict[str, int]:
    """How many candidates are, or are next to, one that was asked for before."""
    keys = [space.key(params) for params in asked]
    U = np.array([space.encode(params) for params in asked])
    U = np.where(np.isnan(U), -1.0, U)
    near = sum(
        bool((np.abs(U[:i] - U[i]) < NEAR).all(axis=1).any()) for i in range(len(U))
    )
    return {"duplicates": len(keys) - len(set(keys)), "near": near}


def one_run(task: tasks.Task) -> dict[str, Any]:
    if task.searcher not in MODES:
        return tasks.one_run(task)
    landscape = landscapes(task.cache, task.data)[task.landscape]
    return several(landscape, task.seed, task.candidates, *MODES[task.searcher])


def summarise(
    runs: dict[Any, Any], landscapes: list[str], seeds: int, n: int
) -> dict[str, Any]:
    regrets = regrets_of(runs)
    rows: dict[str, Any] = {}
    for name in (*MODES, "random"):
        mean = {p: np.mean([*regrets[name][p].values()], axis=0) for p in landscapes}
        rows[name] = {
            "mean_regret": {
                group: at_marks(np.mean([mean[p] for p in some], axis=0), n)
                for group, some in groups_of(landscapes).items()
            },
            "regret": {p: at_marks(curve, n) for p, curve in mean.items()},
        }
        for what in ("duplicates", "near") if name in MODES else ():
            counts = [runs[p, name, s][what] for p in landscapes for s in range(seeds)]
            rows[name][what] = round(float(np.mean(counts)), 2)
    return {"modes": rows, "tests": tests(regrets, landscapes, seeds, n)}


def tests(
    regrets: Any, landscapes: list[str], seeds: int, n: int
) -> dict[str, dict[str, Any]]:
    """Differences of regret, below 0 where the first is ahead."""
    found: dict[str, dict[str, Any]] = {}
    for one, other in AGAINST:
        d = np.array(
            [
                [regrets[one][p][s] - regrets[other][p][s] for s in range(seeds)]
                for p in landscapes
            ]
        )
        found[f"{one} against {other}"] = {
            str(t): {
                "pairs": compare(d[:, :, t - 1].ravel()),
                "landscapes": compare(d[:, :, t - 1].mean(axis=1)),
            }
            for t in marks_of(n)
        }
    return found


def show(summary: dict[str, Any], n: int) -> None:
    at = " / ".join(map(str, marks_of(n)))
    groups = list(next(iter(summary["modes"].values()))["mean_regret"])
    rows = []
    for name, row in summary["modes"].items():
        cells = [
            " / ".join(f"{v:.2f}" for v in row["mean_regret"][g].values())
            for g in groups
        ]
        cells += [str(row.get(what, "-")) for what in ("duplicates", "near")]
        rows.append([name, *cells])
    head = [f"regret at {at}", *groups, "duplicates", "within 1 %"]
    print(markdown_table(head, rows))
    print()
    rows = []
    for title, by_mark in summary["tests"].items():
        for t, test in by_mark.items():
            pairs, p = test["pairs"], f"{test['landscapes']['p']:.2g}"
            counts = f"{pairs['ahead']} / {pairs['equal']} / {pairs['behind']}"
            difference = f"{pairs['mean_difference']:+.2f}"
            rows.append([title, t, counts, difference, f"{pairs['p']:.2g}", p])
    head = ["", "at", "ahead / equal / behind", "difference", "p, pairs"]
    print(markdown_table([*head, "p, landscapes"], rows))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    tasks.add_options(parser)
    parser.set_defaults(noise="without")
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    if args.quick:
        args.problems = args.problems or list(tasks.QUICK)
        args.seeds, args.candidates = 2, 16
    args.slow_seeds = 0
    return args


def main() -> None:
    args = parsed()
    names = ["random", *MODES]
    planned = tasks.planned(args, names)
    runs = tasks.run_all(planned, args.runs, args.jobs, one_run)
    complete = [
        name
        for name in dict.fromkeys(task.landscape for task in planned)
        if (name, REFERENCE, 0) in runs
        and all((name, m, s) in runs for m in names for s in range(args.seeds))
    ]
    if not complete:
        raise SystemExit("there is no landscape on which all have run; seeds missing?")
    summary = summarise(runs, complete, args.seeds, args.candidates)
    show(summary, args.candidates)
    about = {
        "candidates": args.candidates,
        "seeds": args.seeds,
        "in_flight": N_IN_FLIGHT,
        **environment(),
    }
    save(args.json, {**about, **summary})


if __name__ == "__main__":
    main()
