"""Batches that are cut from arrays at once, and not put together row by row.

torch's loader asks a dataset for one row after another and stacks what it gets. Where
the dataset is skorch's own, over arrays, that is one indexing. The rows come in
the same order, since they are drawn by the loader's own sampler, from the same random
numbers, and their values, dtypes and memory are what stacking gives. So the training is
the same bit by bit. What is not known to be the same is left as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import torch
from scipy import sparse
from skorch.dataset import Dataset
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    Subset,
    default_collate,
)

Cut = Callable[[Any], Any]
"""The rows of some indices, an array, as one batch."""


class Batches:
    """Where the batches of one net come from.

    Attributes
    ----------
    path : str or None
        ``"arrays"``, or ``"rows"`` and why; None before the net has asked for any.
    """

    path: str | None = None

    def as_path(self, stacked: int = 1, reason: str | None = None) -> dict[str, Any]:
        """How a net was trained, as `FitOutcome.path`."""
        return {"batches": self.path, "stacked": stacked, "reason": reason}

    def of(self, loader: Any) -> Any:
        """The loader, which cuts its batches from arrays from now on if it can."""
        reason = cut_from_arrays(loader)
        if self.path is None:
            self.path = "arrays" if reason is None else f"rows: {reason}"
        return loader


class ArrayLoader(DataLoader[Any]):
    """A loader that cuts its batches from arrays; made by `cut_from_arrays`."""

    cut_: Cut
    most_batches_: int | None = None

    def __iter__(self) -> Iterator[Any]:
        # The seed that torch draws for workers, which there are none of.
        torch.empty((), dtype=torch.int64).random_(generator=self.generator)
        return self._batches()

    def _batches(self) -> Iterator[Any]:
        for rows in islice(self.batch_sampler, self.most_batches_):
            yield self.cut_(np.asarray(rows))


def cut_from_arrays(loader: Any) -> str | None:
    """Make a loader cut its batches from arrays; says why not where it cannot.

    Parameters
    ----------
    loader : DataLoader
        Changed in place, and never where a reason is given.
    """
    reason = _own_loading(loader)
    if reason is not None:
        return reason
    try:
        cut = _cut_of(loader.dataset)
    except _NoArray as error:
        return str(error)
    ends = np.array([0, len(loader.dataset) - 1])
    try:
        # Two rows tell what any others would be: shape, dtype and kind.
        expected = loader.collate_fn([loader.dataset[int(row)] for row in ends])
        is_same = _are_same(cut(ends), expected)
    except Exception:  # torch's own loader raises it in its own words
        is_same = False
    if not is_same:
        return "X and y are not arrays that can be cut into tensors as they are"
    loader.__class__ = ArrayLoader
    loader.cut_ = cut
    return None


def _own_loading(loader: Any) -> str | None:
    """What of a loader is not torch's default, which is all that is known here."""
    if type(loader) is not DataLoader and not _says_so(loader):
        return f"the loader is a {type(loader).__name__}"
    if loader.collate_fn is not default_collate:
        return "the loader has a collate_fn"
    is_known = type(loader.sampler) in (RandomSampler, SequentialSampler)
    is_known = is_known or _says_so(loader.sampler)
    if type(loader.batch_sampler) is not BatchSampler or not is_known:
        return "the loader has a sampler"
    if loader.num_workers or loader.pin_memory or loader.timeout:
        return "the loader has workers, a timeout or pinned memory"
    dataset = loader.dataset
    while type(dataset) is Subset:
        dataset = dataset.dataset
    if type(dataset) is not Dataset:
        return f"the dataset is a {type(dataset).__name__}"
    if not len(loader.dataset):
        return "there are no rows"
    return None


def _says_so(part: Any) -> bool:
    """Whether a class says of itself, and not of its subclasses, that rows may be cut.

    As that of `sktune.nets` does, whose sampler makes all draws before the first row.
    """
    return bool(vars(type(part)).get("rows_may_be_cut", False))


class _NoArray(Exception):
    """Data that is no array."""


def _cut_of(dataset: Any) -> Cut:
    """How rows of a dataset, or of a part of it, are cut."""
    part: Any = None
    while type(dataset) is Subset:
        indices = _from_the_front(dataset.indices, len(dataset.dataset))
        part = indices if part is None else indices[part]
        dataset = dataset.dataset
    cut_X, cut_y = _column(dataset.X, "X"), _column_of_y(dataset.y)

    def cut(rows: Any) -> Any:
        rows = rows if part is None else part[rows]
        return [cut_X(rows), cut_y(rows)]

    return cut


def _from_the_front(indices: Any, n_rows: int) -> Any:
    """Indices as they are counted from the first row; below it is the last."""
    found = np.asarray(indices)
    is_outside = found.size and (found.min() < -n_rows or found.max() >= n_rows)
    if found.ndim != 1 or found.dtype.kind not in "iu" or is_outside:
        raise _NoArray("the dataset is a part by other indices than those of its rows")
    return np.where(found < 0, found + n_rows, found)


def _column_of_y(y: Any) -> Cut:
    if y is not None:
        return _column(y, "y")
    # What skorch puts in the place of no y.
    return lambda rows: torch.Tensor([0]).repeat(len(rows), 1)


def _column(values: Any, name: str) -> Cut:
    """How rows are cut from one array, or from a dict of them."""
    if type(values) in (np.ndarray, np.memmap):
        return _array(values, name)
    if isinstance(values, torch.Tensor) and values.layout == torch.strided:
        return lambda rows: values.detach()[torch.from_numpy(rows)]
    if sparse.issparse(values) and values.format == "csr":
        return _array(values, name, lambda rows: values[rows].toarray())
    if isinstance(values, Mapping) and not hasattr(values, "convert_to_tensors"):
        columns = {key: _column(value, name) for key, value in values.items()}
        return lambda rows: {key: cut(rows) for key, cut in columns.items()}
    pandas = sys.modules.get("pandas")  # else nobody can have made a series
    if pandas is not None and type(values) is pandas.Series:
        return _column(values.to_numpy(), name)
    raise _NoArray(f"{name} is a {type(values).__name__}")


def _array(values: Any, name: str, take: Callable[[Any], Any] | None = None) -> Cut:
    """Cut from numbers of NumPy into memory of torch.

    Where memory begins decides in which order a library adds up, and so the last digit:
    it has to be torch's memory, as that of a stack is.
    """
    try:
        dtype = torch.from_numpy(np.empty(0, values.dtype)).dtype
    except (TypeError, ValueError) as error:
        raise _NoArray(f"{name} has dtype {values.dtype}") from error
    shape = values.shape[1:]

    def cut(rows: Any) -> Any:
        batch = torch.empty((len(rows), *shape), dtype=dtype)
        if take is not None:
            batch.numpy()[...] = take(rows)
        else:
            # Without a look at the indices NumPy needs no memory in between.
            np.take(values, rows, axis=0, out=batch.numpy(), mode="clip")
        return batch

    return cut


def _are_same(a: Any, b: Any) -> bool:
    """Whether two batches are the same to the last bit and to the kind of dict."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return (
            a.dtype == b.dtype
            and a.device == b.device
            and a.requires_grad == b.requires_grad
            and a.shape == b.shape
            and a.stride() == b.stride()
            and bool(((a == b) | ((a != a) & (b != b))).all())
        )
    if isinstance(a, dict):
        return list(a) == list(b) and all(_are_same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_are_same, a, b))
    return False
