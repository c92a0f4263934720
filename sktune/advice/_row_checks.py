"""Rows: classes in splits and in the smallest rung, last batches, and scales."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils.multiclass import type_of_target

from sktune.advice._check import Check, not_applicable
from sktune.advice._learning_checks import scale_of

CLASSES, BATCHES, SCALE = "classes in splits", "last batches", "scale of X and y"

_TAKE_NO_ROW = ("BatchNorm1d", "LazyBatchNorm1d", "SyncBatchNorm")
# From so many times as many rows on, the score of a guess is good.
_IMBALANCED = 10


def check_classes(
    estimator: Any, y: Any, splits: Sequence[tuple[Any, Any]], smallest: Any
) -> Check:
    """Rows of each class, in all and in the least that a candidate is trained on.

    Parameters
    ----------
    estimator : estimator
    y : data
    splits : sequence of (train, test)
    smallest : sequence of indices, or None
        The rows that a candidate of the lowest rung is trained on, for each split,
        where these are fewer.
    """
    if not is_classifier(estimator) or y is None:
        return not_applicable(CLASSES, "the estimator is no classifier")
    labels = np.asarray(y)
    with suppress(Exception):
        if type_of_target(labels) not in ("binary", "multiclass"):
            return not_applicable(CLASSES, "y is no column of classes")
    values, counts = np.unique(labels, return_counts=True)
    rare, n_rare = values[counts.argmin()], int(counts.min())
    balance = (
        f"{len(values)} classes of {n_rare} to {int(counts.max())} rows"
        if n_rare < counts.max()
        else f"{len(values)} classes of {n_rare} rows each"
    )
    if len(values) < 2:
        return Check(CLASSES, "fail", f"y has one class only, {rare}")
    if n_rare < len(splits):
        return Check(
            CLASSES,
            "fail",
            f"class {rare} has {n_rare} rows, fewer than the {len(splits)} splits, so "
            f"that some have none of it to test on ({balance}). Lower cv to {n_rare} "
            "or less, gather more of it, or drop it"
            if n_rare > 1
            else f"class {rare} has a single row ({balance}): gather more, or drop it",
        )
    trained = (
        [labels[train] for train, _ in splits]
        if smallest is None
        else [labels[rows] for rows in smallest]
    )
    where = "the training part" if smallest is None else "the smallest rung"
    for k, part in enumerate(trained):
        if len(lost := np.setdiff1d(values, part)):
            remedy = "shuffle: cv=StratifiedKFold(shuffle=True, random_state=0)"
            if smallest is not None:
                remedy = "raise min_resources"
            return Check(
                CLASSES,
                "fail",
                f"class {lost[0]} is not in {where} of split {k} ({balance}): {remedy}",
            )
    for k, (_, test) in enumerate(splits):
        if len(lost := np.setdiff1d(values, labels[test])):
            return Check(
                CLASSES,
                "warn",
                f"class {lost[0]} is not in the test part of split {k} ({balance}): "
                "let cv be stratified",
            )
    least = min(int(np.unique(p, return_counts=True)[1].min()) for p in trained)
    said = f"{balance}; at least {least} of each in {where}"
    if counts.max() >= _IMBALANCED * n_rare:
        return Check(
            CLASSES,
            "warn",
            f"{said}. Always to say {values[counts.argmax()]} is right for "
            f"{counts.max() / counts.sum():.0%}: use scoring='balanced_accuracy' or "
            "another that sees the rare classes, and think of class weights",
        )
    if least < 2:
        return Check(CLASSES, "warn", f"{said}: few to learn from, raise min_resources")
    return Check(CLASSES, "ok", said)


def check_batches(
    net: Any,
    X: Any,
    y: Any,
    fit_params: Mapping[str, Any],
    numbers: Sequence[int],
    sizes: Mapping[int, int],
) -> Check:
    """Whether a batch is left of one row, which batch normalization refuses.

    Parameters
    ----------
    net : skorch net
        With the params of a candidate.
    X, y, fit_params : what it is fitted with in one split
    numbers : sequence of int
        Rows that a net is fitted with, over splits and rungs.
    sizes : dict of int to int
        Batch sizes that are searched, and of how many candidates.
    """
    probe = clone(net).set_params(verbose=0)
    probe.initialize()
    train, _ = probe.get_split_datasets(X, y, **fit_params)
    share = len(train) / max(1, len(X)) if hasattr(X, "__len__") else 1.0
    rows = sorted({round(n * share) for n in numbers} | {len(train)})
    drops = bool(dict(probe.get_params_for("iterator_train")).get("drop_last"))
    ones = {
        size: [n for n in rows if size > 0 and n > 1 and n % size == 1]
        for size in sizes
    }
    ones = {size: found for size, found in ones.items() if found}
    norms = [name for name in _norms(probe)]
    too_large = [size for size in sizes if size > min(rows)]
    if drops:
        if too_large:
            return Check(
                BATCHES,
                "fail",
                f"batch_size={too_large[0]} is more than {min(rows)} rows, and "
                "drop_last leaves no batch at all: lower it, or drop_last=False",
            )
        return Check(BATCHES, "ok", "what is left over is dropped (drop_last)")
    if ones and norms:
        size, found = next(iter(ones.items()))
        return Check(
            BATCHES,
            "fail",
            f"{found[0]} rows in batches of {size} leave one row, and {norms[0]} "
            f"takes no batch of one (batch_size={_listed(ones)}). Pass "
            "iterator_train__drop_last=True, or other batch sizes",
        )
    if too_large:
        return Check(
            BATCHES,
            "ok",
            f"batch_size={_listed(too_large)} is more than the {min(rows)} rows that "
            "there are in the smallest part: one batch an epoch there",
        )
    said = f"{min(rows)} to {max(rows)}" if len(rows) > 1 else f"{rows[0]}"
    return Check(BATCHES, "ok", f"{said} rows in batches of {_listed(sizes)}")


def _norms(net: Any) -> Iterator[str]:
    """Layers that take no batch of one row."""
    for part in net._modules:
        module: Any = getattr(net, f"{part}_", None)
        for name, one in module.named_modules() if module is not None else ():
            if type(one).__name__ in (
                "BatchNorm1d",
                "LazyBatchNorm1d",
                "SyncBatchNorm",
            ):
                yield f"{name} ({type(one).__name__})" if name else type(one).__name__


def check_scale(X: Any, y: Any, *, of_numbers: bool) -> Check:
    """Whether columns are of one size, and y where the loss compares numbers."""
    values: Any = None
    with suppress(Exception):
        values = np.asarray(X[:1000], dtype=float)
    if values is not None and not np.isfinite(values).all():
        return Check(
            SCALE,
            "fail",
            "X has NaN or infinite values as it reaches the net: put a SimpleImputer "
            "before it",
        )
    if (found := scale_of(X)) is not None:
        return Check(SCALE, "warn", found)
    if of_numbers and y is not None:
        with suppress(Exception):
            target = np.asarray(y, dtype=float)
            spread, mean = float(target.std()), float(abs(target.mean()))
            if max(spread, mean) > 30 or (0 < spread < 1e-3):
                return Check(
                    SCALE,
                    "warn",
                    f"y has a mean of {target.mean():.3g} and a standard deviation of "
                    f"{spread:.3g}: let TransformedTargetRegressor(net, transformer="
                    "StandardScaler()) scale it",
                )
    return Check(SCALE, "ok", "columns are of about one size")


def counted_batch_sizes(sizes: Sequence[int]) -> dict[int, int]:
    return dict(sorted(Counter(sizes).items()))


def _listed(values: Any) -> str:
    values = list(values)
    more = f" and {len(values) - 4} more" if len(values) > 4 else ""
    return ", ".join(map(str, values[:4])) + more
