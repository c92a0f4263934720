"""`gpu`: how many fits a second a GPU does, alone and stacked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from contest import Contestant, Found, measure
from random_search import warm_up
from searches import random_searches
from workloads import QUICK, Work, on_digits

# 15 times the throughput.
GOALS = {"lossless": 1.0, "stacked": 1 / 15, "stacks of 60": 1 / 15}


def gpu(repeats: int, quick: bool) -> list[dict[str, Any]]:
    if not torch.cuda.is_available():
        raise SystemExit(
            "The part 'gpu' needs a CUDA device, and torch sees none. Run it on a "
            "machine that has one: python benchmarks/training/run.py gpu --json FILE"
        )
    rows = []
    for size in (32, 256):
        workload = on_digits(batch_size=size, device="cuda")
        work = QUICK if quick else Work()
        warm_up(workload, GOALS)
        bytes_of: dict[str, int] = {}

        def contest(
            seed: int,
            workload: Any = workload,
            work: Work = work,
            bytes_of: dict[str, int] = bytes_of,
        ) -> dict[str, Contestant]:
            return {
                name: replace(one, run=watched(name, one.run, bytes_of), exact=False)
                for name, one in random_searches(workload, work, seed, GOALS).items()
            }

        # The processor spins while it waits for the device: its time says little.
        for row in measure(f"batch {size}", contest, repeats, clock="wall"):
            name = row["contestant"]
            speed = work.n_fits / row["wall_seconds"]
            rows.append(
                {
                    **row,
                    "device": torch.cuda.get_device_name(),
                    "fits_per_second": speed,
                    "max_memory_allocated": bytes_of[name],
                }
            )
    return rows


def watched(
    name: str, run: Callable[[], Found], bytes_of: dict[str, int]
) -> Callable[[], Found]:
    def run_watched() -> Found:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        found = run()
        torch.cuda.synchronize()
        bytes_of[name] = max(bytes_of.get(name, 0), torch.cuda.max_memory_allocated())
        return found

    return run_watched
