"""Learning-rate schedules of a fixed length, compared with how long nets are trained.

The refit has more rows than any split, so more batches: a `OneCycleLR` that is long
enough for the splits raises in the refit, when everything has been computed.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sktune._errors import EstimatorError, did_you_mean
from sktune._warnings import warn
from sktune.execution.estimators._callback_values import NetCallback, callbacks_of
from sktune.execution.estimators._nets import is_plain
from sktune.execution.estimators._parameter_paths import UNKNOWN, alternatives
from sktune.execution.estimators._reached_nets import ReachedNet

# More combinations of listed values than that are not looked through.
_N_COMBINED = 1000

# Values of the net that say how many steps there are.
_OF_TRAINING = ("max_epochs", "batch_size", "iterator_train__batch_size")
_OF_LENGTH = ("total_steps", "epochs", "steps_per_epoch", "T_max")


@dataclass(frozen=True)
class _Training:
    """One combination of values: the steps of the refit, and of the schedule."""

    steps: int
    length: int
    how: str


def check_schedules(
    reached: ReachedNet,
    dicts: Sequence[Mapping[str, Any]],
    n_samples: int,
    max_epochs: int | None,
) -> None:
    """Refuse schedules that end before the training does; warn of those that differ.

    Parameters
    ----------
    reached : ReachedNet
    dicts : sequence of dict
        The dicts that are searched.
    n_samples : int
        Rows of the refit.
    max_epochs : int or None
        Epochs of the refit, where these are the resource of the search.
    """
    net = reached.net
    try:
        callbacks = callbacks_of(net)
    except Exception:
        return  # what is wrong with them, the fits will say
    if reached.is_searched("callbacks"):
        return
    for callback in filter(_is_scheduler, callbacks):
        name = f"callbacks__{callback.name}"
        decisive = (name, f"{name}__policy", f"{name}__step_every", "train_split")
        if reached.is_searched(*decisive):
            continue
        policy = _policy(callback)
        if not reached.has_all_rows or not is_plain(net) or policy is None:
            continue
        found = list(_trainings(reached, callback, dicts, n_samples, max_epochs))
        may_stop = any(_may_stop(one) for one in callbacks)
        _judge(callback, policy, found, may_stop=may_stop)


def _is_scheduler(callback: NetCallback) -> bool:
    """Whether it is skorch's, which makes a schedule of the arguments as they are."""
    from skorch.callbacks import LRScheduler

    if not issubclass(callback.type, LRScheduler):
        return False
    return str(callback.type.on_train_begin.__module__).startswith("skorch.")


def _policy(callback: NetCallback) -> str | None:
    """Name of a schedule that has one length; raises for a name that skorch lacks."""
    import skorch.callbacks.lr_scheduler as of_skorch
    import torch.optim.lr_scheduler as of_torch

    policy = callback.get("policy")
    if isinstance(policy, str):
        if not hasattr(of_skorch, policy):
            names = [name for name in vars(of_skorch) if name.endswith("LR")]
            cure = did_you_mean(policy, names)
            if hasattr(of_torch, policy):
                cure = f" Pass the class, torch.optim.lr_scheduler.{policy}."
            raise EstimatorError(
                f"LRScheduler of skorch has no policy of the name {policy!r}.{cure}"
            )
        policy = getattr(of_skorch, policy)
    for cls in (of_torch.OneCycleLR, of_torch.CosineAnnealingLR):
        if isinstance(policy, type) and issubclass(policy, cls):
            return str(cls.__name__)
    return None


def _may_stop(callback: NetCallback) -> bool:
    """Whether a callback may end the training early."""
    from skorch.callbacks import EarlyStopping

    return issubclass(callback.type, EarlyStopping) or not callback.is_of_skorch


def _trainings(
    reached: ReachedNet,
    callback: NetCallback,
    dicts: Sequence[Mapping[str, Any]],
    n_samples: int,
    max_epochs: int | None,
) -> Iterator[_Training]:
    """All that the listed values make; none where one of them is not known."""
    net, prefix = reached.net, reached.prefix
    current = {name: getattr(net, name, None) for name in _OF_TRAINING}
    if max_epochs is not None:
        current["max_epochs"] = max_epochs
    path = f"callbacks__{callback.name}__"
    current.update({path + name: callback.get(name) for name in _OF_LENGTH})
    for subspace in dicts:
        values = [alternatives(subspace, prefix + k, v) for k, v in current.items()]
        if math.prod(map(len, values)) > _N_COMBINED:
            continue
        for combined in product(*values):
            if any(value is UNKNOWN for value in combined):
                continue
            one = dict(zip(current, combined, strict=True))
            lengths = {name: one[path + name] for name in _OF_LENGTH}
            by_batch = callback.get("step_every") == "batch"
            steps, how = _steps(net, one, n_samples, by_batch=by_batch)
            length = _length(lengths)
            if steps is not None and length is not None:
                yield _Training(steps, length, how)


def _length(values: Mapping[str, Any]) -> int | None:
    length = values["total_steps"] or values["T_max"]
    if not length and values["epochs"] and values["steps_per_epoch"]:
        length = values["epochs"] * values["steps_per_epoch"]
    return length if isinstance(length, int) else None


def _steps(
    net: Any, values: Mapping[str, Any], n_samples: int, *, by_batch: bool
) -> tuple[int | None, str]:
    """Steps of a schedule in the refit, and how they come about."""
    epochs = values["max_epochs"]
    if not by_batch:
        return epochs, f"{epochs} epochs"
    n_rows = _trained_rows(net.train_split, n_samples)
    options = net.get_params_for("iterator_train")
    is_torchs = net.iterator_train is sys.modules["torch"].utils.data.DataLoader
    if n_rows is None or {"sampler", "batch_sampler"} & set(options) or not is_torchs:
        return None, ""
    size = values["iterator_train__batch_size"] or values["batch_size"]
    size = n_rows if size == -1 else size
    whole = math.floor if options.get("drop_last") else math.ceil
    batches = whole(n_rows / size)
    return epochs * batches, f"{epochs} epochs x {batches} batches"


def _trained_rows(train_split: Any, n_samples: int) -> int | None:
    """Rows that the net's own split leaves to train on; None where that is not sure."""
    from skorch.dataset import ValidSplit

    if not train_split:
        return n_samples
    cv = getattr(train_split, "cv", None)
    if type(train_split) is not ValidSplit or not isinstance(cv, int | float):
        return None
    return n_samples - math.ceil(n_samples * cv if cv < 1 else n_samples / cv)


def _judge(
    callback: NetCallback, policy: str, found: list[_Training], *, may_stop: bool
) -> None:
    by_batch = callback.get("step_every") == "batch"
    too_long = [one for one in found if one.steps > one.length]
    cure = (
        f"Use sktune.nets.RelativeLRScheduler({policy!r}, ...) without a length: it "
        "counts the batches of each training."
    )
    if policy == "OneCycleLR" and too_long:
        one = too_long[0]
        told = (
            f"{policy} of the callback {callback.name!r} ends after {one.length} "
            f"steps, and the refit on all rows has {one.steps} ({one.how}), where "
            f"torch raises. {cure}"
        )
        if len(too_long) == len(found) and not may_stop:
            raise EstimatorError(told)
        warn(told)
    elif by_batch and found:
        one = (too_long or found)[0]
        warn(
            f"{policy} of the callback {callback.name!r} is laid out over {one.length} "
            f"batches, and the refit on all rows has {one.steps} ({one.how}), a split "
            f"fewer: nets are scored at another point of it than they end at. {cure}"
        )
