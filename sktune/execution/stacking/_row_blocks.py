"""The rows of the batches of many nets, cut from their arrays in blocks.

A block is what the next few batches of all nets need: the rows of each net in its own
order. It is cut at once, and a batch is a part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from skorch.utils import to_tensor
from torch import Tensor
from torch.utils.data import RandomSampler, SequentialSampler

from sktune.execution.stacking._numbers import Numbers

_BYTES = 2**19  # of one net in a block, about


class NetRows:
    """The rows of one net in the order of this epoch.

    Parameters
    ----------
    loader : ArrayLoader
    k : int
        The net's number in the stack.
    numbers : Numbers

    Attributes
    ----------
    n_batches, batch_size : int
    n_in_block : int
        How many batches of this net make a block.
    """

    def __init__(self, loader: Any, k: int, numbers: Numbers) -> None:
        self._cut = loader.cut_
        self._order = _order(loader, k, numbers)
        self.batch_size = loader.batch_sampler.batch_size
        row = self._cut(self._order[:1])
        size = sum(leaf.nbytes for leaf in _leaves(row)) * self.batch_size
        self.n_in_block = max(1, _BYTES // max(size, 1))
        n_rows = len(self._order)
        self.n_batches = n_rows // self.batch_size
        if n_rows % self.batch_size and not loader.batch_sampler.drop_last:
            self.n_batches += 1
        if loader.most_batches_ is not None:
            self.n_batches = min(self.n_batches, loader.most_batches_)

    def span(self, batch: int) -> tuple[int, int]:
        """First and last row of a batch in the order of the epoch."""
        first = batch * self.batch_size
        return first, min(first + self.batch_size, len(self._order))

    def cut(self, batch: int, n_batches: int) -> Any:
        """The rows of some batches, one after the other: X and y."""
        first, last = self.span(batch)[0], self.span(batch + n_batches - 1)[1]
        return self._cut(self._order[first:last])


def _order(loader: Any, k: int, numbers: Numbers) -> np.ndarray[Any, Any]:
    """The order that the loader would give, with the draws that it would make."""
    generator, sampler = numbers.generator(k), loader.sampler
    # The seed for workers, which there are none of.
    own = generator if loader.generator is None else loader.generator
    torch.empty((), dtype=torch.int64).random_(generator=own)
    if type(sampler) is SequentialSampler:
        return np.arange(len(sampler))
    is_random = type(sampler) is RandomSampler and not sampler.replacement
    n_rows = len(loader.dataset)
    if is_random and sampler.num_samples == n_rows:
        own = sampler.generator
        if own is None:
            seed = torch.empty((), dtype=torch.int64).random_(generator=generator)
            own = torch.Generator().manual_seed(int(seed))
        order = torch.randperm(n_rows, generator=own).numpy()
        if sampler.generator is not None:
            torch.randperm(n_rows, generator=own)  # torch draws one more, for nothing
        return order
    with numbers.alone(k):
        return np.asarray(list(sampler))


class RowBlocks:
    """The batches of all nets that are still in the epoch.

    Parameters
    ----------
    rows : dict of int to NetRows
        By the number of the net.
    device : device
    """

    def __init__(self, rows: Mapping[int, NetRows], device: Any) -> None:
        self._rows, self._device = rows, device
        self._n_batches = min((one.n_in_block for one in rows.values()), default=1)
        self._first = 0
        self._own: dict[int, Any] = {}
        self._stacked: dict[int, tuple[int, Any]] = {}

    def load(self, batch: int, members: Sequence[int]) -> dict[int, Exception]:
        """See that a batch is there; what went wrong, by net."""
        errors: dict[int, Exception] = {}
        if batch % self._n_batches:
            return errors
        self._first = batch
        self._own, self._stacked = {}, {}
        for k in members:
            rows = self._rows[k]
            try:
                self._own[k] = rows.cut(
                    batch, min(self._n_batches, rows.n_batches - batch)
                )
            except Exception as error:
                errors[k] = error
        for run in runs((k, _kind(tree)) for k, tree in self._own.items()):
            first = run[0]
            stacked = stacked_rows([self._own[k] for k in run])
            stacked = [to_tensor(tree, device=self._device) for tree in stacked]
            for i, k in enumerate(run):
                self._own[k] = _part(stacked, i)
                self._stacked[k] = first, stacked
        return errors

    def key(self, k: int, batch: int) -> Any:
        """Nets side by side with one key can take this batch as one."""
        first, last = self._rows[k].span(batch)
        begin, _ = self._rows[k].span(self._first)
        return first - begin, last - begin, self._stacked[k][0]

    def size(self, k: int, batch: int) -> int:
        first, last = self._rows[k].span(batch)
        return last - first

    def of(self, k: int, batch: int) -> Any:
        """The batch of one net: X and y."""
        first, last, _ = self.key(k, batch)
        return _rows_of(self._own[k], slice(first, last))

    def together(self, members: range, batch: int) -> Any:
        """The batch of nets with one key, stacked: X and y."""
        first, last, _ = self.key(members[0], batch)
        begin, stacked = self._stacked[members[0]]
        of = slice(members.start - begin, members.stop - begin)
        return _rows_of(stacked, (of, slice(first, last)))


def runs(keyed: Iterator[tuple[int, Any]] | Any, longest: int = 2**30) -> list[range]:
    """Numbers one after the other that have one key, as ranges."""
    found: list[range] = []
    key_before: Any = None
    for k, key in keyed:
        last = found[-1] if found else range(0)
        if found and last.stop == k and key == key_before and len(last) < longest:
            found[-1] = range(last.start, k + 1)
        else:
            found.append(range(k, k + 1))
        key_before = key
    return found


def _rows_of(tree: Any, index: Any) -> Any:
    if isinstance(tree, Tensor):
        return tree[index]
    if isinstance(tree, Mapping):
        return {name: _rows_of(value, index) for name, value in tree.items()}
    return [_rows_of(value, index) for value in tree]


def _part(tree: Any, k: int) -> Any:
    return _rows_of(tree, k)


def _leaves(tree: Any) -> Iterator[Tensor]:
    if isinstance(tree, Tensor):
        yield tree
        return
    for value in tree.values() if isinstance(tree, Mapping) else tree:
        yield from _leaves(value)


def _kind(tree: Any) -> Any:
    """What rows have in common that can lie in one tensor, however many they are."""
    if isinstance(tree, Tensor):
        return tuple(tree.shape[1:]), tree.dtype
    if isinstance(tree, Mapping):
        return tuple((name, _kind(value)) for name, value in tree.items())
    return tuple(_kind(value) for value in tree)


def stacked_rows(trees: Sequence[Any]) -> Any:
    """One tensor for the rows of all; where a net has fewer, its last are unused."""
    first = trees[0]
    if isinstance(first, Tensor):
        sizes = [len(tree) for tree in trees]
        if min(sizes) == max(sizes):
            return torch.stack(list(trees))
        out = first.new_empty((len(trees), max(sizes), *first.shape[1:]))
        for part, tree in zip(out, trees, strict=True):
            part[: len(tree)] = tree
        return out
    if isinstance(first, Mapping):
        return {name: stacked_rows([tree[name] for tree in trees]) for name in first}
    return [stacked_rows(values) for values in zip(*trees, strict=True)]
