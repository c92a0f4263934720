"""Parameter names, checked before anything is trained.

A misspelt ``module__hiden`` of a net is accepted by `set_params` and refused only when
the module is made, once in every fit.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sklearn.base import clone

from sktune._errors import ParamNameError, did_you_mean
from sktune.execution.estimators._nets import find_nets, is_net

# What skorch hands to whom: the prefix, and the attribute that names the receiver.
_NET_PREFIXES = (
    "iterator_train",
    "iterator_valid",
    "criterion",
    "optimizer",
    "dataset",
    "module",
)


# Arguments that skorch itself gives.
_GIVEN = {"dataset", "param_groups", "params"}


def check_names(estimator: Any, dicts: Sequence[Mapping[str, Any]]) -> None:
    """Raise `ParamNameError` for a name that no candidate could be given.

    Parameters
    ----------
    estimator : estimator
    dicts : sequence of dict
        What is searched; each dict a subspace, or a list of values of each name.
    """
    if not hasattr(estimator, "get_params"):
        return
    for subspace in dicts:
        for name in subspace:
            _check_name(estimator, str(name), str(name), subspace)


def _check_name(
    estimator: Any, name: str, full_name: str, subspace: Mapping[str, Any]
) -> None:
    """Follow `name` down into the estimator; `full_name` is what the user wrote."""
    params = estimator.get_params(deep=True)
    if name in params:
        return
    if is_net(estimator):
        _check_net_name(estimator, name, full_name, subspace)
        return
    head, _, rest = name.partition("__")
    path = full_name.removesuffix(name)
    # The part that the name points into may be a parameter that is searched itself.
    parts = [params.get(head), *_listed(subspace.get(path + head))]
    parts = [part for part in parts if hasattr(part, "get_params")]
    if not rest or not parts:
        # Estimators of other libraries may take more than `get_params` says.
        if not _can_set(estimator, name):
            raise _unknown(estimator, name, full_name, params)
        return
    for part in parts:
        try:
            return _check_name(part, rest, full_name, subspace)
        except ParamNameError as error:
            last = error
    raise last


def _check_net_name(
    net: Any, name: str, full_name: str, subspace: Mapping[str, Any]
) -> None:
    path = full_name.removesuffix(name)
    prefixes = [*_NET_PREFIXES, *(p for p in net.prefixes_ if p not in _NET_PREFIXES)]
    for prefix in prefixes:
        if not name.startswith(prefix + "__"):
            continue
        argument = name.removeprefix(prefix + "__")
        if prefix not in _NET_PREFIXES:  # callbacks, and what subclasses add
            if _can_set(net, name):
                return
            break
        listed = _listed(subspace.get(path + prefix))
        receivers = listed or [getattr(net, prefix, None)]
        accepted = [_arguments(receiver) for receiver in receivers if receiver]
        if any(names is None or _root(argument) in names for names in accepted):
            return
        names = sorted(set().union(*(names or () for names in accepted)) - _GIVEN)
        raise ParamNameError(
            f"Invalid parameter {full_name!r}: {_name(receivers[0])} takes no argument "
            f"{argument!r}.{did_you_mean(argument, names)} It takes: {names}."
        )
    head, _, argument = name.partition("__")
    own = net.get_params(deep=False).get(head)
    if argument and callable(own) and head not in prefixes:
        # A module beside `module`, which skorch knows by its prefix once it is made.
        accepts = _arguments(own)
        if accepts is None or _root(argument) in accepts:
            return
    if argument and _makes_parts_of_its_own(net):
        return
    valid = {*net.get_params(deep=True), *prefixes, *_arguments_by_prefix(net)}
    raise _unknown(net, name, full_name, valid)


def _makes_parts_of_its_own(net: Any) -> bool:
    """Whether a subclass may know prefixes that cannot be seen before it is made."""
    return any(
        not getattr(type(net), f"initialize_{part}").__module__.startswith("skorch.")
        for part in ("module", "criterion", "optimizer")
    )


def _arguments_by_prefix(net: Any) -> set[str]:
    """Names such as ``module__hidden``, which `get_params` does not give."""
    return {
        f"{prefix}__{argument}"
        for prefix in _NET_PREFIXES
        for argument in (_arguments(getattr(net, prefix, None)) or set()) - _GIVEN
    }


def _can_set(estimator: Any, name: str) -> bool:
    try:
        clone(estimator).set_params(**{name: None})
    except Exception:
        return False
    return True


def _arguments(receiver: Any) -> set[str] | None:
    """Names that a class or function takes; None if any name may be right."""
    if not callable(receiver):
        return None
    if not inspect.isclass(receiver) and not inspect.isroutine(receiver):
        receiver = type(receiver)  # skorch makes a new one of an instance's class
    try:
        parameters = inspect.signature(receiver).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name for p in parameters} | {"param_groups"}


def _root(argument: str) -> str:
    """``param_groups`` of ``param_groups__0__lr``."""
    return argument.partition("__")[0]


def _listed(values: Any) -> list[Any]:
    """Values of a list; a distribution names none."""
    if values is None or hasattr(values, "rvs") or isinstance(values, str):
        return []
    try:
        return list(values)
    except TypeError:
        return []


def _name(receiver: Any) -> str:
    return getattr(receiver, "__name__", None) or type(receiver).__name__


def _unknown(
    estimator: Any, name: str, full_name: str, valid: Iterable[str]
) -> ParamNameError:
    shown = sorted({str(k).partition("__")[0] for k in valid} - {"_params_to_validate"})
    path = full_name.removesuffix(name)
    names = [path + str(k) for k in valid]
    for prefix, net in find_nets(estimator).items():
        names += [path + prefix + k for k in _arguments_by_prefix(net)]
    suggestion = did_you_mean(full_name, names)
    return ParamNameError(
        f"Invalid parameter {full_name!r}: {type(estimator).__name__} has no "
        f"parameter {name!r}.{suggestion} Valid parameters are: {shown}."
    )
