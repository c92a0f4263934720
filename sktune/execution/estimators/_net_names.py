"""Names of parameters in a net: to whom skorch hands them, and whether that takes them.

`set_params` of a net that was not made yet stores whatever has two underscores.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from sktune.execution.estimators._name_hints import shown
from sktune.execution.estimators._net_callbacks import (
    names_of_callbacks,
    refuse_name_of_callback,
)
from sktune.execution.estimators._nets import is_by_the_book
from sktune.execution.estimators._param_groups import (
    GROUP_PREFIX,
    groups_of,
    refuse_name_of_group,
    takes_groups,
)
from sktune.execution.estimators._parameter_paths import UNKNOWN, alternatives
from sktune.execution.estimators._refusal import Refusal
from sktune.execution.estimators._trial_set_params import error_of_setting


class _Prefix(NamedTuple):
    """A prefix of skorch: who hands its arguments on, and how many come before them."""

    methods: tuple[str, ...]
    n_given: int = 0


_PREFIXES = {
    "module": _Prefix(("initialize_module", "initialized_instance")),
    "criterion": _Prefix(("initialize_criterion", "initialized_instance")),
    "optimizer": _Prefix(("initialize_optimizer", "get_params_for_optimizer"), 1),
    "iterator_train": _Prefix(("get_iterator",), 1),
    "iterator_valid": _Prefix(("get_iterator",), 1),
    "dataset": _Prefix(("get_dataset",), 2),
    "compile": _Prefix(("torch_compile",), 1),
}


def refuse_name_of_net(
    net: Any, name: str, path: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    """Why a net cannot be given a parameter; `path` leads to the net."""
    prefix, _, argument = name.partition("__")
    if prefix == "callbacks" and argument:
        return refuse_name_of_callback(net, argument, path, subspace)
    if name in net.get_params(deep=False):
        return None
    if prefix in _PREFIXES and argument:
        return _refuse_argument(net, prefix, argument, path, subspace)
    if argument and _knows_prefix(net, prefix, argument):
        return None
    is_strict = argument or is_by_the_book(net, "_validate_params")
    if not is_strict and not error_of_setting(net, name, subspace.get(path + name)):
        return None  # a subclass may take more than it lists
    if prefix in ("train_split", "predict_nonlinearity"):
        return Refusal(
            f"skorch sets no arguments of {prefix!r}.",
            f"Search {path + prefix!r} itself: list the values that it may have.",
            is_unknown=False,
        )
    remedy = (
        f"Valid are the names in its get_params(), and arguments of what it is made "
        f"of: {', '.join(f'{one}__' for one in _PREFIXES)}, callbacks__<name>__."
    )
    return Refusal(f"{type(net).__name__} has no parameter {name!r}.", remedy)


def names_by_prefix(net: Any, path: str, subspace: Mapping[str, Any]) -> set[str]:
    """Names such as ``module__hidden``, which `get_params` does not give."""
    names = names_of_callbacks(net)
    for prefix, (_, n_given) in _PREFIXES.items():
        for receiver in _receivers(net, prefix, path, subspace):
            found = arguments_of(receiver, n_given) or set()
            names |= {f"{prefix}__{argument}" for argument in found}
            if takes_groups(receiver):
                groups = groups_of(getattr(net, f"{prefix}__param_groups", ()))
                beginnings = [f"{prefix}__{GROUP_PREFIX}{group}__" for group in groups]
                of_groups = found - receiver.own_options
                names |= {one + option for one in beginnings for option in of_groups}
    return names


def _refuse_argument(
    net: Any, prefix: str, argument: str, path: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    """Why none of what the prefix may stand for takes the argument."""
    if not is_by_the_book(net, *_PREFIXES[prefix].methods):
        return None
    refusals = []
    for receiver in _receivers(net, prefix, path, subspace):
        refusal = _refuse_one(net, receiver, prefix, argument, path, subspace)
        if refusal is None:
            return None
        refusals.append(refusal)
    return refusals[0] if refusals else None


def _refuse_one(
    net: Any,
    receiver: Any,
    prefix: str,
    argument: str,
    path: str,
    subspace: Mapping[str, Any],
) -> Refusal | None:
    if receiver is UNKNOWN:
        return None
    if prefix == "dataset" and not callable(receiver):
        return Refusal(
            "dataset of the net is an instance, and takes no more arguments.",
            f"Pass its class: dataset={type(receiver).__name__}.",
            is_unknown=False,
        )
    accepted = arguments_of(receiver, _PREFIXES[prefix].n_given)
    if prefix == "optimizer":
        if argument == GROUP_PREFIX.removesuffix("__"):
            return None  # skorch's own
        if argument.startswith(GROUP_PREFIX):
            listed = getattr(net, f"optimizer__{GROUP_PREFIX[:-2]}", [])
            where = f"{path}optimizer__{GROUP_PREFIX[:-2]}"
            patterns = alternatives(subspace, where, listed)
            if takes_groups(receiver) and accepted is not None:
                accepted -= receiver.own_options
            return refuse_name_of_group(receiver, argument, accepted, patterns, path)
    if accepted is None or argument in accepted:
        return None
    return Refusal(
        f"{_label(receiver)} takes no argument {argument!r}.",
        f"It takes: {shown(accepted, argument)}.",
    )


def arguments_of(receiver: Any, n_given: int = 0) -> set[str] | None:
    """Names that a class or function takes; None if any name may be right.

    Parameters
    ----------
    receiver : object
    n_given : int
        Arguments that skorch itself gives, by their place.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(receiver, torch.nn.Module):
        receiver = type(receiver)  # of whose class skorch makes a new one
    own: frozenset[str] = frozenset()
    if takes_groups(receiver):
        receiver, own = receiver.optimizer, receiver.own_options
    if not callable(receiver):
        return None
    try:
        parameters = [*inspect.signature(receiver).parameters.values()]
    except (TypeError, ValueError):  # it does not say
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    named = {p.name for p in parameters[n_given:] if p.kind is not p.VAR_POSITIONAL}
    return named | own


def _receivers(
    net: Any, prefix: str, path: str, subspace: Mapping[str, Any]
) -> list[Any]:
    """All that the arguments of a prefix may be handed to."""
    if prefix == "compile":
        return [sys.modules["torch"].compile]
    return alternatives(subspace, path + prefix, getattr(net, prefix, UNKNOWN))


def _knows_prefix(net: Any, prefix: str, argument: str) -> bool:
    """Whether a subclass may hand on what begins with this prefix."""
    parts = ("initialize_module", "initialize_criterion", "initialize_optimizer")
    methods = (*parts, "initialize", "_validate_params", "initialize_callbacks")
    if not is_by_the_book(net, *methods) or prefix in net.prefixes_:
        return True
    # Those of skorch itself, such as a likelihood beside the module.
    own = net.get_params(deep=False).get(prefix)
    if not callable(own) or prefix in _constructor_arguments():
        return False
    accepted = arguments_of(own)
    return accepted is None or argument in accepted


def _constructor_arguments() -> set[str]:
    """Arguments of every net, such as ``train_split``."""
    return set(inspect.signature(sys.modules["skorch"].NeuralNet).parameters)


def _label(receiver: Any) -> str:
    if isinstance(receiver, partial):
        receiver = receiver.func
    if takes_groups(receiver):
        return repr(receiver)
    return getattr(receiver, "__name__", None) or type(receiver).__name__
