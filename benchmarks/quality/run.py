"""Which strategy finds better params with the same number of candidates?

    python benchmarks/quality/run.py --cache /tmp/quality --json result.json

Regret of a run after t candidates is that of the candidate with the best observed
score, by its score without noise: 0 is the best known, 1 what random search reaches
with t candidates (mean of 200 runs).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
from analysis.markdown import markdown
from analysis.summary import BASE, summarise
from report import environment, save
from runs import finished
from runs.tasks import QUICK, add_options, planned, run_all
from searchers import CHANGED, PEERS, SLOW, peer_packages, say_left_out, searchers


def chosen_searchers(args: argparse.Namespace) -> list[str]:
    """Those who are installed, and those of whom there are runs; changes if named."""
    names = [*searchers()]
    if args.report_only:
        known = {key.searcher for key in finished.read(args.runs)}
        names += [name for name in PEERS if name in known and name not in names]
    unknown = [name for name in args.searchers or () if name not in [*names, *PEERS]]
    if unknown:
        raise SystemExit(f"--searchers {unknown} not known. Choose among {names}.")
    say_left_out(name for name in args.searchers or PEERS if name not in names)
    wanted = args.searchers or [name for name in names if name not in CHANGED]
    return [name for name in names if name in wanted]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_options(parser)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--slow-seeds", type=int, default=2, help=f"seeds of {' and '.join(SLOW)}"
    )
    parser.add_argument("--searchers", nargs="*", help="names; all by default")
    parser.add_argument(
        "--base", default=BASE, help="who each of the others is tested against"
    )
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
    landscapes = list(dict.fromkeys(task.landscape for task in tasks))
    summary = summarise(results, landscapes, names, args.candidates, args.base)
    text = markdown(summary, landscapes, args.candidates)
    print(text)
    if args.markdown:
        args.markdown.write_text(text)
    about = {"candidates": args.candidates, **environment(*peer_packages())}
    save(args.json, {**about, **summary})
    if args.plot:
        from analysis.plot import plot

        plot(summary, args.plot)


if __name__ == "__main__":
    main()
