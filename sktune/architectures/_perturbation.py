"""Operations of a supernet fixed by what it loses without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sktune.architectures._batch_statistics import judged_by_batches
from sktune.architectures._cell import choose
from sktune.architectures._path_sampling import loss_on


def fix_by_perturbation(
    net: Any,
    weights: Tensor,
    names: Sequence[str],
    is_zero: Sequence[bool],
    train: Any,
    valid: Any,
    n_tuning_epochs: int,
) -> tuple[str, ...]:
    """The cell that is left when edges, in random order, lose all but one operation.

    Of each edge the operation is kept without which the validation loss of the supernet
    is largest; then the supernet is trained on for some epochs [1]_.

    Parameters
    ----------
    net : NeuralNet
        In training; its module has supernets.
    weights : Tensor of shape (n_edges, n_operations)
        Of the relaxation in the end.
    names : sequence of str
        Of the operations.
    is_zero : sequence of bool
        Whether each is "none", which is not kept where there are others.
    train, valid : dataset
        Parts of the data.
    n_tuning_epochs : int

    Returns
    -------
    cell : tuple of str

    References
    ----------
    .. [1] R. Wang, M. Cheng, X. Chen, X. Tang and C.-J. Hsieh, "Rethinking architecture
       selection in differentiable NAS", ICLR 2021.
    """
    weights = weights.clone()
    kept = [k for k, zero in enumerate(is_zero) if not zero] or [0]
    chosen = [0] * len(weights)
    for edge in torch.randperm(len(weights)).tolist():
        losses = [_loss_without(net, weights, edge, k, valid) for k in kept]
        # A loss that is not finite is the largest of all.
        losses = [float("inf") if loss != loss else loss for loss in losses]
        best = kept[max(range(len(kept)), key=losses.__getitem__)]
        chosen[edge] = best
        weights[edge] = 0.0
        weights[edge, best] = 1.0
        choose(net.module_, weights)
        for _ in range(n_tuning_epochs):
            for batch in net.get_iterator(train, training=True):
                net.train_step(batch)
    return tuple(names[k] for k in chosen)


def _loss_without(
    net: Any, weights: Tensor, edge: int, operation: int, valid: Any
) -> float:
    """The mean validation loss with one operation of an edge left out."""
    without = weights.clone()
    without[edge, operation] = 0.0
    choose(net.module_, without)
    with judged_by_batches(net.module_):
        losses = [
            loss_on(net, batch) for batch in net.get_iterator(valid, training=False)
        ]
    return sum(losses) / len(losses)
