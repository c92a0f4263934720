"""Nested subsets of the training parts, for searches whose resource is ``n_samples``.

A small subset is the beginning of an order of the rows that is drawn once for each
split; a larger one is a longer beginning. The order is such that every beginning looks
like the whole: it has all classes, in about their shares, and whole groups only.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import type_of_target

from sktune._errors import EstimatorError
from sktune._random import derive_seed

_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Subset:
    """Which rows of the training part of one split come with which ``n_resources``.

    Attributes
    ----------
    train : array of shape (n_train,)
        The training part as indices into X, as the splitter gave it.
    rank : array of shape (n_train,)
        How many rows of the training part are taken before each of them.
    n_samples : int
        Rows of X; a resource of as many is the whole training part.
    n_classes : int
        Classes in the training part; 1 where nothing is stratified.
    ends : array or None
        Numbers of rows that make whole groups, ascending; None without groups.
    """

    train: _Ints
    rank: _Ints
    n_samples: int
    n_classes: int
    ends: _Ints | None = None

    def n_rows(self, n_resources: int) -> int:
        """Number of rows that come with a resource."""
        n_train = len(self.train)
        wanted = min(max(1, n_train * n_resources // self.n_samples), n_train)
        if self.ends is None or not n_train:
            return wanted
        return int(self.ends[np.abs(self.ends - wanted).argmin()])

    def smallest(self) -> int:
        """The least resource at which there are as many rows as classes."""
        return -(-self.n_classes * self.n_samples // max(1, len(self.train)))

    def rows(self, n_resources: int) -> _Ints:
        """Indices into X, sorted as in the training part."""
        return self.train[self.rank < self.n_rows(n_resources)]


def subsets(
    splits: Sequence[tuple[Any, Any]],
    y: Any,
    groups: Any,
    *,
    stratify: bool,
    n_samples: int,
    seed: int,
) -> list[Subset]:
    """One `Subset` for each split.

    Parameters
    ----------
    splits : sequence of (train, test)
        Indices, masks or slices.
    y, groups : array-like of shape (n_samples,), or None
    stratify : bool
        Whether classes shall keep their shares, where y is a column of classes.
    n_samples : int
        Number of rows of X.
    seed : int
        Splits draw from it independently of each other.
    """
    labels = _codes_of_classes(y) if stratify else None
    if labels is None:
        labels = np.zeros(n_samples, dtype=np.int64)
    codes = None if groups is None else _codes(_as_array(groups))
    return [
        _subset(
            _as_indices(train, n_samples),
            labels,
            codes,
            n_samples,
            np.random.default_rng(derive_seed(seed, "subset", split)),
        )
        for split, (train, _) in enumerate(splits)
    ]


def check_subsets(subsets: Sequence[Subset], y: Any, min_resources: int) -> None:
    """Raise `EstimatorError` where a class would vanish from a training part."""
    for split, subset in enumerate(subsets):
        rows = subset.rows(min_resources)
        if len(rows) >= subset.n_classes:
            continue
        classes = _as_array(y).ravel()
        lost = np.setdiff1d(classes[subset.train], classes[rows]).tolist()
        enough = max(s.smallest() for s in subsets)
        raise EstimatorError(
            f"min_resources={min_resources} leaves {len(rows)} of {len(subset.train)} "
            f"training rows in split {split}, fewer than its {subset.n_classes} "
            f"classes: none of {lost} would be there. Pass min_resources={enough} or "
            "more."
        )


def _subset(
    train: _Ints,
    labels: _Ints,
    groups: _Ints | None,
    n_samples: int,
    rng: np.random.Generator,
) -> Subset:
    labels = _codes(labels[train])
    if groups is None:
        order, ends = _order(labels, rng), None
    else:
        order, ends = _order_by_groups(labels, _codes(groups[train]), rng)
    n_classes = int(labels.max(initial=-1)) + 1
    return Subset(train, _inverse(order), n_samples, n_classes, ends)


def _order(labels: _Ints, rng: np.random.Generator) -> _Ints:
    """Shuffle so that each class has about its share of every beginning.

    Seats of a parliament are given to parties in this order by the method of Webster
    (Sainte-Laguë): the j-th row of a class with n rows has its turn at (j - 1/2) / n.
    The first row of each class comes before all others, so that none is missing from
    a beginning that is long enough to hold them all.
    """
    shuffled = rng.permutation(len(labels))
    labels = labels[shuffled]
    counts = np.bincount(labels)
    by_class = np.argsort(labels, kind="stable")
    nth = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    turns = np.empty(len(labels))
    turns[by_class] = np.where(nth == 0, 0, (nth + 0.5) / counts[labels[by_class]])
    # Stable: who has the same turn stays as shuffled.
    return shuffled[np.argsort(turns, kind="stable")]


def _order_by_groups(
    labels: _Ints, groups: _Ints, rng: np.random.Generator
) -> tuple[_Ints, _Ints]:
    """Order of the rows, group after group, and the numbers of rows to stop at.

    A group is taken for a row of the class that most of its rows have. The groups that
    it takes to have all classes come first, and there is no stop before their end.
    """
    n_groups, n_classes = groups.max(initial=-1) + 1, labels.max(initial=-1) + 1
    pairs, counts = np.unique(groups * n_classes + labels, return_counts=True)
    holders, held = np.divmod(pairs, max(n_classes, 1))
    main = np.empty(n_groups, dtype=np.int64)
    by_count = np.argsort(counts, kind="stable")
    main[holders[by_count]] = held[by_count]  # the last one, the most frequent, stays
    place = _inverse(_order(main, rng))

    chosen = np.zeros(n_groups, dtype=bool)
    # From the class in fewest groups on: its groups may well bring the others along.
    for label in np.argsort(np.bincount(held), kind="stable"):
        candidates = holders[held == label]
        if not chosen[candidates].any():
            chosen[candidates[place[candidates].argmin()]] = True
    place[chosen] -= n_groups

    sizes = np.bincount(groups)[np.argsort(place)]
    ends = np.cumsum(sizes)[max(int(chosen.sum()) - 1, 0) :]
    return np.argsort(place[groups], kind="stable"), ends


def _inverse(order: _Ints) -> _Ints:
    """Place of each element in an order."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place


def _as_indices(train: Any, n_samples: int) -> _Ints:
    """Indices into X of what may be a mask or a slice; order and repeats are kept."""
    if isinstance(train, slice):
        return np.arange(n_samples)[train]
    train = np.asarray(train)
    if train.dtype == bool:
        return np.flatnonzero(train)
    # No copy of what is an array already: pickled along with the splits, it is shared.
    return train.astype(np.int64, copy=False)


def _codes_of_classes(y: Any) -> _Ints | None:
    """A number for the class of each row; None where y is not a column of classes."""
    with warnings.catch_warnings():
        # About a y that has more classes than scikit-learn expects.
        warnings.simplefilter("ignore")
        try:
            y = _as_array(y)
            kind = type_of_target(y)
        except (RuntimeError, TypeError, ValueError):
            return None
    return _codes(y) if kind in ("binary", "multiclass") else None


def _codes(values: NDArray[Any]) -> _Ints:
    """0, 1, 2, ... for the distinct values, in the order in which they sort."""
    return np.unique(values.ravel(), return_inverse=True)[1].astype(np.int64)


def _as_array(values: Any) -> NDArray[Any]:
    """Array of a sequence, or of a tensor wherever it lies."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    return np.asarray(values)
