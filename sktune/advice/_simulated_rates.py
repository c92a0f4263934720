"""The learning rates that a net would be trained with, without training it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SimulatedRates:
    """What a training would set, batch by batch.

    Attributes
    ----------
    rates : ndarray of shape (n_steps, n_groups)
        By parameter group of the optimizer.
    momenta : ndarray of shape (n_steps, n_groups)
        NaN where the optimizer has none.
    batches_per_epoch : int
    """

    rates: np.ndarray
    momenta: np.ndarray
    batches_per_epoch: int


def simulated_rates(net: Any, X: Any, y: Any, fit_params: Any = None) -> SimulatedRates:
    """Step the schedules of a clone through all its batches, of which none is loaded.

    Parameters
    ----------
    net : NeuralNet
        A clone, which is initialized here.
    X, y : data
    fit_params : dict or None
        What `fit` is given.

    Raises
    ------
    ValueError
        Where a schedule depends on how the training goes.
    """
    from skorch.callbacks import LRScheduler

    if net.device is not None:
        net.set_params(device="cpu")
    net.initialize()
    train, _ = net.get_split_datasets(X, y, **(fit_params or {}))
    n_batches = len(net.get_iterator(train, training=True))
    schedulers = [one for _, one in net.callbacks_ if isinstance(one, LRScheduler)]
    for scheduler in schedulers:
        _check(scheduler)
        scheduler.on_train_begin(net, X=X, y=y)
    rates, momenta = [], []
    with warnings.catch_warnings():  # the optimizer makes no step
        warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step")
        for _ in range(net.max_epochs):
            net.history.new_epoch()
            for scheduler in schedulers:
                scheduler.on_epoch_begin(net, dataset_train=train)
            for _ in range(n_batches):
                net.history.new_batch()
                groups = net.optimizer_.param_groups
                rates.append([float(group["lr"]) for group in groups])
                momenta.append([_momentum(group) for group in groups])
                for scheduler in schedulers:
                    scheduler.on_batch_end(net, training=True)
            for scheduler in schedulers:
                scheduler.on_epoch_end(net)
    return SimulatedRates(np.array(rates), np.array(momenta), n_batches)


def _check(scheduler: Any) -> None:
    policy = scheduler.policy
    name = policy if isinstance(policy, str) else getattr(policy, "__name__", "")
    if name == "ReduceLROnPlateau":
        raise ValueError(
            "ReduceLROnPlateau lowers the rate when the loss no longer falls, which "
            "nobody can tell before the training. Fit the net, and look at "
            f"net.history[:, {scheduler.event_name!r}]."
        )


def _momentum(group: dict[str, Any]) -> float:
    """That of SGD, or the first of Adam's betas."""
    if "betas" in group:
        return float(group["betas"][0])
    return float(group.get("momentum", np.nan))
