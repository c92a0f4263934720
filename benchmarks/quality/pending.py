"""Do several candidates at once cost quality, where the strategy is told of them?

    python benchmarks/quality/pending.py --cache /tmp/quality --json pending.json

At equal numbers of candidates: one at a time; four in flight, of which the strategy is
told as the engine tells it; four in flight of which it is not told, so that the same
question is asked four times; and random search. Results arrive in the order in which
candidates were asked for, one whenever the fourth is in flight.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from pathlib import Path
from typing import Any

import run as benchmark

sys.path.insert(0, str(Path(__file__).parents[1]))
import numpy as np
from peers import Random
from problems import Problem
from report import where
from summary import at_marks, compare, groups_of, marks_of, regrets_of

from sktune import _types as types
from sktune._random import derive_seed
from sktune.space import Space
from sktune.strategy import Bayes

N_IN_FLIGHT = 4
NEAR = 0.01  # of the range of each parameter

ONE, TOLD, UNTOLD = "sktune, 1 at once", "sktune, 4 at once", "sktune, 4 times the same"
MODES = {ONE: (1, True), TOLD: (N_IN_FLIGHT, True), UNTOLD: (N_IN_FLIGHT, False)}
AGAINST = [(TOLD, ONE), (TOLD, UNTOLD), (UNTOLD, ONE), (TOLD, "random")]


def several(
    problem: Problem, seed: int, n: int, in_flight: int, told: bool
) -> dict[str, Any]:
    rng = np.random.default_rng([seed, 1])
    space = Space(problem.space)
    strategy = Bayes()
    state = strategy.init(types.Problem(space, n_candidates=n))
    flying: deque[tuple[int, dict[str, Any]]] = deque()
    asked: list[dict[str, Any]] = []
    incumbent, best_seen, curve = -np.inf, -np.inf, []
    while len(curve) < n:
        if len(asked) < n and len(flying) < in_flight:
            number = len(asked)
            pending = tuple(params for _, params in flying) if told else ()
            new = strategy.ask(state, number, pending, derive_seed(seed, "ask", number))
            if new is None:
                raise ValueError(f"{problem.name} has less than {n} candidates")
            asked.append(dict(new))
            flying.append((number, dict(new)))
            continue
        number, params = flying.popleft()
        score = problem.score(params)
        seen = score + problem.noise * rng.standard_normal()
        if seen > best_seen:
            best_seen, incumbent = seen, score
        state = strategy.tell(state, types.Observation(number, params, {0: seen}))
        curve.append(float(incumbent))
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


def one_run(task: benchmark.Task) -> dict[str, Any]:
    name, searcher, seed, n, cache, data = task
    problem = benchmark.known_landscapes(cache, data)[name]
    if searcher == benchmark.REFERENCE:
        return benchmark.reference(problem, n)
    if searcher == "random":
        return benchmark.trajectory(problem, Random(problem.space, seed), seed, n)
    return several(problem, seed, n, *MODES[searcher])


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
    print(f"| regret at {at} | {' | '.join(groups)} | duplicates | within 1 % |")
    print("| --- |" + " --- |" * (len(groups) + 2))
    for name, row in summary["modes"].items():
        cells = [
            " / ".join(f"{v:.2f}" for v in row["mean_regret"][g].values())
            for g in groups
        ]
        cells += [str(row.get(what, "-")) for what in ("duplicates", "near")]
        print(f"| {name} | {' | '.join(cells)} |")
    print()
    print("| | at | ahead / equal / behind | difference | p, pairs | p, landscapes |")
    print("| --- |" + " --- |" * 5)
    for title, by_mark in summary["tests"].items():
        for t, test in by_mark.items():
            pairs = test["pairs"]
            counts = f"{pairs['ahead']} / {pairs['equal']} / {pairs['behind']}"
            print(
                f"| {title} | {t} | {counts} | {pairs['mean_difference']:+.2f} | "
                f"{pairs['p']:.2g} | {test['landscapes']['p']:.2g} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    benchmark.add_common(parser)
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    if args.quick:
        args.problems = args.problems or list(benchmark.QUICK)
        args.seeds, args.candidates = 2, 16
    args.slow_seeds = 0
    names = ["random", *MODES]
    tasks = benchmark.planned(args, names)
    runs = benchmark.run_all(tasks, args.runs, args.jobs, one_run)
    landscapes = list(dict.fromkeys(task[0] for task in tasks))
    complete = [
        p
        for p in landscapes
        if (p, benchmark.REFERENCE, 0) in runs
        and all(
            (p, m, s) in runs for m in (*MODES, "random") for s in range(args.seeds)
        )
    ]
    if not complete:
        raise SystemExit("there is no landscape on which all have run; seeds missing?")
    summary = summarise(runs, complete, args.seeds, args.candidates)
    show(summary, args.candidates)
    if args.json:
        report = {
            "candidates": args.candidates,
            "seeds": args.seeds,
            "in_flight": N_IN_FLIGHT,
            **where(),
            **summary,
        }
        args.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
