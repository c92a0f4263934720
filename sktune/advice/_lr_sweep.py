"""One sweep: a net is trained while its rate rises from batch to batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.base import clone

from sktune.advice._lr_curve import CLEAR, ROUNDING, Average, Floats


class _Over(Exception):
    """The sweep is at its end."""


class Sweep:
    """Raises the rate before each batch, and notes the loss after it."""

    def __init__(self, rates: Floats, smoothing: float, stop_factor: float) -> None:
        self._rates = rates
        self._stop_factor = stop_factor
        self._average = Average(smoothing)
        self._best = self._start = math.inf
        self._noise = 0.0
        self.losses: list[float] = []
        self.n_rows: list[int] = []  # of each batch

    def losses_of(
        self, net: Any, X: Any, y: Any, fit_params: Mapping[str, Any]
    ) -> Floats:
        """Train a clone of the net, and return its losses, (n_steps,)."""
        from skorch.callbacks import Callback
        from skorch.dataset import get_len, unpack_data

        sweep, losses, n_rows = self, self.losses, self.n_rows

        class Raises(Callback):  # type: ignore[misc, unused-ignore]
            def on_batch_begin(
                self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
            ) -> None:
                if training:
                    sweep._set(net, len(losses))

            def on_batch_end(
                self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
            ) -> None:
                if not training:
                    return
                losses.append(kwargs["loss"].item())
                n_rows.append(get_len(unpack_data(batch)[0]))
                if sweep._is_over():
                    raise _Over

        net = clone(net)
        net.initialize()
        self._base = _groups_of(net)
        train, _ = net.get_split_datasets(X, y, **fit_params)
        net.train_split = None  # nobody looks at its validation part here
        net.callbacks_ = [
            (name, one) for name, one in net.callbacks_ if not _interferes(one)
        ]
        net.callbacks_.append(("lr_range_test", Raises()))
        # Not `partial_fit`, which takes Ctrl-C for the end of the training.
        net.notify("on_train_begin", X=train, y=None)
        with suppress(_Over):  # an epoch has a batch at least
            net.fit_loop(train, None, epochs=len(self._rates), **fit_params)
        if not losses:
            raise ValueError(
                f"The net was given no batch: X has {len(train)} rows for training, "
                f"and batch_size={net.batch_size}."
            )
        full = np.full(len(self._rates), np.nan)
        is_finite = np.isfinite(losses)
        n = len(losses) if is_finite.all() else int(is_finite.argmin())
        full[:n] = losses[:n]
        return full

    def _set(self, net: Any, step: int) -> None:
        """Groups with rates of their own keep what they are of the net's."""
        for group, share in self._base:
            group["lr"] = self._rates[step] * share

    def _is_over(self) -> bool:
        losses, n, n_steps = self.losses, len(self.losses), len(self._rates)
        if n == n_steps or not math.isfinite(losses[-1]):
            return True
        self._average.add(losses[-1], self.n_rows[-1])
        self._best = min(self._best, self._average.value)
        n_first = max(5, n_steps // 10)
        if n < n_first:
            return False
        if n == n_first:
            self._start = self._average.value
            self._noise = float(np.std(losses))
        # Where nothing has fallen yet, what goes up and down does so by chance.
        noise = max(CLEAR * self._noise, ROUNDING * abs(self._start))
        fall = max(self._start - self._best, noise)
        return self._average.value > self._start + self._stop_factor * fall


def _groups_of(net: Any) -> list[tuple[dict[str, Any], float]]:
    """Each group of parameters, and its rate as a part of the net's."""
    optimizers = [getattr(net, f"{name}_") for name in net._optimizers]
    return [
        (group, float(group["lr"]) / net.lr)
        for optimizer in optimizers
        for group in optimizer.param_groups
    ]


def _interferes(callback: Any) -> bool:
    """Whether it schedules the rate, ends the training, or writes files."""
    from skorch import callbacks

    kinds = (
        callbacks.LRScheduler,
        callbacks.EarlyStopping,
        callbacks.Checkpoint,
        callbacks.TrainEndCheckpoint,
        callbacks.LoadInitState,
    )
    is_logger = type(callback).__module__ == "skorch.callbacks.logging"
    is_needed = isinstance(callback, callbacks.EpochTimer | callbacks.PrintLog)
    return isinstance(callback, kinds) or (is_logger and not is_needed)
