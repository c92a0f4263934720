"""Batches in which rare classes are as frequent as others, or more than they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Sampler

from sktune._errors import EstimatorError, did_you_mean
from sktune.nets._labels import labels_of

_LENGTHS = ("data", "over", "under")


class BalancedLoader(DataLoader[Any]):
    """Batches of training in which the classes have shares that can be searched.

    Given as `iterator_train` of a net, it draws rows of rare classes more often. Rows
    are named by their numbers and never copied, and only those of the training: with
    an inner split, the validation part is left as it is, and so are all rows that a
    net predicts for. In a search a row of one split is in no other, which oversampling
    before the search cannot say.

    Parameters
    ----------
    dataset : Dataset
        Given by skorch. Its labels are read from `y` or `targets`.
    batch_size : int, default=1
        Given by skorch.
    balance : float, default=1.0
        From 0, where each class has the share that it has in the data, to 1, where all
        classes have equal shares; in between, shares grow with ``n_rows ** (1 -
        balance)``. Each batch has these shares but for rounding.
    length : {"data", "over", "under"}, default="data"
        How many rows an epoch has: as many as the data, so that it takes as long as
        before; as many as it takes to have each row at least once (oversampling); or so
        few that none comes twice (undersampling; each epoch draws others).
    shuffle : bool, default=True
        Rows are always drawn; that it may be given lets a net keep what it is set to.
    generator : torch.Generator, default=None
        As in torch.
    drop_last, num_workers, collate_fn, pin_memory, timeout, worker_init_fn, \
persistent_workers, prefetch_factor
        As in torch.

    Notes
    -----
    Within a class rows come in a random order, all of them before any comes again.

    A net that was trained so takes rare classes for more likely than they are: its
    classes are good, its probabilities are not. Where these matter, leave `balance` at
    0 and move the threshold, or calibrate.

    Raises
    ------
    EstimatorTypeError
        Where the labels are no classes.
    EstimatorError
        For arguments out of their range.

    Examples
    --------
    >>> import numpy as np
    >>> from skorch.dataset import Dataset
    >>> from sktune.nets import BalancedLoader
    >>> y = np.array([0] * 90 + [1] * 10)
    >>> loader = BalancedLoader(Dataset(np.zeros((100, 2)), y), batch_size=20)
    >>> [int(labels.sum()) for _, labels in loader]
    [10, 10, 10, 10, 10]

    In a net, and searched:

    >>> from skorch import NeuralNetClassifier
    >>> net = NeuralNetClassifier(torch.nn.Linear, iterator_train=BalancedLoader)
    >>> space = {"iterator_train__balance": [0.0, 0.5, 1.0]}
    """

    rows_may_be_cut: ClassVar[bool] = True  # from arrays: it loads as torch's own does

    @staticmethod
    def check_value(name: str, value: Any) -> None:
        """Refuse a value that an argument cannot have; searches ask it first."""
        _check_value(name, value)

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        *,
        balance: float = 1.0,
        length: str = "data",
        shuffle: bool = True,
        generator: Any = None,
        drop_last: bool = False,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        persistent_workers: bool = False,
        prefetch_factor: int | None = None,
    ) -> None:
        _check_value("shuffle", shuffle)
        labels = labels_of(dataset, "BalancedLoader")
        super().__init__(
            dataset,
            batch_size,
            sampler=BalancedSampler(labels, balance, length, generator),
            generator=generator,
            drop_last=drop_last,
            num_workers=num_workers,
            collate_fn=collate_fn,
            pin_memory=pin_memory,
            timeout=timeout,
            worker_init_fn=worker_init_fn,
            persistent_workers=persistent_workers,
            prefetch_factor=prefetch_factor,
        )


class BalancedSampler(Sampler[int]):
    """The rows of an epoch of `BalancedLoader`, drawn anew in each.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,)
    balance : float, default=1.0
    length : {"data", "over", "under"}, default="data"
    generator : torch.Generator, default=None
        None draws a seed from torch's own at each epoch, as torch's samplers do.

    Attributes
    ----------
    counts : ndarray of shape (n_classes,)
        Rows of each class in an epoch.
    """

    # All draws are made before the first row, so that all rows may be asked for at the
    # beginning of an epoch, as is done where nets are trained as one.
    rows_may_be_cut: ClassVar[bool] = True

    def __init__(
        self,
        labels: NDArray[Any],
        balance: float = 1.0,
        length: str = "data",
        generator: Any = None,
    ) -> None:
        _check_value("balance", balance)
        _check_value("length", length)
        classes, of_row = np.unique(labels, return_inverse=True)
        by_class = np.argsort(of_row, kind="stable")
        n_rows = np.bincount(of_row, minlength=len(classes))
        self._rows = np.split(by_class, np.cumsum(n_rows)[:-1])
        self.counts = _counts(n_rows, balance, length)
        self.generator = generator

    def __len__(self) -> int:
        return int(self.counts.sum())

    def __iter__(self) -> Iterator[int]:
        generator = self.generator
        if generator is None:
            seed = int(torch.empty((), dtype=torch.int64).random_().item())
            generator = torch.Generator().manual_seed(seed)
        begins = torch.rand(len(self.counts), generator=generator, dtype=torch.float64)
        drawn, places = [], []
        for rows, count, begin in zip(self._rows, self.counts, begins, strict=True):
            n_orders = -(-count // len(rows))
            orders = [
                torch.randperm(len(rows), generator=generator) for _ in range(n_orders)
            ]
            if n_orders:
                drawn.append(rows[torch.cat(orders)[:count].numpy()])
                # Evenly over the epoch, so that every batch has its share.
                places.append((np.arange(count) + float(begin)) / count)
        if drawn:
            yield from np.concatenate(drawn)[np.argsort(np.concatenate(places))]


def _check_value(name: str, value: Any) -> None:
    if name == "balance" and not (isinstance(value, Real) and 0 <= float(value) <= 1):
        raise EstimatorError(
            f"BalancedLoader: balance={value!r} is not between 0 (as in the data) and "
            "1 (all classes equally often)."
        )
    if name == "length" and value not in _LENGTHS:
        raise EstimatorError(
            f"BalancedLoader: length={value!r} is none of {_LENGTHS}."
            f"{did_you_mean(str(value), _LENGTHS)}"
        )
    if name == "shuffle" and not value:
        raise EstimatorError(
            f"BalancedLoader draws rows, and cannot do so with shuffle={value!r}. "
            "Leave that out."
        )


def _counts(n_rows: NDArray[Any], balance: float, length: str) -> NDArray[Any]:
    """Rows of each class in an epoch."""
    if not len(n_rows):
        return n_rows
    weights = n_rows ** (1.0 - balance)
    shares = weights / weights.sum()
    if length == "over":
        return np.ceil(_exact(shares * (n_rows / shares).max())).astype(int)
    if length == "under":
        return np.floor(_exact(shares * (n_rows / shares).min())).astype(int)
    exact = _exact(shares * n_rows.sum())
    counts = np.floor(exact).astype(int)
    n_left = n_rows.sum() - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:n_left]] += 1
    return counts


def _exact(counts: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers where only rounding makes them none."""
    return np.where(np.isclose(counts, np.rint(counts)), np.rint(counts), counts)
