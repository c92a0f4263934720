"""Records ten-fold work: the score of every candidate on every split, nothing spared.

    python benchmarks/racing/record.py --data FOLDER

FOLDER has a `load.py` with `dataset(name)`. Works that are not run again are kept.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import numpy as np
import torch
from sklearn.model_selection import KFold, StratifiedKFold
from works import HELD_OUT, SEEN, work

from sktune import RandomizedSearchCV

TABLES = Path(__file__).with_name("tables.npz")
N_SPLITS = 10


def splitter(y: Any, seed: int = 0) -> Any:
    kind = KFold if y.dtype.kind == "f" else StratifiedKFold
    return kind(N_SPLITS, shuffle=True, random_state=seed)


def record(job: tuple[str, argparse.Namespace]) -> np.ndarray:
    """Scores of shape (n_candidates, n_splits); NaN where a fit failed."""
    name, args = job
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # candidates that diverge are part of the work
    start = time.process_time()
    one = work(name, args.data)
    search = RandomizedSearchCV(
        one.estimator,
        one.space,
        n_iter=args.n_iter,
        scoring=one.scoring,
        cv=splitter(one.y),
        refit=False,
        random_state=0,
        stacked=name.endswith("net"),
    ).fit(one.X, one.y)
    columns = [search.cv_results_[f"split{k}_test_score"] for k in range(N_SPLITS)]
    scores = np.stack(columns, axis=1).astype(np.float32)
    print(f"{name}: {scores.shape}, {time.process_time() - start:.0f} s", flush=True)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of load.py")
    parser.add_argument("--works", nargs="*", default=SEEN + HELD_OUT)
    parser.add_argument("--n-iter", type=int, default=250)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=TABLES)
    args = parser.parse_args()
    tables = dict(np.load(args.out)) if args.out.exists() else {}
    with ProcessPoolExecutor(args.jobs) as pool:
        found = pool.map(record, [(name, args) for name in args.works])
        tables |= dict(zip(args.works, found, strict=True))
    np.savez_compressed(args.out, **tables)


if __name__ == "__main__":
    main()
