"""What do batches cut from arrays, and nets trained as one, save?

Parts: lossless, workloads, rungs, stacked, loops, layers and gpu, each with a table of
its own; `tables` writes those of a JSON file into the README.

    python benchmarks/training/run.py lossless --json benchmarks/training/results.json
    python benchmarks/training/run.py tables --json benchmarks/training/results.json
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import torch
from contest import broken
from gpu import gpu
from layers import layers
from loops import loops
from random_search import lossless, stacked, workloads
from report import environment, save
from rungs import rungs
from tables import table, write

PARTS = {
    part.__name__: part
    for part in (lossless, workloads, rungs, stacked, loops, layers, gpu)
}
README = Path(__file__).with_name("README.md")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=[*PARTS, "tables"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a trial: little work")
    parser.add_argument(
        "--json", "--out", type=Path, help="other parts that are in it are kept"
    )
    return parser.parse_args()


def measured(part: str, args: argparse.Namespace) -> dict[str, Any]:
    report = environment("torch", "skorch")
    report["arguments"] = {"repeats": args.repeats, "quick": args.quick}
    report["rows"] = PARTS[part](args.repeats, args.quick)
    return report


def main() -> None:
    args = parsed()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*TransformerEncoderLayer.*")
    report: dict[str, Any] = {}
    if args.json and args.json.exists():
        report = json.loads(args.json.read_text())
    wrong = []
    for part in args.parts:
        if part == "tables":
            write(README, report)
            continue
        report[part] = measured(part, args)
        save(args.json, report)
        print(table(part, report[part]["rows"]))
        wrong += broken(report[part]["rows"])
    if wrong:
        raise SystemExit("Scores that have to be equal are not:\n" + "\n".join(wrong))


if __name__ == "__main__":
    main()
