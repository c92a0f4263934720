"""Does continuing pay? Successive halving whose nets go on, against starting over.

The same 27 candidates of a net on digits, 1 to 27 epochs, factor 3, 5 splits, by
scikit-learn's `HalvingRandomSearchCV` (which trains from scratch in each rung), by
sktune's `SuccessiveHalvingSearchCV`, and by `RandomizedSearchCV` at 27 epochs for all.
Epochs are counted by the net itself. Repetitions are interleaved.

    python benchmarks/halving/run.py --json benchmarks/halving/results.json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import torch
from scipy.stats import loguniform, uniform
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV, RandomizedSearchCV
from skorch import NeuralNetClassifier

import sktune

sys.path.insert(0, str(Path(__file__).parents[1]))
import digits
from report import environment, save

N_CANDIDATES, N_SPLITS, EPOCHS, FACTOR = 27, 5, 27, 3
SPACE = {
    "lr": loguniform(1e-4, 1e0),
    "module__dropout": uniform(0, 0.6),
    # Nothing that changes what an epoch costs: the searches may keep other candidates.
    "optimizer__weight_decay": loguniform(1e-6, 1e-2),
}
COUNTER = Path(tempfile.mkdtemp(prefix="epochs-")) / "epochs"


class Counted(NeuralNetClassifier):
    """A net that notes every epoch, in whatever process it is trained."""

    def on_epoch_end(self, net, **kwargs):
        super().on_epoch_end(net, **kwargs)
        with COUNTER.open("ab") as file:
            file.write(b"x")


def net():
    return digits.net(
        net_type=Counted,
        optimizer=torch.optim.SGD,
        optimizer__momentum=0.9,
        max_epochs=EPOCHS,
        batch_size=32,
    )


def searches(seed: int, n_jobs: int, folder: str) -> dict[str, object]:
    common = {
        "cv": N_SPLITS,
        "n_jobs": n_jobs,
        "random_state": seed,
        "return_train_score": False,
        "refit": False,
    }
    rungs = {
        "n_candidates": N_CANDIDATES,
        "factor": FACTOR,
        "resource": "max_epochs",
        "max_resources": EPOCHS,
        "min_resources": 1,
    }
    return {
        "sklearn RandomizedSearchCV": RandomizedSearchCV(
            net(), SPACE, n_iter=N_CANDIDATES, **common
        ),
        "sklearn HalvingRandomSearchCV": HalvingRandomSearchCV(
            net(), SPACE, **rungs, **{**common, "refit": True}
        ),
        "sktune SuccessiveHalvingSearchCV": sktune.SuccessiveHalvingSearchCV(
            net(), SPACE, **rungs, checkpoints=folder, **common
        ),
    }


class Peak(threading.Thread):
    """Watches how many files, and bytes, a folder holds at most."""

    def __init__(self, folder: str) -> None:
        super().__init__(daemon=True)
        self.folder, self.files, self.megabytes = Path(folder), 0, 0.0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.05):
            sizes = []
            # Unlike Path.rglob, it passes over folders that have just been dropped.
            for folder, _, names in os.walk(self.folder):
                for name in names:
                    with suppress(OSError):
                        sizes.append(os.path.getsize(os.path.join(folder, name)))
            self.files = max(self.files, len(sizes))
            self.megabytes = max(self.megabytes, sum(sizes) / 1e6)


def run_one(name: str, search: object, X, y, folder: str) -> dict[str, object]:
    COUNTER.write_bytes(b"")
    start, cpu = time.perf_counter(), time.process_time()
    search.fit(X, y)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    epochs = COUNTER.stat().st_size
    if name.startswith("sklearn Halving"):
        # It cannot go without; the net on all data is no part of the comparison.
        cpu *= 1 - search.refit_time_ / seconds
        seconds -= search.refit_time_
        epochs -= search.best_params_["max_epochs"]
    results = search.cv_results_
    return {
        "search": name,
        "seconds": seconds,
        "cpu_seconds": cpu,  # of this process only
        "epochs_per_split": epochs / N_SPLITS,
        "best_score": float(max(results["mean_test_score"])),
        **peak_of(name, search, X, y, folder),
    }


def peak_of(name: str, search: object, X, y, folder: str) -> dict[str, float]:
    """Of a second, untimed run: whoever looks is in the way of who trains."""
    if not name.startswith("sktune"):
        return {"peak_checkpoints": 0, "peak_megabytes": 0.0}
    peak = Peak(folder)
    peak.start()
    search.fit(X, y)
    peak.stopped.set()
    peak.join()
    return {"peak_checkpoints": peak.files, "peak_megabytes": peak.megabytes}


def measure(n_jobs: int, repeats: int, skip_full: bool) -> list[dict[str, object]]:
    X, y = digits.data()
    runs = []
    for seed in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            order = list(searches(seed, n_jobs, folder).items())
            for name, search in order if seed % 2 else reversed(order):
                if skip_full and name.endswith("RandomizedSearchCV"):
                    continue
                row = run_one(name, search, X, y, folder)
                runs.append({"n_jobs": n_jobs, "seed": seed, **row})
                print(json.dumps(runs[-1]), flush=True)
    return runs


def summary(runs: list[dict[str, object]]) -> list[dict[str, object]]:
    """Medians, and the median of the ratios to scikit-learn's halving in each run."""
    rows = []
    for n_jobs in sorted({run["n_jobs"] for run in runs}):
        of = {
            (run["search"], run["seed"]): run for run in runs if run["n_jobs"] == n_jobs
        }
        for name in dict.fromkeys(search for search, _ in of):
            mine = [run for (search, _), run in of.items() if search == name]
            base = "sklearn HalvingRandomSearchCV"
            rows.append(
                {
                    "search": name,
                    "n_jobs": n_jobs,
                    **{
                        key: statistics.median(run[key] for run in mine)
                        for key in mine[0]
                        if key not in ("search", "n_jobs", "seed")
                    },
                    "ratio_of_seconds": statistics.median(
                        run["seconds"] / of[base, run["seed"]]["seconds"]
                        for run in mine
                    ),
                }
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--skip-full", action="store_true", help="no RandomizedSearchCV"
    )
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    report = environment("skorch", "torch")
    torch.set_num_threads(1)
    runs = []
    for n_jobs in args.n_jobs:
        runs += measure(n_jobs, args.repeats, args.skip_full)
    report["summary"], report["runs"] = summary(runs), runs
    print(f"{'search':34} jobs  seconds  ratio  epochs/split  checkpoints  MB")
    for row in report["summary"]:
        print(
            f"{row['search']:34} {row['n_jobs']:4} {row['seconds']:8.1f} "
            f"{row['ratio_of_seconds']:6.2f} {row['epochs_per_split']:13.0f} "
            f"{row['peak_checkpoints']:12.0f} {row['peak_megabytes']:4.1f}"
        )
    save(args.json, report)


if __name__ == "__main__":
    main()
