"""Nested parameters: names followed down into pipelines and other estimators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from sktune.execution.estimators._last_steps import (
    is_pipeline,
    last_of,
    name_of_last,
)
from sktune.execution.estimators._nets import is_net

# Stands for a value that is not set, or that cannot be known before it is drawn.
UNKNOWN: Any = object()


@dataclass(frozen=True, slots=True)
class NestedParameter:
    """A parameter and the estimator that takes it, in some candidates at least.

    Attributes
    ----------
    estimator : object
        `UNKNOWN` where a distribution gives it.
    name : str
        Of the parameter in this estimator.
    prefix : str
        Prefix of this estimator's parameters in the whole estimator.
    is_last : bool
        Whether it is the whole, or what (nested) pipelines and their like train last.
    is_searched : bool
        Whether it is a value of a searched parameter, or inside of one.
    """

    estimator: Any
    name: str
    prefix: str = ""
    is_last: bool = True
    is_searched: bool = False

    @property
    def value(self) -> Any:
        """What the parameter is now."""
        return params_of(self.estimator).get(self.name, UNKNOWN)


def find_parameters(
    estimator: Any, name: str, subspace: Mapping[str, Any]
) -> Iterator[NestedParameter]:
    """All that a name may stand for: ``net`` may be a list of nets.

    Nets are not entered: what is below a net is its own business.
    """
    return _descend(NestedParameter(estimator, name), subspace)


def _descend(
    parameter: NestedParameter, subspace: Mapping[str, Any]
) -> Iterator[NestedParameter]:
    head, _, rest = parameter.name.partition("__")
    is_estimator_inside = rest and head in params_of(parameter.estimator)
    if not is_estimator_inside or is_net(parameter.estimator):
        yield parameter
        return
    where = parameter.prefix + head
    for parent in _with_searched_steps(parameter, subspace):
        is_searched = parent is not parameter.estimator or where in subspace
        is_last = name_of_last(parent) == head
        current = params_of(parent).get(head, UNKNOWN)
        for child in alternatives(subspace, where, current):
            yield from _descend(
                NestedParameter(
                    child,
                    rest,
                    f"{where}__",
                    parameter.is_last and is_last,
                    parameter.is_searched or is_searched,
                ),
                subspace,
            )


def _with_searched_steps(
    parameter: NestedParameter, subspace: Mapping[str, Any]
) -> list[Any]:
    """The estimator; a pipeline with each list of steps that is searched."""
    name = f"{parameter.prefix}steps"
    if name not in subspace or not is_pipeline(parameter.estimator):
        return [parameter.estimator]
    pipelines = []
    for steps in alternatives(subspace, name, UNKNOWN):
        pipeline = copy(parameter.estimator)
        pipeline.steps = steps
        pipelines.append(UNKNOWN if steps is UNKNOWN else pipeline)
    return pipelines


def alternatives(subspace: Mapping[str, Any], name: str, current: Any) -> list[Any]:
    """Values that a parameter may have: those searched, or else the current one."""
    if name not in subspace:
        return [current]
    values = subspace[name]
    if hasattr(values, "rvs"):
        return [UNKNOWN]
    try:
        return list(values)
    except TypeError:
        return [UNKNOWN]


def params_of(estimator: Any) -> dict[str, Any]:
    """All parameters, deep ones too; none of what is no estimator."""
    is_estimator = hasattr(estimator, "get_params") and not isinstance(estimator, type)
    return estimator.get_params(deep=True) if is_estimator else {}


def prefix_of_last(estimator: Any) -> str:
    """Prefix of the parameters of what is trained last, in pipelines and their like."""
    name = name_of_last(estimator)
    if name is None:
        return ""
    return f"{name}__{prefix_of_last(last_of(estimator, [name]))}"


def last_step(estimator: Any) -> Any:
    """The last step of (nested) pipelines; of anything else, the whole."""
    while is_pipeline(estimator):
        estimator = estimator.steps[-1][1]
    return estimator
