"""Whether a net learns at all: one batch by heart, and one epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from sktune.advice._check import Check
from sktune.advice._lr_sweep import _interferes

BY_HEART, EPOCH, RATES = "one batch by heart", "loss in an epoch", "learning rates"

# Rows that are learnt by heart, and steps that it may take.
_N_ROWS = 8
_N_STEPS = 200
# Of large nets fewer.
_SECONDS = 5.0
# The part of the first loss that is near zero.
_NEAR_ZERO = 0.1
# Rows on which the loss is looked at before and after an epoch.
_N_SEEN = 2000


def check_by_heart(net: Any, X: Any, y: Any, fit_params: Mapping[str, Any]) -> Check:
    """Whether a few rows are learnt by heart, as the net is or with another optimizer.

    A net that cannot learn eight rows will not learn more: then y is not of these rows,
    the loss is not of this task, or something between is cut.
    """
    losses = _losses_by_heart(clone(net), X, y, fit_params)
    first, last = losses[0], min(losses)
    said = f"{_N_ROWS} rows: the loss goes from {first:.3g} to {last:.3g}"
    if last <= _NEAR_ZERO * first or last < 1e-3:
        return Check(BY_HEART, "ok", f"{said} in {len(losses) - 1} steps")
    import torch

    other = clone(net)
    for name in [n for n in other.get_params() if n.startswith("optimizer__")]:
        delattr(other, name)
    other.set_params(optimizer=torch.optim.Adam, lr=0.01)
    best = min(_losses_by_heart(other, X, y, fit_params))
    if best <= _NEAR_ZERO * first:
        return Check(
            BY_HEART,
            "ok" if last < 0.9 * first else "warn",
            f"{said}; with Adam and lr=0.01 to {best:.3g}, so that the net can learn "
            "them: look for a learning rate with lr_range_test",
        )
    status = "warn" if min(best, last) < 0.9 * first else "fail"
    return Check(
        BY_HEART,
        status,
        f"{said}, with Adam and lr=0.01 to {best:.3g}: not near zero. The net is too "
        "small or too regularized to learn even these, X has nothing of y, or "
        "forward and the loss do not belong together",
    )


def _losses_by_heart(
    net: Any, X: Any, y: Any, fit_params: Mapping[str, Any]
) -> list[float]:
    import torch
    from skorch.dataset import unpack_data

    net = _bare(net)
    train, _ = net.get_split_datasets(X, y, **fit_params)
    net.set_params(batch_size=_N_ROWS)
    net.callbacks_ = []
    batch = next(iter(net.get_iterator(train, training=True)))
    losses: list[float] = []
    end = time.monotonic() + _SECONDS
    for _ in range(_N_STEPS + 1):
        net._set_training(True)
        _no_dropout(net)
        for name in net._optimizers:
            getattr(net, f"{name}_").zero_grad()
        Xi, yi = unpack_data(batch)
        loss = net.get_loss(net.infer(Xi), yi, X=Xi, training=True)
        losses.append(float(loss.detach()))
        if not math.isfinite(losses[-1]):
            losses[-1] = math.inf
            break
        if time.monotonic() > end:
            break
        if losses[-1] <= _NEAR_ZERO / 2 * losses[0]:
            break
        loss.backward()
        with torch.no_grad():
            for name in net._optimizers:
                optimizer: Any = getattr(net, f"{name}_")
                if isinstance(optimizer, torch.optim.LBFGS):
                    raise NotImplementedError("LBFGS takes a closure")
                optimizer.step()
    return losses


@dataclass(frozen=True)
class Tried:
    """A candidate's net, and what it is fitted with.

    Attributes
    ----------
    named : dict
        What of the params names the candidate.
    net : skorch net
    X, y, fit_params
    """

    named: Mapping[str, Any]
    net: Any
    X: Any
    y: Any
    fit_params: Mapping[str, Any]


def check_epoch(tried: Sequence[Tried]) -> list[Check]:
    """Whether the loss falls in an epoch, and stays a number."""
    pairs = [_before_and_after(o.net, o.X, o.y, o.fit_params) for o in tried]
    finite = [(a, b) for a, b in pairs if math.isfinite(b)]
    broken = [
        one.named
        for one, (a, b) in zip(tried, pairs, strict=True)
        if not math.isfinite(b) or b > 1e4 * max(1.0, abs(a))
    ]
    X = tried[0].X
    checks = []
    falls = [(a, b) for a, b in finite if b < a - 1e-3 * abs(a)]
    if falls:
        a, b = min(falls, key=lambda pair: pair[1] / pair[0] if pair[0] else 0)
        checks.append(
            Check(
                EPOCH,
                "ok",
                f"it falls for {len(falls)} of {len(pairs)} candidates, at best from "
                f"{a:.3g} to {b:.3g}",
            )
        )
    else:
        shown = ", ".join(f"{a:.3g} to {b:.3g}" for a, b in pairs)
        remedy = "the learning rate is too low or too high: see lr_range_test"
        if (scale := scale_of(X)) is not None:
            remedy = f"{scale}; then look at the learning rate with lr_range_test"
        checks.append(
            Check(EPOCH, "warn", f"it falls for no candidate ({shown}): {remedy}")
        )
    if broken:
        rates = [p for p in broken if p]
        at = f" at {_listed(rates)}" if rates else ""
        all_of_them = len(broken) == len(pairs)
        checks.append(
            Check(
                RATES,
                "fail" if all_of_them else "warn",
                f"the loss is no number any more, or explodes, for {len(broken)} of "
                f"{len(pairs)} candidates{at}: lower the upper end of the learning "
                "rates (lr_range_test suggests a range), or clip gradients",
            )
        )
    else:
        checks.append(Check(RATES, "ok", "the loss stays finite in the first epoch"))
    return checks


def _before_and_after(
    net: Any, X: Any, y: Any, fit_params: Mapping[str, Any]
) -> tuple[float, float]:
    net = _bare(net)
    train, _ = net.get_split_datasets(X, y, **fit_params)
    net.train_split = None
    before = _loss(net, train)
    net.callbacks_ = [
        (name, one)
        for name, one in net.callbacks_
        if not _interferes(one) and name not in ("valid_acc", "valid_loss")
    ]
    net.notify("on_train_begin", X=train, y=None)
    with np.errstate(all="ignore"):
        net.fit_loop(train, None, epochs=1, **fit_params)
    return before, _loss(net, train)


def _loss(net: Any, dataset: Any) -> float:
    """Mean over the first rows, without dropout."""
    import torch
    from skorch.dataset import get_len, unpack_data

    total = n = 0.0
    net._set_training(False)
    with torch.no_grad():
        for batch in net.get_iterator(dataset, training=False):
            Xi, yi = unpack_data(batch)
            loss = net.get_loss(net.infer(Xi), yi, X=Xi, training=False)
            k = get_len(Xi)
            total, n = total + float(loss.mean()) * k, n + k
            if n >= _N_SEEN:
                break
    return total / n if n else math.nan


def _bare(net: Any) -> Any:
    """A clone that is initialized, and prints nothing."""
    net = clone(net).set_params(verbose=0)
    net.initialize()
    return net


def _no_dropout(net: Any) -> None:
    for part in net._modules:
        module: Any = getattr(net, f"{part}_", None)
        for one in module.modules() if hasattr(module, "modules") else ():
            if "Dropout" in type(one).__name__:
                one.eval()


def scale_of(X: Any) -> str | None:
    """What to do about columns of very different or very large numbers."""
    values: Any = None
    with suppress(Exception):
        values = np.asarray(X[:1000], dtype=float)
    if values is None or values.ndim != 2 or not np.isfinite(values).all():
        return None
    spread, mean = values.std(axis=0), np.abs(values.mean(axis=0))
    spread = spread[spread > 0]
    if not len(spread):
        return None
    largest, ratio = max(spread.max(), mean.max()), spread.max() / np.median(spread)
    if largest <= 30 and ratio <= 100:
        return None
    return (
        f"columns of X reach the net with values up to about {largest:.2g} and "
        f"standard deviations from {spread.min():.2g} to {spread.max():.2g}: put a "
        "StandardScaler before the net"
    )


def _listed(candidates: Sequence[Mapping[str, Any]]) -> str:
    def text(value: Any) -> str:
        return f"{value:.3g}" if isinstance(value, float) else str(value)

    return "; ".join(
        ", ".join(f"{name}={text(value)}" for name, value in params.items())
        for params in candidates[:3]
    )
