"""`layers`: where stacks are quicker than nets alone, and where they are slower."""

from __future__ import annotations

from functools import partial
from typing import Any

from contest import Contestant, measure
from loops import n_steps, with_ms
from modules import CNN, Attention, Recurrent, encoder
from searches import OPTIONS, random_search
from torch import nn
from workloads import QUICK, Work, Workload, on_digits, on_tokens

N_ROWS, N_SPLITS = 1280, 5
STEPS = {32: 96, 256: 32}
KINDS = {
    "MLP": on_digits,
    "MLP, BatchNorm1d": partial(on_digits, module__norm=nn.BatchNorm1d),
    "MLP, LayerNorm": partial(on_digits, module__norm=nn.LayerNorm),
    "CNN, 8 channels": partial(on_digits, CNN),
    "CNN, 8 channels, BatchNorm2d": partial(
        on_digits, CNN, module__norm=nn.BatchNorm2d
    ),
    "CNN, 32 channels": partial(on_digits, CNN, module__n_channels=32),
    "Embedding": partial(on_tokens, length=16),
    "TransformerEncoderLayer": partial(on_tokens, length=16, module__between=encoder),
    "scaled_dot_product_attention": partial(
        on_tokens, length=16, module__between=Attention
    ),
    "GRU": partial(on_tokens, length=16, module__between=Recurrent),
}


def layers(repeats: int, quick: bool) -> list[dict[str, Any]]:
    rows = []
    for kind, made in KINDS.items():
        for size, steps in STEPS.items():
            workload = made(n_rows=N_ROWS, batch_size=size)
            of_epoch = n_steps(N_ROWS, N_SPLITS, size)
            work = Work(6, N_SPLITS, 1 if quick else steps // of_epoch)
            for contestant in contestants(workload, QUICK, 0).values():
                contestant.run()
            contest = partial(contestants, workload, work)
            measured = measure(f"{kind}, batch {size}", contest, repeats)
            rows += [
                {"layer": kind, "batch_size": size, **with_ms(row, n, work)}
                for row in measured
                for n in [work.epochs * of_epoch]
            ]
    return rows


def contestants(workload: Workload, work: Work, seed: int) -> dict[str, Contestant]:
    """The same 30 nets in batches cut at once, alone and in stacks."""
    return {
        name: Contestant(
            partial(random_search, False, workload, work, seed, **OPTIONS[key])
        )
        for name, key in {
            "alone": "lossless",
            "stacks of 5": "stacks of 5",
            "stacks of 30": "stacks of 30",
        }.items()
    }
