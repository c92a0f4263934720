"""How times grow with rows, width and candidates, one of them at a time.

python benchmarks/wallclock/growth.py --data DATA --method halving-stacked \
    --json benchmarks/wallclock/results.json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import torch
from data_sets import work_on
from measuring import measured
from methods import METHODS, N_CANDIDATES, REFERENCE
from report import save
from run import warm_up

DATA = "letter"
SETTINGS = (
    (400, 64, N_CANDIDATES),
    (800, 64, N_CANDIDATES),
    (1600, 64, N_CANDIDATES),
    (400, 256, N_CANDIDATES),
    (400, 64, 3 * N_CANDIDATES),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--method", default="halving-stacked", choices=METHODS)
    parser.add_argument("--json", type=Path, required=True, help="that of run.py")
    args = parser.parse_args()
    torch.set_num_threads(1)
    report = json.loads(args.json.read_text())
    rows = report.setdefault("growth", [])
    for setting in SETTINGS:
        row = dict(zip(("rows", "width", "candidates"), setting, strict=True))
        row["method"] = args.method
        if not any(row.items() <= one.items() for one in rows):
            rows.append(row | times(*setting, args.method, args.data))
            save(args.json, report)
            print(rows[-1], flush=True)


def times(
    n_rows: int, width: int, n_candidates: int, method: str, folder: Path
) -> dict[str, Any]:
    """Processor time of both searches, and of the refit that is in the second."""
    work = work_on(DATA, 0, folder, n_rows, widths=(width,))
    found = {}
    for name in (REFERENCE, method):
        warm_up(name)
        options = {METHODS[name].count: n_candidates}
        found[name] = measured(METHODS[name], work, 0, **options)
    ours = found[method]
    return {
        "reference": found[REFERENCE]["cpu"],
        "search": ours["cpu"],
        "refit": ours["refit_cpu"],
    }


if __name__ == "__main__":
    main()
