"""What do leased devices cost, and what do several fits on one device gain?

The same candidates of a net on digits, 3 splits: scikit-learn's `RandomizedSearchCV`
with a net on the device, and sktune's with `devices`, with one and with several fits
for each. On a GPU, its use is read from nvidia-smi. Without one, CPU devices stand for
GPUs, and what is seen is the cost of leasing and the speed-up of two workers.

    python benchmarks/devices/run.py --json benchmarks/devices/results.json
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import sklearn.model_selection
import torch
from scipy.stats import loguniform

import sktune

sys.path.insert(0, str(Path(__file__).parents[1]))
from digits import data, net
from report import environment, markdown_table, save

N_SPLITS = 3
SPACE = {"lr": loguniform(1e-3, 1e0)}


class Module(torch.nn.Module):
    """Two hidden layers; `waste` bytes more while it is asked for anything."""

    def __init__(self, width=256, waste=0):
        super().__init__()
        self.waste = waste
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(64, width),
            torch.nn.ReLU(),
            torch.nn.Linear(width, width),
            torch.nn.ReLU(),
            torch.nn.Linear(width, 10),
        )

    def forward(self, X):
        held = torch.empty(self.waste, dtype=torch.uint8, device=X.device)
        held[:1] = 0
        return self.layers(X)


class Use(threading.Thread):
    """Mean use of the first GPU in percent, where nvidia-smi tells."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.percent: list[float] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader"]
        while shutil.which("nvidia-smi") and not self.stopped.wait(0.5):
            run = subprocess.run([*query, "-i", "0"], capture_output=True, text=True)
            first = run.stdout.split()[:1]
            self.percent += [float(word) for word in first if word.isdigit()]

    def __enter__(self) -> Use:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopped.set()
        self.join()


def allocated(on_gpu: bool) -> int:
    used = on_gpu and torch.cuda.is_initialized()
    return torch.cuda.memory_allocated() if used else 0


def searches(on_gpu: bool, n_iter: int, epochs: int) -> dict[str, object]:
    """By name; `n_jobs` of all is the number of slots."""
    common = {"n_iter": n_iter, "cv": N_SPLITS, "random_state": 0, "refit": False}
    own = net(Module, device="cuda" if on_gpu else "cpu", max_epochs=epochs)
    theirs = sklearn.model_selection.RandomizedSearchCV
    ours = sktune.RandomizedSearchCV
    made: dict[str, object] = {
        "scikit-learn, n_jobs=1": theirs(own, SPACE, n_jobs=1, **common),
        "sktune, n_jobs=1, no devices": ours(own, SPACE, n_jobs=1, **common),
    }
    if not on_gpu:
        for n in (1, 2):
            devices = [f"cpu:{i}" for i in range(n)]
            made[f"sktune, n_jobs={n}, {n} simulated"] = ours(
                own, SPACE, n_jobs=n, devices=devices, **common
            )
        return made
    for n in (1, 2, 4, 8):
        made[f"sktune, fits_per_device={n}"] = ours(
            own, SPACE, n_jobs=n, devices="cuda:0", fits_per_device=n, **common
        )
    made["scikit-learn, n_jobs=8"] = theirs(own, SPACE, n_jobs=8, **common)
    made['sktune, fits_per_device="auto", n_jobs=8'] = ours(
        own, SPACE, n_jobs=8, devices="cuda:0", fits_per_device="auto", **common
    )
    return made


def measure(search: object, n_fits: int, on_gpu: bool) -> dict:
    X, y = data()
    before = allocated(on_gpu)
    with Use() as use:
        start = time.perf_counter()
        search.fit(X, y)
        seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "fits_per_second": n_fits / seconds,
        "gpu_percent": statistics.fmean(use.percent) if use.percent else None,
        "bytes_left": allocated(on_gpu) - before,
        "best_score": float(search.best_score_),
    }


def survive(epochs: int) -> dict:
    """Fits that take 45 % of the GPU each, three at a time."""
    total = torch.cuda.get_device_properties(0).total_memory
    X, y = data()
    search = sktune.RandomizedSearchCV(
        net(Module, max_epochs=epochs, module__waste=int(0.45 * total)),
        SPACE,
        n_iter=4,
        cv=N_SPLITS,
        n_jobs=3,
        random_state=0,
        devices="cuda:0",
        fits_per_device=3,
    ).fit(X, y)
    return {
        "ran_out": sum(row["out_of_memory"] for row in search.leases_),
        "failed": int(np.isnan(search.cv_results_["mean_test_score"]).sum()),
    }


def lease_seconds(n: int = 200) -> float:
    """Median seconds of a lease that nobody has to wait for."""
    from sktune.placement import Placement, lease

    times = []
    with tempfile.TemporaryDirectory() as folder:
        placement = Placement((("cpu:0", 1),), folder=folder)
        for _ in range(n):
            start = time.perf_counter()
            with lease(placement):
                pass
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def table(results: dict) -> str:
    cells = []
    for name, row in results.items():
        use = row["gpu_percent"]
        percent = "" if use is None else f"{use:.0f} %"
        speed = f"{row['seconds']:.1f}", f"{row['fits_per_second']:.2f}"
        cells.append([name, *speed, percent, str(row["bytes_left"])])
    head = ["search", "seconds", "fits per second", "GPU in use", "bytes left"]
    return markdown_table(head, cells, align="lrrrr")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-iter", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    torch.set_num_threads(1)  # as in all fits of sktune that are repeatable
    on_gpu = torch.cuda.device_count() > 0
    n_fits = args.n_iter * N_SPLITS
    runs: dict[str, list[dict]] = {}
    for repetition in range(args.repetitions + 1):
        for name, search in searches(on_gpu, args.n_iter, args.epochs).items():
            row = measure(search, n_fits, on_gpu)
            if repetition:  # the first starts workers
                runs.setdefault(name, []).append(row)
    results = {
        name: sorted(rows, key=lambda row: row["seconds"])[len(rows) // 2]
        for name, rows in runs.items()
    }
    report = environment("torch", "skorch")
    report["arguments"] = {k: v for k, v in vars(args).items() if k != "json"}
    report["device"] = torch.cuda.get_device_name(0) if on_gpu else "simulated"
    report["results"] = results
    report["lease_seconds"] = lease_seconds()
    print(table(results))
    print(f"\na lease: {report['lease_seconds'] * 1e3:.2f} ms")
    if on_gpu:
        report["too_little_memory"] = survive(args.epochs)
        print("too little memory:", report["too_little_memory"])
    save(args.json, report)


if __name__ == "__main__":
    main()
