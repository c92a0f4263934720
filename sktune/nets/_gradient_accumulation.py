"""Large batches, whose gradients are added up from parts that fit into memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from skorch.dataset import get_len, unpack_data
from torch.nn.utils.rnn import PackedSequence

from sktune._errors import EstimatorError, EstimatorTypeError

_BY_CLASS = (torch.nn.CrossEntropyLoss, torch.nn.NLLLoss)


class GradientAccumulation:
    """A mixin for nets: batches as large as asked for, in the memory of a small one.

    Of each batch one part after the other is run forwards and backwards, and their
    gradients are added up; then come the callbacks and the optimizer, as for the batch
    in one piece. So `batch_size` means what it always means: schedules, clipped
    gradients, the history and the last batch of an epoch, which may be smaller, are
    those of the large batch.

    Parameters
    ----------
    *args, **kwargs
        Those of the net.
    micro_batch_size : int or None, default=None
        Most rows that are run at once; None for the whole batch. It decides on memory
        and time only.

    Notes
    -----
    The gradient is that of the whole batch but for rounding, whatever the sizes of its
    parts: each counts by its rows, or by the weights of its rows where a loss divides
    by these (`weight` and `ignore_index` of ``CrossEntropyLoss`` and ``NLLLoss``).
    Losses are taken to be means over rows unless their `reduction` is ``"sum"``.

    Batch normalization sees the parts and not the batch, and dropout draws its masks in
    another order: a net with either is as good, but not the same.

    Since it trains a batch in its own manner, such a net is not stacked with others.

    Raises
    ------
    EstimatorError
        For sizes below 1.
    EstimatorTypeError
        For batches that cannot be cut into rows.

    Examples
    --------
    >>> from skorch import NeuralNetClassifier
    >>> from sktune.nets import GradientAccumulation
    >>> class Net(GradientAccumulation, NeuralNetClassifier):
    ...     pass
    >>> net = Net(torch.nn.Linear, batch_size=512, micro_batch_size=64)
    >>> net.get_params()["micro_batch_size"]
    64
    """

    def __init__(
        self, *args: Any, micro_batch_size: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.micro_batch_size = micro_batch_size

    @staticmethod
    def check_value(name: str, value: Any) -> None:
        """Refuse a value that an argument cannot have; searches ask it first."""
        if name == "micro_batch_size" and value is not None and value < 1:
            raise EstimatorError(
                f"micro_batch_size={value!r} leaves no row in a part of a batch. Pass "
                "1 or more, or None."
            )

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Compute loss and gradients of a batch, part by part; see skorch."""
        net: Any = self
        size = self.micro_batch_size
        if size is None:
            whole: dict[str, Any] = super().train_step_single(  # type: ignore[misc]
                batch, **fit_params
            )
            return whole
        self.check_value("micro_batch_size", size)
        net._set_training(True)
        X, y = unpack_data(batch)
        n_rows = _n_rows(X)
        shares = _Shares(net.criterion_, y, n_rows)
        losses, outputs = [], []
        for first in range(0, n_rows, size):
            rows = slice(first, min(first + size, n_rows))
            X_part, y_part = _rows_of(X, rows), _rows_of(y, rows)
            y_pred = net.infer(X_part, **fit_params)
            outputs.append(_detached(y_pred))
            share = shares.of(y_part, rows.stop - rows.start)
            if share == 0:
                continue  # of no row that counts, torch has no mean
            loss = share * net.get_loss(y_pred, y_part, X=X_part, training=True)
            loss.backward()
            losses.append(loss.detach())
        return {"loss": torch.stack(losses).sum(), "y_pred": _joined(outputs)}


class _Shares:
    """How much of a batch's loss is that of a part.

    Parameters
    ----------
    criterion : callable
    y : data
        Of the whole batch.
    n_rows : int
    """

    def __init__(self, criterion: Any, y: Any, n_rows: int) -> None:
        self._criterion = criterion
        self._adds = getattr(criterion, "reduction", "mean") == "sum"
        whole = float(self._weight_of(y, n_rows))
        # Where no row counts, the loss of the batch is not a number, and so be it.
        self._counts = whole != 0
        self._whole = whole if self._counts else float(n_rows)

    def of(self, y: Any, n_rows: int) -> float:
        """That of a part with these rows."""
        if self._adds:
            return 1.0
        return (self._weight_of(y, n_rows) if self._counts else n_rows) / self._whole

    def _weight_of(self, y: Any, n_rows: int) -> float:
        """What a loss divides the sum over some rows by, up to a factor of all."""
        criterion = self._criterion
        is_of_classes = isinstance(y, torch.Tensor) and not y.is_floating_point()
        if not isinstance(criterion, _BY_CLASS) or not is_of_classes:
            return n_rows
        used = y[y != criterion.ignore_index]
        if criterion.weight is None:
            return used.numel()
        return float(criterion.weight[used.to(criterion.weight.device)].double().sum())


def _n_rows(X: Any) -> int:
    try:
        if isinstance(X, PackedSequence):
            raise TypeError("its rows are of many lengths")
        return int(get_len(X))
    except Exception as error:
        raise EstimatorTypeError(
            f"micro_batch_size: a batch of {type(X).__name__} cannot be cut into rows. "
            "Pass tensors, or dicts or lists of them, or micro_batch_size=None."
        ) from error


def _rows_of(tree: Any, rows: slice) -> Any:
    if isinstance(tree, Mapping):
        return {name: _rows_of(value, rows) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_rows_of(value, rows) for value in tree]
    return tree[rows]


def _detached(tree: Any) -> Any:
    if isinstance(tree, torch.Tensor):
        return tree.detach()
    if isinstance(tree, Mapping):
        return {name: _detached(value) for name, value in tree.items()}
    return tuple(map(_detached, tree)) if isinstance(tree, list | tuple) else tree


def _joined(trees: Sequence[Any]) -> Any:
    """Outputs of the parts, as the whole batch would have them."""
    first = trees[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(list(trees)) if first.dim() else torch.stack(list(trees))
    if isinstance(first, Mapping):
        return {name: _joined([tree[name] for tree in trees]) for name in first}
    if isinstance(first, tuple):
        return tuple(map(_joined, zip(*trees, strict=True)))
    return first
