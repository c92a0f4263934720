"""Names of parameters in the callbacks of a net, and what skorch makes of them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from sktune.execution.estimators._name_hints import shown
from sktune.execution.estimators._nets import callbacks_by_name, is_by_the_book
from sktune.execution.estimators._parameter_paths import UNKNOWN, alternatives
from sktune.execution.estimators._refusal import Refusal
from sktune.execution.estimators._trial_set_params import error_of_setting


def names_of_callbacks(net: Any) -> set[str]:
    """``callbacks__stop`` and ``callbacks__stop__patience``, for hints."""
    names = set()
    for name, callback in callbacks_by_name(net).items():
        names |= {f"callbacks__{name}"}
        names |= {f"callbacks__{name}__{option}" for option in _options(callback) or ()}
    return names


def refuse_name_of_callback(
    net: Any, argument: str, path: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    """Why `argument`, such as ``stop__patience``, cannot be set in the callbacks."""
    if isinstance(net.callbacks, str):
        return Refusal(
            f"callbacks={net.callbacks!r} leaves the net none.",
            "Give it a list of callbacks.",
            is_unknown=False,
        )
    name, _, option = argument.partition("__")
    full_name = f"{path}callbacks__{argument}"
    if not is_by_the_book(net, "initialize_callbacks", "_set_params_callback"):
        key, values = f"callbacks__{argument}", subspace.get(full_name)
        if error_of_setting(net, key, values) is None:
            return None
    callbacks = callbacks_by_name(net)
    if name not in callbacks or callbacks[name] is None:
        return _no_callback(net, name, callbacks)
    receivers = alternatives(subspace, f"{path}callbacks__{name}", callbacks[name])
    where = f"{path}callbacks__{name}__"
    refusals = [
        _refuse_option(net, name, receiver, option, subspace.get(full_name))
        or (_refuse_policy(receiver, where, subspace) if option else None)
        for receiver in receivers
        if receiver is not UNKNOWN
    ]
    if not refusals or any(refusal is None for refusal in refusals):
        return None
    return refusals[0]


def _no_callback(net: Any, name: str, callbacks: Mapping[str, Any]) -> Refusal:
    there = sorted(key for key, one in callbacks.items() if one is not None)
    remedy = f"Its callbacks are {there}."
    if not net.callbacks:
        remedy += " Others have a name if the net is given (name, callback) for them."
    return Refusal(f"the net has no callback {name!r}.", remedy)


def _refuse_option(
    net: Any, name: str, callback: Any, option: str, values: Any
) -> Refusal | None:
    """Why an option of one callback cannot be set; none may be named."""
    if option and callback is None:
        return Refusal(
            f"callback {name!r} may be None, which has no parameters.",
            "Search them in another dict of a list of dicts.",
            is_unknown=False,
        )
    there = callbacks_by_name(net)[name]
    others = {} if callback is there else {f"callbacks__{name}": callback}
    key = f"callbacks__{name}__{option}" if option else f"callbacks__{name}"
    if not option:
        others = {}
    # Fits set it likewise, with all that callbacks do when they are initialized.
    cause = error_of_setting(net, key, values, others)
    if cause is None:
        return None
    options = _options(callback)
    label = f"callback {name!r} ({_label(callback)})"
    if option and options is not None and option not in options:
        return Refusal(
            f"{label} has no parameter {option!r}.",
            _first_value(callback, option) or f"It has: {shown(options, option)}.",
            cause=cause,
        )
    return Refusal(
        f"it cannot be set: {type(cause).__name__}: {cause}.",
        _policy_remedy(callback),
        is_unknown=False,
        cause=cause,
    )


def _options(callback: Any) -> set[str] | None:
    """Names of parameters that a callback has; None if any name may be right."""
    if isinstance(callback, type):
        parameters = inspect.signature(callback).parameters.values()
        if any(p.kind is p.VAR_KEYWORD for p in parameters):
            return None
        return {p.name for p in parameters}
    if not hasattr(callback, "get_params"):
        return None
    return set(callback.get_params(deep=False))


def _label(callback: Any) -> str:
    return callback.__name__ if isinstance(callback, type) else type(callback).__name__


# -- schedulers of learning rates ---------------------------------------------------


def is_scheduler(callback: Any) -> bool:
    """Whether this is skorch's LRScheduler, or its class."""
    from skorch.callbacks import LRScheduler

    of_class = isinstance(callback, type) and issubclass(callback, LRScheduler)
    return of_class or isinstance(callback, LRScheduler)


def policy_of(callback: Any) -> Any:
    """Class of torch that a scheduler makes; its name where skorch has none such."""
    if isinstance(callback, type):
        return _policy(inspect.signature(callback).parameters["policy"].default)
    return _policy(callback.policy)


def _policy(policy: Any) -> Any:
    from skorch.callbacks import lr_scheduler

    return getattr(lr_scheduler, policy, policy) if isinstance(policy, str) else policy


def _refuse_policy(
    callback: Any, where: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    """Why no policy takes what a scheduler would hand to it."""
    if not is_scheduler(callback) or isinstance(callback, type):
        return None
    own = inspect.signature(type(callback)).parameters
    given = {key.removeprefix(where) for key in subspace if key.startswith(where)}
    given |= set(callback.kwargs)
    misfits = []
    for policy in alternatives(subspace, f"{where}policy", callback.policy):
        kind = _policy(policy)
        accepted = _options(kind) if isinstance(kind, type) else None
        if accepted is None or not (lacking := sorted(given - set(own) - accepted)):
            return None
        misfits.append(f"{kind.__name__} takes no {shown(lacking)}")
    if not misfits:
        return None
    return Refusal(
        f"{misfits[0]}, which LRScheduler would hand to it.",
        f"Search {where[:-2]!r} instead: list schedulers, each with what it takes.",
        is_unknown=False,
    )


def _first_value(callback: Any, option: str) -> str:
    """The remedy where a policy takes what its scheduler was not given."""
    if not is_scheduler(callback):
        return ""
    policy = policy_of(callback)
    if not callable(policy) or option not in inspect.signature(policy).parameters:
        return ""
    return (
        f"{policy.__name__} takes it, but LRScheduler sets only what it was made with. "
        f"Give it a first value: LRScheduler(..., {option}=...)."
    )


def _policy_remedy(callback: Any) -> str:
    """The remedy where skorch does not find a policy by its name."""
    if callback is None or not is_scheduler(callback):
        return ""
    policy = policy_of(callback)
    if not isinstance(policy, str):
        return ""
    return (
        f"skorch finds few policies by name; pass the class: LRScheduler(torch.optim."
        f"lr_scheduler.{policy}, ...)."
    )
