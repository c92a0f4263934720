"""Whether what a splitter makes are splits, said before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np

from sktune import _compat
from sktune.run import NO_FITS

Split = tuple[Any, Any]


def check_splitter(cv: Any) -> None:
    """Refuse a splitter's class, which has all its methods, and what is no split."""
    if isinstance(cv, type):
        raise TypeError(
            f"cv={cv.__name__} is a class. Give an instance of it, such as "
            f"{cv.__name__}(), or a number of splits."
        )
    if isinstance(cv, list | tuple):
        for k, split in enumerate(cv):
            _parts(split, k)


def check_n_splits(n_splits: Any, cv: Any) -> int:
    """The number of splits that a splitter announces."""
    if not isinstance(n_splits, Integral):
        raise TypeError(
            f"cv={cv!r} announces {n_splits!r} splits. Its get_n_splits has to return "
            "an integer."
        )
    if n_splits < 1:
        raise ValueError(NO_FITS)
    return int(n_splits)


def check_weights(weights: Any, X: Any) -> None:
    """Refuse weights of other rows: they would not be cut with X, and fits fail."""
    if not hasattr(weights, "__len__") or isinstance(weights, str | dict):
        return
    n_weights, n_samples = _compat.num_samples(weights), _compat.num_samples(X)
    if n_weights != n_samples:
        raise ValueError(
            f"sample_weight has {n_weights} weights, and X has {n_samples} rows. Give "
            "one weight for each row."
        )


def draw_splits(
    cv: Any, X: Any, y: Any, n_splits: int, split_params: Mapping[str, Any]
) -> list[Split]:
    """Draw the splits, once for the whole search."""
    splits = read_splits(cv.split(X, y, **split_params), _compat.num_samples(X))
    if not splits:
        raise ValueError(NO_FITS)
    if len(splits) != n_splits:
        raise ValueError(
            "cv.split and cv.get_n_splits return inconsistent results. Expected "
            f"{n_splits} splits, got {len(splits)}"
        )
    return splits


def read_splits(drawn: Any, n_samples: int) -> list[Split]:
    """The splits as a list.

    Parameters
    ----------
    drawn : iterable of (train, test)
        Indices or masks of rows; negative indices count from the end.
    n_samples : int
        Rows of X.

    Raises
    ------
    TypeError, ValueError
        For what is no pair, for what is no indices or mask, for rows that X does not
        have, and for a part without rows.
    """
    splits = list(drawn)
    for k, split in enumerate(splits):
        train, test = _parts(split, k)
        _check_rows(train, f"cv: the training part of split {k}", n_samples)
        _check_rows(test, f"cv: the test part of split {k}", n_samples)
    return splits


def _parts(split: Any, k: int) -> Split:
    try:
        train, test = split
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"cv: split {k} is {split!r} and not a pair of the rows to train on and "
            f"the rows to test on ({error}). Give pairs of indices or masks."
        ) from None
    return train, test


def _check_rows(rows: Any, where: str, n_samples: int) -> None:
    if isinstance(rows, slice):
        return
    try:
        rows = np.asarray(rows)
    except ValueError as error:
        raise ValueError(f"{where} is no list of indices: {error}") from None
    if rows.ndim == 1 and not len(rows):
        raise ValueError(f"{where} has no rows. Leave the split out.")
    if rows.ndim != 1 or rows.dtype.kind not in "iub":
        raise ValueError(
            f"{where} is an array of shape {rows.shape} and dtype {rows.dtype}. Give "
            "the indices of rows, or a mask with a True or False for each row."
        )
    if rows.dtype.kind == "b":
        if len(rows) != n_samples:
            raise ValueError(
                f"{where} is a mask of length {len(rows)}, and X has {n_samples} rows."
            )
        if not rows.any():
            raise ValueError(f"{where} has no rows. Leave the split out.")
    elif rows.max() >= n_samples or rows.min() < -n_samples:
        wrong = rows.max() if rows.max() >= n_samples else rows.min()
        raise ValueError(
            f"{where} has row {wrong}, and X has {n_samples} rows. Make the splits "
            "from the X that is given to fit."
        )
