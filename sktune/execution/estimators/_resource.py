"""What a resource is: which one, up to what, and whether it can be one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

from sklearn.pipeline import Pipeline

from sktune._errors import EstimatorError, ParamNameError, did_you_mean
from sktune._warnings import warn
from sktune.execution.estimators._continuation import (
    find_continuation,
    is_epochs_of_last,
    needed,
)
from sktune.execution.estimators._last_steps import (
    is_pipeline,
    last_of,
    name_of_last,
)
from sktune.execution.estimators._nets import find_nets, is_net
from sktune.execution.estimators._parameter_names import check_names
from sktune.execution.estimators._parameter_paths import (
    UNKNOWN,
    NestedParameter,
    find_parameters,
    params_of,
    prefix_of_last,
)


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of one search.

    Attributes
    ----------
    name : str
        ``"n_samples"``, or the name of an integer parameter in the whole estimator,
        such as ``"net__max_epochs"``.
    continuation : str
        How a candidate is given more of it:

        - ``"epochs"``: a net continues, exactly where it stopped;
        - ``"warm_start"``: an estimator with ``warm_start`` continues;
        - ``"partial_fit"``: the resource is the number of calls of ``partial_fit`` with
          the whole training part;
        - ``"n_samples"``: trained from scratch on a larger subset;
        - ``"from_scratch"``: trained from scratch with a larger value of the parameter.
    max_resources : int
        The most that any candidate is given.
    """

    name: str
    continuation: str
    max_resources: int

    @property
    def continues(self) -> bool:
        """Whether training goes on instead of starting over."""
        return self.continuation in ("epochs", "warm_start", "partial_fit")

    @property
    def path(self) -> list[str]:
        """Names of the steps, one in the other, that lead to what is told it."""
        return self.name.split("__")[:-1]

    @property
    def is_parameter(self) -> bool:
        """Whether the estimator is told it by a parameter."""
        return self.continuation not in ("n_samples", "partial_fit")


def find_resource(
    estimator: Any,
    resource: str,
    max_resources: int | str,
    dicts: Sequence[Mapping[str, Any]],
    n_samples: int | None,
) -> Resource:
    """Find out what the resource is, and how the estimator makes use of more of it.

    Parameters
    ----------
    estimator : estimator
    resource : str
        ``"auto"``, ``"n_samples"``, ``"<path>partial_fit"`` or a parameter's name.
    max_resources : int or "auto"
    dicts : sequence of dict
        The dicts that are searched.
    n_samples : int or None
        Rows of X; None where there is no X yet.

    Raises
    ------
    ParamNameError
        For a resource that is no parameter, or a searched one.
    EstimatorError
        For a resource that cannot be used with this estimator, or up to no number.
    """
    dicts = list(dicts) or [{}]
    name = _automatic(estimator, dicts) if resource == "auto" else resource
    if name == "n_samples":
        return Resource(name, name, _most_rows(max_resources, n_samples))
    if any(name in subspace for subspace in dicts):
        raise ParamNameError(
            f"Cannot use parameter {name} as the resource since it is part of the "
            f"searched parameters. Take {name!r} out of them, or name another resource."
        )
    pairs = [(p, d) for d in dicts for p in find_parameters(estimator, name, d)]
    for parameter, subspace in pairs:
        if name.rpartition("__")[2] == "partial_fit":
            _check_partial_fit(parameter, name, estimator)
        else:
            _check_parameter(parameter, name, estimator, subspace)
    found = {find_continuation(p, d, n_samples) for p, d in pairs}
    # One search has one: where candidates differ, none of them continues.
    continuation = found.pop() if len(found) == 1 else "from_scratch"
    if max_resources == "auto":
        values = [parameter.value for parameter, _ in pairs]
        max_resources = _most_of(name, continuation, values)
    return Resource(name, continuation, int(max_resources))


def smallest_resources(resource: Resource, n_splits: int, n_classes: int | None) -> int:
    """What ``min_resources="smallest"`` is, by scikit-learn's rule.

    `n_classes` is None where the estimator is no classifier.
    """
    if resource.continuation != "n_samples":
        return 1
    return 2 * n_splits * (n_classes or 1)


def warn_where_nothing_continues(
    estimator: Any, given: str, resource: Resource, dicts: Sequence[Mapping[str, Any]]
) -> None:
    """Say before the first fit that what would go on by itself starts over here.

    That is a net which something trains that cannot do so in pieces, or the last step
    of a pipeline of an unknown kind. Other parameters are meant to start over.

    Parameters
    ----------
    estimator : estimator
    given : str
        The `resource` that the user gave.
    resource : Resource
        What it was found to be.
    dicts : sequence of dict
        The dicts that are searched.
    """
    if resource.continues or given == "n_samples":
        return
    holder, prefix = _trained_last(estimator)
    if given == "auto":
        nets = {} if is_net(holder) else find_nets(holder)
        names = [f"{prefix}{inner}max_epochs" for inner in nets]
        what = "Pass resource='n_samples' if that is meant, or let"
    else:
        names = [given] if _would_continue(estimator, given, dicts) else []
        holder = _holder(estimator, given)
        if is_net(holder):  # where the steps are searched, it may not be the last
            holder = estimator
        what = "Let"
    if not names:
        return
    part = names[0].rpartition("__")[0]
    warn(
        f"resource={given!r}: {type(holder).__name__} cannot train {part!r} in pieces, "
        f"so that every rung trains it from scratch, with more {resource.name}. {what} "
        "it stand by itself, last in a Pipeline of scikit-learn or imbalanced-learn, "
        "or in a TransformedTargetRegressor."
    )


def _trained_last(estimator: Any) -> tuple[Any, str]:
    """What pipelines and their like train last, and the prefix of its parameters."""
    prefix = prefix_of_last(estimator)
    return last_of(estimator, prefix.split("__")[:-1]), prefix


def _would_continue(
    estimator: Any, name: str, dicts: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether only what is around it keeps an estimator from going on."""
    is_odd = _is_odd_pipeline(_holder(estimator, name))
    pairs = [(p, d) for d in dicts or [{}] for p in find_parameters(estimator, name, d)]
    found = {
        find_continuation(replace(parameter, is_last=True), subspace, 0)
        for parameter, subspace in pairs
        if not parameter.is_last
    }
    return found == {"epochs"} or (is_odd and found == {"warm_start"})


def _holder(estimator: Any, name: str) -> Any:
    """The first estimator on the path of a parameter that cannot train in pieces."""
    for head in name.split("__")[:-1]:
        if name_of_last(estimator) != head:
            break
        estimator = last_of(estimator, [head])
    return estimator


def _is_odd_pipeline(estimator: Any) -> bool:
    return isinstance(estimator, Pipeline) and not is_pipeline(estimator)


# -- which resource, and up to what -------------------------------------------------


def _automatic(estimator: Any, dicts: Sequence[Mapping[str, Any]]) -> str:
    """Name of the resource where the choice is left to us."""
    nets = find_nets(estimator)
    if len(nets) > 1:
        names = [f"{prefix}max_epochs" for prefix in nets]
        raise EstimatorError(
            f"resource='auto' may be any of {names}, since there are {len(nets)} nets "
            f"in {type(estimator).__name__}. Name one of them, or pass "
            "resource='n_samples'."
        )
    name = f"{prefix_of_last(estimator)}max_epochs"
    found = [p for d in dicts for p in find_parameters(estimator, name, d)]
    return name if all(map(is_epochs_of_last, found)) else "n_samples"


def _most_rows(max_resources: int | str, n_samples: int | None) -> int:
    n_samples = needed(n_samples)
    if max_resources == "auto":
        return n_samples
    if int(max_resources) > n_samples:
        raise EstimatorError(
            f"max_resources={max_resources} is more than the {n_samples} samples of X. "
            f"Pass max_resources={n_samples} or less, or 'auto'."
        )
    return int(max_resources)


def _most_of(name: str, continuation: str, values: list[Any]) -> int:
    """What ``max_resources="auto"`` is, from the values that the parameter has now."""
    value = values[0] if values else UNKNOWN
    if continuation == "partial_fit":
        why = f"{name!r} counts passes over the training part, without a limit"
    elif any(other is not value and other != value for other in values):
        why = f"{name!r} differs between the estimators that are searched"
    elif value is UNKNOWN:
        why = f"{name!r} is not set on the estimator"
    elif not isinstance(value, Integral) or value < 1:
        why = f"{name!r} is {value!r} on the estimator, and not a positive integer"
    else:
        return int(value)
    raise EstimatorError(
        f"max_resources='auto' cannot be found out: {why}. Pass max_resources=<int>."
    )


# -- whether it is one --------------------------------------------------------------


def _check_parameter(
    parameter: NestedParameter, name: str, estimator: Any, subspace: Mapping[str, Any]
) -> None:
    """Raise where the resource is no number that the parameter could be set to."""
    if parameter.estimator is UNKNOWN:
        return
    if hasattr(parameter.value, "get_params") or isinstance(parameter.value, bool):
        epochs = f", such as {name}__max_epochs" if is_net(parameter.value) else ""
        raise EstimatorError(
            f"Cannot use resource={name}, which is {_label(parameter.value)} and not a "
            f"number. Name an integer parameter{epochs}."
        )
    # Parameters above it are searched: what they may be decides on what is valid.
    above = {k: v for k, v in subspace.items() if name.startswith(f"{k}__")}
    prefix = parameter.prefix
    below = {k[len(prefix) :]: v for k, v in above.items() if k.startswith(prefix)}
    try:
        if parameter.is_searched:
            check_names(parameter.estimator, [{parameter.name: None, **below}])
        else:
            check_names(estimator, [{name: None, **above}])
    except ParamNameError as error:
        if not parameter.is_searched:
            raise _unsupported(name, estimator, f" {error}") from error
    else:
        if hasattr(parameter.estimator, "get_params") or not parameter.is_searched:
            return
    raise _unsupported(
        name,
        estimator,
        f" {prefix.removesuffix('__')!r} may be {_label(parameter.estimator)}, which "
        f"has no parameter {parameter.name!r}. Search only what has one, or pass "
        "resource='n_samples'.",
    )


def _check_partial_fit(parameter: NestedParameter, name: str, estimator: Any) -> None:
    """Raise where the resource is a number of calls that nobody takes."""
    step = parameter.estimator
    if parameter.name != "partial_fit" or not hasattr(step, "partial_fit"):
        wanted = f"{prefix_of_last(estimator)}partial_fit"
        (last,) = find_parameters(estimator, wanted, {})
        takes = hasattr(last.estimator, "partial_fit") and not is_net(last.estimator)
        suggestion = did_you_mean(name, [wanted] if takes else [])
        remedy = " Name an integer parameter, or pass resource='n_samples'."
        raise _unsupported(
            name,
            estimator,
            f" {_label(step)} has no {parameter.name!r}.{suggestion or remedy}",
        )
    if is_net(step):
        raise EstimatorError(
            f"Cannot use resource={name}: every partial_fit of a net begins its "
            f"callbacks anew. Pass resource='{parameter.prefix}max_epochs'."
        )
    if not parameter.is_last:
        raise EstimatorError(
            f"Cannot use resource={name}: partial_fit is only called of an estimator "
            "that stands alone or last in a Pipeline. Pass resource='n_samples'."
        )


def _unsupported(name: str, estimator: Any, why: str) -> ParamNameError:
    if "'n_samples'" in did_you_mean(name, ["n_samples", *params_of(estimator)]):
        why = " Did you mean 'n_samples'?"
    return ParamNameError(
        f"Cannot use resource={name} which is not supported by estimator "
        f"{type(estimator).__name__}.{why}"
    )


def _label(value: Any) -> str:
    """A value in a message: ``LogisticRegression``, ``'passthrough'``."""
    if value is UNKNOWN:
        return "what a distribution gives"
    is_plain = value is None or isinstance(value, str | bool)
    return repr(value) if is_plain else type(value).__name__
