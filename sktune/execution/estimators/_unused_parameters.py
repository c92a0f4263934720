"""Names that an estimator accepts, and that no fit would make use of."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sktune._compat import BaseSearchCV
from sktune._warnings import warn
from sktune.execution.estimators._name_hints import shown
from sktune.execution.estimators._net_callbacks import (
    is_scheduler,
    policy_of,
)
from sktune.execution.estimators._net_names import arguments_of
from sktune.execution.estimators._nets import callbacks_by_name, is_by_the_book, is_net
from sktune.execution.estimators._parameter_paths import (
    UNKNOWN,
    NestedParameter,
    alternatives,
    params_of,
)
from sktune.execution.estimators._refusal import Refusal

# Policies that set the rates, or the momentum, which the optimizer was made with.
_SET_RATES = (
    "CyclicLR",
    "OneCycleLR",
    "WarmRestartLR",
)
_SET_MOMENTUM = ("CyclicLR", "OneCycleLR")


def refuse_unused(
    estimator: Any, parameter: NestedParameter, name: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    """Why no fit would use a parameter that can be set."""
    refusal = _refuse_searched_within(estimator, name, subspace)
    net, path = parameter.estimator, parameter.prefix
    if refusal is not None or not is_net(net):
        return refusal
    for rule in (_refuse_rate, _refuse_momentum, _refuse_batch_size, _refuse_compile):
        refusal = rule(net, parameter.name, path, subspace)
        if refusal is not None:
            return refusal
    return _refuse_arguments_of_instance(net, parameter.name, path, subspace)


def _unused(why: str, remedy: str) -> Refusal:
    return Refusal(f"no fit would use it: {why}.", remedy, is_unknown=False)


def _is_set(net: Any, name: str, path: str, subspace: Mapping[str, Any]) -> bool:
    return path + name in subspace or hasattr(net, name)


# -- rules for nets -----------------------------------------------------------------


def _refuse_rate(
    net: Any, name: str, path: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    is_of_group = name.startswith("optimizer__param_groups__") and name.endswith("__lr")
    if name not in ("lr", "optimizer__lr") and not is_of_group:
        return None
    if not is_by_the_book(net, "initialize_optimizer", "get_params_for_optimizer"):
        return None
    if name == "lr" and _is_set(net, "optimizer__lr", path, subspace):
        return _unused(
            f"'{path}optimizer__lr' is set, and skorch prefers it to 'lr'",
            f"Search '{path}optimizer__lr', or leave that out.",
        )
    if not is_of_group and f"{path}optimizer__param_groups" not in subspace:
        for pattern, options in getattr(net, "optimizer__param_groups", ()):
            if pattern == "*" and "lr" in options:
                return _unused(
                    f"a group of '{path}optimizer__param_groups' has a rate of its own "
                    "for all parameters",
                    "Leave it out.",
                )
    found = _scheduler_that(net, path, subspace, lambda policy, _: policy in _SET_RATES)
    if found is None:
        return None
    callback, policy = found
    return _unused(
        f"{policy} of callback {callback!r} begins with rates of its own",
        f"Search '{path}callbacks__{callback}__max_lr', of which the callback needs a "
        f"first value: LRScheduler({policy}, max_lr=...).",
    )


def _refuse_momentum(
    net: Any, name: str, path: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    if name != "optimizer__momentum":
        return None

    def cycles(policy: str, callback: Any) -> bool:
        return policy in _SET_MOMENTUM and getattr(callback, "cycle_momentum", True)

    found = _scheduler_that(net, path, subspace, cycles)
    if found is None or f"{path}callbacks__{found[0]}__cycle_momentum" in subspace:
        return None
    callback, policy = found
    return _unused(
        f"{policy} of callback {callback!r} sets the momentum itself",
        f"Search '{path}callbacks__{callback}__max_momentum', of which the callback "
        "needs a first value, or give it cycle_momentum=False.",
    )


def _scheduler_that(
    net: Any,
    path: str,
    subspace: Mapping[str, Any],
    holds: Callable[[str, Any], bool],
) -> tuple[str, str] | None:
    """Name and policy of a scheduler of which something holds in every candidate."""
    if f"{path}callbacks" in subspace:
        return None
    schedulers = {k: c for k, c in callbacks_by_name(net).items() if is_scheduler(c)}
    if len(schedulers) > 1:  # one may start from what another has left
        return None
    for name, callback in schedulers.items():
        where = f"{path}callbacks__{name}"
        if f"{where}__policy" in subspace or hasattr(net, f"callbacks__{name}__policy"):
            continue
        policies = []
        for one in alternatives(subspace, where, callback):
            # A class of the user's may do as it likes.
            is_known = one is not None and one is not UNKNOWN and _is_known(one)
            policy = getattr(policy_of(one), "__name__", "") if is_known else ""
            policies.append(policy if policy and holds(policy, one) else None)
        if policies and policies[0] and set(policies) == {policies[0]}:
            return name, policies[0]
    return None


def _is_known(callback: Any) -> bool:
    """Whether it is skorch's, or ours around skorch's."""
    kind = callback if isinstance(callback, type) else type(callback)
    return is_scheduler(callback) and kind.__module__.startswith(
        ("skorch.", "sktune.nets.")
    )


def _refuse_batch_size(
    net: Any, name: str, path: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    if name != "batch_size" or not is_by_the_book(net, "get_iterator"):
        return None
    if not _is_set(net, "iterator_train__batch_size", path, subspace):
        return None
    return _unused(
        f"'{path}iterator_train__batch_size' is set, and skorch prefers it to "
        "'batch_size' in training",
        f"Search '{path}iterator_train__batch_size', or leave that out.",
    )


def _refuse_compile(
    net: Any, name: str, path: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    if not name.startswith("compile__") or not is_by_the_book(net, "torch_compile"):
        return None
    if any(alternatives(subspace, f"{path}compile", net.compile)):
        return None
    return _unused("the net has compile=False", "Set compile=True.")


def _refuse_arguments_of_instance(
    net: Any, name: str, path: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    """Of a module that is an instance, skorch makes a new one with other arguments.

    Those it was made with, and its weights, are lost. Where its class can be made with
    what is given, the user may want that.
    """
    import torch

    part, _, argument = name.partition("__")
    if part not in ("module", "criterion") or not argument or path + part in subspace:
        return None
    instance = getattr(net, part)
    methods = (f"initialize_{part}", "initialized_instance")
    if not isinstance(instance, torch.nn.Module) or not is_by_the_book(net, *methods):
        return None
    kind = type(instance).__name__
    why = (
        f"{part} of the net is an instance of {kind}, of which skorch makes a new one "
        f"to set {argument!r}: its weights, and the arguments that it was made with, "
        "are not used"
    )
    remedy = f"Pass the class, {part}={kind}, and its arguments as {part}__<argument>"
    given = {key.removeprefix(f"{path}{part}__") for key in subspace if key != name}
    given |= {k.partition("__")[2] for k in vars(net) if k.startswith(f"{part}__")}
    lacking = sorted(_required(type(instance)) - given - {argument})
    if lacking:
        why = f"{why}, so that {shown(lacking)} would be missing"
        return Refusal(f"{why}.", f"{remedy}.", is_unknown=False)
    has_state = next(iter(instance.state_dict()), None) is not None
    if has_state or arguments_of(type(instance)) != {argument}:
        warn(f"Parameter {path + name!r}: {why}. {remedy}.")
    return None


def _required(kind: type) -> set[str]:
    parameters = inspect.signature(kind).parameters.values()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        p.name for p in parameters if p.default is p.empty and p.kind not in variable
    }


# -- searches within the search -------------------------------------------------------


def _refuse_searched_within(
    estimator: Any, name: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    """Why an inner search would set a parameter to values of its own."""
    for where, search in _searches(estimator):
        rest = name.removeprefix(f"{where}estimator__")
        space = f"{where}{_space_of(search)}"
        if rest == name or space in subspace or where.removesuffix("__") in subspace:
            continue
        dicts = getattr(search, _space_of(search))
        dicts = [dicts] if isinstance(dicts, Mapping) else dicts
        if dicts and all(isinstance(d, Mapping) and rest in d for d in dicts):
            return _unused(
                f"{type(search).__name__}, within the estimator, searches {rest!r}",
                f"Search it in one of the two, or search {space!r}.",
            )
    return None


def _searches(estimator: Any) -> Iterator[tuple[str, Any]]:
    parts = {"": estimator} | {f"{k}__": v for k, v in params_of(estimator).items()}
    for where, part in parts.items():
        if isinstance(part, BaseSearchCV) and _space_of(part):
            yield where, part


def _space_of(search: Any) -> str:
    names = ("param_distributions", "param_grid")
    return next((name for name in names if hasattr(search, name)), "")
