"""What does a question cost, once there are many observations?

    python benchmarks/quality/asks.py --json asks.json

Six dimensions, of which one is an integer and one a category. The observations are
draws at random, the same for all (SMAC has to find its own). CPU time of an ask and the
tell that follows, for some do their thinking there; on one core.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import numpy as np
from report import environment, markdown_row, markdown_table, save
from scipy import stats
from searchers import CHANGED, PEERS, Random, peer_packages, say_left_out, searchers

SPACE = {
    "lr": stats.loguniform(1e-6, 1e0),
    "decay": stats.loguniform(1e-8, 1e-1),
    "drop": stats.uniform(0, 0.8),
    "momentum": stats.uniform(0, 0.99),
    "width": stats.randint(4, 257),
    "kind": ["a", "b", "c", "d"],
}
N_TOLD = (50, 200, 2000)
PEERS_TO = 200
N_TURNS = 8  # SMAC, for one, thinks at every eighth


def score(params: dict[str, Any], rng: np.random.Generator) -> float:
    lr, decay = np.log10(params["lr"]) + 3, np.log10(params["decay"]) + 4
    rest = params["drop"] ** 2 + 0.5 * ((params["width"] - 64) / 64) ** 2
    shift = {"a": 0.0, "b": 0.5, "c": 1.0, "d": 0.2}[params["kind"]]
    return float(-(lr**2) - 0.1 * decay**2 - rest - shift + 0.1 * rng.normal())


def turn(searcher: Any, rng: np.random.Generator) -> float:
    """CPU ms of one ask and the tell that follows."""
    start = time.process_time()
    params = searcher.ask()
    thought = time.process_time() - start
    found = score(params, rng)
    start = time.process_time()
    searcher.tell(params, found)
    return 1e3 * (thought + time.process_time() - start)


def measure(name: str, n: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    searcher: Any = searchers()[name](SPACE, 0, n + N_TURNS)
    if hasattr(searcher, "learn"):
        draws = Random(SPACE, 0, n)
        params = [draws.ask() for _ in range(n)]
        searcher.learn([(p, score(p, rng)) for p in params])
        turn(searcher, rng)  # what is imported or compiled at the first question
    else:
        for _ in range(n):
            turn(searcher, rng)
    found = [turn(searcher, rng) for _ in range(N_TURNS)]
    return {
        "median_ms": round(statistics.median(found), 2),
        "mean_ms": round(statistics.mean(found), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, help="where the result goes")
    parser.add_argument("--searchers", nargs="*", help="names; all by default")
    parser.add_argument("--quick", action="store_true", help="sktune, 50 and 200 only")
    args = parser.parse_args()
    names = [name for name in searchers() if name not in ("random", *CHANGED)]
    if args.searchers:
        names = [name for name in names if name in args.searchers]
    elif args.quick:
        names = [name for name in names if name.startswith("sktune")]
    else:
        say_left_out(PEERS)
    print("CPU ms of a question with so many observations, median (mean)")
    print(markdown_table(["searcher", *(f"{n:,}" for n in N_TOLD)], []))
    table: dict[str, dict[str, dict[str, float]]] = {}
    for name in names:
        to = PEERS_TO if args.quick or not name.startswith("sktune") else max(N_TOLD)
        table[name] = {str(n): measure(name, n) for n in N_TOLD if n <= to}
        cells = [
            f"{row['median_ms']:.1f} ({row['mean_ms']:.1f})"
            for row in table[name].values()
        ]
        cells += ["-"] * (len(N_TOLD) - len(cells))
        print(markdown_row([name, *cells]), flush=True)
    about = {"n_turns": N_TURNS, **environment(*peer_packages())}
    save(args.json, {**about, "table": table})


if __name__ == "__main__":
    main()
