"""Who comes closest to the best front with the same number of candidates?

    python benchmarks/objectives/run.py --json result.json

A run's share of the hypervolume after t candidates is that of the candidates which no
other beats by their observed objectives, judged by their objectives without noise, and
divided by that of the best front that is known.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import json
import warnings
from typing import Any

import numpy as np
from problems import PROBLEMS, Problem
from report import environment, markdown_table, save
from searchers import SEARCHERS

MARKS = (25, 50, 100)
# Those on which nothing of ours was chosen.
APART = ("bells", "peaks", "net")
# Who takes long is run on some only, with fewer seeds, and not up to the last mark.
SLOW = ("Optuna, GP", "SMAC, ParEGO")
SLOW_ON = ("zdt2", "bells", "net")
Runs = list[dict[str, Any]]
Found = dict[str, dict[str, Runs]]  # by problem and searcher


def one_run(
    problem: Problem, name: str, seed: int, marks: tuple[int, ...]
) -> dict[str, Any]:
    """Shares at the marks, and seconds of processor for each proposal."""
    rng = np.random.default_rng([seed, 7])
    m = len(problem.reference)
    searcher = SEARCHERS[name](problem.space, m, marks[-1], seed)
    tried, observed, shares = [], [], []
    seconds = 0.0
    for t in range(1, marks[-1] + 1):
        begun = time.process_time()
        params = searcher.ask()
        seconds += time.process_time() - begun
        y = problem.observe(params, rng)
        begun = time.process_time()
        searcher.tell(params, y)
        seconds += time.process_time() - begun
        tried.append(params)
        observed.append(y)
        if t in marks:
            shares.append(problem.share(tried, np.array(observed)))
    return {"shares": shares, "seconds": seconds / marks[-1]}


def runs_of(args: argparse.Namespace) -> Found:
    """Seed by seed; those of the cache are not run again."""
    is_there = args.cache is not None and args.cache.exists()
    cache = json.loads(args.cache.read_text()) if is_there else {}
    found: Found = {}
    for problem_name in args.problems:
        problem = PROBLEMS[problem_name]()
        for name in args.searchers:
            marks = args.marks
            seeds = args.seeds if len(problem.reference) == 2 else args.three_seeds
            if name in SLOW:
                marks = marks[:-1] or marks
                seeds = args.slow_seeds if problem_name in SLOW_ON else 0
            runs = found.setdefault(problem_name, {}).setdefault(name, [])
            for seed in range(seeds):
                key = f"{problem_name}/{name}/{seed}/{marks}"
                if key not in cache and args.report_only:
                    continue
                if key not in cache:
                    cache[key] = one_run(problem, name, seed, tuple(marks))
                    if args.cache:
                        args.cache.write_text(json.dumps(cache))
                runs.append(cache[key])
            said = [_cell(runs, k) for k in range(len(marks))]
            print(problem_name, name, said, file=sys.stderr, flush=True)
    return found


def _shares(runs: Runs, k: int) -> np.ndarray:
    """Shares at a mark, in per cent, of those that came to it."""
    return 100.0 * np.array([r["shares"][k] for r in runs if k < len(r["shares"])])


def _cell(runs: Runs, k: int) -> str:
    """Median share at a mark, with the standard error of the mean."""
    shares = _shares(runs, k)
    if len(shares) < 2:
        return "".join(f"{share:.1f}" for share in shares)
    return f"{np.median(shares):.1f} ± {shares.std(ddof=1) / len(shares) ** 0.5:.1f}"


def tables(found: Found, marks: list[int]) -> str:
    """One table of each mark, two of pairs, and one of the seconds."""
    names = list(dict.fromkeys(name for of in found.values() for name in of))
    parts = []
    for k, mark in enumerate(marks):
        rows = [
            [name, *(_cell(of[name], k) for of in found.values())] for name in names
        ]
        head = [f"after {mark}", *found]
        parts.append(markdown_table(head, rows, "l" + "r" * len(found)))
    apart = [problem for problem in found if problem in APART]
    for label, problems in [("all", list(found)), ("kept apart", apart)]:
        rows = [
            [name, *(_ahead(found, problems, name, k) for k in range(len(marks)))]
            for name in names
            if name != "sktune"
        ]
        head = [f"sktune less another, {label}", *map(str, marks)]
        parts.append(markdown_table(head, rows, "l" + "r" * len(marks)))
    rows = []
    for name in names:
        every = [run["seconds"] for of in found.values() for run in of[name]]
        rows.append([name, f"{1000 * float(np.median(every or [np.nan])):.1f}"])
    parts.append(markdown_table(["", "ms a candidate"], rows, "lr"))
    return "\n\n".join(parts)


def _ahead(found: Found, problems: list[str], name: str, k: int) -> str:
    """Mean of what sktune is ahead on equal problems and seeds, and its error."""
    pairs = [
        (ours, other)
        for problem in problems
        for ours, other in zip(
            _shares(found[problem].get("sktune", []), k),
            _shares(found[problem][name], k),
            strict=False,
        )
    ]
    if len(pairs) < 2:
        return ""
    ahead = np.array([ours - other for ours, other in pairs])
    error = ahead.std(ddof=1) / len(ahead) ** 0.5
    return f"{ahead.mean():+.1f} ± {error:.1f} ({(ahead > 0).sum()} of {len(ahead)})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--problems", nargs="*", default=list(PROBLEMS), choices=PROBLEMS
    )
    parser.add_argument(
        "--searchers", nargs="*", default=list(SEARCHERS), choices=SEARCHERS
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--three-seeds", type=int, default=5, help="of 3 objectives")
    parser.add_argument("--slow-seeds", type=int, default=3, help=f"of {SLOW}")
    parser.add_argument("--marks", type=int, nargs="*", default=list(MARKS))
    parser.add_argument("--cache", type=Path, help="runs that need not be run again")
    parser.add_argument("--report-only", action="store_true", help="of the cache")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    found = runs_of(args)
    print(tables(found, args.marks))
    about = environment("optuna", "smac")
    save(args.json, {**about, "marks": args.marks, "runs": found})


if __name__ == "__main__":
    main()
