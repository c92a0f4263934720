"""Tabulates the real models beforehand: how their scores spread, and the CPU seconds.

python benchmarks/quality/tabulate.py --cache /tmp/quality
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import numpy as np
from landscapes.fitted import fitted
from landscapes.tabulated import TABLES, scores_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder of tables")
    args = parser.parse_args()
    for name in TABLES:
        start = time.process_time()
        scores = np.concatenate([t.ravel() for t in scores_of(name, args.cache)])
        spread = np.quantile(scores, [0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0]).round(3)
        seconds = time.process_time() - start
        print(f"{name:22} {len(scores):6} {seconds:6.0f} s {spread}", flush=True)
    best = fitted(args.cache).best
    print(f"{'many-digits-20':22} {'-':>6} best known {best:.3f}")


if __name__ == "__main__":
    main()
