"""Trains a supernet by cells that are drawn for each batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from skorch.callbacks import Callback
from skorch.dataset import unpack_data

from sktune.architectures._batch_statistics import judged_by_batches
from sktune.architectures._cell import choose, supernets_in
from sktune.architectures._controller import Controller


class PathSampling(Callback):
    """Lets each batch of a net go through one cell of its supernet.

    Parameters
    ----------
    n_steps : int, default=0
        Steps of the controller after each epoch; with 0 there is none, and cells are
        drawn uniformly.
    learning_rate : float, default=0.01
        Of the controller.
    entropy_weight : float, default=0.01
    warmup : float, default=0.0
        Share of the epochs in which cells are drawn uniformly; then the controller
        begins.

    Attributes
    ----------
    controller_ : Controller or None
    rewards_ : list of float
        The mean reward of the controller's cells after each epoch: minus the loss on a
        batch of the net's validation part.
    """

    def __init__(
        self,
        n_steps: int = 0,
        learning_rate: float = 0.01,
        entropy_weight: float = 0.01,
        warmup: float = 0.0,
    ) -> None:
        self.n_steps = n_steps
        self.learning_rate = learning_rate
        self.entropy_weight = entropy_weight
        self.warmup = warmup

    @property
    def needs_validation(self) -> bool:
        """Whether the net needs a validation part."""
        return self.n_steps > 0

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Make the controller, if there is one."""
        cell = supernets_in(net.module_)[0]
        self.n_edges_, self.names_ = len(cell.edges), cell.names[0]
        self.n_uniform_ = int(self.warmup * net.max_epochs)
        self.rewards_: list[float] = []
        self.controller_: Any = None
        if self.n_steps:
            self.controller_ = Controller(
                self.n_edges_, len(self.names_), self.learning_rate, self.entropy_weight
            )

    def on_batch_begin(self, net: Any, **kwargs: Any) -> None:
        """Draw a cell."""
        is_early = len(net.history) <= self.n_uniform_
        choose(net.module_, self.draw(1, uniformly=is_early)[0])

    def draw(self, n_cells: int, uniformly: bool = False) -> list[tuple[str, ...]]:
        """Cells, drawn with the random numbers of torch."""
        if self.controller_ is None or uniformly:
            shape = (n_cells, self.n_edges_)
            return self._named(torch.randint(len(self.names_), shape))
        with torch.no_grad():
            return self._named(self.controller_(n_cells)[0])

    def best(self) -> tuple[str, ...]:
        """The cell that the controller thinks most of."""
        with torch.no_grad():
            return self._named(self.controller_(1, best=True)[0])[0]

    def _named(self, operations: Any) -> list[tuple[str, ...]]:
        return [tuple(self.names_[k] for k in row) for row in operations.tolist()]

    def on_epoch_end(self, net: Any, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Train the controller on the validation part."""
        if self.controller_ is None or len(net.history) <= self.n_uniform_:
            return
        batches = cycled(net, dataset_valid)
        rewards = []
        with judged_by_batches(net.module_):
            for _ in range(self.n_steps):
                operations, log_p, entropy = self.controller_(1)
                choose(net.module_, self._named(operations)[0])
                rewards.append(-loss_on(net, next(batches)))
                self.controller_.learn(rewards[-1], log_p, entropy)
        self.rewards_.append(sum(rewards) / len(rewards))

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Leave the net with the most probable cell, or with the mean of all."""
        choose(net.module_, None if self.controller_ is None else self.best())


def cycled(net: Any, dataset: Any) -> Iterator[Any]:
    """Batches of a data set, drawn as for training, over and over."""
    while True:
        yield from net.get_iterator(dataset, training=True)


def loss_on(net: Any, batch: Any) -> float:
    """The net's loss on a batch, in the mode that its module is in."""
    inputs, targets = unpack_data(batch)
    with torch.no_grad():
        loss = net.get_loss(net.infer(inputs), targets, X=inputs, training=False)
    return float(loss)
