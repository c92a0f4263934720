"""A picture of learning-rate schedules, before a net is trained with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone

from sktune._text import label_of
from sktune.advice._last_net import last_net
from sktune.advice._simulated_rates import simulated_rates
from sktune.execution.guards._random_states import preserved_random_states
from sktune.inspection.displays._axes import COLORS, legend_above, new_axes


class LRScheduleDisplay:
    """Learning rates, and momenta that change, over the epochs of a training.

    It is made by `from_estimator`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    epochs : sequence of array-like of shape (n_steps,)
        Where each batch is in the training of each variant: 1.0 is the end of the first
        epoch.
    rates : sequence of array-like of shape (n_steps, n_groups)
        Learning rates of each parameter group, batch by batch.
    momenta : sequence of array-like of shape (n_steps, n_groups)
        Momenta, or the first of Adam's betas; NaN where the optimizer has none.
    labels : sequence of str
        Names of the variants.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Of the rates.
    momentum_ax_ : matplotlib.axes.Axes or None
        Of the momenta, in the same place; None where none changes.
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skorch import NeuralNetClassifier
    >>> from sktune.advice import LRScheduleDisplay
    >>> from sktune.nets import LRSchedule
    >>> from torch import nn
    >>> X, y = load_digits(return_X_y=True)
    >>> net = NeuralNetClassifier(
    ...     nn.Linear, module__in_features=64, module__out_features=10, lr=0.1,
    ...     callbacks=[("schedule", LRSchedule("cosine", warmup=1))])
    >>> display = LRScheduleDisplay.from_estimator(net, X.astype("float32"), y)
    >>> display.rates[0].max().round(6).item()
    0.1
    """

    def __init__(
        self,
        *,
        epochs: Sequence[Any],
        rates: Sequence[Any],
        momenta: Sequence[Any],
        labels: Sequence[str],
    ) -> None:
        self.epochs = epochs
        self.rates = rates
        self.momenta = momenta
        self.labels = labels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        variants: Sequence[Mapping[str, Any]] = ({},),
        ax: Any = None,
        **fit_params: Any,
    ) -> LRScheduleDisplay:
        """Draw the schedules that a net has, whether of sktune, skorch or torch.

        Nothing is trained but the steps before the net; `estimator` and all random
        states stay as they are.

        Parameters
        ----------
        estimator : skorch net, or pipeline with one at its end
        X, y : data
            As `fit` takes them; rows are counted, and no batch is loaded.
        variants : sequence of dict, default=({},)
            Params to set, for each of the lines that are to be compared, such as
            ``[{"callbacks__schedule__policy": "cosine"}, {"lr": 0.01}]``.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.
        **fit_params : dict
            Further arguments of `fit`.

        Returns
        -------
        display : LRScheduleDisplay

        Raises
        ------
        TypeError
            Where there is no net at the end of `estimator`.
        ValueError
            Where a schedule depends on how the training goes, as ``ReduceLROnPlateau``.
        """
        if not variants or not all(isinstance(one, Mapping) for one in variants):
            raise ValueError(
                f"variants={variants!r} must be a list of dicts of params, such as "
                "[{'callbacks__schedule__policy': 'cosine'}]."
            )
        found = []
        with preserved_random_states():
            for given in variants:
                copied = clone(estimator).set_params(**given)
                found.append(simulated_rates(*last_net(copied, X, y, fit_params)))
        return cls(
            epochs=[np.arange(len(s.rates)) / s.batches_per_epoch for s in found],
            rates=[one.rates for one in found],
            momenta=[one.momenta for one in found],
            labels=[label_of(given) for given in variants],
        ).plot(ax)

    def plot(self, ax: Any = None) -> LRScheduleDisplay:
        """Draw it, in a new figure or into `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : LRScheduleDisplay
        """
        if ax is None:
            ax = new_axes("LRScheduleDisplay")
        handles: dict[str, Any] = {}
        for k, label in enumerate(self.labels):
            style = {"color": COLORS[k % len(COLORS)], "drawstyle": "steps-post"}
            for rates in np.unique(self.rates[k], axis=1).T:
                (line,) = ax.plot(self.epochs[k], rates, linewidth=1.8, **style)
            handles[label] = line
        ax.set_ylim(bottom=0)
        ax.set_xlabel("epochs")
        ax.set_ylabel("learning rate")
        self.momentum_ax_ = None
        if any((np.ptp(momenta, axis=0) > 0).any() for momenta in self.momenta):
            self.momentum_ax_ = self._plot_momenta(ax)
        legend_above(ax, handles)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _plot_momenta(self, ax: Any) -> Any:
        """Those that change, dashed, by a scale at the right."""
        right = ax.twinx()
        for k, momenta in enumerate(map(np.asarray, self.momenta)):
            changing = momenta[:, np.ptp(momenta, axis=0) > 0]
            for one in np.unique(changing, axis=1).T:
                right.plot(
                    self.epochs[k],
                    one,
                    color=COLORS[k % len(COLORS)],
                    linewidth=1.1,
                    linestyle="--",
                    drawstyle="steps-post",
                )
        right.set_ylabel("momentum (dashed)")
        return right
