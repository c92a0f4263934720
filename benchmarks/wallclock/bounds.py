"""What bounds a search: the parts of its processor time, by samples of the stack.

cProfile slows small Python functions far more than arithmetic; a sample each 4 ms of
processor time slows neither.

python benchmarks/wallclock/bounds.py --data DATA --methods halving-stacked \
    --json benchmarks/wallclock/results.json
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import torch
from data_sets import work_on
from measuring import measured
from methods import METHODS
from report import save
from run import warm_up

EVERY = 0.004  # seconds of the processor
DATA = "digits", "letter"
# Wherever they are in the stack, then by the innermost frame; file and function.
OUTER = {
    "refit": [("fitting/_refit.py", "")],
    "scoring": [("fitting/_scoring.py", "")],
    "checkpoints": [("checkpoint/", ""), ("persistence/", "")],
}
INNER = {
    "masks of dropout": [("stacking/_layers.py", "mask_of")],
    "loss": [("stacking/_losses.py", "")],
    "steps of the optimizer": [
        ("stacking/_optimizers.py", ""),
        ("stacking/_flat_parameters.py", "step"),
    ],
    "layers, forward and backward": [("stacking/_chain.py", "")],
    "which nets may be stacked": [("stacking/_signature.py", "")],
    "cutting batches": [
        ("training/_array_batches.py", ""),
        ("stacking/_row_blocks.py", ""),
    ],
    "surrogate": [("sktune/strategy/", ""), ("sktune/space/", "")],
}
ELSE = {
    "else in stacks": [("sktune/execution/stacking/", "")],
    "else in skorch": [("/skorch/", "")],  # for each net, or a net by itself
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", required=True, choices=METHODS)
    parser.add_argument("--json", type=Path, required=True, help="that of run.py")
    args = parser.parse_args()
    torch.set_num_threads(1)
    report = json.loads(args.json.read_text()) if args.json.exists() else {}
    for method in args.methods:
        shares = sampled(method, args.data)
        report.setdefault("bounds", {})[method] = shares
        save(args.json, report)
        print(method, shares, flush=True)


def sampled(method: str, folder: Path) -> dict[str, float]:
    """The share of each part, over the data sets."""
    warm_up(method)
    seen: Counter[str] = Counter()

    def look(signum: int, frame: FrameType | None) -> None:
        seen[part_of(frame)] += 1

    signal.signal(signal.SIGPROF, look)
    for name in DATA:
        work = work_on(name, 0, folder)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        measured(METHODS[method], work, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {part: n / seen.total() for part, n in seen.most_common()}


def part_of(frame: FrameType | None) -> str:
    frames: list[tuple[str, str]] = []
    while frame is not None:
        frames.append((frame.f_code.co_filename, frame.f_code.co_name))
        frame = frame.f_back
    for part, places in OUTER.items():
        if any(is_at(one, places) for one in frames):
            return part
    for parts in (INNER, ELSE):
        for one in frames:
            for part, places in parts.items():
                if is_at(one, places):
                    return part
    return "else"


def is_at(frame: tuple[str, str], places: list[tuple[str, str]]) -> bool:
    return any(file in frame[0] and name in frame[1] for file, name in places)


if __name__ == "__main__":
    main()
