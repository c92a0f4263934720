"""What a net and its callbacks are told of the batches of an epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import skorch
from skorch.callbacks import Callback, EpochScoring, LRScheduler
from skorch.utils import TeeGenerator

from sktune.execution.estimators._nets import NoProgressBar
from sktune.execution.stacking._lockstep import Epoch


class BatchEvents:
    """Tells of batches as skorch does; callbacks that would do nothing are not called.

    Parameters
    ----------
    epoch : Epoch
    is_read : bool
        Whether the net may read its history while the epoch runs.

    Attributes
    ----------
    on_grad_computed, on_batch_end : list of callable
        The methods of callbacks that do something.
    hears : bool
        Whether anybody has to be told while the epoch runs.
    draws : bool
        Whether one of these may draw random numbers.
    """

    def __init__(self, epoch: Epoch, is_read: bool = False) -> None:
        self._epoch, self._net = epoch, epoch.net
        self._on_batch_begin = self._heard("on_batch_begin")
        self.on_batch_end = self._heard("on_batch_end")
        self.on_grad_computed = self._heard("on_grad_computed") if self._trains else []
        methods = [*self._on_batch_begin, *self.on_batch_end, *self.on_grad_computed]
        self.hears = is_read or bool(methods)
        self.draws = not all(_is_of_skorch(method) for method in methods)
        self._rows: list[dict[str, Any]] = []

    @property
    def _trains(self) -> bool:
        return self._epoch.training

    def _heard(self, name: str) -> list[Callable[..., Any]]:
        heard = []
        for _, callback in self._net.callbacks_:
            if isinstance(callback, NoProgressBar):
                continue
            method = getattr(callback, name)
            if getattr(method, "__func__", None) is getattr(Callback, name):
                continue
            if not (_is_of_skorch(method) and self._is_deaf(callback, name)):
                heard.append(method)
        return heard

    def _is_deaf(self, callback: Any, name: str) -> bool:
        """Whether the method of skorch's returns at once in this epoch."""
        if name != "on_batch_end":
            return False
        if isinstance(callback, LRScheduler):
            return not self._trains or callback.step_every != "batch"
        if isinstance(callback, EpochScoring):
            caches = callback.use_caching
            if self._net.use_caching != "auto":
                caches = self._net.use_caching
            return not caches or callback.on_train != self._trains
        return False

    def begin(self, batch: Any) -> None:
        """Before a batch, where a callback hears."""
        net = self._net
        net.on_batch_begin(net, batch=batch, training=self._trains)
        for method in self._on_batch_begin:
            method(net, batch=batch, training=self._trains)

    def gradients(self, batch: Any) -> None:
        """The gradients are there."""
        net = self._net
        for method in self.on_grad_computed:
            method(
                net,
                named_parameters=TeeGenerator(net.get_all_learnable_params()),
                batch=batch,
                training=True,
            )

    def end(self, batch: Any, value: float, size: int, loss: Any, y_pred: Any) -> None:
        """After a batch, where a callback hears."""
        net = self._net
        net.history.to_list()[-1]["batches"][-1].update(self._row(value, size))
        step = {"loss": loss, "y_pred": y_pred}
        for method in self.on_batch_end:
            method(net, batch=batch, training=self._trains, **step)

    def _row(self, value: float, size: int) -> dict[str, Any]:
        prefix = self._epoch.prefix
        return {f"{prefix}_loss": value, f"{prefix}_batch_size": size}

    def record(self, value: float, size: int) -> None:
        """A batch that nobody hears of is written down at the end."""
        self._rows.append(self._row(value, size))

    def close(self, n_batches: int | None) -> None:
        """The epoch is over; None where it ended with an error."""
        history = self._net.history
        if self._rows:
            history.to_list()[-1]["batches"].extend(self._rows)
        if n_batches is not None:
            history.record(self._epoch.prefix + "_batch_count", n_batches)


def _is_of_skorch(method: Any) -> bool:
    return getattr(method, "__module__", "").startswith(skorch.__name__ + ".")
