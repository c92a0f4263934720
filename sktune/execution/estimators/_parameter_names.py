"""Parameter names, checked before anything is trained.

A misspelt ``module__hiden`` of a net is accepted by `set_params` and refused only when
the module is made, once in every fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sktune.execution.estimators._name_hints import shown
from sktune.execution.estimators._net_names import names_by_prefix, refuse_name_of_net
from sktune.execution.estimators._nets import find_nets, is_net
from sktune.execution.estimators._parameter_paths import (
    UNKNOWN,
    NestedParameter,
    find_parameters,
    params_of,
)
from sktune.execution.estimators._refusal import Refusal
from sktune.execution.estimators._trial_set_params import (
    error_of_setting,
    is_about_the_name,
)
from sktune.execution.estimators._unused_parameters import refuse_unused


def check_names(estimator: Any, dicts: Sequence[Mapping[str, Any]]) -> None:
    """Raise for a name that no candidate could be given, or that no fit would use.

    Parameters
    ----------
    estimator : estimator
    dicts : sequence of dict
        What is searched; each dict a subspace, or a list of values of each name.

    Raises
    ------
    ParamNameError
    EstimatorError
        Where the name is right, and the estimator raises when it is set.
    """
    if not hasattr(estimator, "get_params"):
        return
    for subspace in dicts:
        for name in subspace:
            refusal = _refuse(estimator, str(name), subspace)
            if refusal is not None:
                raise refusal.error(str(name), _all_names(estimator, subspace))


def _refuse(estimator: Any, name: str, subspace: Mapping[str, Any]) -> Refusal | None:
    """None if any of the estimators that may be there takes the name, and uses it."""
    refusals = []
    for parameter in find_parameters(estimator, name, subspace):
        refusal = _refuse_one(estimator, parameter, name, subspace)
        if refusal is None:
            return None
        refusals.append(refusal)
    return refusals[0] if refusals else None


def _refuse_one(
    estimator: Any, parameter: NestedParameter, name: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    part = parameter.estimator
    if part is UNKNOWN:
        return None
    if is_net(part):
        refusal = refuse_name_of_net(part, parameter.name, parameter.prefix, subspace)
    elif parameter.name in params_of(part):
        refusal = None
    else:
        # Estimators of other libraries may take more than `get_params` says.
        refusal = _refuse_setting(estimator, parameter, name, subspace)
    return refusal or refuse_unused(estimator, parameter, name, subspace)


def _refuse_setting(
    estimator: Any, parameter: NestedParameter, name: str, subspace: Mapping[str, Any]
) -> Refusal | None:
    values = subspace.get(name)
    cause = None
    if not parameter.is_searched:  # or else it is not what it would be
        cause = error_of_setting(estimator, name, values)
        if cause is None:
            return None
    part, where = parameter.estimator, parameter.prefix.removesuffix("__")
    if not hasattr(part, "set_params"):
        why = f"{type(estimator).__name__} has no parameter {name!r}"
        return Refusal(f"{why}: {where!r} is {_short(part)}.", cause=cause)
    if where or cause is None:
        cause = error_of_setting(part, parameter.name, values)
        if cause is None:
            return None
    why = f"{type(part).__name__} has no parameter {parameter.name!r}."
    if not is_about_the_name(cause):
        why = f"{why[:-1]}; set_params raised {type(cause).__name__} ({cause})."
    own = {key.partition("__")[0] for key in params_of(part)}
    remedy = f"Valid parameters are: {shown(own, parameter.name)}."
    return Refusal(why, remedy, cause=cause)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"


def _all_names(estimator: Any, subspace: Mapping[str, Any]) -> set[str]:
    """All names that could have been meant, those of searched parts included."""
    parts = [("", estimator)]
    for name, values in subspace.items():
        for part in values if isinstance(values, list | tuple) else ():
            parts += _named_parts(str(name), part)
    names: set[str] = set()
    for prefix, part in parts:
        names |= {prefix + key for key in params_of(part)}
        for path, net in find_nets(part).items():
            where = prefix + path
            names |= {where + key for key in names_by_prefix(net, where, subspace)}
    # An attribute that skorch lists among its parameters.
    return {name for name in names if not name.endswith("_params_to_validate")}


def _named_parts(name: str, part: Any) -> Iterator[tuple[str, Any]]:
    """A searched estimator by its prefix; each step of a searched list of steps."""
    prefix = name.removesuffix("steps") if isinstance(part, list) else f"{name}__"
    if not isinstance(part, list):
        yield prefix, part
        return
    for step in part:
        if isinstance(step, tuple) and len(step) == 2 and isinstance(step[0], str):
            yield f"{prefix}{step[0]}__", step[1]
