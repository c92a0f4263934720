"""Which params a candidate may have other than the one whose training it continues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import clone

from sktune._errors import ParamNameError
from sktune.execution.estimators._change_params import change_params
from sktune.execution.estimators._last_steps import last_of
from sktune.execution.estimators._nets import callbacks_by_name, is_net, silence
from sktune.execution.estimators._resource import Resource

# Read anew as each part of the training begins.
_AT_EACH_BEGIN = ("batch_size", "iterator_train__", "iterator_valid__")
_TOO_LATE = "it takes effect only as the training begins"


def check_inherited(
    estimator: Any, resource: Resource, values: Mapping[str, Sequence[Any]]
) -> None:
    """Refuse params that cannot be changed in what is being trained.

    Each is tried with a net that is not trained on anything.

    Parameters
    ----------
    estimator : estimator
    resource : Resource
    values : dict of list
        Some values of each parameter that is searched. One that has a single value
        never changes.

    Raises
    ------
    ParamNameError
        With the names of all of these, and why.
    """
    if not resource.continues:
        return
    values = {name: some for name, some in values.items() if len(some) > 1}
    prefix = "".join(f"{step}__" for step in resource.path)
    outside = [name for name in values if not name.startswith(prefix)]
    reasons = {name: "it is of a step before the last" for name in outside}
    last = last_of(estimator, resource.path)
    if is_net(last):
        for name in values.keys() - reasons.keys():
            why = _why_not(last, name.removeprefix(prefix), values[name])
            if why is not None:
                reasons[name] = why
    if not reasons:
        return
    lines = "; ".join(
        f"{name!r}: {reasons[name]}" for name in values if name in reasons
    )
    raise ParamNameError(
        f"A candidate goes on with the weights of another, so params are searched that "
        f"may change while it is trained, and these may not: {lines}. Set them in the "
        "estimator, or search them with HyperbandSearchCV."
    )


def _why_not(net: Any, name: str, values: Sequence[Any]) -> str | None:
    """Why a param of a net cannot be changed while it is trained; None: it can."""
    head, is_nested, _ = name.partition("__")
    if name.startswith(_AT_EACH_BEGIN):
        return None
    is_rate = name == "lr" or (head.startswith("optimizer") and name.endswith("__lr"))
    if is_rate:
        why = _who_sets_rates(net)
        if why is not None or "__param_groups__" not in name:
            return why
    if not is_nested:
        return _TOO_LATE
    for value in values[1:]:
        why = _tried(net, name, values[0], value)
        if why is not None:
            return why
    return None


def _who_sets_rates(net: Any) -> str | None:
    for name, callback in callbacks_by_name(net).items():
        if hasattr(callback, "policy"):
            return f"the callback {name!r} sets the rate by the one of the beginning"
    return None


def _tried(net: Any, name: str, first: Any, second: Any) -> str | None:
    """Why a net cannot go from one value to the other."""
    one = silence(clone(net))
    try:
        one.set_params(device="cpu", **{name: first})
        one.initialize()
        made = (*one._modules, *one._criteria, *one._optimizers)
        _step(one)
    except Exception:  # it needs data for that, or such values fail by themselves
        made = ("module", "criterion", "optimizer")
        return None if name.split("__")[0] in made else _TOO_LATE
    if name.split("__")[0] not in made:
        return _TOO_LATE
    try:
        change_params(one, {name: second})
        _step(one)
    except Exception as error:
        return f"from {first!r} to {second!r}, {error or type(error).__name__}"
    return None


def _step(net: Any) -> None:
    """A step of the optimizer that changes nothing much, so that it has a state."""
    import torch

    for name in net._optimizers:
        optimizer = getattr(net, f"{name}_")
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if not torch.nn.parameter.is_lazy(parameter):
                    parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
