"""Options of one parameter group of an optimizer, such as its learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sktune.execution.estimators._name_hints import shown
from sktune.execution.estimators._refusal import Refusal

GROUP_PREFIX = "param_groups__"


def takes_groups(optimizer: Any) -> bool:
    """Whether this makes optimizers of options of groups, as `sktune.nets` does."""
    return bool(getattr(optimizer, "takes_options_of_groups", False))


def refuse_name_of_group(
    optimizer: Any,
    argument: str,
    accepted: set[str] | None,
    patterns: Sequence[Any],
    path: str,
) -> Refusal | None:
    """Why ``param_groups__0__lr`` reaches no group.

    Parameters
    ----------
    optimizer : callable
        That of the net.
    argument : str
    accepted : set of str or None
        What the optimizer takes; None if any name may be right.
    patterns : sequence
        What `optimizer__param_groups` may be.
    path : str
        Prefix of the net's parameters.
    """
    if not takes_groups(optimizer):
        name = getattr(optimizer, "__name__", "...")
        return Refusal(
            f"skorch would hand {argument!r} to {name}, which takes no such argument.",
            "Options of parameter groups can be searched with "
            f"{path}optimizer=sktune.nets.ParamGroups({name}), and with the patterns "
            f"of the groups in {path}optimizer__param_groups, as skorch has them.",
            is_unknown=False,
        )
    group, _, option = argument.removeprefix(GROUP_PREFIX).partition("__")
    if accepted is not None and option not in accepted:
        return Refusal(
            f"{optimizer.optimizer.__name__} has no option {option!r} of a group.",
            f"It has: {shown(accepted, option)}.",
        )
    if all(isinstance(p, list | tuple) and group not in groups_of(p) for p in patterns):
        (listed, *_) = patterns
        return Refusal(
            f"the optimizer has no parameter group {group!r}.",
            f"{path}optimizer__param_groups={list(listed)!r} makes the groups "
            f"{groups_of(listed)}; number {len(listed)} has what no pattern matches.",
        )
    return None


def groups_of(patterns: Sequence[Any]) -> list[str]:
    """Names of groups: numbers, and what their options call `name`."""
    named = [options.get("name") for _, options in patterns if "name" in options]
    return [*map(str, range(len(patterns) + 1)), *map(str, named)]
