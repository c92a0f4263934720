"""Stages of a training whose params change on the way."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone

from sktune._types import Stage
from sktune.execution.estimators._resource import Resource


def own_params(stage: Stage, resource: Resource) -> dict[str, Any]:
    """The params of a stage that are those of what is trained step by step."""
    prefix = "".join(f"{step}__" for step in resource.path)
    return {
        name.removeprefix(prefix): value
        for name, value in stage.params.items()
        if name.startswith(prefix)
    }


def changed_params(before: Stage, stage: Stage, resource: Resource) -> dict[str, Any]:
    """Those of a stage that are others than those of the stage before."""
    old = own_params(before, resource)
    changed = {
        name: value
        for name, value in own_params(stage, resource).items()
        if name not in old or not _same(old[name], value)
    }
    # Parameters may be estimators themselves: cloned, they stay unfitted.
    return dict(clone(changed, safe=False))


def _same(a: Any, b: Any) -> bool:
    """Whether two values are one; of what is no plain value, the same object."""
    if a is b:
        return True
    is_plain = isinstance(a, int | float | str | tuple)
    return is_plain and type(a) is type(b) and repr(a) == repr(b)
