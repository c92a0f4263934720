"""Batch normalization where the cells of a supernet share it.

Running means and variances of a supernet are of whatever cells its batches went
through, and are wrong for each of them. What a single cell is judged by uses those of
its own batches, or has them counted anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

_BATCH_NORM = nn.modules.batchnorm._BatchNorm


def batch_norms(module: nn.Module) -> list[Any]:
    """Layers that keep running statistics."""
    return [
        layer
        for layer in module.modules()
        if isinstance(layer, _BATCH_NORM) and layer.track_running_stats
    ]


@contextmanager
def judged_by_batches(module: nn.Module) -> Iterator[None]:
    """Evaluation mode, but for batch normalization: that uses the batch.

    Modes and running statistics are as before in the end.
    """
    modes = [(layer, layer.training) for layer in module.modules()]
    norms = [(layer, layer.momentum) for layer in batch_norms(module)]
    module.eval()
    for layer, _ in norms:
        layer.train()
        layer.momentum = 0.0  # nothing is added to what runs
    try:
        yield
    finally:
        for layer, momentum in norms:
            layer.momentum = momentum
        for layer, mode in modes:
            layer.training = mode


def count_anew(module: nn.Module, outputs: Iterable[Any]) -> None:
    """Running statistics of a module from batches that go through it.

    Parameters
    ----------
    module : Module
    outputs : iterable
        Sends a batch through the module for each of its elements.
    """
    norms = [(layer, layer.momentum) for layer in batch_norms(module)]
    if not norms:
        return
    module.eval()
    for layer, _ in norms:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean of all batches
        layer.train()
    try:
        with torch.no_grad():
            for _ in outputs:
                pass
    finally:
        for layer, momentum in norms:
            layer.momentum = momentum
        module.eval()
