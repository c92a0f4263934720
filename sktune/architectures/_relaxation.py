"""Trains a supernet whose choice of operations is a weight for each: DARTS."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.dataset import unpack_data
from torch import Tensor

from sktune.architectures._batch_statistics import judged_by_batches
from sktune.architectures._bilevel import first_order, second_order, top_eigenvalue
from sktune.architectures._cell import choose, supernets_in
from sktune.architectures._operations import Zero
from sktune.architectures._path_sampling import cycled
from sktune.architectures._perturbation import fix_by_perturbation

# Of Zela et al. 2020: stop where the mean of the last eigenvalues has grown by a third
# since so many epochs before, and go back there.
WINDOW, GROWTH = 5, 1 / 0.75


class Relaxation(Callback):
    """Learns weights of operations on the net's validation part, batch by batch.

    Before each batch that trains the net, the weights of operations make a step on a
    batch of the validation part.

    Parameters
    ----------
    order : {1, 2}, default=1
    learning_rate : float, default=0.01
        Of Adam, for the logarithms of the weights of operations.
    weight_decay : float, default=1e-3
    watch : bool, default=True
        Whether to stop where operations without parameters dominate.
    max_free : int or None, default=None
        Edges that may have such operations; None is half of them.
    perturbation : bool, default=False
        Whether operations are fixed by what their removal costs.
    n_tuning_epochs : int, default=1
        Epochs after each operation that is fixed.

    Attributes
    ----------
    weights_ : ndarray of shape (n_edges, n_operations)
        Weights of operations in the end.
    cell_ : tuple of str
    course_ : list of dict
        After each epoch the `weights`; of operations without parameters, on how many
        edges they would be (`n_free`) and the weight that an edge gives them in the
        mean (`free_weight`); and the `eigenvalue`.
    stopped_ : str or None
        Why the training was stopped early.
    epoch_ : int
        The epoch, from 1 on, that the weights are of.
    """

    needs_validation = True

    def __init__(
        self,
        order: int = 1,
        learning_rate: float = 0.01,
        weight_decay: float = 1e-3,
        watch: bool = True,
        max_free: int | None = None,
        perturbation: bool = False,
        n_tuning_epochs: int = 1,
    ) -> None:
        self.order = order
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.watch = watch
        self.max_free = max_free
        self.perturbation = perturbation
        self.n_tuning_epochs = n_tuning_epochs

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Begin with weights that are all but equal."""
        cell = supernets_in(net.module_)[0]
        self.names_ = cell.names[0]
        there = [cell.operation(0, name) for name in self.names_]
        self.is_zero_ = [isinstance(one, Zero) for one in there]
        self.is_free_ = [
            not any(True for _ in one.parameters()) and not zero
            for one, zero in zip(there, self.is_zero_, strict=True)
        ]
        if all(np.logical_or(self.is_free_, self.is_zero_)):
            self.is_free_ = [False] * len(there)  # there is nothing that they push out
        like = next(net.module_.parameters())
        shape = (len(cell.edges), len(self.names_))
        alpha = 1e-3 * torch.randn(shape, dtype=like.dtype)
        self.alpha_ = alpha.to(like.device).requires_grad_()
        self.optimizer_ = torch.optim.Adam(
            [self.alpha_],
            self.learning_rate,
            betas=(0.5, 0.999),  # the paper's
            weight_decay=self.weight_decay,
        )
        self.course_: list[dict[str, Any]] = []
        self.stopped_: str | None = None
        self.vector_: Tensor | None = None
        self.epoch_ = 0
        self.cell_: tuple[str, ...] | None = None

    def on_epoch_begin(
        self, net: Any, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Draw batches of the validation part anew."""
        self.batches_: Any = cycled(net, dataset_valid)

    def on_batch_begin(
        self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        """One step of the weights of operations, then they are held."""
        if training:
            net.module_.train()
            self.alpha_.grad = self._gradient(net, batch, next(self.batches_))
            self.optimizer_.step()
        choose(net.module_, self._weights().detach())

    def _weights(self) -> Tensor:
        return self.alpha_.softmax(1)

    def _gradient(self, net: Any, train: Any, valid: Any) -> Tensor:
        valid_loss = partial(self._loss, net, valid)
        if self.order == 1:
            return first_order(valid_loss, self.alpha_)
        weights = [p for p in net.module_.parameters() if p.requires_grad]
        xi = net.optimizer_.param_groups[0]["lr"]
        train_loss = partial(self._loss, net, train)
        return second_order(train_loss, valid_loss, self.alpha_, weights, xi)

    def _loss(self, net: Any, batch: Any) -> Tensor:
        choose(net.module_, self._weights())
        inputs, targets = unpack_data(batch)
        return net.get_loss(net.infer(inputs), targets, X=inputs, training=False)

    def on_epoch_end(
        self,
        net: Any,
        dataset_train: Any = None,
        dataset_valid: Any = None,
        **kwargs: Any,
    ) -> None:
        """Look which operations take over; fix operations in the end."""
        eigenvalue = self._eigenvalue(net, dataset_valid) if self.watch else None
        weights = self._weights().detach()
        self.course_.append(
            {
                "weights": weights.cpu().numpy(),
                "n_free": int(np.sum([self.is_free_[k] for k in self._largest()])),
                "free_weight": float(weights[:, self.is_free_].sum(1).mean()),
                "eigenvalue": eigenvalue,
            }
        )
        self.epoch_ = len(self.course_)
        if self.watch:
            n_edges = len(weights)
            allowed = n_edges // 2 if self.max_free is None else self.max_free
            stop = dominance(self.course_, allowed)
            if stop is not None:
                self.stopped_, self.epoch_ = stop
        is_last = self.stopped_ is not None or self.epoch_ == net.max_epochs
        if self.perturbation and is_last:
            final = torch.as_tensor(self.course_[self.epoch_ - 1]["weights"])
            self.cell_ = fix_by_perturbation(
                net,
                final.to(weights.device),
                self.names_,
                self.is_zero_,
                dataset_train,
                dataset_valid,
                self.n_tuning_epochs,
            )
        if self.stopped_ is not None:
            raise KeyboardInterrupt  # as skorch's EarlyStopping ends a training

    def _eigenvalue(self, net: Any, valid: Any) -> float:
        """How sharp the validation loss is, without a trace in the training."""
        with torch.random.fork_rng(devices=[]), judged_by_batches(net.module_):
            batch = next(iter(net.get_iterator(valid, training=False)))
            loss = partial(self._loss, net, batch)
            value, self.vector_ = top_eigenvalue(loss, self.alpha_, self.vector_)
        return value

    def _largest(self) -> list[int]:
        """The operation of each edge that has the largest weight."""
        weights = self._weights().detach().cpu().numpy()
        return strongest(weights, self.is_zero_)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Leave the net with the weights, or with the operations that were fixed."""
        self.batches_ = None
        last = self.course_[self.epoch_ - 1]["weights"]
        self.weights_ = last
        if self.cell_ is None:
            chosen = strongest(last, self.is_zero_)
            self.cell_ = tuple(self.names_[k] for k in chosen)
            choose(net.module_, torch.as_tensor(last).to(self.alpha_.device))
        else:
            choose(net.module_, self.cell_)


def strongest(weights: Any, is_zero: Sequence[bool]) -> list[int]:
    """The operation of each edge with the largest weight, "none" left out.

    The weight of "none" scales what an edge gives and says nothing of its use, so that
    Liu et al. leave it out, too.
    """
    allowed = ~np.asarray(is_zero) | np.all(is_zero)
    return [int(k) for k in np.where(allowed, weights, -np.inf).argmax(1)]


def dominance(
    course: Sequence[dict[str, Any]], max_free: int
) -> tuple[str, int] | None:
    """Whether operations without parameters take over, and the epoch to go back to.

    Parameters
    ----------
    course : sequence of dict
        `n_free`, `free_weight` and `eigenvalue` after each epoch.
    max_free : int

    Returns
    -------
    found : (str, int) or None
        Why, and the epoch from 1 on.
    """
    n_epochs = len(course)
    n_free = [one["n_free"] for one in course]
    # At first weights are equal but for noise: one epoch says nothing.
    if n_epochs >= WINDOW and min(n_free[-WINDOW:]) > max_free:
        fewest = min(max(min(n_free), max_free), max(n_free))
        last = max(k for k, n in enumerate(n_free, 1) if n <= fewest)
        reason = (
            f"{n_free[-1]} edges have operations without parameters after epoch "
            f"{n_epochs}, more than max_free={max_free} for {WINDOW} epochs"
        )
        return reason, last
    if n_epochs < 2 * WINDOW:
        return None
    # Of a net that has learnt nothing the loss depends on no operation, and the
    # eigenvalue grows as it learns. It tells something where such operations gain.
    free = [one["free_weight"] for one in course]
    values = [one["eigenvalue"] for one in course]
    now, then = np.mean(values[-WINDOW:]), np.mean(values[-2 * WINDOW : -WINDOW])
    if free[-1] > free[-1 - WINDOW] and now > 0 and now > GROWTH * then:
        reason = (
            f"operations without parameters gained weight while the largest eigenvalue "
            f"of the Hessian of the validation loss by the weights of operations grew "
            f"from {then:.3g} to {now:.3g} by epoch {n_epochs}"
        )
        return reason, n_epochs - WINDOW
    return None
